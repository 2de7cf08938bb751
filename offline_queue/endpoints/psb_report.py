"""The police endpoint: ``PSB-Report/1`` over mutual TLS, each request signed.

Nothing here decides anything: it sends, and brings back allow-listed values for ``settle``.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from kiosk.config import ReportingSection
from kiosk.errors import ConfigError
from offline_queue.backoff import retry_after_s
from offline_queue.clock import Clock, SystemClock
from offline_queue.delivery import receipts_list
from offline_queue.delivery.authority_time import AuthorityTime, moment
from offline_queue.delivery.claims import Claimed
from offline_queue.delivery.endpoint import ChainHead, Limits, Table
from offline_queue.delivery.receipts_list import DayList
from offline_queue.delivery.replies import Answered, Reply, Result, Unanswered, answered, record_result
from offline_queue.endpoints import psb_values
from offline_queue.endpoints.signing import RequestSigner
from offline_queue.endpoints.transport import MutualTls, NoAnswer

_LONGEST_TOKEN = 4096
_BUSY = frozenset({429, 503})
_TOKEN_MARGIN_S = 30.0
"""A token that ends sooner is renewed first: a batch would travel twice."""


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
        self._token_until = math.inf
        """Monotonic: a wall clock that jumps ends no token."""
        self.limits = self._own = Limits(settings.batch_max)
        self.time: AuthorityTime | None = None

    def send(self, batch_id: str, items: Sequence[Claimed], head: ChainHead | None) -> Reply:
        """``POST /v1/batches``: the answer is a receipt for nothing yet."""
        start: dict[str, object] = {"batchId": batch_id}
        if head is not None:
            start["chainHead"] = {"seq": head.seq, "hash": head.hash.hex()}
        body = _dump(start)[:-1] + b',"items":[' + b",".join(map(_item, items)) + b"]}"
        return self._ask("POST", "/v1/batches", body, {"Idempotency-Key": batch_id})[0]

    def poll(self, batch_id: str) -> Reply:
        """``GET /v1/batches/{id}``."""
        return self._ask("GET", f"/v1/batches/{batch_id}")[0]

    def record(self, record_id: str) -> tuple[Reply, Result | None]:
        """``GET /v1/records/{id}``: what the authority has of a record."""
        reply, body = self._ask("GET", f"/v1/records/{record_id}")
        return reply, record_result(body)

    def take_token(self) -> Reply:
        """Fetch a new token and the endpoint's limits; the old token is forgotten."""
        self._token = ""
        asked = self._clock.mono()
        reply, body = self._call("POST", "/v1/token", _dump({"deviceId": self._signer.device_id}), {})
        if not isinstance(reply, Answered) or reply.status != 200:
            return reply
        token = body.get("token") if isinstance(body, dict) else None
        if not psb_values.header_text(token, _LONGEST_TOKEN):
            return Answered(reply.status, garbled=reply.garbled)  # a portal's page: no token in it
        self._token = token
        ends = moment(body.get("expiresAt")) if isinstance(body, dict) else None
        life_s = ends - reply.server_time if ends is not None and reply.server_time is not None else math.inf
        self._token_until = asked + max(life_s - _TOKEN_MARGIN_S, life_s / 2)
        limits = self.read_limits()
        # A busy server is not asked for a third thing at once. The token stays: the next try needs neither of them
        return limits if isinstance(limits, Answered) and limits.status in _BUSY else reply

    def read_limits(self) -> Reply:
        """``GET /v1/limits``; what cannot be read leaves them as they were."""
        reply, body = self._ask("GET", "/v1/limits")
        if isinstance(reply, Answered) and reply.status == 200:
            self.limits = psb_values.limits(self._own, self.limits, body)
        return reply

    def table(self, name: str) -> tuple[Reply, Table | None]:
        """``GET /v1/codetables/{name}``."""
        reply, body = self._ask("GET", f"/v1/codetables/{name}")
        return reply, psb_values.table(name, body)

    def receipts(self, day: str) -> tuple[Reply, DayList | None]:
        """``GET /v1/receipts?date=``."""
        reply, body = self._ask("GET", f"/v1/receipts?date={day}")
        return reply, receipts_list.read(body)

    def stop(self) -> None:
        """Cut the call under way, from any thread; every later call ends at once."""
        self._tls.stop()

    def close(self) -> None:
        self._tls.close()

    def _ask(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> tuple[Reply, object]:
        if not self._token or self._clock.mono() >= self._token_until:
            # No call: an answer to the token's route must never be taken for an answer about a record
            return Answered(401), None
        return self._call(method, path, body, {"Authorization": f"Bearer {self._token}"} | (headers or {}))

    def _call(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[Reply, object]:
        asked = self._clock.mono()
        now = self._clock.wall() if self.time is None else self.time.now(asked)
        signed = self._signer.headers(method, path, body, now)
        fixed = {"Content-Type": "application/json", "Accept": "application/json"}
        fixed |= {"Accept-Encoding": "identity", "User-Agent": "suizhu-kiosk/1"}
        try:
            reply = self._tls.call(method, self._base + path, body, fixed | headers | signed)
        except NoAnswer as exc:
            return Unanswered(exc.fault, exc.detail), None
        parsed, garbled = psb_values.parse(reply)
        answer = answered(reply.status, parsed, retry_after_s(reply.retry_after, now), garbled)
        if answer.server_time is not None:
            self.time = AuthorityTime(answer.server_time, (asked + self._clock.mono()) / 2)
        return answer, parsed


def _tls_files(settings: ReportingSection) -> list[tuple[str, Path]]:
    named = ("ca_file", "client_cert_file", "client_key_file")
    return [(name, path) for name in named if (path := getattr(settings, name)) is not None]


def _item(item: Claimed) -> bytes:
    """One record as JSON. The photos are put in by hand: no encoder need look at megabytes of base64 for a quote."""
    photos = (b'"%b":"%b"' % (_named(photo), base64.b64encode(photo)) for photo in item.photos)
    # The text travels as a JSON string: the other side hashes exactly the bytes that we hashed
    wire: dict[str, object] = {"record": item.text.decode("utf-8")}
    if item.previous_receipt:
        wire["prevReceipt"] = item.previous_receipt
    if item.supersedes is not None:
        wire["supersedes"] = item.supersedes
    return _dump(wire)[:-1] + b',"photos":{' + b",".join(photos) + b"}}"


def _named(photo: bytes) -> bytes:
    return hashlib.sha256(photo).hexdigest().encode()


def _dump(body: Mapping[str, object]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
