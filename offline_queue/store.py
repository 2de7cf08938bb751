"""All SQL of the outbox. Used by its owner thread only; every change of state is one chained row.

A change happens inside ``transaction()``: committed and on the disk when the block ends, or not at
all. Errors of SQLite leave as OutboxUnavailable, told without any value of a row.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import replace

from kiosk.durable import sync_file
from kiosk.errors import ContractError
from offline_queue.crypto.sealing import TEXT, SealedPart
from offline_queue.database import chain
from offline_queue.database.chained import Chained
from offline_queue.database.rows import COLUMNS, Event, NewEvent, Wrapped, columns_of, event_of, row_hash
from offline_queue.full import is_full
from offline_queue.states import DONE, MOVES, UNSENT, EventState

_FIRST = "first_event"
MENDED = "mended"
"""Detail of the chain's entry when an event was given parts that open."""

_NO_KEY = bytes(60)
"""Stands for a data key that is lost, as for one that was destroyed; as long as one, which may still be found."""
_VACUUM_PAGES, _VACUUM_STEPS = 256, 16


class Store(Chained):
    """The one connection. Made, used and closed on the owner thread."""

    def insert(self, new: NewEvent) -> None:
        """Add an event with its parts: READY, or BLOCKED behind its record's earlier revisions."""
        ready = self.may_go(new.record_id, new.revision, new.supersedes)
        state = EventState.READY if ready else EventState.BLOCKED
        event = self._insert_event(new, state)
        self._insert_parts(event, new.parts)
        self._append(event, state, new.wall, chain.identity(new.record_id, new.revision, new.op, new.content_hash))

    def _insert_event(self, new: NewEvent, state: EventState) -> int:
        event = self._next_number()
        hashed = row_hash(
            *(event, new.record_id, new.revision, new.op, new.stay, new.supersedes),
            *(new.due_at, new.wall, new.boot, new.mono, new.content_hash, new.given_hash),
        )
        self._conn.execute(
            "INSERT INTO event (id, record, revision, op, stay, state, supersedes, next_at, due_at, wall, boot, mono, "
            "content_hash, given_hash, row_hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(event, new.record_id.bytes, new.revision, new.op, new.stay, state.value, new.supersedes),
                *(new.wall, new.due_at, new.wall, new.boot, new.mono, new.content_hash, new.given_hash, hashed),
            ),
        )
        return event

    def _next_number(self) -> int:
        """Events are never deleted, so it is one more than the last; a row's hash needs it beforehand."""
        if not self._newest:
            last = int(self._conn.execute("SELECT coalesce(max(id), 0) FROM event").fetchone()[0])
            self._newest = max(last, int(self.fact(_FIRST) or 1) - 1)
        self._newest += 1
        return self._newest

    def begin_at(self, number: int) -> None:
        """Number events from here on, inside a transaction: a new store leaves the old one's numbers free."""
        self.set_fact(_FIRST, str(number))
        self._newest = 0

    def restore(self, columns: Mapping[str, object], parts: Iterable[SealedPart], wall: float) -> Event:
        """Bring an event back, inside a transaction: as it was, under its old number if that is free.

        Args:
            columns: Its row. READY becomes BLOCKED where an earlier revision of the record is not done.
            parts: What is left of it, with keys.
            wall: Unix time.
        """
        event = event_of(tuple(columns[name] for name in COLUMNS.split(", ")))
        if event.state is EventState.READY and not self.may_go(event.record_id, event.revision, event.supersedes):
            event = replace(event, state=EventState.BLOCKED)
        if event.state in UNSENT and self.is_stood_for(event.record_id, event.revision):
            event = replace(event, state=EventState.SUPERSEDED)  # a person did without it meanwhile
        taken = self._conn.execute("SELECT 1 FROM event WHERE id = ?", (event.id,)).fetchone() is not None
        number = self._next_number() if taken or event.id < 1 else event.id
        event = replace(event, id=number, given_hash=event.given_hash or event.content_hash).hashed()
        row = list(columns_of(event).values())
        self._conn.execute(f"INSERT INTO event ({COLUMNS}) VALUES ({', '.join('?' * len(row))})", row)  # noqa: S608
        self._insert_parts(event.id, parts)
        self._newest = 0
        identity = chain.identity(event.record_id, event.revision, event.op, event.content_hash)
        self._append(event.id, event.state, wall, identity)
        if event.state is EventState.DELIVERED:
            self._append(event.id, event.state, wall, event.receipt or "")
        if event.state in DONE:
            self.release_next(event, wall)
        return event

    def mend(self, event: Event, columns: Mapping[str, object], parts: Iterable[SealedPart], wall: float) -> None:
        """Give an event, inside a transaction, the parts that were found of it; a QUARANTINED one its state as well.

        Args:
            event: As it is in the store.
            columns: Its row as it was found, see ``restore``.
            parts: What opens.
            wall: Unix time.
        """
        parts = list(parts)
        self._conn.execute("DELETE FROM payload WHERE event = ?", (event.id,))
        self._insert_payload(event.id, parts)
        for part in parts:
            self._replace_key(event.id, part)
        if event.state is EventState.QUARANTINED:
            event = self._settled_as(event, columns)
        self._append(event.id, event.state, wall, MENDED)
        if event.state in (EventState.DELIVERED, EventState.PURGED):  # keys that are here from before its receipt
            self.destroy_keys(event, text=event.state is EventState.PURGED)
        if event.state is EventState.DELIVERED:
            self._append(event.id, event.state, wall, event.receipt or "")  # what its state rests on comes last
        if event.state in DONE:
            self.release_next(event, wall)

    def _settled_as(self, event: Event, columns: Mapping[str, object]) -> Event:
        found = event_of(tuple(columns[name] for name in COLUMNS.split(", ")))
        waits = found.state is EventState.READY and not self.may_go(event.record_id, event.revision)
        state = EventState.BLOCKED if waits else found.state
        told = (found.receipt, found.received_at, found.settled_at, found.flag, found.why)
        self._conn.execute(
            "UPDATE event SET state = ?, receipt = ?, received_at = ?, settled_at = ?, flag = ?, why = ? WHERE id = ?",
            (state.value, *told, event.id),
        )
        return replace(event, state=state, receipt=found.receipt)

    def _insert_parts(self, event: int, parts: Iterable[SealedPart]) -> None:
        parts = list(parts)
        self._insert_payload(event, parts)
        self._conn.executemany(
            "INSERT INTO data_key VALUES (?, ?, ?, ?, ?, ?)",
            [(event, part.part, part.recipient, part.key_id, part.wrapped or _NO_KEY, part.suite) for part in parts],
        )

    def _insert_payload(self, event: int, parts: list[SealedPart]) -> None:
        self._conn.executemany(
            "INSERT INTO payload VALUES (?, ?, ?, ?)",
            [(event, part.part, part.sealed, hashlib.sha256(part.sealed).digest()) for part in parts],
        )

    def _replace_key(self, event: int, part: SealedPart) -> None:
        """Overwrite a data key where it lies: see ``destroy_keys`` for what a deleted row would leave behind."""
        replaced = self._conn.execute(
            "UPDATE data_key SET recipient = ?, key_id = ?, wrapped = ?, suite = ? WHERE event = ? AND part = ?",
            (part.recipient, part.key_id, part.wrapped or _NO_KEY, part.suite, event, part.part),
        )
        if not replaced.rowcount:
            self._conn.execute(
                "INSERT INTO data_key VALUES (?, ?, ?, ?, ?, ?)",
                (event, part.part, part.recipient, part.key_id, part.wrapped or _NO_KEY, part.suite),
            )

    def move(
        self, event: Event, to: EventState, wall: float, *, detail: str = "", **columns: float | str | None
    ) -> None:
        """Change an event's state, its chain and the named columns. Raises ContractError for a move we never make."""
        if (event.state, to) not in MOVES:
            raise ContractError(f"outbox: event {event.id} cannot go from {event.state} to {to}")
        names = "".join(f", {name} = ?" for name in columns)
        cursor = self._conn.execute(
            f"UPDATE event SET state = ?{names} WHERE id = ? AND state = ?",  # noqa: S608 - names are our keywords
            (to.value, *columns.values(), event.id, event.state.value),
        )
        if cursor.rowcount != 1:
            raise ContractError(f"outbox: event {event.id} was not {event.state} any more")
        entry = self._append(event.id, to, wall, detail)
        if to is EventState.DELIVERED:
            self.last_delivery_seq = entry.seq

    def release_next(self, event: Event, wall: float) -> None:
        """Let the record's next revision go, if nothing earlier is open."""
        following = self.find(event.record_id, event.revision + 1)
        if following is None or following.state is not EventState.BLOCKED:
            return
        if self.may_go(event.record_id, following.revision):
            self.move(following, EventState.READY, wall)

    def note(self, events: Iterable[Event], **columns: float | str | None) -> None:
        """Change columns that are no state."""
        events = list(events)
        self._touched |= {event.id for event in events}
        names = ", ".join(f"{name} = ?" for name in columns)
        self._conn.executemany(
            f"UPDATE event SET {names} WHERE id = ?",  # noqa: S608 - names are our keywords
            [(*columns.values(), event.id) for event in events],
        )

    def rewrap(self, keys: Iterable[Wrapped]) -> None:
        """Put what now wraps data keys in the place of what did, inside a transaction. A destroyed key stays destroyed.

        As long as before, so that it is overwritten where it lies. The log keeps it until ``truncate_log``.
        """
        keys = list(keys)
        self._touched |= {key.event for key in keys}
        self._conn.executemany(
            "UPDATE data_key SET recipient = ?, wrapped = ? WHERE rowid = ?",
            [(key.part.recipient, key.part.wrapped, key.row) for key in keys],
        )

    def destroy_keys(self, event: Event, *, text: bool) -> None:
        """Destroy the photos' data keys, with ``text`` also the text's, then let go of the sealed bytes.

        The wrapped key is overwritten where it lies and its row stays: a deleted row lets SQLite merge
        pages, which leaves copies of the neighbours' keys behind. The log keeps it until ``truncate_log``.
        """
        self._touched.add(event.id)
        where = "event = ?" if text else f"event = ? AND part <> '{TEXT}'"
        overwrite = f"UPDATE data_key SET wrapped = zeroblob(length(wrapped)) WHERE {where}"  # noqa: S608 - constants
        self._conn.execute(overwrite, (event.id,))
        # What no key opens any more need not be overwritten: that would write every photo twice
        self._conn.execute("PRAGMA secure_delete = OFF").fetchall()
        try:
            self._conn.execute(f"DELETE FROM payload WHERE {where}", (event.id,))  # noqa: S608 - constants
        finally:
            self._conn.execute("PRAGMA secure_delete = ON").fetchall()

    def truncate_log(self) -> bool:
        """Empty the write-ahead log, so that nothing deleted stays readable in it. False when it is in use.

        Free pages are given back to the disk step by step: all those of a long outage would go through the log at
        once, for which a disk that gets short has no room. A full one keeps them, they are used again.
        """
        busy = 0
        with self._told("checkpoint"):
            for _ in range(_VACUUM_STEPS):
                more = self._give_back()
                busy, _, _ = self._conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                if busy or not more:
                    break
        return not busy and self._log_is_synced()

    def _log_is_synced(self) -> bool:
        """SQLite cuts the log short without a sync: a power cut could bring its bytes back, erased keys among them."""
        try:
            sync_file(self._path.with_name(self._path.name + "-wal"))
        except FileNotFoundError:
            return True
        except OSError:
            return False
        return True

    def _give_back(self) -> bool:
        """Cut a megabyte of free pages off the file; say whether there are more."""
        try:
            self._conn.execute(f"PRAGMA incremental_vacuum({_VACUUM_PAGES})").fetchall()  # each fetch frees a page
        except sqlite3.Error as exc:
            if not is_full(exc):
                raise
            return False
        return bool(self._conn.execute("PRAGMA freelist_count").fetchone()[0])
