"""The police endpoint, ``PSB-Report/1``: batches are taken in at once and judged a moment later by a worker.

POST /v1/token           → token, expiresAt, serverTime
GET  /v1/limits          → what a batch may hold
GET  /v1/codetables/{n}  → idType, ethnicity, division, errors, rooms
POST /v1/validate        → the results a batch would get; nothing is kept
POST /v1/batches         → 202, which is not acceptance
GET  /v1/batches/{id}    → QUEUED | PROCESSING | DONE | DONE_WITH_ERRORS, results
GET  /v1/records/{id}    → the last revision and its receipt
GET  /v1/receipts?date=  → the day's receipts, hash chained and signed
"""

from __future__ import annotations

import base64
import hashlib
import queue
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from kiosk.sandbox.faults import FaultBoard
from kiosk.sandbox.messages import NOT_HERE, Answer, BadRequest, Request
from kiosk.sandbox.police_auth import SHANGHAI, Doorkeeper, iso
from kiosk.sandbox.police_rules import MAX_PHOTO_BYTES, Finding, Submission, judge, parse
from kiosk.sandbox.police_store import GENESIS, Ledger, Outcome, outcome_of
from kiosk.sandbox.police_tables import TABLES, VERSION
from kiosk.sandbox.store import Row

MAX_RECORDS = 100
MAX_BODY_BYTES = 4 * 1024 * 1024
LIMITS = {
    "maxRecords": MAX_RECORDS,
    "maxPhotoBytes": MAX_PHOTO_BYTES,
    "maxBodyBytes": MAX_BODY_BYTES,
    "schemaVersion": VERSION,
    "maintenance": [],
}
BATCHES = "/v1/batches"

_BATCH_ID = re.compile(r"[0-9A-Za-z-]{1,64}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_PER_RECORD = frozenset({"reject", "warn", "defer", "reject_later", "wrong_hash"})


@dataclass(frozen=True, slots=True)
class _Lot:
    """Items that wait for the worker, each with its place in the batch."""

    batch_id: str
    items: Sequence[tuple[int, Submission]]


class Police:
    """Answers devices and judges their records. ``stop`` ends the worker."""

    name = "police"

    def __init__(
        self,
        path: Path,
        board: FaultBoard,
        devices: Mapping[str, Ed25519PublicKey],
        receipt_key: Ed25519PrivateKey,
        *,
        delay_s: float = 0.03,
    ) -> None:
        """Open the ledger and start the worker.

        Args:
            path: The ledger.
            board: Faults that are on.
            devices: Who may report, and the key that signs their requests.
            receipt_key: Signs the daily lists of receipts.
            delay_s: How long a batch lies in the queue before the worker looks at it.
        """
        self.ledger = Ledger(path)
        self._board, self._receipt_key, self._delay_s = board, receipt_key, delay_s
        self._door = Doorkeeper(devices, board)
        self._deferred: dict[str, _Lot] = {}
        self._lots: queue.SimpleQueue[_Lot | None] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._worker = threading.Thread(target=self._work, name="police-worker", daemon=True)
        self._worker.start()

    def stop(self) -> None:
        """End the worker and close the ledger. Safe to call twice."""
        self._stopping.set()
        self._lots.put(None)
        self._worker.join()
        self.ledger.close()

    def answer(self, request: Request) -> Answer:
        """Carry out one call. Raises BadRequest."""
        device = self._door.device_of(request)
        if (request.method, request.path) == ("POST", "/v1/token"):
            return Answer(200, self._door.new_token(device))
        self._door.check_token(device, request)
        return self._route(request, device)

    def _route(self, request: Request, device: str) -> Answer:
        match request.method, request.path.removeprefix("/v1/").split("/"):
            case "GET", ["limits"]:
                return Answer(200, LIMITS)
            case "GET", ["codetables", name]:
                return _table(name)
            case "POST", ["validate"]:
                return self._validate(request)
            case "POST", ["batches"]:
                return self._take_in(request, device)
            case "GET", ["batches", batch_id]:
                return self._batch(batch_id)
            case "GET", ["records", record_id]:
                return self._record(record_id)
            case "GET", ["receipts"]:
                return self._receipts(request.query.get("date", ""))
            case _:
                return NOT_HERE

    def _validate(self, request: Request) -> Answer:
        _, items = _items(request)
        results = [_wire(item.record_id, item.revision, item.content_hash, self._weigh(item)[0]) for item in items]
        return Answer(200, {"dryRun": True, "results": results})

    def _take_in(self, request: Request, device: str) -> Answer:
        batch_id, items = _items(request)
        if request.headers.get("Idempotency-Key") != batch_id:
            raise BadRequest("Idempotency-Key must be the batchId")
        body_sha256 = hashlib.sha256(request.body).hexdigest()
        received_at = iso(self._door.now())
        if self.ledger.take_in(batch_id, body_sha256, device, received_at, items):
            self._lots.put(_Lot(batch_id, list(enumerate(items))))
        batch = self.ledger.batch(batch_id)
        if batch is None or batch["body_sha256"] != body_sha256:
            raise BadRequest("this batchId came with another body", "E409", 409)
        return Answer(202, {"batchId": batch_id, "receivedAt": batch["received_at"], "accepted": batch["size"]})

    def _batch(self, batch_id: str) -> Answer:
        with self.ledger.store.transaction():
            batch, rows = self.ledger.batch(batch_id), self.ledger.results(batch_id)
        if batch is None:
            return Answer(404, {"code": "E404", "error": "no such batch"})
        results = [_wire(row["record_id"], row["revision"], row["content_hash"], _outcome(row)) for row in rows]
        deferred = self._deferred.pop(batch_id, None)
        if deferred is not None:
            self._lots.put(deferred)
        return Answer(200, {"batchId": batch_id, "status": batch["status"], "results": results})

    def _record(self, record_id: str) -> Answer:
        row = self.ledger.last(record_id.lower())
        if row is not None:
            return Answer(
                200, _wire(row["record_id"], row["revision"], row["content_hash"], outcome_of(row, duplicate=False))
            )
        row = self.ledger.last_refusal(record_id.lower())
        if row is not None:
            return Answer(200, _wire(row["record_id"], row["revision"], row["content_hash"], _outcome(row)))
        return Answer(404, {"code": "E404", "error": "no such record"})

    def _receipts(self, day: str) -> Answer:
        if not _DATE.fullmatch(day):
            raise BadRequest("date must be YYYY-MM-DD")
        rows = self.ledger.receipts(day)
        head = rows[-1]["chain"] if rows else GENESIS
        signed = receipts_statement(day, len(rows), head)
        names = ("seq", "record_id", "revision", "content_hash", "receipt_no", "received_at", "chain")
        listed = [{_camel(name): row[name] for name in names} for row in rows]
        signature = base64.b64encode(self._receipt_key.sign(signed)).decode()
        return Answer(200, {"date": day, "count": len(rows), "head": head, "receipts": listed, "signature": signature})

    # ---- the worker --------------------------------------------------------------------------------------------------

    def _work(self) -> None:
        while (lot := self._lots.get()) is not None:
            if self._stopping.wait(self._delay_s):
                return
            self._process(lot)

    def _process(self, lot: _Lot) -> None:
        self.ledger.set_status(lot.batch_id, "PROCESSING")
        waiting: list[tuple[int, Submission]] = []
        with self.ledger.store.transaction():
            for seq, sub in lot.items:
                if not self._decide(lot.batch_id, seq, sub):
                    waiting.append((seq, sub))
            if waiting:
                self._deferred[lot.batch_id] = _Lot(lot.batch_id, waiting)
                return
            if self._board.take("police", BATCHES, frozenset({"partial"})):
                self.ledger.hide(lot.batch_id, lot.items[-1][0])
            self.ledger.finish(lot.batch_id)

    def _decide(self, batch_id: str, seq: int, sub: Submission) -> bool:
        """Judge one item and note it; False when it is deferred."""
        faults = {fault.effect: fault for fault in self._board.take("police", BATCHES, _PER_RECORD)}
        if "defer" in faults:
            self.ledger.note(batch_id, seq, Outcome("DEFERRED"))
            return False
        outcome, warning = self._weigh(sub)
        if "reject" in faults and not outcome.duplicate:
            outcome = Outcome.rejected(Finding(faults["reject"].text("code", "E22"), "record"))
        elif outcome.status.startswith("ACCEPTED") and not outcome.duplicate:
            if "warn" in faults:
                warning = Finding(faults["warn"].text("code", "E304"), "record")
            later = faults["reject_later"].text("code", "E301") if "reject_later" in faults else ""
            outcome = self.ledger.accept(sub, warning, iso(self._door.now()), later)
        self.ledger.note(batch_id, seq, outcome, sub.content_hash[::-1] if "wrong_hash" in faults else None)
        return True

    def _weigh(self, sub: Submission) -> tuple[Outcome, Finding | None]:
        """Return what would become of a record, and the warning that would go with it. Changes nothing."""
        known = self.ledger.known(sub)
        if known is not None:
            return known, None
        finding = judge(sub, datetime.fromtimestamp(self._door.now(), UTC).astimezone(SHANGHAI))
        if finding is None and sub.record["op"] == "CI":
            finding = self.ledger.against_others(sub)
        if finding is None:
            return Outcome("ACCEPTED"), None
        if finding.code == "E304":
            return Outcome("ACCEPTED_WARN", finding.code, finding.field), finding
        return Outcome.rejected(finding), None


def receipts_statement(day: str, count: int, head: str) -> bytes:
    """Return what the signature of a daily list is over."""
    return "\n".join(("suizhu-sandbox-receipts", day, str(count), head)).encode()


def _table(name: str) -> Answer:
    if name not in TABLES:
        return Answer(404, {"code": "E404", "error": "no such table"})
    entries = [{"code": code, "name": text} for code, text in TABLES[name].items()]
    return Answer(200, {"name": name, "version": VERSION, "entries": entries})


def _items(request: Request) -> tuple[str, list[Submission]]:
    if len(request.body) > MAX_BODY_BYTES:
        raise BadRequest("body too large", "E13", 413)
    body = request.json()
    batch_id, items = body.get("batchId"), body.get("items")
    if not isinstance(batch_id, str) or not _BATCH_ID.fullmatch(batch_id) or not isinstance(items, list) or not items:
        raise BadRequest("wants a batchId and items")
    if len(items) > MAX_RECORDS:
        raise BadRequest("too many records", "E13", 413)
    return batch_id, [parse(item) for item in items]


def _outcome(row: Row) -> Outcome:
    return Outcome(
        row["status"], row["code"], row["field"], row["receipt_no"], row["received_at"], bool(row["duplicate"])
    )


def _wire(record_id: str, revision: int, content_hash: str, outcome: Outcome) -> dict[str, object]:
    return {
        "recordId": record_id,
        "revision": revision,
        "contentHash": content_hash,
        "status": outcome.status,
        "code": outcome.code,
        "field": outcome.field,
        "message": TABLES["errors"].get(outcome.code, ""),
        "receiptNo": outcome.receipt_no,
        "receivedAt": outcome.received_at,
        "duplicate": outcome.duplicate,
    }


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)
