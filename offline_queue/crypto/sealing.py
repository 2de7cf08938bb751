"""Seals each part of a record under a data key of its own, bound to the place where it belongs."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from uuid import UUID

from offline_queue.crypto import suites
from offline_queue.crypto.suites import INTL, Suite
from offline_queue.keys import KioskKey

VERSION = 1
TEXT = "text"
PHOTO_KINDS = ("id", "live")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a part belongs: a sealed part that was moved to another place does not open."""

    record_id: UUID
    revision: int
    op: str
    part: str
    hotel: str


@dataclass(frozen=True, slots=True)
class SealedPart:
    """One row of ``payload`` and one of ``data_key``."""

    part: str
    sealed: bytes = field(repr=False)
    recipient: str
    key_id: str
    """Name of the data key, not of the key that wraps it: rewrapping leaves the sealed bytes alone."""
    wrapped: bytes = field(repr=False)
    suite: str = INTL
    """Name of the suite that sealed and wrapped it."""


def seal(data: bytes, place: Place, key: KioskKey, suite: Suite | None = None) -> SealedPart:
    """Seal ``data`` under a fresh key, and wrap that key for the kiosk. ``intl`` when no suite is given."""
    suite = suite or _intl()
    data_key, key_id = secrets.token_bytes(suite.KEY_BYTES), secrets.token_hex(8)
    aad = aad_of(place, key_id, suite.NAME)
    sealed = suite.seal(data_key, data, aad)
    return SealedPart(place.part, sealed, key.recipient, key_id, key.wrap(data_key, aad, suite), suite.NAME)


def unseal(part: SealedPart, place: Place, key: KioskKey) -> bytes | None:
    """Return the part's bytes, or None when key, bytes, suite or place are not what they were."""
    suite = suites.named(part.suite)
    if suite is None:
        return None
    aad = aad_of(place, part.key_id, part.suite)
    data_key = key.unwrap(part.wrapped, aad, suite)
    return None if data_key is None else suite.unseal(data_key, part.sealed, aad)


def rewrap(part: SealedPart, place: Place, old: KioskKey, new: KioskKey) -> SealedPart | None:
    """Return the part with its data key wrapped by ``new``; None when ``old`` does not open it. Nothing is unsealed."""
    suite = suites.named(part.suite)
    if suite is None:
        return None
    aad = aad_of(place, part.key_id, part.suite)
    data_key = old.unwrap(part.wrapped, aad, suite)
    if data_key is None:
        return None
    return SealedPart(part.part, part.sealed, new.recipient, part.key_id, new.wrap(data_key, aad, suite), part.suite)


def aad_of(place: Place, key_id: str, suite: str) -> bytes:
    """Return what seal and wrap are bound to: the place, the data key's name and, but for the first one, the suite."""
    # No field can hold the separator: hex, number, two letters, a known part's name, ten digits, hex.
    # Records of the time before there were suites are bound without one
    version = VERSION if suite == INTL else f"{VERSION}{suite}"
    fields = (version, place.record_id.hex, place.revision, place.part, place.hotel, place.op, key_id)
    return "|".join(map(str, fields)).encode()


def _intl() -> Suite:
    suite = suites.named(INTL)
    assert suite is not None  # noqa: S101 - it is in the folder
    return suite
