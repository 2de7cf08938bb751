"""The police endpoint's ledger in SQLite: batches, what became of their items, accepted records, chained receipts."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kiosk.sandbox.police_beside import identity_of
from kiosk.sandbox.police_forms import Finding
from kiosk.sandbox.store import Database, Row
from kiosk.sandbox.submission import Batch, ChainHead, Submission

SCHEMA = """
CREATE TABLE IF NOT EXISTS batch (id TEXT PRIMARY KEY, body_sha256 TEXT NOT NULL, device TEXT NOT NULL,
    received_at TEXT NOT NULL, status TEXT NOT NULL, size INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS chain_head (n INTEGER PRIMARY KEY, device TEXT NOT NULL, batch TEXT NOT NULL,
    seq INTEGER NOT NULL, hash TEXT NOT NULL, received_at TEXT NOT NULL, went_back INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS chain_head_device ON chain_head(device, n);
CREATE TABLE IF NOT EXISTS item (batch TEXT NOT NULL, seq INTEGER NOT NULL, record_id TEXT NOT NULL,
    revision INTEGER NOT NULL, content_hash TEXT NOT NULL, status TEXT, code TEXT NOT NULL DEFAULT '',
    field TEXT NOT NULL DEFAULT '', receipt_no TEXT NOT NULL DEFAULT '', received_at TEXT NOT NULL DEFAULT '',
    duplicate INTEGER NOT NULL DEFAULT 0, told INTEGER NOT NULL DEFAULT 1, PRIMARY KEY (batch, seq));
CREATE INDEX IF NOT EXISTS item_record ON item(record_id);
CREATE TABLE IF NOT EXISTS record (record_id TEXT NOT NULL, revision INTEGER NOT NULL, content_hash TEXT NOT NULL,
    status TEXT NOT NULL, code TEXT NOT NULL, field TEXT NOT NULL, receipt_no TEXT NOT NULL, received_at TEXT NOT NULL,
    hotel_code TEXT NOT NULL, stay_id TEXT NOT NULL, op TEXT NOT NULL, id_number TEXT NOT NULL,
    departed INTEGER NOT NULL DEFAULT 0, later_code TEXT NOT NULL DEFAULT '', text TEXT NOT NULL,
    photos INTEGER NOT NULL, PRIMARY KEY (record_id, revision));
CREATE INDEX IF NOT EXISTS record_person ON record(id_number, departed);
CREATE INDEX IF NOT EXISTS record_stay ON record(stay_id);
CREATE TABLE IF NOT EXISTS receipt (seq INTEGER PRIMARY KEY, day TEXT NOT NULL, record_id TEXT NOT NULL,
    revision INTEGER NOT NULL, content_hash TEXT NOT NULL, receipt_no TEXT NOT NULL UNIQUE, received_at TEXT NOT NULL,
    chain TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS receipt_day ON receipt(day, seq);
"""

GENESIS = "0" * 64
_WITH_DEVICE = """SELECT receipt.*, coalesce((SELECT batch.device FROM item JOIN batch ON batch.id = item.batch
    WHERE item.record_id = receipt.record_id AND item.revision = receipt.revision LIMIT 1), '') AS device
    FROM receipt"""
"""A hotel's kiosks share the list: each line names whose it is."""


_DEPARTS = frozenset({"CC", "JC", "VD"})


@dataclass(frozen=True, slots=True)
class Outcome:
    """The endpoint's word on one record. ``status`` as on the wire."""

    status: str
    code: str = ""
    field: str = ""
    receipt_no: str = ""
    received_at: str = ""
    duplicate: bool = False

    @classmethod
    def rejected(cls, finding: Finding) -> Outcome:
        """Refuse for this reason."""
        return cls("REJECTED", finding.code, finding.field)


def receipt_line(record_id: str, revision: int, content_hash: str, receipt_no: str, received_at: str) -> str:
    """Return the text that the receipts' hash chain runs over."""
    return "|".join((record_id, str(revision), content_hash, receipt_no, received_at))


class Ledger:
    """Called from connections' threads and from the worker's; each method is one transaction."""

    def __init__(self, path: Path | None) -> None:
        self.store = Database(path, SCHEMA)
        self._forget_unjudged()

    def _forget_unjudged(self) -> None:
        """An endpoint that was killed lost the batches it had not judged: they are unknown when asked for."""
        with self.store.transaction():
            self.store.run("DELETE FROM batch WHERE status IN ('QUEUED', 'PROCESSING')")
            lost = "batch NOT IN (SELECT id FROM batch) AND coalesce(status, 'DEFERRED') = 'DEFERRED'"
            self.store.run(f"DELETE FROM item WHERE {lost}")  # noqa: S608 - a constant

    # ---- batches -----------------------------------------------------------------------------------------------------

    def take_in(self, batch: Batch, body_sha256: str, device: str, received_at: str) -> bool:
        """Note a batch. False: it was noted before (look whether with the same body)."""
        with self.store.transaction():
            if self.batch(batch.id) is not None:
                return False
            values = (batch.id, body_sha256, device, received_at, "QUEUED", len(batch.items))
            self.store.run("INSERT INTO batch VALUES (?, ?, ?, ?, ?, ?)", values)
            for seq, item in enumerate(batch.items):
                self.store.run(
                    "INSERT INTO item(batch, seq, record_id, revision, content_hash) VALUES (?, ?, ?, ?, ?)",
                    (batch.id, seq, item.record_id, item.revision, item.content_hash),
                )
            if batch.head is not None:
                self._keep_head(batch.id, batch.head, device, received_at)
        return True

    def _keep_head(self, batch_id: str, head: ChainHead, device: str, received_at: str) -> None:
        """Keep where a device's own chain stands, and whether it is behind, or beside, where it stood before."""
        last = self.store.one("SELECT seq, hash FROM chain_head WHERE device = ? ORDER BY n DESC LIMIT 1", (device,))
        back = last is not None and (head.seq < last["seq"] or (head.seq == last["seq"] and head.hash != last["hash"]))
        self.store.run(
            "INSERT INTO chain_head(device, batch, seq, hash, received_at, went_back) VALUES (?, ?, ?, ?, ?, ?)",
            (device, batch_id, head.seq, head.hash, received_at, back),
        )

    def batch(self, batch_id: str) -> Row | None:
        """Return a batch's row."""
        return self.store.one("SELECT * FROM batch WHERE id = ?", (batch_id,))

    def set_status(self, batch_id: str, status: str) -> None:
        """Move a batch on."""
        self.store.run("UPDATE batch SET status = ? WHERE id = ?", (status, batch_id))

    def note(self, batch_id: str, seq: int, outcome: Outcome, content_hash: str | None = None) -> None:
        """Write down what became of an item. ``content_hash``: told instead of the true one."""
        self.store.run(
            "UPDATE item SET status = ?, code = ?, field = ?, receipt_no = ?, received_at = ?, duplicate = ?,"
            " content_hash = coalesce(?, content_hash) WHERE batch = ? AND seq = ?",
            (
                outcome.status,
                outcome.code,
                outcome.field,
                outcome.receipt_no,
                outcome.received_at,
                outcome.duplicate,
                content_hash,
                batch_id,
                seq,
            ),
        )

    def finish(self, batch_id: str) -> None:
        """Close a batch whose items are all judged."""
        bad = self.store.one("SELECT 1 FROM item WHERE batch = ? AND status = 'REJECTED'", (batch_id,))
        self.set_status(batch_id, "DONE_WITH_ERRORS" if bad else "DONE")

    def hide(self, batch_id: str, seq: int) -> None:
        """Leave an item's result out until the batch is asked for once more."""
        self.store.run("UPDATE item SET told = 0 WHERE batch = ? AND seq = ?", (batch_id, seq))

    def results(self, batch_id: str) -> list[Row]:
        """Return the items that have an outcome, without those left out; what was left out comes next time."""
        with self.store.transaction():
            rows = self.store.all(
                "SELECT * FROM item WHERE batch = ? AND status IS NOT NULL AND told ORDER BY seq", (batch_id,)
            )
            self.store.run("UPDATE item SET told = 1 WHERE batch = ? AND status IS NOT NULL", (batch_id,))
        return rows

    # ---- records -----------------------------------------------------------------------------------------------------

    def known(self, sub: Submission) -> Outcome | None:
        """Return what is already decided for this record and revision: a duplicate, E409 or E410; None if it is new."""
        last = self.last(sub.record_id)
        seen = self._seen(sub.record_id)
        if last is not None and sub.revision < last["revision"]:
            return Outcome("REJECTED", "E410", "revision")
        if last is not None and sub.revision == last["revision"]:
            if last["content_hash"] != sub.content_hash:
                return Outcome("REJECTED", "E409", "revision")
            return outcome_of(last, duplicate=True)
        if (sub.supersedes or sub.revision) > seen + 1:  # an earlier one is still to come
            return Outcome("REJECTED", "E410", "revision")
        return None

    def accept(self, sub: Submission, warning: Finding | None, received_at: str, later_code: str) -> Outcome:
        """Keep a record and give its receipt; ``later_code``: rejected after all when it is asked for again."""
        number = f"SANDBOX-{secrets.token_hex(14).upper()}"
        code, name = (warning.code, warning.field) if warning else ("", "")
        outcome = Outcome("ACCEPTED_WARN" if warning else "ACCEPTED", code, name, number, received_at)
        with self.store.transaction():
            self._keep(sub, outcome, later_code)
            if sub.op in _DEPARTS:
                self.store.run("UPDATE record SET departed = 1 WHERE record_id = ?", (sub.record_id,))
            self._chain(sub, number, received_at)
        return outcome

    def _keep(self, sub: Submission, outcome: Outcome, later_code: str) -> None:
        self.store.run(
            "INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                sub.record_id,
                sub.revision,
                sub.content_hash,
                outcome.status,
                outcome.code,
                outcome.field,
                outcome.receipt_no,
                outcome.received_at,
                sub.record["hotelCode"],
                sub.record["stayId"],
                sub.op,
                identity_of(sub) or self._identity(sub.record_id),
                sub.op in _DEPARTS,
                later_code,
                sub.text,
                len(sub.photos),
            ),
        )

    def last(self, record_id: str) -> Row | None:
        """Return the latest accepted revision."""
        return self.store.one("SELECT * FROM record WHERE record_id = ? ORDER BY revision DESC LIMIT 1", (record_id,))

    def last_refusal(self, record_id: str) -> Row | None:
        """Return the latest result of a record that was never accepted."""
        return self.store.one(
            "SELECT * FROM item WHERE record_id = ? AND status = 'REJECTED' ORDER BY revision DESC, rowid DESC LIMIT 1",
            (record_id,),
        )

    def depart(self, stay_ids: Sequence[str]) -> None:
        """The guests of these stays have left, as the hotel's desk reported."""
        for stay_id in stay_ids:
            self.store.run("UPDATE record SET departed = 1 WHERE stay_id = ?", (stay_id,))

    def receipts(self, day: str) -> tuple[str, list[Row]]:
        """Return the last link before one day in Shanghai, and that day's receipts in the order given."""
        with self.store.transaction():
            rows = self.store.all(f"{_WITH_DEVICE} WHERE day = ? ORDER BY seq", (day,))
            earlier = ("seq < ?", rows[0]["seq"]) if rows else ("day < ?", day)
            before = self.store.one(
                f"SELECT chain FROM receipt WHERE {earlier[0]} ORDER BY seq DESC LIMIT 1",  # noqa: S608 - ours
                earlier[1:],
            )
        return (before["chain"] if before else GENESIS), rows

    def close(self) -> None:
        """Close the database."""
        self.store.close()

    def _identity(self, record_id: str) -> str:
        row = self.store.one(
            "SELECT id_number FROM record WHERE record_id = ? AND id_number != '' ORDER BY revision DESC", (record_id,)
        )
        return str(row["id_number"]) if row is not None else ""

    def _seen(self, record_id: str) -> int:
        row = self.store.one(
            "SELECT coalesce(max(revision), 0) AS seen FROM item WHERE record_id = ? AND status IN"
            " ('ACCEPTED', 'ACCEPTED_WARN', 'REJECTED') AND code NOT IN ('E409', 'E410')",
            (record_id,),
        )
        return int(row["seen"]) if row is not None else 0

    def _chain(self, sub: Submission, number: str, received_at: str) -> None:
        last = self.store.one("SELECT chain FROM receipt ORDER BY seq DESC LIMIT 1")
        line = receipt_line(sub.record_id, sub.revision, sub.content_hash, number, received_at)
        link = hashlib.sha256(f"{last['chain'] if last else GENESIS}|{line}".encode()).hexdigest()
        self.store.run(
            "INSERT INTO receipt(day, record_id, revision, content_hash, receipt_no, received_at, chain)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (received_at[:10], sub.record_id, sub.revision, sub.content_hash, number, received_at, link),
        )


def outcome_of(row: Row, *, duplicate: bool) -> Outcome:
    """Return what a kept record's row says now."""
    if row["later_code"]:
        return Outcome("REJECTED", row["later_code"], "record")
    return Outcome(row["status"], row["code"], row["field"], row["receipt_no"], row["received_at"], duplicate)
