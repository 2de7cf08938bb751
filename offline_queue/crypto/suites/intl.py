"""AES-256-GCM and SHA-256."""

from __future__ import annotations

import hashlib
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from offline_queue.crypto.suites import INTL

NAME = INTL
KEY_BYTES = 32
_NONCE_BYTES = 12


def seal(key: bytes, data: bytes, aad: bytes) -> bytes:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, data, aad)


def unseal(key: bytes, sealed: bytes, aad: bytes) -> bytes | None:
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], aad)
    except (InvalidTag, ValueError):
        return None


def wrapping_key(secret: bytes) -> bytes:
    return secret


def digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
