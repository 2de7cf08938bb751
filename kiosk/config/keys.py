"""Settings by the name they have in faults: ``section.key``."""

from __future__ import annotations

from pathlib import Path

from kiosk.config.faults import Fault, shown
from kiosk.config.sections import Config

ENDPOINTS = ("gateway", "reservations", "reporting")
"""The sections with an address and certificates."""


def value_of(config: Config, key: str) -> object:
    """Return the value of ``section.key``."""
    section, _, name = key.partition(".")
    value: object = getattr(getattr(config, section), name)
    return value


def path_of(config: Config, key: str) -> Path | None:
    """Return the path that ``section.key`` holds, if any."""
    value = value_of(config, key)
    return value if isinstance(value, Path) else None


def fault(config: Config, key: str, allowed: str, fix: str) -> Fault:
    """Word a fault of a key whose value has the right form by itself."""
    value = value_of(config, key)
    return Fault(key, "" if value is None else shown(key, value), allowed, fix)
