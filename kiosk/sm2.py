"""SM2 (GB/T 32918) keys as PEM files, signatures and wrapped keys, as OpenSSL writes and reads them.

The curve arithmetic is gmalglib's; the forms around it are read and written here, because ``cryptography``
knows SM3 and SM4 but not this curve. Signatures are DER, over SM3 with the usual identity (GM/T 0009).
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from dataclasses import dataclass, field
from typing import Annotated

from cryptography.hazmat import asn1
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.x509 import ObjectIdentifier
from gmalglib.sm2 import SM2, SM2_ENCRYPT_C1_FULL_LENGTH, SM2_ENCRYPT_C3_LENGTH, SM2_PK_FULL_LENGTH, SM2_SK_LENGTH

IDENTITY = b"1234567812345678"
"""The identity that enters a signature when two sides agreed on no other."""
WRAP_OVERHEAD_BYTES = SM2_ENCRYPT_C1_FULL_LENGTH + SM2_ENCRYPT_C3_LENGTH
"""What ``encrypt`` adds: a point and a hash."""

_EC_PUBLIC_KEY = ObjectIdentifier("1.2.840.10045.2.1")
_CURVE = ObjectIdentifier("1.2.156.10197.1.301")
_PRIVATE, _PUBLIC = "PRIVATE KEY", "PUBLIC KEY"
_HALF = 32


@asn1.sequence
class _Algorithm:
    algorithm: ObjectIdentifier
    curve: ObjectIdentifier


@asn1.sequence
class _PublicInfo:
    """SubjectPublicKeyInfo, RFC 5480."""

    algorithm: _Algorithm
    point: asn1.BitString


@asn1.sequence
class _PrivateInfo:
    """PKCS #8 without attributes, RFC 5958."""

    version: int
    algorithm: _Algorithm
    key: bytes


@asn1.sequence
class _EcPrivate:
    """RFC 5915."""

    version: int
    key: bytes
    curve: Annotated[ObjectIdentifier | None, asn1.Explicit(0)]
    point: Annotated[asn1.BitString | None, asn1.Explicit(1)]


@dataclass(frozen=True, slots=True)
class Sm2PublicKey:
    """A point, uncompressed: 04 and both coordinates, 65 bytes. Any thread."""

    point: bytes

    def __post_init__(self) -> None:
        if len(self.point) != SM2_PK_FULL_LENGTH or self.point[0] != 4 or not SM2.is_pk_valid(self.point):
            raise ValueError("not a point of the SM2 curve")

    @classmethod
    def from_pem(cls, pem: bytes) -> Sm2PublicKey:
        """Read a SubjectPublicKeyInfo. Raises ValueError."""
        info = asn1.decode_der(_PublicInfo, _der(pem, _PUBLIC))
        _check(info.algorithm)
        return cls(info.point.as_bytes())

    def to_der(self) -> bytes:
        return asn1.encode_der(_PublicInfo(algorithm=_sm2(), point=asn1.BitString(self.point, 0)))

    def to_pem(self) -> bytes:
        return _pem(self.to_der(), _PUBLIC)

    def verify(self, signature: bytes, data: bytes) -> bool:
        """Say whether a DER signature is this key's over ``data``."""
        try:
            r, s = decode_dss_signature(signature)
            raw = r.to_bytes(_HALF, "big") + s.to_bytes(_HALF, "big")
            # One signature has one form: what is only nearly DER was altered on its way
            return encode_dss_signature(r, s) == signature and bool(SM2(pk=self.point, uid=IDENTITY).verify(data, raw))
        except (ValueError, OverflowError):
            return False

    def encrypt(self, data: bytes) -> bytes:
        """Return C1 C3 C2: for a key, not for a text."""
        return bytes(SM2(pk=self.point, rnd_fn=secrets.token_bytes).encrypt(data))


@dataclass(frozen=True, slots=True)
class Sm2PrivateKey:
    """32 bytes. Any thread."""

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != SM2_SK_LENGTH or not SM2.is_sk_valid(self.secret):
            raise ValueError("not a private key of SM2")

    @classmethod
    def generate(cls) -> Sm2PrivateKey:
        return cls(bytes(SM2(rnd_fn=secrets.token_bytes).generate_keypair()[0]))

    @classmethod
    def from_pem(cls, pem: bytes) -> Sm2PrivateKey:
        """Read an unencrypted PKCS #8. Raises ValueError."""
        info = asn1.decode_der(_PrivateInfo, _der(pem, _PRIVATE))
        _check(info.algorithm)
        inner = asn1.decode_der(_EcPrivate, info.key)
        key = cls(inner.key)
        if inner.point is not None and inner.point.as_bytes() != key.public_key().point:
            raise ValueError("the private key and its public key are not a pair")
        return key

    def to_pem(self) -> bytes:
        point = asn1.BitString(self.public_key().point, 0)
        inner = asn1.encode_der(_EcPrivate(version=1, key=self.secret, curve=None, point=point))
        return _pem(asn1.encode_der(_PrivateInfo(version=0, algorithm=_sm2(), key=inner)), _PRIVATE)

    def public_key(self) -> Sm2PublicKey:
        return Sm2PublicKey(bytes(SM2.get_pk(self.secret)))

    def sign(self, data: bytes) -> bytes:
        """Return a DER signature over ``data``."""
        raw = bytes(SM2(sk=self.secret, uid=IDENTITY, rnd_fn=secrets.token_bytes).sign(data))
        return encode_dss_signature(int.from_bytes(raw[:_HALF], "big"), int.from_bytes(raw[_HALF:], "big"))

    def decrypt(self, sealed: bytes) -> bytes | None:
        """Return the data, or None when it is for another key or altered."""
        # The library takes a length below that of point and hash for a huge one
        if len(sealed) <= WRAP_OVERHEAD_BYTES or sealed[0] != 4:
            return None
        try:
            return bytes(SM2(sk=self.secret).decrypt(sealed))
        except (ValueError, OverflowError):
            return None


def is_sm2(pem: bytes) -> bool:
    """Say whether a PEM names this curve: its key is ours to read, not ``cryptography``'s."""
    try:
        if f"BEGIN {_PRIVATE}".encode() in pem:
            _check(asn1.decode_der(_PrivateInfo, _der(pem, _PRIVATE)).algorithm)
        else:
            _check(asn1.decode_der(_PublicInfo, _der(pem, _PUBLIC)).algorithm)
    except ValueError:
        return False
    return True


def _sm2() -> _Algorithm:
    return _Algorithm(algorithm=_EC_PUBLIC_KEY, curve=_CURVE)


def _check(algorithm: _Algorithm) -> None:
    if (algorithm.algorithm, algorithm.curve) != (_EC_PUBLIC_KEY, _CURVE):
        raise ValueError("the key is not of the SM2 curve")


def _der(pem: bytes, label: str) -> bytes:
    found = re.search(rf"-----BEGIN {label}-----\s+([A-Za-z0-9+/=\s]+)-----END {label}-----".encode(), pem)
    if found is None:
        raise ValueError(f"no {label} in PEM")
    try:
        return base64.b64decode(b"".join(found[1].split()), validate=True)
    except binascii.Error as exc:
        raise ValueError(f"the {label} in PEM is not base64") from exc


def _pem(der: bytes, label: str) -> bytes:
    text = base64.b64encode(der).decode("ascii")
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    return "\n".join((f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", "")).encode("ascii")
