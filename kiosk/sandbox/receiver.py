"""The authority's keys that kiosks in write-only mode seal to, and the opening of what they sealed.

One key of each kind, kept for as long as the folder: a sandbox that was killed comes back and opens what was sealed
meanwhile. The public halves are the files that a kiosk's ``outbox.recipient_key_file`` names.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from cryptography.hazmat.primitives.ciphers.modes import GCM

from kiosk.sm2 import WRAP_OVERHEAD_BYTES, Sm2PrivateKey

X25519, HYBRID, SM2 = "HPKE-X25519-AES256GCM", "HPKE-MLKEM768X25519-AES256GCM", "SM2-SM4GCM"
FILES = {X25519: "x25519.json", HYBRID: "mlkem768-x25519.json", SM2: "sm2.json"}
_CURVE_BYTES, _SEED_BYTES = 32, 64
_SM2_ENC_BYTES, _NONCE_BYTES, _TAG_BYTES = WRAP_OVERHEAD_BYTES + 16, 12, 16

_Open = Callable[[bytes, bytes], bytes | None]


@dataclass(frozen=True, slots=True)
class _Key:
    kid: str
    alg: str
    public: bytes
    enc_bytes: int
    open: _Open = field(repr=False)


class Receiver:
    """Opens sealed guests and photos. Any thread."""

    def __init__(self, folder: Path) -> None:
        """Take the keys that lie in ``folder``, or make them; it is made if absent."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = (_curve(folder / "x25519.key"), _hybrid(folder / "mlkem768-x25519.key"), _sm2(folder / "sm2.key"))
        self._keys = {(key.alg, key.kid): key for key in made}
        for key in made:
            told = {"suizhu": "suizhu-recipient-key-1", "kid": key.kid, "alg": key.alg}
            told["public"] = base64.b64encode(key.public).decode()
            path = folder / FILES[key.alg]
            path.touch(0o600)
            path.write_text(json.dumps(told) + "\n", encoding="ascii")

    def guest(self, record: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Return the guest of a record with ``sealedGuest``; None when it was sealed to another key, or altered."""
        sealed = record.get("sealedGuest")
        key = self._key(sealed)
        if key is None or not isinstance(sealed, dict):
            return None
        try:
            enc = base64.b64decode(sealed["enc"], validate=True)
            opened = key.open(enc + base64.b64decode(sealed["ct"], validate=True), _context(key, record, "guest"))
            guest = json.loads(opened) if len(enc) == key.enc_bytes and opened is not None else None
        except (ValueError, KeyError, TypeError, binascii.Error):
            return None
        return guest if isinstance(guest, dict) else None

    def photo(self, record: Mapping[str, Any], named: Mapping[str, Any], sealed: bytes) -> bytes | None:
        """Return the picture that a record names as ``sealed``; None as above."""
        key = self._key(named.get("sealed"))
        return None if key is None else key.open(sealed, _context(key, record, str(named.get("kind"))))

    def _key(self, sealed: object) -> _Key | None:
        if not isinstance(sealed, dict):
            return None
        return self._keys.get((str(sealed.get("alg")), str(sealed.get("kid"))))


def _context(key: _Key, record: Mapping[str, Any], part: str) -> bytes:
    names = ("hotelCode", "recordId", "revision", "op")
    return "|".join(("suizhu-sealed-1", key.kid, *(str(record.get(name)) for name in names), part)).encode()


def _kept(path: Path, make: Callable[[], bytes]) -> bytes:
    """Return a private key's bytes, made when there are none yet."""
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(make())
    return path.read_bytes()


def _curve(path: Path) -> _Key:
    private = X25519PrivateKey.from_private_bytes(_kept(path, lambda: secrets.token_bytes(_CURVE_BYTES)))
    return _hpke_key("sandbox-x25519", X25519, hpke.KEM.X25519, private, private.public_key().public_bytes_raw())


def _hybrid(path: Path) -> _Key:
    both = _kept(path, lambda: secrets.token_bytes(_SEED_BYTES + _CURVE_BYTES))
    lattice = MLKEM768PrivateKey.from_seed_bytes(both[:_SEED_BYTES])
    curve = X25519PrivateKey.from_private_bytes(both[_SEED_BYTES:])
    public = lattice.public_key().public_bytes_raw() + curve.public_key().public_bytes_raw()
    private = hpke.MLKEM768X25519PrivateKey(lattice, curve)
    return _hpke_key("sandbox-hybrid", HYBRID, hpke.KEM.MLKEM768_X25519, private, public)


def _hpke_key(
    kid: str, alg: str, kem: hpke.KEM, private: X25519PrivateKey | hpke.MLKEM768X25519PrivateKey, public: bytes
) -> _Key:
    suite = hpke.Suite(kem, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)

    def opened(sealed: bytes, info: bytes) -> bytes | None:
        try:
            return suite.decrypt(sealed, private, info)
        except (InvalidTag, ValueError):
            return None

    return _Key(kid, alg, public, kem.enc_length(), opened)


def _sm2(path: Path) -> _Key:
    private = Sm2PrivateKey.from_pem(_kept(path, lambda: Sm2PrivateKey.generate().to_pem()))

    def opened(sealed: bytes, info: bytes) -> bytes | None:
        key = private.decrypt(sealed[:_SM2_ENC_BYTES])
        return None if key is None else _sm4(key, sealed[_SM2_ENC_BYTES:], info)

    return _Key("sandbox-sm2", SM2, private.public_key().point, _SM2_ENC_BYTES, opened)


def _sm4(key: bytes, sealed: bytes, aad: bytes) -> bytes | None:
    if len(sealed) < _NONCE_BYTES + _TAG_BYTES:
        return None
    try:
        cipher = Cipher(SM4(key), GCM(sealed[:_NONCE_BYTES], sealed[-_TAG_BYTES:], _TAG_BYTES)).decryptor()
        cipher.authenticate_additional_data(aad)
        return cipher.update(sealed[_NONCE_BYTES:-_TAG_BYTES]) + cipher.finalize()
    except (InvalidTag, ValueError):
        return None
