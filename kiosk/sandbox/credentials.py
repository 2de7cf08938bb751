"""Issues e-ID QR codes in the form of MOSIP Claim 169, and spoils them on demand.

CBOR map of the person → CWT claims → COSE_Sign1 (EdDSA or ES256) → zlib → base45
"""

from __future__ import annotations

import json
import os
import time
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

from kiosk.sandbox.people import Person
from kiosk.sandbox.pki import public_pem

ISSUER = "https://eid.sandbox.invalid"
KIDS = {"EdDSA": "sandbox-eid-eddsa", "ES256": "sandbox-eid-es256"}
FAULTS = ("forged", "altered", "wrong_issuer", "unknown_algorithm", "expired", "not_yet_valid", "bomb")

COSE = {"EdDSA": -8, "ES256": -7}
PS256 = -37
"""An algorithm that no kiosk's allow-list has."""
WEBP = 4
SEX = {"1": 1, "2": 2}
VALID_S = 30 * 86_400
DAY_S = 86_400
BOMB_BYTES = 768 * 1024
"""Zeros that shrink to a code a camera still reads, and that a kiosk must not inflate."""

Key = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


@dataclass(frozen=True, slots=True)
class Issuer:
    """An e-ID issuer of the sandbox: one key per algorithm, made anew each time."""

    keys: Mapping[str, Key] = field(repr=False)

    @classmethod
    def new(cls) -> Issuer:
        """Make fresh keys."""
        return cls({"EdDSA": ed25519.Ed25519PrivateKey.generate(), "ES256": ec.generate_private_key(ec.SECP256R1())})

    def write_public_keys(self, folder: Path) -> None:
        """Write ``<kid>.json`` for each key, as a kiosk pins them."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        now = datetime.now(UTC).replace(microsecond=0)
        for algorithm, key in self.keys.items():
            kid = KIDS[algorithm]
            entry = {
                "kid": kid,
                "issuer": ISSUER,
                "alg": algorithm,
                "publicKeyPem": public_pem(key.public_key()),
                "sandbox": True,
                "notBefore": (now - timedelta(days=7)).isoformat(),
                "notAfter": (now + timedelta(days=60)).isoformat(),
            }
            text = json.dumps(entry, indent=2)
            descriptor = os.open(folder / f"{kid}.json", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text + "\n")

    def issue(self, person: Person, portrait: bytes | None, fault: str | None = None) -> bytes:
        """Return the bytes of a person's e-ID QR. Raises ValueError for an unknown fault.

        Args:
            person: Whose.
            portrait: WebP within the code, if any.
            fault: One of ``FAULTS``, or None for a genuine code.
        """
        if fault is not None and fault not in FAULTS:
            raise ValueError(f"no such fault: {fault!r}; one of {', '.join(FAULTS)}")
        if fault == "bomb":
            return _packed(bytes(BOMB_BYTES))
        claims = cbor2.dumps(_claims(person, portrait, fault))
        algorithm = person.algorithm
        stated = PS256 if fault == "unknown_algorithm" else COSE[algorithm]
        protected = cbor2.dumps({1: stated, 4: KIDS[algorithm].encode()})
        key = Issuer.new().keys[algorithm] if fault == "forged" else self.keys[algorithm]
        signature = _signature(key, cbor2.dumps(["Signature1", protected, b"", claims]))
        if fault == "altered":
            claims = claims.replace(person.name.encode(), ("王" * len(person.name)).encode(), 1)
        return _packed(cbor2.dumps(cbor2.CBORTag(18, [protected, {}, claims, signature])))


def _claims(person: Person, portrait: bytes | None, fault: str | None) -> dict[int, Any]:
    now = int(time.time())
    begin = {"expired": now - VALID_S, "not_yet_valid": now + DAY_S}.get(fault or "", now - 60)
    end = now - DAY_S if fault == "expired" else begin + VALID_S
    return {
        1: "https://someone.else.invalid" if fault == "wrong_issuer" else ISSUER,
        4: end,
        5: begin,
        6: begin,
        169: _identity(person, portrait),
    }


def _identity(person: Person, portrait: bytes | None) -> dict[int, Any]:
    identity: dict[int, Any] = {
        1: person.id_number,
        2: "1.0",
        3: "zho",
        4: person.name,
        8: person.birth_date.strftime("%Y%m%d"),
        9: SEX[person.sex],
        13: "CHN",
    }
    if person.address is not None:
        identity[10] = person.address
    if portrait is not None:
        identity |= {16: portrait, 17: WEBP}
    return identity


def _signature(key: Key, message: bytes) -> bytes:
    """Sign as COSE wants it: 64 bytes for either algorithm."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(message)
    r, s = decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def _packed(data: bytes) -> bytes:
    text = base45.b45encode(zlib.compress(data, 9))
    return text if isinstance(text, bytes) else str(text).encode("ascii")
