"""All SQL of the outbox. Used by its owner thread only; every change of state is one chained row.

A change happens inside ``transaction()``: committed and on the disk when the block ends, or not at
all. Errors of SQLite leave as OutboxUnavailable, told without any value of a row.
"""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

from kiosk.errors import ContractError, OutboxUnavailable
from offline_queue import chain
from offline_queue.connection import Connect, connect
from offline_queue.erasures import Erasures
from offline_queue.full import is_full
from offline_queue.rows import Event, NewEvent, row_hash
from offline_queue.sealing import TEXT, SealedPart
from offline_queue.states import MOVES, EventState

_VACUUM_PAGES, _VACUUM_STEPS = 256, 16


class Store(Erasures):
    """The one connection. Made, used and closed on the owner thread."""

    def __init__(self, path: Path, hotel: str, wall: float, *, connect: Connect = connect) -> None:
        """Open, make or migrate the store of one hotel. Raises OutboxUnavailable, and for a broken file OutboxDamaged.

        Args:
            path: The file.
            hotel: Ten digits; another hotel's store is refused.
            wall: Unix time.
            connect: Opens the connection; only the chaos runs bring one of their own.
        """
        super().__init__(path, connect)
        try:
            self._head = self._last_entry()
            self.last_delivery_seq = 0
            """Chain number of the last delivery since the start: tells poison from an outage."""
            self._greet(hotel, wall)
        except BaseException:
            self._conn.close()
            raise

    @property
    def head(self) -> chain.Entry | None:
        """The newest entry of the chain."""
        return self._head

    def close(self) -> None:
        with self._told("close"):
            self._conn.close()

    # ---- changes -----------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit with a full sync at the end of the block, or change nothing."""
        head, delivery = self._head, self.last_delivery_seq
        with self._told("write"):
            self._conn.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._conn.execute("COMMIT")
            except BaseException:
                self._head, self.last_delivery_seq = head, delivery
                with contextlib.suppress(sqlite3.Error):
                    if self._conn.in_transaction:
                        self._conn.execute("ROLLBACK")
                raise

    def insert(self, new: NewEvent) -> None:
        """Add an event with its parts: READY, or BLOCKED behind its record's earlier revisions."""
        ready = self.may_go(new.record_id, new.revision)
        state = EventState.READY if ready else EventState.BLOCKED
        event = self._insert_event(new, state)
        self._insert_parts(event, new.parts)
        self._append(event, state, new.wall, chain.identity(new.record_id, new.revision, new.op, new.content_hash))

    def _insert_event(self, new: NewEvent, state: EventState) -> int:
        # Events are never deleted, so the next number is one more than the last; its hash needs it beforehand
        event = int(self._conn.execute("SELECT coalesce(max(id), 0) + 1 FROM event").fetchone()[0])
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

    def _insert_parts(self, event: int, parts: Iterable[SealedPart]) -> None:
        parts = list(parts)
        self._conn.executemany(
            "INSERT INTO payload VALUES (?, ?, ?, ?)",
            [(event, part.part, part.sealed, hashlib.sha256(part.sealed).digest()) for part in parts],
        )
        self._conn.executemany(
            "INSERT INTO data_key VALUES (?, ?, ?, ?, ?, ?)",
            [(event, part.part, part.recipient, part.key_id, part.wrapped, part.suite) for part in parts],
        )

    def set_fact(self, name: str, value: str) -> None:
        """Remember something small, inside a transaction."""
        self._conn.execute(
            "INSERT INTO fact VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", (name, value)
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
        names = ", ".join(f"{name} = ?" for name in columns)
        self._conn.executemany(
            f"UPDATE event SET {names} WHERE id = ?",  # noqa: S608 - names are our keywords
            [(*columns.values(), event.id) for event in events],
        )

    def destroy_keys(self, event: Event, *, text: bool) -> None:
        """Destroy the photos' data keys, with ``text`` also the text's, then let go of the sealed bytes.

        The wrapped key is overwritten where it lies and its row stays: a deleted row lets SQLite merge
        pages, which leaves copies of the neighbours' keys behind. The log keeps it until ``truncate_log``.
        """
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
        with self._told("checkpoint"):
            for _ in range(_VACUUM_STEPS):
                more = self._give_back()
                busy, _, _ = self._conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                if busy or not more:
                    break
            return not busy

    def _give_back(self) -> bool:
        """Cut a megabyte of free pages off the file; say whether there are more."""
        try:
            self._conn.execute(f"PRAGMA incremental_vacuum({_VACUUM_PAGES})").fetchall()  # each fetch frees a page
        except sqlite3.Error as exc:
            if not is_full(exc):
                raise
            return False
        return bool(self._conn.execute("PRAGMA freelist_count").fetchone()[0])

    def _append(self, event: int, state: str, wall: float, detail: str) -> chain.Entry:
        entry = chain.following(self._head, event, state, int(wall * 1000), detail)
        self._conn.execute(
            "INSERT INTO chain VALUES (?, ?, ?, ?, ?, ?)",
            (entry.seq, entry.event, entry.state, entry.at_ms, entry.detail, entry.hash),
        )
        self._head = entry
        return entry

    def _greet(self, hotel: str, wall: float) -> None:
        first = self.chain_after(0, 1)
        if not first:
            with self.transaction():
                self._append(0, chain.GENESIS, wall, hotel)
        elif first[0].detail != hotel:
            raise OutboxUnavailable(
                f"outbox {self._path.name}: belongs to hotel {first[0].detail}, the settings say {hotel}; "
                "fix kiosk.hotel_code, or give this kiosk a state_dir of its own"
            )
