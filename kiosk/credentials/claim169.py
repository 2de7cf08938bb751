"""Signed e-ID QR in MOSIP "Claim 169" form, verified on the kiosk: base45 → zlib → COSE_Sign1 → CWT claims.

Liberal in what is read, strict in what is trusted: a pinned key, its own algorithm, its own issuer, a time.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping
from datetime import datetime

import base45

from kiosk.config import CredentialsSection
from kiosk.credentials import cose
from kiosk.credentials.issuer_keys import IssuerKey
from kiosk.model import Reason, Refusal, ScannedCode

FORMAT = "claim169"
MAX_INFLATED_BYTES = 32 * 1024
"""Eleven times what a QR code holds: a face photo does not compress, text of an identity is short."""
LEEWAY_S = 60.0
"""How far the issuer's clock and ours may differ."""
_ALPHABET = frozenset(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")
_ISSUER, _EXPIRES, _NOT_BEFORE, _ISSUED, _IDENTITY = 1, 4, 5, 6, 169


def recognise(payload: bytes, config: CredentialsSection) -> ScannedCode | None:  # noqa: ARG001 - the formats' common form
    """Take base45 whose first two bytes are a zlib header; whether it is genuine is asked later."""
    if len(payload) < 3 or not _ALPHABET.issuperset(payload):
        return None
    try:
        first = base45.b45decode(payload[:3])
    except ValueError:
        return None
    is_zlib = first[0] == 0x78 and int.from_bytes(first, "big") % 31 == 0
    return ScannedCode(FORMAT, payload) if is_zlib else None


def verify(payload: bytes, keys: Mapping[bytes, IssuerKey], now: datetime) -> Mapping[object, object] | Refusal:
    """Return the identity map of a genuine, current code, or why it is none. Never raises for any payload."""
    try:
        message = cose.read_sign1(_inflated(base45.b45decode(payload)))
        key = keys.get(message.kid) if isinstance(message.kid, bytes) else None
        if key is None or not key.is_current(now) or not cose.is_signed_by(message, key.public_key, key.algorithm):
            return Refusal(Reason.CODE_FORGED)
        claims = cose.decode_map(message.payload)
        if claims.get(_ISSUER) != key.issuer:
            return Refusal(Reason.CODE_FORGED)
        if (refusal := _out_of_time(claims, now.timestamp())) is not None:
            return refusal
        identity = claims.get(_IDENTITY)
    except cose.Encrypted:
        return Refusal(Reason.CODE_UNKNOWN)
    except ValueError:
        return Refusal(Reason.CODE_BROKEN)
    return identity if isinstance(identity, dict) else Refusal(Reason.CODE_BROKEN)


def _inflated(data: bytes) -> bytes:
    """Inflate one whole zlib stream, and stop at the limit. Raises Broken."""
    inflater = zlib.decompressobj()
    try:
        inflated = inflater.decompress(data, MAX_INFLATED_BYTES)
    except zlib.error:
        raise cose.Broken("not zlib") from None
    if not inflater.eof or inflater.unused_data:
        raise cose.Broken("zlib stream is cut short, too long, or not alone")
    return inflated


def _out_of_time(claims: Mapping[object, object], now: float) -> Refusal | None:
    """Judge exp, nbf and iat, in seconds since 1970. A code that never expires is not taken. Raises Broken."""
    expires = _moment(claims, _EXPIRES)
    if expires is None:
        raise cose.Broken("no expiry")
    if now > expires + LEEWAY_S:
        return Refusal(Reason.CODE_EXPIRED)
    begins = max(_moment(claims, _NOT_BEFORE) or 0.0, _moment(claims, _ISSUED) or 0.0)
    return Refusal(Reason.CODE_NOT_YET_VALID) if now < begins - LEEWAY_S else None


def _moment(claims: Mapping[object, object], name: int) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise cose.Broken("no number of seconds")
    return float(value)
