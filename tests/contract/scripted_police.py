"""A police endpoint over real mutual TLS whose every answer a test may write itself, byte by byte."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from kiosk.config import ReportingSection
from kiosk.sandbox import pki
from kiosk.sandbox.faults import FaultBoard
from kiosk.sandbox.http import Server, Tls
from kiosk.sandbox.messages import Answer, Request
from offline_queue.endpoints import psb_report
from offline_queue.sync import SyncThread
from tests.contract.sync_kit import Delivery
from tests.outbox_kit import opened

RECEIVED = "2026-01-01T12:00:00+08:00"


@dataclass(frozen=True)
class Raw(Answer):
    """An answer whose body is just these bytes."""

    bytes_: bytes = b""

    def encoded(self) -> bytes:
        return self.bytes_


def raw(status: int, body: bytes) -> Raw:
    return Raw(status, {}, (), body)


@dataclass
class ScriptedPolice:
    """Answers like a good endpoint; ``answers`` holds what a test wants instead, by the beginning of the path."""

    name: str = "police"
    answers: dict[str, Callable[[Request], Answer]] = field(default_factory=dict)
    asked: list[Request] = field(default_factory=list)
    batches: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    records: dict[str, dict[str, Any]] = field(default_factory=dict)

    def answer(self, request: Request) -> Answer:
        self.asked.append(request)
        for name, answer in self.answers.items():
            if f"{request.method} {request.path}".startswith(name):
                return answer(request)
        return self.good(request)

    def good(self, request: Request) -> Answer:
        """What the protocol wants."""
        match request.method, request.path.removeprefix("/v1/").split("/"):
            case "POST", ["token"]:
                now = datetime.now(UTC)
                ends = now + timedelta(hours=1)
                return Answer(200, {"token": "t", "serverTime": now.isoformat(), "expiresAt": ends.isoformat()})
            case "POST", ["batches"]:
                body = request.json()
                self.batches[body["batchId"]] = [self._accept(item) for item in body["items"]]
                return Answer(202, {"batchId": body["batchId"], "accepted": len(body["items"])})
            case "GET", ["batches", batch_id]:
                return Answer(200, {"batchId": batch_id, "status": "DONE", "results": self.batches[batch_id]})
            case "GET", ["records", record_id] if record_id in self.records:
                return Answer(200, self.records[record_id])
            case "GET", ["limits"]:
                return Answer(200, {"maxRecords": 100})
            case _:
                return Answer(404, {"code": "E404"})

    def _accept(self, item: dict[str, Any]) -> dict[str, Any]:
        record = json.loads(item["record"])
        name, revision = record["recordId"], record["revision"]
        hashed = hashlib.sha256(item["record"].encode()).hexdigest()
        result = {"recordId": name, "revision": revision, "contentHash": hashed, "status": "ACCEPTED"}
        self.records[name] = result | {"receiptNo": f"R-{name[:8]}-{revision}", "receivedAt": RECEIVED}
        return self.records[name]


@contextmanager
def scripted(
    folder: Path, *, trusts: Path | None = None, keys: pki.Pki | None = None, clock: Any = None, **more: Any
) -> Iterator[tuple[Delivery, ScriptedPolice]]:
    """An outbox that is being delivered to a scripted endpoint.

    Args:
        folder: Keys and outbox.
        trusts: The CA file by which the server judges clients, instead of its own.
        keys: Made before, instead of new ones.
        clock: Of the kiosk.
        more: Settings of ``[reporting]``.
    """
    police = ScriptedPolice()
    keys = keys or pki.make(folder / "keys", "demo-01")
    server = Server(police, Tls.load(replace(keys, ca_file=trusts) if trusts else keys), FaultBoard(), 0)
    server.open()
    quick = {"poll_s": 0.1, "backoff_base_s": 2.0, "backoff_cap_s": 5.0, "first_try_spread_s": 0.0, "timeout_s": 2.0}
    files = {
        name: getattr(keys, name) for name in ("ca_file", "client_cert_file", "client_key_file", "device_key_file")
    }
    settings = ReportingSection(**({"url": server.url} | files | quick | more))
    try:
        with opened(folder / "box", clock=clock) as owner:
            made = Delivery.__new__(Delivery)
            made.owner, made.receipts = owner, []
            made.sync = SyncThread(
                owner,
                psb_report.make(settings, owner.clock),
                settings,
                on_receipt=lambda record_id, number: made.receipts.append((record_id, number)),
                draw=lambda: 0.1,
            )
            made.sync.start()
            try:
                yield made, police
            finally:
                made.sync.stop()
    finally:
        server.close()
