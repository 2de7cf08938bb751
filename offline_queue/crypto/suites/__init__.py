"""The algorithms that the outbox seals, wraps and chains with: one file a suite, its name is ``outbox.suite``.

A part remembers the suite it was sealed with, so a site may change over while records wait: ``named`` finds both.
``contentHash`` is SHA-256 in every suite, because the reporting protocol says so.
"""

from __future__ import annotations

import importlib
from typing import Literal, Protocol, cast

SuiteName = Literal["intl", "gm"]
INTL: SuiteName = "intl"
GM: SuiteName = "gm"


class Suite(Protocol):
    """A module of this folder. Pure but for random numbers; any thread."""

    NAME: SuiteName
    KEY_BYTES: int
    """Length of a data key."""

    def seal(self, key: bytes, data: bytes, aad: bytes) -> bytes:
        """Encrypt and authenticate under a fresh nonce, which leads the result."""
        ...

    def unseal(self, key: bytes, sealed: bytes, aad: bytes) -> bytes | None:
        """Return the data, or None when key, bytes or ``aad`` are not what they were."""
        ...

    def wrapping_key(self, secret: bytes) -> bytes:
        """Return the key that wraps data keys, from the kiosk's 32 secret bytes."""
        ...

    def digest(self, data: bytes) -> bytes:
        """Return the suite's hash, 32 bytes: for the outbox's chain and a request's body."""
        ...


def named(name: str) -> Suite | None:
    """Return a suite by its name; None for one that this program does not know."""
    if name not in (INTL, GM):
        return None
    return cast(Suite, importlib.import_module(f"{__name__}.{name}"))
