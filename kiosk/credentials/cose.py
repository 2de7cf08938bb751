"""COSE_Sign1 (RFC 9052) with EdDSA or ES256, over CBOR that is read without trust."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

MAX_DEPTH = 8
ALGORITHMS = {"EdDSA": -8, "ES256": -7}
"""Every algorithm that is trusted, as COSE numbers it. Both sign with 64 bytes."""
SIGNATURE_BYTES = 64
_ALG, _CRITICAL, _KID = 1, 2, 4
_CWT_TAG = b"\xd8\x3d"
_SIGN1_TAGS = (b"\xd2", b"\xd8\x12")
_ENCRYPT_TAGS = (b"\xd0", b"\xd8\x10", b"\xd8\x60")

PublicKey = ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey


class Broken(ValueError):
    """The bytes are not what they should be. The text holds none of them."""


class Encrypted(Broken):
    """A COSE_Encrypt or COSE_Encrypt0 message: we hold no key for it, and want none."""


class _NoTags(dict[int, Any]):
    """A table of tag decoders that refuses every tag: no big numbers, sets, dates or shared references."""

    def __missing__(self, tag: int) -> NoReturn:
        raise Broken("tag")


@dataclass(frozen=True, slots=True)
class Sign1:
    """A signed message, not yet verified."""

    protected: bytes
    """The protected header exactly as it was signed."""
    algorithm: object
    kid: object
    payload: bytes = field(repr=False)
    signature: bytes = field(repr=False)


def decode(data: bytes) -> object:
    """Decode one CBOR item that fills ``data``: no tags, no duplicates, nothing indefinite. Raises Broken."""
    stream = io.BytesIO(data)
    decoder = cbor2.CBORDecoder(
        stream, semantic_decoders=_NoTags(), max_depth=MAX_DEPTH, allow_indefinite=False, allow_duplicate_keys=False
    )
    try:
        item: object = decoder.decode()
    except Exception as error:  # a decoder of hostile bytes may raise anything, and all of it means this
        raise Broken(f"not CBOR: {type(error).__name__}") from None
    if stream.read(1):
        raise Broken("bytes after the CBOR item")
    return item


def decode_map(data: bytes) -> Mapping[object, object]:
    """Decode a CBOR map. Raises Broken."""
    item = decode(data)
    if not isinstance(item, dict):
        raise Broken("not a CBOR map")
    return item


def read_sign1(data: bytes) -> Sign1:
    """Take a COSE_Sign1 apart, tagged or not, in a CWT tag or not. Raises Broken."""
    data = data.removeprefix(_CWT_TAG)
    if data.startswith(_ENCRYPT_TAGS):
        raise Encrypted("encrypted")
    for tag in _SIGN1_TAGS:
        data = data.removeprefix(tag)
    match decode(data):
        case [bytes() as protected, dict() as unprotected, bytes() as payload, bytes() as signature]:
            header = decode_map(protected) if protected else {}
        case [bytes(), dict(), bytes()]:
            raise Encrypted("encrypted")
        case _:
            raise Broken("not a COSE_Sign1")
    algorithm = None if _CRITICAL in header else header.get(_ALG)
    return Sign1(protected, algorithm, header.get(_KID, unprotected.get(_KID)), payload, signature)


def is_signed_by(message: Sign1, key: PublicKey, algorithm: str) -> bool:
    """Say whether ``key`` signed the message with ``algorithm``, which is the key's own and never the message's choice.

    A message with a critical header that we do not know counts as one of an unknown algorithm.
    """
    number = ALGORITHMS.get(algorithm)
    if number is None or message.algorithm != number or len(message.signature) != SIGNATURE_BYTES:
        return False
    signed = cbor2.dumps(["Signature1", message.protected, b"", message.payload])
    try:
        if isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(message.signature, signed)
        else:
            halves = (int.from_bytes(message.signature[at : at + 32], "big") for at in (0, 32))
            key.verify(encode_dss_signature(*halves), signed, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True
