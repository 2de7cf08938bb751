"""How the police endpoint's values look on the wire: a batch that comes in, results and receipts that go out."""

from __future__ import annotations

import base64
import hashlib
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk.sandbox.faults import TOLD, FaultBoard
from kiosk.sandbox.messages import BadRequest, Request
from kiosk.sandbox.police_store import Outcome, receipt_line
from kiosk.sandbox.police_tables import TABLES
from kiosk.sandbox.police_terms import MAX_BODY_BYTES, MAX_RECORDS
from kiosk.sandbox.receiver import Receiver
from kiosk.sandbox.store import Row
from kiosk.sandbox.submission import Batch, ChainHead, parse

_BATCH_ID = re.compile(r"[0-9A-Za-z-]{1,64}")
_HASH = re.compile(r"[0-9a-f]{64}")

Wire = dict[str, object]


def read_batch(request: Request, receiver: Receiver | None) -> Batch:
    """Read the body of a batch. Raises BadRequest."""
    if len(request.body) > MAX_BODY_BYTES:
        raise BadRequest("body too large", "E13", 413)
    body = request.json()
    batch_id, items = body.get("batchId"), body.get("items")
    if not isinstance(batch_id, str) or not _BATCH_ID.fullmatch(batch_id) or not isinstance(items, list) or not items:
        raise BadRequest("wants a batchId and items")
    if len(items) > MAX_RECORDS:
        raise BadRequest("too many records", "E13", 413)
    return Batch(batch_id, [parse(item, receiver) for item in items], _head(body.get("chainHead")))


def _head(value: Any) -> ChainHead | None:  # noqa: ANN401 - JSON
    if value is None:
        return None
    try:
        seq, link = value["seq"], value["hash"]
        if isinstance(seq, int) and not isinstance(seq, bool) and 0 <= seq < 2**63 and _HASH.fullmatch(link):
            return ChainHead(seq, link)
    except (TypeError, KeyError):
        pass
    raise BadRequest("chainHead must be a seq and a hash")


def result(record_id: str, revision: int, content_hash: str, outcome: Outcome) -> Wire:
    """Return the endpoint's word on one record."""
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


def result_of(row: Row) -> Wire:
    """Return the word on one item of a batch."""
    given = row["receipt_no"], row["received_at"]
    outcome = Outcome(row["status"], row["code"], row["field"], *given, bool(row["duplicate"]))
    return result(row["record_id"], row["revision"], row["content_hash"], outcome)


def told(results: list[Wire], board: FaultBoard, path: str) -> list[Wire]:
    """Return a batch's results as a spoiled endpoint tells them."""
    if not results:
        return results
    for fault in board.take("police", path, TOLD, body=_named(results)):
        match fault.effect:
            case "twice":
                results = [one for one in results for _ in range(2)]
            case "out_of_order":
                results = results[1::2] + results[::2]
            case "foreign":
                results = [{**results[0], "recordId": str(uuid.uuid4())}, *results]
            case _:
                numbers = [one["receiptNo"] for one in results]
                turned = numbers[1:] + numbers[:1]
                results = [{**one, "receiptNo": number} for one, number in zip(results, turned, strict=True)]
    return results


def _named(results: Sequence[Mapping[str, object]]) -> bytes:
    return " ".join(str(one["recordId"]) for one in results).encode()


# ---- the daily list --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Entry:
    seq: int
    record_id: str
    revision: int
    content_hash: str
    receipt_no: str
    received_at: str
    device: str

    def wire(self, chain: str) -> Wire:
        return {
            "seq": self.seq,
            "recordId": self.record_id,
            "revision": self.revision,
            "contentHash": self.content_hash,
            "receiptNo": self.receipt_no,
            "receivedAt": self.received_at,
            "deviceId": self.device,
            "chain": chain,
        }


def receipts(day: str, rows: Sequence[Row], before: str, key: Ed25519PrivateKey, board: FaultBoard) -> Wire:
    """Return a day's list of receipts, chained on from ``before`` (the last link of the days before) and signed.

    A list that is spoiled on demand is chained and signed anew, as an endpoint that is itself wrong would.
    """
    entries = [_Entry(*(row[name] for name in _Entry.__slots__)) for row in rows]
    entries = _spoiled(entries, board)
    listed: list[Wire] = []
    link = before
    for entry in entries:
        line = receipt_line(entry.record_id, entry.revision, entry.content_hash, entry.receipt_no, entry.received_at)
        link = hashlib.sha256(f"{link}|{line}".encode()).hexdigest()
        listed.append(entry.wire(link))
    if listed and board.standing("police", "list_unchained"):
        listed[0]["chain"] = hashlib.sha256(b"another chain").hexdigest()
    count = len(listed) + bool(board.standing("police", "list_unsigned"))
    signature = base64.b64encode(key.sign(receipts_statement(day, count, link))).decode()
    return {
        "date": day,
        "count": len(listed),
        "previous": before,
        "head": link,
        "receipts": listed,
        "signature": signature,
    }


def receipts_statement(day: str, count: int, head: str) -> bytes:
    """Return what the signature of a daily list is over."""
    return "\n".join(("PSB-Report/1 receipts", day, str(count), head)).encode()


def _spoiled(entries: list[_Entry], board: FaultBoard) -> list[_Entry]:
    if (fault := board.standing("police", "list_omits")) is not None:
        gone = _meant(entries, fault.record)
        entries = [entry for entry in entries if entry is not gone]
    if (fault := board.standing("police", "list_other_hash")) is not None:
        wrong = _meant(entries, fault.record)
        entries = [replace(e, content_hash=e.content_hash[::-1]) if e is wrong else e for e in entries]
    if entries and board.standing("police", "list_adds") is not None:
        last = entries[-1]
        number = f"SANDBOX-{last.content_hash[:28].upper()}"
        entries = [*entries, replace(last, seq=last.seq + 1, record_id=str(uuid.uuid4()), receipt_no=number)]
    return entries


def _meant(entries: list[_Entry], record: str) -> _Entry | None:
    return next((entry for entry in reversed(entries) if record in ("", entry.record_id)), None)
