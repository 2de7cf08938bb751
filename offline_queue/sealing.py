"""Seals each part of a record under a data key of its own, bound to the place where it belongs."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from offline_queue.keys import KioskKey

VERSION = 1
TEXT = "text"
PHOTO_KINDS = ("id", "live")
_NONCE_BYTES = 12


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


def seal(data: bytes, place: Place, key: KioskKey) -> SealedPart:
    """Seal ``data`` with AES-256-GCM under a fresh key, and wrap that key for the kiosk."""
    data_key, key_id, nonce = secrets.token_bytes(32), secrets.token_hex(8), secrets.token_bytes(_NONCE_BYTES)
    aad = _aad(place, key_id)
    sealed = nonce + AESGCM(data_key).encrypt(nonce, data, aad)
    return SealedPart(place.part, sealed, key.recipient, key_id, key.wrap(data_key, aad))


def unseal(part: SealedPart, place: Place, key: KioskKey) -> bytes | None:
    """Return the part's bytes, or None when key, bytes or place are not what they were."""
    aad = _aad(place, part.key_id)
    data_key = key.unwrap(part.wrapped, aad)
    if data_key is None:
        return None
    try:
        return AESGCM(data_key).decrypt(part.sealed[:_NONCE_BYTES], part.sealed[_NONCE_BYTES:], aad)
    except (InvalidTag, ValueError):
        return None


def _aad(place: Place, key_id: str) -> bytes:
    # No field can hold the separator: hex, number, two letters, a known part's name, ten digits, hex
    fields = (VERSION, place.record_id.hex, place.revision, place.part, place.hotel, place.op, key_id)
    return "|".join(map(str, fields)).encode()
