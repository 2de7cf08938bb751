"""The police endpoint, ``PSB-Report/1``: batches are taken in at once and judged a moment later by a worker.

POST /v1/token           → token, expiresAt, serverTime
GET  /v1/limits          → what a batch may hold, version of the code tables, maintenance windows
GET  /v1/codetables/{n}  → idType, ethnicity, division, country, document, visa, port, reason, errors, rooms
POST /v1/validate        → the results a batch would get; nothing is kept
POST /v1/batches         → 202, which is not acceptance
GET  /v1/batches/{id}    → QUEUED | PROCESSING | DONE | DONE_WITH_ERRORS, results
GET  /v1/records/{id}    → the last revision and its receipt
GET  /v1/receipts?date=  → the day's receipts, hash chained and signed

A device that has no certificate yet is let in by ``activation``, on a port of its own.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk.sandbox import police_wire
from kiosk.sandbox.device_keys import PublicKey
from kiosk.sandbox.faults import FaultBoard
from kiosk.sandbox.messages import NOT_HERE, Answer, BadRequest, Request
from kiosk.sandbox.police_auth import Doorkeeper, iso
from kiosk.sandbox.police_store import Ledger, outcome_of
from kiosk.sandbox.police_terms import Terms
from kiosk.sandbox.police_worker import BATCHES, Lot, Worker
from kiosk.sandbox.receiver import Receiver

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NO_RECORD = Answer(404, {"code": "E404", "error": "no such record"})


class Police:
    """Answers devices. ``stop`` ends its worker."""

    name = "police"

    def __init__(
        self,
        path: Path | None,
        board: FaultBoard,
        devices: Mapping[str, PublicKey | Sequence[PublicKey]],
        receipt_key: Ed25519PrivateKey,
        *,
        delay_s: float = 0.03,
        receiver: Receiver | None = None,
    ) -> None:
        """Open the ledger and start the worker.

        Args:
            path: The ledger; None: in memory.
            board: Faults that are on.
            devices: Who may report, and the key that signs their requests.
            receipt_key: Signs the daily lists of receipts.
            delay_s: How long a batch lies in the queue before the worker looks at it.
            receiver: Opens guests and photos that were sealed to the receiver.
        """
        self.ledger = Ledger(path)
        self.door = Doorkeeper(devices, board)
        self._board, self._receipt_key, self._receiver = board, receipt_key, receiver
        self._terms = Terms(board, self.door.now)
        self._worker = Worker(self.ledger, board, self._terms, self.door.now, delay_s=delay_s)

    def stop(self) -> None:
        """End the worker and close the ledger. Safe to call twice."""
        self._worker.stop()
        self.ledger.close()

    def answer(self, request: Request) -> Answer:
        """Carry out one call. Raises BadRequest."""
        device = self.door.device_of(request)
        if (closed := self._terms.closed(request)) is not None:
            return closed
        if (request.method, request.path) == ("POST", "/v1/token"):
            return Answer(200, self.door.new_token(device))
        self.door.check_token(device, request)
        return self._route(request, device)

    def _route(self, request: Request, device: str) -> Answer:
        match request.method, request.path.removeprefix("/v1/").split("/"):
            case "GET", ["limits"]:
                return self._terms.limits()
            case "GET", ["codetables", name]:
                return self._terms.table(name, device)
            case "POST", ["validate"]:
                return self._validate(request, device)
            case "POST", ["batches"]:
                return self._take_in(request, device)
            case "GET", ["batches", batch_id]:
                return self._batch(batch_id)
            case "GET", ["records", record_id]:
                return self._record(record_id.lower())
            case "GET", ["receipts"]:
                return self._receipts(request.query.get("date", ""))
            case _:
                return NOT_HERE

    def _validate(self, request: Request, device: str) -> Answer:
        items = police_wire.read_batch(request, self._receiver).items
        weighed = [(item, self._worker.weigh(item, device)[0]) for item in items]
        results = [police_wire.result(i.record_id, i.revision, i.content_hash, outcome) for i, outcome in weighed]
        return Answer(200, {"dryRun": True, "results": results})

    def _take_in(self, request: Request, device: str) -> Answer:
        batch = police_wire.read_batch(request, self._receiver)
        if request.headers.get("Idempotency-Key") != batch.id:
            raise BadRequest("Idempotency-Key must be the batchId")
        body_sha256 = hashlib.sha256(request.body).hexdigest()
        if self.ledger.take_in(batch, body_sha256, device, iso(self.door.now())):
            self._worker.take(Lot(batch.id, device, list(enumerate(batch.items))))
        kept = self.ledger.batch(batch.id)
        if kept is None or kept["body_sha256"] != body_sha256:
            raise BadRequest("this batchId came with another body", "E409", 409)
        return Answer(202, {"batchId": batch.id, "receivedAt": kept["received_at"], "accepted": kept["size"]})

    def _batch(self, batch_id: str) -> Answer:
        with self.ledger.store.transaction():
            batch, rows = self.ledger.batch(batch_id), self.ledger.results(batch_id)
        if batch is None:
            return Answer(404, {"code": "E404", "error": "no such batch"})
        results = police_wire.told([police_wire.result_of(row) for row in rows], self._board, f"{BATCHES}/{batch_id}")
        self._worker.look_again(batch_id)
        return Answer(200, {"batchId": batch_id, "status": batch["status"], "results": results})

    def _record(self, record_id: str) -> Answer:
        if any(fault.record in ("", record_id) for fault in self._board.every("police", "forget")):
            return _NO_RECORD
        row = self.ledger.last(record_id)
        if row is not None:
            outcome = outcome_of(row, duplicate=False)
            return Answer(200, police_wire.result(row["record_id"], row["revision"], row["content_hash"], outcome))
        row = self.ledger.last_refusal(record_id)
        return _NO_RECORD if row is None else Answer(200, police_wire.result_of(row))

    def _receipts(self, day: str) -> Answer:
        if not _DATE.fullmatch(day):
            raise BadRequest("date must be YYYY-MM-DD")
        before, rows = self.ledger.receipts(day)
        return Answer(200, police_wire.receipts(day, rows, before, self._receipt_key, self._board))
