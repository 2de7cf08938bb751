"""Signs each request with the device's key: Ed25519 over SHA-256 of the body, or SM2 over its SM3."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from offline_queue.crypto import device_key
from offline_queue.crypto.device_key import DeviceKey


@dataclass(frozen=True, slots=True)
class RequestSigner:
    """Adds who, when, once and a signature over method, path, time, nonce and the body's hash."""

    device_id: str
    key: DeviceKey = field(repr=False)

    @classmethod
    def load(cls, device_id: str, key_file: Path) -> RequestSigner:
        """Read a PEM key without a password. Raises ConfigError."""
        return cls(device_id, device_key.load(key_file))

    def headers(self, method: str, path: str, body: bytes, now: float) -> dict[str, str]:
        """Return the signature headers; a nonce is never used twice.

        Args:
            method: Upper case.
            path: With the query, as sent.
            body: Exact bytes, empty for a GET.
            now: Unix seconds; the authority refuses more than 300 s of skew.
        """
        stamp, nonce = str(int(now)), secrets.token_hex(16)
        signed = "\n".join((method, path, stamp, nonce, self.key.digest(body).hex())).encode()
        signature = base64.b64encode(self.key.sign(signed)).decode()
        return {"X-Device-Id": self.device_id, "X-Timestamp": stamp, "X-Nonce": nonce, "X-Signature": signature}
