"""The device's own key: signs requests to the authority and receipts of erasure. Ed25519, or SM2 with SM3.

The key's kind says the algorithm, never the message: a signature cannot ask to be checked in a weaker way.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeAlias

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from kiosk.config import ReportingSection
from kiosk.errors import ConfigError
from kiosk.sm2 import Sm2PrivateKey, Sm2PublicKey, is_sm2
from offline_queue.crypto.suites import GM, INTL, SuiteName, gm

ED25519, SM2 = "Ed25519", "SM2-SM3"
PublicKey: TypeAlias = Ed25519PublicKey | Sm2PublicKey


class DeviceKey(Protocol):
    """Signs. Any thread; never shows its secret."""

    @property
    def algorithm(self) -> str: ...

    @property
    def suite(self) -> SuiteName:
        """The suite that this kind of key goes with."""
        ...

    def sign(self, data: bytes) -> bytes: ...

    def digest(self, data: bytes) -> bytes:
        """The hash by which a request names its body."""
        ...

    def public_pem(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Ed25519Key:
    """Raw signatures of 64 bytes (RFC 8032), SHA-256 for a body."""

    key: Ed25519PrivateKey = field(repr=False)

    @property
    def algorithm(self) -> str:
        return ED25519

    @property
    def suite(self) -> SuiteName:
        return INTL

    def sign(self, data: bytes) -> bytes:
        return self.key.sign(data)

    def digest(self, data: bytes) -> bytes:
        return hashlib.sha256(data).digest()

    def public_pem(self) -> bytes:
        return self.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@dataclass(frozen=True, slots=True)
class Sm2Key:
    """DER signatures (GM/T 0009), SM3 for a body."""

    key: Sm2PrivateKey = field(repr=False)

    @property
    def algorithm(self) -> str:
        return SM2

    @property
    def suite(self) -> SuiteName:
        return GM

    def sign(self, data: bytes) -> bytes:
        return self.key.sign(data)

    def digest(self, data: bytes) -> bytes:
        return gm.digest(data)

    def public_pem(self) -> bytes:
        return self.key.public_key().to_pem()


def configured(reporting: ReportingSection) -> DeviceKey | None:
    """Return the key that the settings name; None where they name none, as in a demo. Raises ConfigError."""
    return load(reporting.device_key_file) if reporting.device_key_file is not None else None


def load(key_file: Path) -> DeviceKey:
    """Read a private key, PEM (PKCS #8) without a password. Raises ConfigError that shows nothing of the key."""
    try:
        pem = key_file.read_bytes()
        if is_sm2(pem):
            return Sm2Key(Sm2PrivateKey.from_pem(pem))
        key = load_pem_private_key(pem, password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as exc:
        fault = f"device_key_file {key_file}: {type(exc).__name__}, wants an Ed25519 or SM2 key as PEM without password"
        raise ConfigError("[reporting]", [fault]) from exc
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigError("[reporting]", [f"device_key_file {key_file}: neither an Ed25519 nor an SM2 key"])
    return Ed25519Key(key)


def read_public(pem: bytes) -> PublicKey:
    """Read a public key, PEM. Raises ValueError for any other kind."""
    if is_sm2(pem):
        return Sm2PublicKey.from_pem(pem)
    try:
        key = load_pem_public_key(pem)
    except UnsupportedAlgorithm as exc:
        raise ValueError("neither an Ed25519 nor an SM2 public key") from exc
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError("neither an Ed25519 nor an SM2 public key")
    return key


def fingerprint(key: PublicKey) -> str:
    """Return the SHA-256 of a public key's DER, in hex: what a hotel publishes of its kiosks.

    Of the key that checks, never of the text that it was read from: that may show another one beside it.
    """
    if isinstance(key, Sm2PublicKey):
        return hashlib.sha256(key.to_der()).hexdigest()
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def fits(key: PublicKey, signature: bytes, data: bytes) -> bool:
    """Say whether a signature is this key's over ``data``."""
    if isinstance(key, Sm2PublicKey):
        return key.verify(signature, data)
    try:
        key.verify(signature, data)
    except InvalidSignature:
        return False
    return True


def verify(public_pem: bytes, signature: bytes, data: bytes) -> bool:
    """Say whether a signature is the one of this public key (PEM, Ed25519 or SM2) over ``data``. Raises ValueError."""
    return fits(read_public(public_pem), signature, data)
