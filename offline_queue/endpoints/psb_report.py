"""The police endpoint: ``PSB-Report/1`` over mutual TLS, each request signed.

Nothing here decides anything: it sends, and brings back allow-listed values for ``settle``.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeGuard

from kiosk.config import ReportingSection
from kiosk.errors import ConfigError
from kiosk.tls import HttpReply
from offline_queue.backoff import retry_after_s
from offline_queue.claims import Claimed
from offline_queue.clock import Clock, SystemClock
from offline_queue.endpoint import Limits
from offline_queue.endpoints.signing import RequestSigner
from offline_queue.endpoints.transport import MutualTls, NoAnswer
from offline_queue.replies import Answered, Reply, Result, Unanswered, answered, record_result


def make(settings: ReportingSection, clock: Clock | None = None) -> PsbReport:
    """Build the adapter for ``config.reporting``. Raises ConfigError."""
    return PsbReport(settings, clock)


class PsbReport:
    """One conversation with the endpoint. Used by the sync thread only, but for ``stop``."""

    def __init__(self, settings: ReportingSection, clock: Clock | None = None) -> None:
        """Read key and certificates. Raises ConfigError."""
        if not settings.url.startswith("https://") or settings.device_key_file is None:
            raise ConfigError("[reporting]", ["url must be https://… and device_key_file must name the device's key"])
        if faults := [f"{name} {path}: no such file" for name, path in _tls_files(settings) if not path.is_file()]:
            raise ConfigError("[reporting]", faults)
        self._base = settings.url.rstrip("/")
        self._clock = clock or SystemClock()
        self._signer = RequestSigner.load(settings.device_id, settings.device_key_file)
        self._tls = MutualTls(settings, settings.timeout_s)
        self._token = ""
        self.limits = Limits(settings.batch_max)

    def send(self, batch_id: str, items: Sequence[Claimed]) -> Reply:
        """``POST /v1/batches``: the answer is a receipt for nothing yet."""
        body = {"batchId": batch_id, "items": [_item(item) for item in items]}
        return self._ask("POST", "/v1/batches", _dump(body), {"Idempotency-Key": batch_id})

    def poll(self, batch_id: str) -> Reply:
        """``GET /v1/batches/{id}``."""
        return self._ask("GET", f"/v1/batches/{batch_id}")

    def record(self, record_id: str) -> tuple[Reply, Result | None]:
        """``GET /v1/records/{id}``: what the authority has of a record."""
        reply, body = self._ask_body("GET", f"/v1/records/{record_id}")
        return reply, record_result(body)

    def take_token(self) -> Reply:
        """Fetch a new token and the endpoint's limits; the old token is forgotten."""
        self._token = ""
        reply, body = self._call("POST", "/v1/token", _dump({"deviceId": self._signer.device_id}), {})
        token = body.get("token") if isinstance(body, dict) else None
        if isinstance(reply, Answered) and reply.status == 200:
            if not isinstance(token, str) or not token.isascii() or not 1 <= len(token) <= 4096:
                return Answered(reply.status)  # a portal's page: no token in it
            self._token = token
            self._read_limits()
        return reply

    def stop(self) -> None:
        """Cut the call under way, from any thread; every later call ends at once."""
        self._tls.stop()

    def close(self) -> None:
        self._tls.close()

    def _read_limits(self) -> None:
        _, body = self._call("GET", "/v1/limits", b"", self._bearer())
        if not isinstance(body, dict):
            return
        records, size = body.get("maxRecords"), body.get("maxBodyBytes")
        known = self.limits
        self.limits = Limits(
            min(known.max_records, records) if _positive(records) else known.max_records,
            min(known.max_body_bytes, size) if _positive(size) else known.max_body_bytes,
        )

    def _ask(self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Reply:
        return self._ask_body(method, path, body, headers)[0]

    def _ask_body(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> tuple[Reply, object]:
        if not self._token:
            # No call: an answer to the token's route must never be taken for an answer about a record
            return Answered(401), None
        return self._call(method, path, body, self._bearer() | (headers or {}))

    def _bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"}

    def _call(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[Reply, object]:
        signed = self._signer.headers(method, path, body, self._clock.wall())
        fixed = {"Content-Type": "application/json", "Accept": "application/json"}
        fixed |= {"Accept-Encoding": "identity", "User-Agent": "suizhu-kiosk/1"}
        try:
            reply = self._tls.call(method, self._base + path, body, fixed | headers | signed)
        except NoAnswer as exc:
            return Unanswered(exc.fault), None
        parsed = _parse(reply)
        return answered(reply.status, parsed, retry_after_s(reply.retry_after, self._clock.wall())), parsed


def _tls_files(settings: ReportingSection) -> list[tuple[str, Path]]:
    named = ("ca_file", "client_cert_file", "client_key_file")
    return [(name, path) for name in named if (path := getattr(settings, name)) is not None]


def _item(item: Claimed) -> dict[str, object]:
    # The text travels as a JSON string: the other side hashes exactly the bytes that we hashed
    wire: dict[str, object] = {
        "record": item.text.decode("utf-8"),
        "photos": {hashlib.sha256(photo).hexdigest(): base64.b64encode(photo).decode() for photo in item.photos},
    }
    if item.previous_receipt:
        wire["prevReceipt"] = item.previous_receipt
    return wire


def _dump(body: Mapping[str, object]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _parse(reply: HttpReply) -> object:
    """Return the body's JSON, or None for a page, GBK, or half an answer."""
    try:
        return json.loads(reply.body.decode("utf-8"))
    except (ValueError, RecursionError):
        return None


def _positive(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
