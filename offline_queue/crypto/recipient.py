"""Write-only mode: seals what is personal in a record to a public key of the authority's before the text is frozen.

The kiosk has no key to read it again: who steals or roots it opens nothing that waits. HPKE in base mode
(RFC 9180), with X25519, or with ML-KEM-768 and X25519 together (X-Wing) against a later quantum computer; or
SM2 with SM4-GCM. Sealed is bound to its record, revision, operation and part: moved elsewhere, it does not open.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from kiosk.errors import ConfigError, ContractError
from kiosk.model import Photo, Registration
from kiosk.sm2 import WRAP_OVERHEAD_BYTES, Sm2PublicKey
from offline_queue.crypto.suites import gm

X25519, HYBRID, SM2 = "HPKE-X25519-AES256GCM", "HPKE-MLKEM768X25519-AES256GCM", "SM2-SM4GCM"
HEAD = "suizhu-recipient-key-1"

_KID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_X25519_BYTES, _MLKEM_BYTES = 32, 1184
_Seal = Callable[[bytes, bytes], bytes]


@dataclass(frozen=True, slots=True)
class Recipient:
    """A public key that records are sealed to. Any thread; about 0.1 ms for a record."""

    kid: str
    """The name by which its owner knows the key."""
    alg: str
    enc_bytes: int
    """How much of what ``_seal`` returns is the encapsulated key; the rest is ciphertext."""
    _seal: _Seal

    def seal(self, registration: Registration, hotel: str) -> Registration:
        """Return the registration as it is frozen: ``sealedGuest`` in place of the guest, sealed photos.

        The salt becomes another one. The first went into nothing that stays: without it, a hash of the text as it was
        given is no help in guessing who the guest is.

        Raises:
            ContractError: The text is not a record's JSON with a guest.
        """
        record, told = _record(registration.text), _Context(registration, hotel, self.kid)
        sealed = self._seal(_dump(record.pop("guest")), told.of("guest"))
        record["sealedGuest"] = {
            "alg": self.alg,
            "kid": self.kid,
            "enc": base64.b64encode(sealed[: self.enc_bytes]).decode(),
            "ct": base64.b64encode(sealed[self.enc_bytes :]).decode(),
        }
        record["salt"] = secrets.token_hex(16)
        photos = tuple(
            replace(photo, jpeg=self._seal(photo.jpeg, told.of(photo.kind))) for photo in registration.photos
        )
        if photos:
            record["photos"] = [self._named(photo) for photo in photos]
        return replace(registration, text=_dump(record), photos=photos)

    def try_out(self) -> None:
        """Seal nothing. Raises ValueError for a key that no guest could be sealed to: a point of low order."""
        self._seal(b"", b"")

    def _named(self, photo: Photo) -> dict[str, object]:
        """Name a photo by what is sent of it: a hash of the picture itself would say whose it is to who has one."""
        sha256 = hashlib.sha256(photo.jpeg).hexdigest()
        return {"kind": photo.kind, "sha256": sha256, "sealed": {"alg": self.alg, "kid": self.kid}}


@dataclass(frozen=True, slots=True)
class _Context:
    registration: Registration
    hotel: str
    kid: str

    def of(self, part: str) -> bytes:
        put = self.registration
        return context(self.kid, self.hotel, put.record_id, put.revision, put.op, part)


def context(kid: str, hotel: str, record_id: str, revision: int, op: str, part: str) -> bytes:
    """Return what a sealed part is bound to (the ``info`` of HPKE). ``part``: guest, id or live."""
    return "|".join(("suizhu-sealed-1", kid, hotel, record_id, str(revision), op, part)).encode()


def load(path: Path) -> Recipient:
    """Read the key file that the authority gave: JSON with ``suizhu``, ``alg``, ``kid`` and ``public`` (base64).

    ``public`` is 32 bytes for X25519, the 1,184 of ML-KEM-768 before those for both, and the point for SM2.

    Raises:
        ConfigError: No such file, or no key that this program can seal to.
    """
    try:
        told = json.loads(path.read_bytes())
        if told["suizhu"] != HEAD or not _KID.fullmatch(told["kid"]):
            raise ValueError(f"wants {HEAD} and a kid")
        made = _recipient(told["kid"], told["alg"], base64.b64decode(told["public"], validate=True))
        made.try_out()
        return made
    except OSError as exc:
        fault = f"{exc.strerror}"
    except (ValueError, KeyError, TypeError, binascii.Error) as exc:
        fault = f"not a key to seal to ({exc})"
    fix = "put the file there that the authority gave for this hotel"
    raise ConfigError("[outbox]", [f"recipient_key_file {path}: {fault}; fix: {fix}"])


def _recipient(kid: str, alg: str, public: bytes) -> Recipient:
    if alg == SM2:
        point = Sm2PublicKey(public)
        return Recipient(kid, alg, WRAP_OVERHEAD_BYTES + gm.KEY_BYTES, lambda data, info: _sm2(point, data, info))
    kem, key = _hpke_key(alg, public)
    suite = hpke.Suite(kem, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
    return Recipient(kid, alg, kem.enc_length(), lambda data, info: suite.encrypt(data, key, info))


def _hpke_key(alg: str, public: bytes) -> tuple[hpke.KEM, X25519PublicKey | hpke.MLKEM768X25519PublicKey]:
    if alg == X25519:
        return hpke.KEM.X25519, X25519PublicKey.from_public_bytes(public)
    if alg != HYBRID:
        raise ValueError(f"alg is one of {X25519}, {HYBRID}, {SM2}")
    if len(public) != _MLKEM_BYTES + _X25519_BYTES:
        raise ValueError(f"public is not {_MLKEM_BYTES + _X25519_BYTES} bytes")
    lattice = MLKEM768PublicKey.from_public_bytes(public[:_MLKEM_BYTES])
    curve = X25519PublicKey.from_public_bytes(public[_MLKEM_BYTES:])
    return hpke.KEM.MLKEM768_X25519, hpke.MLKEM768X25519PublicKey(lattice, curve)


def _sm2(point: Sm2PublicKey, data: bytes, info: bytes) -> bytes:
    key = secrets.token_bytes(gm.KEY_BYTES)
    return point.encrypt(key) + gm.seal(key, data, info)


def _record(text: bytes) -> dict[str, Any]:
    try:
        record = json.loads(text)
    except ValueError:
        record = None
    if not isinstance(record, dict) or not isinstance(record.get("guest"), dict):
        raise ContractError("outbox: the record's text is not a record's JSON with a guest who could be sealed")
    return record


def _dump(told: dict[str, Any]) -> bytes:
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
