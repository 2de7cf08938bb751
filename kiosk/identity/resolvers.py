"""All resolvers of a kiosk behind one door: the format's name leads to its file."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from kiosk.config import Config
from kiosk.errors import ContractError
from kiosk.model import Consent, Identity, Refusal, ScannedCode
from kiosk.ports import IdentityResolver
from kiosk.state import StateStore


class Resolver(IdentityResolver, Protocol):
    """What each ``kiosk/identity/<format>.py`` makes with ``make(config, state, now)``."""

    def close(self) -> None:
        """Release what is open. Safe to call twice."""
        ...


class Resolvers:
    """An IdentityResolver for every configured format. Calls come from any worker thread."""

    def __init__(self, config: Config, state: StateStore, now: Callable[[], datetime]) -> None:
        self._by_format: dict[str, Resolver] = {
            name: importlib.import_module(f"kiosk.identity.{name}").make(config, state, now)
            for name in config.credentials.formats
        }

    def resolve(self, code: ScannedCode, consent: Consent, visit: int) -> Identity | Refusal:
        """Say whose the code is, after the guest agreed. Raises OperationalError or ContractError."""
        if consent.purpose != "identity":
            raise ContractError("a code was to be resolved without a consent to that")
        return self._of(code.format).resolve(code, consent, visit)

    def portrait(self, identity: Identity, consent: Consent) -> bytes | None:
        """Return the portrait, after the guest agreed to the face step. Raises as ``resolve`` does."""
        if consent.purpose != "face":
            raise ContractError("a portrait was asked for without a consent to the face step")
        return identity.portrait or self._of(identity.source).portrait(identity, consent)

    def close(self) -> None:
        """Close every connection. Safe to call twice."""
        for resolver in self._by_format.values():
            resolver.close()

    def _of(self, name: str) -> Resolver:
        if name not in self._by_format:
            raise ContractError(f"no resolver for the format {name!r}: see credentials.formats in config.toml")
        return self._by_format[name]
