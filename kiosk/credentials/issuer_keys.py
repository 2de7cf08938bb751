"""Public keys of issuers whose signed codes this kiosk believes, pinned as files: ``<kid>.json``."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from kiosk.credentials.cose import ALGORITHMS, PublicKey

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class IssuerKey:
    """One issuer's key and the only algorithm it is used with."""

    kid: str
    issuer: str
    algorithm: str
    public_key: PublicKey
    sandbox: bool
    not_before: datetime
    not_after: datetime

    def is_current(self, now: datetime) -> bool:
        """Say whether the key may be trusted at ``now``."""
        return self.not_before <= now <= self.not_after


def read(path: Path) -> IssuerKey:
    """Read one key file. Raises ValueError naming what is wrong and how to mend it, OSError if it cannot be read."""
    table = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(table, dict):
        raise ValueError("not a JSON object")
    kid, issuer, algorithm, pem = (_text(table, name) for name in ("kid", "issuer", "alg", "publicKeyPem"))
    if kid != path.stem:
        raise ValueError("kid differs from the file's name: rename the file to <kid>.json")
    if algorithm not in ALGORITHMS:
        raise ValueError(f"alg is none of {sorted(ALGORITHMS)}")
    public_key = _public_key(pem)
    fits = isinstance(public_key, ed25519.Ed25519PublicKey) if algorithm == "EdDSA" else _is_p256(public_key)
    if not fits or not isinstance(public_key, PublicKey):
        raise ValueError(f"publicKeyPem is no key for {algorithm}")
    begins, ends = (datetime.fromisoformat(_text(table, name)) for name in ("notBefore", "notAfter"))
    if begins.tzinfo is None or ends.tzinfo is None:
        raise ValueError("notBefore and notAfter need a time zone, for example 2026-06-01T00:00:00+08:00")
    return IssuerKey(kid, issuer, algorithm, public_key, table.get("sandbox") is not False, begins, ends)


def load(folder: Path | None, *, allow_sandbox: bool) -> Mapping[bytes, IssuerKey]:
    """Return the pinned keys by kid. A file that cannot be used is logged and trusted for nothing.

    Args:
        folder: ``credentials.issuer_keys_dir``; None or an absent folder gives no keys.
        allow_sandbox: False in production: keys that do not say ``"sandbox": false`` are left out.
    """
    keys: dict[bytes, IssuerKey] = {}
    for path in sorted(folder.glob("*.json")) if folder is not None else []:
        try:
            key = read(path)
        except (OSError, ValueError, RecursionError) as error:
            log.error("issuer key %s is not used: %s", path.name, error)
            continue
        if key.sandbox and not allow_sandbox:
            log.error("issuer key %s is not used: it is a sandbox key, and this kiosk is in production", path.name)
            continue
        keys[key.kid.encode()] = key
    return keys


def _text(table: Mapping[str, object], name: str) -> str:
    value = table.get(name)
    if not isinstance(value, str) or not value:
        raise ValueError(f"{name} is missing or no text")
    return value


def _public_key(pem: str) -> object:
    try:
        return load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("publicKeyPem is no public key in PEM") from None


def _is_p256(key: object) -> bool:
    return isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)
