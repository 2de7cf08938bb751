"""Builds e-ID codes of an own issuer, piece by piece, so that a test may spoil any piece."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import base45
import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
ISSUER = "https://eid.example.invalid"
ALGORITHM = {"EdDSA": -8, "ES256": -7}
PERSON: Mapping[int, Any] = {
    1: "110101199003070011",
    4: "甲·乙",
    8: "19900307",
    9: 1,
    10: "某市某路 1 号",
    13: "CHN",
}

Key = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey


@dataclass
class Issuer:
    """One issuer with one key. ``key_file`` is what a kiosk pins."""

    algorithm: str = "EdDSA"
    kid: str = "k1"
    name: str = ISSUER
    key: Key = field(init=False)

    def __post_init__(self) -> None:
        eddsa = self.algorithm == "EdDSA"
        self.key = ed25519.Ed25519PrivateKey.generate() if eddsa else ec.generate_private_key(ec.SECP256R1())

    def pin(self, folder: Path, **changed: object) -> Path:
        """Write the public key's file, with some of its fields changed."""
        table: dict[str, object] = {
            "kid": self.kid,
            "issuer": self.name,
            "alg": self.algorithm,
            "publicKeyPem": self.key.public_key()
            .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            .decode(),
            "sandbox": True,
            "notBefore": (NOW - timedelta(days=1)).isoformat(),
            "notAfter": (NOW + timedelta(days=1)).isoformat(),
        }
        path = folder / f"{self.kid}.json"
        path.write_text(json.dumps({**table, **changed}), encoding="utf-8")
        return path

    def sign(self, protected: bytes, payload: bytes) -> bytes:
        """Return 64 bytes."""
        message = cbor2.dumps(["Signature1", protected, b"", payload])
        if isinstance(self.key, ed25519.Ed25519PrivateKey):
            return self.key.sign(message)
        r, s = decode_dss_signature(self.key.sign(message, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def cose(
        self, claims: object, *, header: Mapping[int, Any] | None = None, loose: Mapping[int, Any] | None = None
    ) -> list[Any]:
        """Return the four parts of a COSE_Sign1."""
        protected = cbor2.dumps({1: ALGORITHM[self.algorithm], 4: self.kid.encode()} if header is None else header)
        payload = claims if isinstance(claims, bytes) else cbor2.dumps(claims)
        return [protected, dict(loose or {}), payload, self.sign(protected, payload)]

    def code(self, claims: object = None, **header: Any) -> bytes:
        """Return a whole code, genuine unless the claims say otherwise."""
        return packed(cbor2.dumps(cbor2.CBORTag(18, self.cose(claims_of() if claims is None else claims, **header))))


def claims_of(person: object = PERSON, **changed: Any) -> dict[int, Any]:
    """Return CWT claims; ``iss``, ``exp``, ``nbf`` and ``iat`` may be changed, None leaves one out."""
    now = int(NOW.timestamp())
    named = {"iss": ISSUER, "exp": now + 600, "nbf": now - 60, "iat": now - 60, **changed}
    numbers = {"iss": 1, "exp": 4, "nbf": 5, "iat": 6}
    return {numbers[name]: value for name, value in named.items() if value is not None} | {169: person}


def packed(data: bytes) -> bytes:
    """Return zlib and base45 around ``data``."""
    return base45.b45encode(zlib.compress(data, 9))
