"""Signs each request with the device's Ed25519 key."""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from kiosk.errors import ConfigError


@dataclass(frozen=True, slots=True)
class RequestSigner:
    """Adds who, when, once and a signature over method, path, time, nonce and the body's hash."""

    device_id: str
    key: Ed25519PrivateKey = field(repr=False)

    @classmethod
    def load(cls, device_id: str, key_file: Path) -> RequestSigner:
        """Read a PEM key without a password. Raises ConfigError."""
        try:
            key = load_pem_private_key(key_file.read_bytes(), password=None)
        except (OSError, ValueError, TypeError) as exc:
            fault = f"device_key_file {key_file}: {type(exc).__name__}, wants an Ed25519 key as PEM without password"
            raise ConfigError("[reporting]", [fault]) from exc
        if not isinstance(key, Ed25519PrivateKey):
            raise ConfigError("[reporting]", [f"device_key_file {key_file}: not an Ed25519 key"])
        return cls(device_id, key)

    def headers(self, method: str, path: str, body: bytes, now: float) -> dict[str, str]:
        """Return the signature headers; a nonce is never used twice.

        Args:
            method: Upper case.
            path: With the query, as sent.
            body: Exact bytes, empty for a GET.
            now: Unix seconds; the authority refuses more than 300 s of skew.
        """
        stamp, nonce = str(int(now)), secrets.token_hex(16)
        signed = "\n".join((method, path, stamp, nonce, hashlib.sha256(body).hexdigest())).encode()
        signature = base64.b64encode(self.key.sign(signed)).decode()
        return {"X-Device-Id": self.device_id, "X-Timestamp": stamp, "X-Nonce": nonce, "X-Signature": signature}
