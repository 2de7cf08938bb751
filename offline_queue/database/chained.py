"""The opened store: its transactions, and the hash chain that every change of state goes into. Owner thread only."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from kiosk.errors import OutboxDamaged, OutboxUnavailable
from offline_queue.crypto.suites import INTL, SuiteName
from offline_queue.database import chain, wholeness
from offline_queue.database.connection import Connect, connect, failed
from offline_queue.database.erasures import Erasures
from offline_queue.database.witness import HeadWitness

_SUITES = "chain suites"


class Chained(Erasures):
    """The one connection, with the chain's head in memory."""

    def __init__(
        self,
        path: Path,
        hotel: str,
        wall: float,
        *,
        suite: SuiteName = INTL,
        witness: HeadWitness | None = None,
        connect: Connect = connect,
    ) -> None:
        """Open, make or migrate the store of one hotel, and look whether what matters in it is whole.

        Blocks for some milliseconds, and 10 ms for each thousand events that wait.

        Args:
            path: The file.
            hotel: Ten digits; another hotel's store is refused.
            wall: Unix time.
            suite: Hashes the chain from now on.
            witness: Remembers the chain's head outside the file. Closed with the store.
            connect: Opens the connection; only tests bring one of their own.

        Raises:
            OutboxDamaged: The file is broken, altered, older than its witness or gone; nothing was changed.
            OutboxUnavailable: Another hotel's, newer or another program's file, or the disk refuses.
        """
        self._witness = witness
        try:
            self._refuse_gone(path)
            super().__init__(path, connect)
        except BaseException:
            self._close_witness()
            raise
        try:
            self._head = self._last_entry()
            self._suites = self._read_suites()
            self.last_delivery_seq = 0
            """Chain number of the last delivery since the start: tells poison from an outage."""
            self.on_commit: Callable[[frozenset[int]], None] | None = None
            """Called after each commit with the events that changed; must not raise. The second copy listens."""
            self._touched: set[int] = set()
            self._newest = 0
            """Number of the newest event; 0 when it is to be read again."""
            self._greet(hotel, wall, suite)
        except BaseException:
            self._conn.close()
            self._close_witness()
            raise

    @property
    def head(self) -> chain.Entry | None:
        """The newest entry of the chain."""
        return self._head

    @property
    def suites(self) -> chain.Suites:
        """Which suite hashes which part of the chain."""
        return self._suites

    def close(self) -> None:
        try:
            with self._told("close"):
                self._conn.close()
        finally:
            self._close_witness()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit with a full sync at the end of the block, or change nothing."""
        before = self._head, self._suites, self.last_delivery_seq
        self._touched.clear()
        try:
            self._conn.execute("BEGIN IMMEDIATE")
            yield
            self._conn.execute("COMMIT")
        except BaseException as exc:
            self._head, self._suites, self.last_delivery_seq = before
            self._newest = 0
            with contextlib.suppress(sqlite3.Error):
                if self._conn.in_transaction:
                    self._conn.execute("ROLLBACK")
            if isinstance(exc, sqlite3.Error):
                raise failed(exc, self._path.name, "write") from exc
            raise
        if self._witness is not None and self._head is not None:
            self._witness.note(self._head)
        if self.on_commit is not None and self._touched:
            self.on_commit(frozenset(self._touched))

    def set_fact(self, name: str, value: str) -> None:
        """Remember something small, inside a transaction."""
        self._conn.execute(
            "INSERT INTO fact VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", (name, value)
        )

    def tell_again(self, events: Iterable[int]) -> None:
        """Let the second copy hear, inside a transaction, of events of which more is known than their row."""
        self._touched |= set(events)

    def remark(self, state: str, detail: str, wall: float) -> None:
        """Write into the chain, inside a transaction, what concerns no event."""
        self._append(0, state, wall, detail)

    def _append(self, event: int, state: str, wall: float, detail: str) -> chain.Entry:
        suite = self._suites.newest
        entry = chain.following(self._head, event, state, int(wall * 1000), detail, suite)
        self._conn.execute(
            "INSERT INTO chain VALUES (?, ?, ?, ?, ?, ?)",
            (entry.seq, entry.event, entry.state, entry.at_ms, entry.detail, entry.hash),
        )
        self._head = entry
        if event:
            self._touched.add(event)
        return entry

    # ---- opening -----------------------------------------------------------------------------------------------------

    def _greet(self, hotel: str, wall: float, suite: SuiteName) -> None:
        if self._head is None:
            with self.transaction():
                self._turn_to(suite)
                self._append(0, chain.GENESIS, wall, hotel)
            return
        self._refuse_broken()
        known = self.hotel
        if known != hotel:
            raise OutboxUnavailable(
                f"outbox {self._path.name}: belongs to hotel {known}, the settings say {hotel}; "
                "fix kiosk.hotel_code, or give this kiosk a state_dir of its own"
            )
        if suite != self._suites.newest:
            with self.transaction():
                self._turn_to(suite)
                self._append(0, chain.SUITE, wall, suite)

    def _turn_to(self, suite: SuiteName) -> None:
        if suite != self._suites.newest:
            self._suites = self._suites.then(self._head.seq + 1 if self._head is not None else 1, suite)
            self.set_fact(_SUITES, self._suites.to_fact())

    def _read_suites(self) -> chain.Suites:
        try:
            return chain.suites_of(self.fact(_SUITES))
        except ValueError as exc:
            raise OutboxDamaged(f"outbox {self._path.name}: fact {_SUITES!r} is none; set it aside") from exc

    def _refuse_broken(self) -> None:
        head = self._head.seq if self._head is not None else 0
        entries = self.chain_after(max(0, head - wholeness.CHAIN_ROWS - 1), -1)
        wholeness.refuse_broken_chain(self._path.name, entries, self._suites)
        wholeness.refuse_forged_states(self._path.name, entries, self.states_of({entry.event for entry in entries}))
        wholeness.refuse_broken_rows(self._path.name, self.unsent_events())
        wholeness.refuse_lost_rows(self._path.name, self.counts(), self.indexed_counts())
        if self._witness is not None and (seen := self._witness.seen()) is not None:
            at = next(iter(self.chain_after(seen[0] - 1, 1)), None)
            self._witness.compare(self._path.name, self._head, at)

    def _refuse_gone(self, path: Path) -> None:
        if self._witness is None or self._witness.seen() is None:
            return
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_size:
                return
        raise OutboxDamaged(f"outbox {path.name}: the file is gone, or empty; its witness knows that there was one")

    def _close_witness(self) -> None:
        if self._witness is not None:
            self._witness.close()
