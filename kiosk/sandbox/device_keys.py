"""Public keys by which the police endpoint knows its devices: Ed25519 with SHA-256, or SM2 with SM3. Pure.

A device may be known by one of each while it changes over. Which algorithm holds is the key's to say, never the
request's.
"""

from __future__ import annotations

from typing import TypeAlias

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256, SM3, Hash
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from kiosk.sm2 import Sm2PublicKey, is_sm2

PublicKey: TypeAlias = Ed25519PublicKey | Sm2PublicKey


def read(pem: bytes) -> PublicKey:
    """Read SubjectPublicKeyInfo as PEM. Raises ValueError for any other kind of key."""
    if is_sm2(pem):
        return Sm2PublicKey.from_pem(pem)
    try:
        key = load_pem_public_key(pem)
    except UnsupportedAlgorithm as exc:
        raise ValueError("neither an Ed25519 nor an SM2 public key") from exc
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError("neither an Ed25519 nor an SM2 public key")
    return key


def body_hash(key: PublicKey, body: bytes) -> str:
    """Return the hash by which a request signed with this key names its body, in hexadecimal."""
    hashed = Hash(SM3() if isinstance(key, Sm2PublicKey) else SHA256())
    hashed.update(body)
    return hashed.finalize().hex()


def fits(key: PublicKey, signature: bytes, signed: bytes) -> bool:
    """Say whether the signature is this key's over ``signed``."""
    if isinstance(key, Sm2PublicKey):
        return key.verify(signature, signed)
    try:
        key.verify(signature, signed)
    except InvalidSignature:
        return False
    return True
