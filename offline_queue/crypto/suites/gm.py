"""SM4-GCM (GB/T 32907, RFC 8998) and SM3 (GB/T 32905)."""

from __future__ import annotations

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from cryptography.hazmat.primitives.ciphers.modes import GCM
from cryptography.hazmat.primitives.hashes import SM3, Hash
from cryptography.hazmat.primitives.hmac import HMAC

from offline_queue.crypto.suites import GM

NAME = GM
KEY_BYTES = 16
_NONCE_BYTES, _TAG_BYTES = 12, 16
_WRAPPING = b"suizhu kiosk key: SM4-GCM key wrap, 1"


def seal(key: bytes, data: bytes, aad: bytes) -> bytes:
    return encrypt(key, secrets.token_bytes(_NONCE_BYTES), data, aad)


def encrypt(key: bytes, nonce: bytes, data: bytes, aad: bytes) -> bytes:
    """Return nonce, ciphertext and tag. For published vectors; a nonce must never be used twice with a key."""
    cipher = Cipher(SM4(key), GCM(nonce)).encryptor()
    cipher.authenticate_additional_data(aad)
    return nonce + cipher.update(data) + cipher.finalize() + cipher.tag


def unseal(key: bytes, sealed: bytes, aad: bytes) -> bytes | None:
    # Looked at here: the mode itself would take a tag as short as four bytes
    if len(sealed) < _NONCE_BYTES + _TAG_BYTES:
        return None
    nonce, tag = sealed[:_NONCE_BYTES], sealed[-_TAG_BYTES:]
    try:
        cipher = Cipher(SM4(key), GCM(nonce, tag, _TAG_BYTES)).decryptor()
        cipher.authenticate_additional_data(aad)
        return cipher.update(sealed[_NONCE_BYTES:-_TAG_BYTES]) + cipher.finalize()
    except (InvalidTag, ValueError):
        return None


def wrapping_key(secret: bytes) -> bytes:
    # The same 32 bytes also are an AES key: another algorithm never works with the same key
    mac = HMAC(secret, SM3())
    mac.update(_WRAPPING)
    return mac.finalize()[:KEY_BYTES]


def digest(data: bytes) -> bytes:
    hashed = Hash(SM3())
    hashed.update(data)
    return hashed.finalize()
