"""What can be asked of the outbox's tables. Owner thread only; changes are in store.py."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from kiosk.errors import ContractError, OutboxDamaged
from offline_queue.crypto.sealing import SealedPart
from offline_queue.database import chain, schema, wholeness
from offline_queue.database.connection import Connect, connect, failed
from offline_queue.database.rows import COLUMNS, Event, Wrapped, event_of
from offline_queue.states import DONE, UNSENT, EventState

_DONE = ", ".join(f"'{state}'" for state in sorted(DONE))
_REMEMBERED = 10_000
"""Events among which a stay is looked for: a busy kiosk's quarter of a year."""
_SLICE = 1_000
_UNSENT = ", ".join(f"'{state}'" for state in sorted(UNSENT))


class Questions:
    """The one connection, read. Errors of SQLite leave as OutboxUnavailable, told without any value of a row."""

    def __init__(self, path: Path, connect: Connect = connect) -> None:
        self._path = path
        self._conn = schema.open_database(path, connect)

    def find(self, record_id: UUID, revision: int) -> Event | None:
        return self._one("record = ? AND revision = ?", (record_id.bytes, revision))

    def given_hash(self, record_id: UUID, revision: int) -> bytes | None:
        """Return the hash of what was handed to ``put`` under this revision; None when nothing was."""
        row = self._row("SELECT given_hash FROM event WHERE record = ? AND revision = ?", (record_id.bytes, revision))
        return None if row is None else bytes(row[0])

    def revisions(self, record_id: UUID) -> list[Event]:
        """Every revision of one record, in order."""
        return self._many("record = ? ORDER BY revision", (record_id.bytes,))

    def record(self, record_id: UUID) -> list[Event]:
        """As ``revisions``, for somebody who names a record. Raises ContractError when there is none of that id."""
        if not (found := self.revisions(record_id)):
            raise ContractError(f"outbox: no record {record_id} in this outbox; ./run queue list shows those there are")
        return found

    def replaced_by(self, event: Event) -> list[Event]:
        """Earlier revisions of its record that were rejected and superseded: never receipted themselves."""
        return self._many(
            "record = ? AND revision < ? AND state = 'SUPERSEDED' ORDER BY revision",
            (event.record_id.bytes, event.revision),
        )

    def ready(self, now: float, cap_s: float, limit: int) -> list[Event]:
        """Events that may be sent now, oldest first.

        One whose next try lies further ahead than any wait we ever set counts as due: the clock was set back.
        Raises OutboxDamaged when one of them is not what was put.
        """
        due = self._standing(EventState.READY, "next_at <= ? ORDER BY next_at, id LIMIT ?", (now, limit))
        if len(due) < limit:
            beyond = "next_at > ? ORDER BY next_at, id LIMIT ?"
            due += self._standing(EventState.READY, beyond, (now + cap_s, limit - len(due)))
        wholeness.refuse_broken_rows(self._path.name, due)
        return due

    def next_ready_at(self) -> float | None:
        row = self._row("SELECT min(next_at) FROM event WHERE state = 'READY'")
        return None if row is None or row[0] is None else float(row[0])

    def waiting_since(self) -> float | None:
        """When the oldest event that may be sent, or is on its way, was put; None when there is none."""
        stamps = [
            row[0]
            for state in (EventState.READY, EventState.INFLIGHT)
            if (row := self._row(f"SELECT min(wall) FROM event WHERE state = '{state}'")) is not None  # noqa: S608
        ]
        return min((float(stamp) for stamp in stamps if stamp is not None), default=None)

    def in_state(self, state: EventState, limit: int = -1, *, settled_before: float | None = None) -> list[Event]:
        """Events in a state, oldest first; DELIVERED ones may be narrowed to those settled by a moment."""
        if settled_before is not None:
            return self._standing(state, "settled_at <= ? ORDER BY settled_at, id LIMIT ?", (settled_before, limit))
        return self._standing(state, "1 ORDER BY id LIMIT ?", (limit,))

    def settled_between(self, begin: float, end: float) -> list[Event]:
        """Delivered events whose receipt was saved in a span of Unix time, oldest first."""
        where = "state = 'DELIVERED' AND settled_at >= ? AND settled_at < ? ORDER BY settled_at, id"
        return self._many(where, (begin, end))

    def latest(self, limit: int) -> list[Event]:
        """The newest events, newest first."""
        return self._many("1 ORDER BY id DESC LIMIT ?", (limit,))

    def is_checked_in(self, stay: str) -> bool:
        """Say whether one of the newest events is a check-in of this stay that was not voided since.

        Reads no index: some milliseconds.
        """
        newest = "SELECT record, stay, op FROM event ORDER BY id DESC LIMIT ?"
        voided = "SELECT 1 FROM event AS later WHERE later.record = came.record AND later.op = 'VD'"
        row = self._row(
            f"SELECT 1 FROM ({newest}) AS came WHERE stay = ? AND op IN ('CI', 'JI') AND NOT EXISTS ({voided})"  # noqa: S608
            " LIMIT 1",
            (_REMEMBERED, stay),
        )
        return row is not None

    def waiting(self, limit: int) -> list[Event]:
        """Events that are not delivered, the one due first on top."""
        return self._many(f"state IN ({_UNSENT}) ORDER BY due_at, id LIMIT ?", (limit,))

    def waiting_after(self, event_id: int, limit: int) -> list[Event]:
        """Events that are not delivered, in the order in which they were put."""
        # Without the plus SQLite would walk over everything that was ever delivered, to find no more of them
        return self._many(f"+id > ? AND state IN ({_UNSENT}) ORDER BY +id LIMIT ?", (event_id, limit))

    def unsent_events(self) -> Iterator[Event]:
        """Every event that is not delivered, a thousand in memory at a time."""
        ids = [int(row[0]) for row in self._rows(f"SELECT id FROM event WHERE state IN ({_UNSENT})")]  # noqa: S608
        for at in range(0, len(ids), _SLICE):
            some = ids[at : at + _SLICE]
            yield from self._many(f"id IN ({', '.join('?' * len(some))})", some)

    def first_due(self, boot: str, ahead_s: float) -> Event | None:
        """The unsent event whose duty to report ends first.

        Where the wall clock was turned between two puts, ``due_at`` alone does not tell: within a boot the monotonic
        clock does. A thousand unsent events cost about half a millisecond; of very many only those are looked at whose
        ``due_at`` comes first.

        Args:
            boot: This boot.
            ahead_s: How far the wall clock is ahead of the monotonic one now.
        """
        first = f"SELECT id FROM event WHERE state IN ({_UNSENT}) ORDER BY due_at LIMIT {_REMEMBERED}"  # noqa: S608
        ends = "CASE boot WHEN ? THEN due_at - wall + mono + ? ELSE due_at END"
        return self._one(f"id IN ({first}) ORDER BY {ends} LIMIT 1", (boot, ahead_s))

    def states_of(self, numbers: Iterable[int]) -> dict[int, str]:
        """Where these events stand; those that are not there are left out."""
        ids, found = sorted(numbers), dict[int, str]()
        for at in range(0, len(ids), _SLICE):
            some = ids[at : at + _SLICE]
            marks = ", ".join("?" * len(some))
            found |= dict(self._rows(f"SELECT id, state FROM event WHERE id IN ({marks})", some))  # noqa: S608
        return found

    def counts(self) -> dict[EventState, int]:
        """How many events stand in each state: read from the tally, not by scan."""
        rows = self._rows("SELECT state, n FROM tally")
        with self._told("read"):
            return {EventState(state): int(n) for state, n in rows}

    def parts(self, event: Event) -> list[SealedPart]:
        """The sealed parts that still have a key."""
        rows = self._rows(
            # Joined in this order so that the parts come sorted, and no sealed photo goes through a sorter
            "SELECT p.part, sealed, recipient, key_id, wrapped, suite FROM payload p CROSS JOIN data_key k "
            "ON k.event = p.event AND k.part = p.part WHERE p.event = ? ORDER BY p.part",
            (event.id,),
        )
        return [SealedPart(*row) for row in rows]

    def event(self, number: int) -> Event | None:
        return self._one("id = ?", (number,))

    def textless(self, limit: int) -> list[Event]:
        """Delivered events whose text is gone, although nobody erased it. Reads all delivered ones."""
        held = "SELECT 1 FROM payload WHERE payload.event = event.id AND part = 'text'"
        return self._many(f"state = 'DELIVERED' AND NOT EXISTS ({held}) ORDER BY id LIMIT ?", (limit,))

    def keys_of(self, number: int) -> list[SealedPart]:
        """The event's data keys without what they open; a destroyed one is all zeros."""
        rows = self._rows("SELECT part, recipient, key_id, wrapped, suite FROM data_key WHERE event = ?", (number,))
        return [SealedPart(part, b"", *rest) for part, *rest in rows]

    def wrapped_after(self, row: int, limit: int) -> list[Wrapped]:
        """Data keys in the order in which they were added, destroyed ones as well."""
        rows = self._rows(
            "SELECT k.rowid, event, record, revision, op, part, recipient, key_id, wrapped, suite "
            "FROM data_key k JOIN event e ON e.id = k.event WHERE k.rowid > ? ORDER BY k.rowid LIMIT ?",
            (row, limit),
        )
        return [
            Wrapped(at, event, UUID(bytes=record), revision, op, SealedPart(part, b"", *rest))
            for at, event, record, revision, op, part, *rest in rows
        ]

    def last_recipient(self) -> str | None:
        """Name of the key that wrapped the newest data key; None when there is none."""
        row = self._row("SELECT recipient FROM data_key ORDER BY rowid DESC LIMIT 1")
        return None if row is None else str(row[0])

    def fact(self, name: str) -> str | None:
        """Return one of the small things the outbox remembers."""
        row = self._row("SELECT value FROM fact WHERE name = ?", (name,))
        return None if row is None else str(row[0])

    def flagged(self, limit: int) -> list[Event]:
        """Delivered records with a note for staff, newest first."""
        return self._many("flag IS NOT NULL ORDER BY id DESC LIMIT ?", (limit,))

    def chain_after(self, seq: int, limit: int) -> list[chain.Entry]:
        rows = self._rows(
            "SELECT seq, event, state, at_ms, detail, hash FROM chain WHERE seq > ? ORDER BY seq LIMIT ?",
            (seq, limit),
        )
        return [chain.Entry(*row) for row in rows]

    def events_after(self, event_id: int, limit: int) -> list[Event]:
        return self._many("id > ? ORDER BY id LIMIT ?", (event_id, limit))

    def may_go(self, record_id: UUID, revision: int, supersedes: int | None = None) -> bool:
        """Say whether every earlier revision exists and is done. A missing one holds back its own record only.

        But not where a correction stands for it: an earlier one, or this one, which ``supersedes`` it.
        """
        if revision == 1:
            return True
        row = self._row(
            f"SELECT count(*) FROM event WHERE record = ? AND revision < ? AND state IN ({_DONE})",  # noqa: S608
            (record_id.bytes, revision),
        )
        return row is not None and (row[0] == revision - 1 or self._stood_for(record_id, revision, supersedes))

    def _stood_for(self, record_id: UUID, revision: int, supersedes: int | None) -> bool:
        found = self._rows(
            f"SELECT revision, supersedes, state IN ({_DONE}) FROM event WHERE record = ? AND revision <= ?",  # noqa: S608
            (record_id.bytes, revision),
        )
        spans = [(first, last) for last, first, _ in [*found, (revision, supersedes, False)] if first is not None]
        done = {earlier: bool(is_done) for earlier, _, is_done in found}
        return bool(spans) and all(
            done.get(one, any(first <= one < last for first, last in spans)) for one in range(1, revision)
        )

    def is_stood_for(self, record_id: UUID, revision: int) -> bool:
        """Say whether a person's later revision says it takes the place of this one."""
        wanted = "SELECT 1 FROM event WHERE record = ? AND supersedes <= ? AND revision > ?"
        return self._row(wanted, (record_id.bytes, revision, revision)) is not None

    def _last_entry(self) -> chain.Entry | None:
        row = self._row("SELECT seq, event, state, at_ms, detail, hash FROM chain ORDER BY seq DESC LIMIT 1")
        return None if row is None else chain.Entry(*row)

    def _one(self, where: str, values: Sequence[object]) -> Event | None:
        events = self._many(where, values)
        return events[0] if events else None

    def _standing(self, state: EventState, where: str, values: Sequence[object]) -> list[Event]:
        """Events that the state's index names. Raises OutboxDamaged when a row says otherwise than its index."""
        events = self._many(f"state = '{state}' AND {where}", values)
        if any(event.state is not state for event in events):
            raise OutboxDamaged(f"outbox {self._path.name}: an index and its table disagree; set it aside and salvage")
        return events

    def _many(self, where: str, values: Sequence[object]) -> list[Event]:
        rows = self._rows(f"SELECT {COLUMNS} FROM event WHERE {where}", values)  # noqa: S608
        try:
            return [event_of(row) for row in rows]
        except ValueError as exc:
            raise failed(exc, self._path.name, "read") from None

    def _rows(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        try:
            return self._conn.execute(sql, values).fetchall()
        except (sqlite3.Error, ValueError) as exc:
            raise failed(exc, self._path.name, "read") from exc

    def _row(self, sql: str, values: Sequence[object] = ()) -> tuple[Any, ...] | None:
        # All rows are fetched: a statement that is left half-way keeps a read open, and no checkpoint empties the log
        rows = self._rows(sql, values)
        return rows[0] if rows else None

    @contextlib.contextmanager
    def _told(self, doing: str) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, ValueError) as exc:
            raise failed(exc, self._path.name, doing) from exc
