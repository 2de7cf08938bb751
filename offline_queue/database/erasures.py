"""What can be asked of and written into the table of erasure receipts. Owner thread only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from offline_queue.database.inspections import Inspections
from offline_queue.database.rows import Event

_UNSIGNED_FROM = "erasure unsigned from"
"""Fact: no receipt of an event before this number waits for its signature; empty when none does."""


@dataclass(frozen=True, slots=True)
class Erased:
    """One row of ``erasure``. Without a signature until the log, too, holds nothing any more."""

    event: int
    at: float
    """Unix seconds."""
    statement: str
    signature: bytes = field(repr=False)
    signer: str


class Erasures(Inspections):
    """The part of the store that remembers erasures. Changes happen inside ``Store.transaction``."""

    @property
    def path(self) -> Path:
        """The database."""
        return self._path

    @property
    def hotel(self) -> str:
        """The hotel that this store belongs to: its chain begins with it."""
        return self.chain_after(0, 1)[0].detail

    def sealed_parts(self, event: Event) -> tuple[str, ...]:
        """Every part that was ever put, also those whose key is destroyed."""
        with self._told("read"):
            rows = self._conn.execute("SELECT part FROM data_key WHERE event = ? ORDER BY part", (event.id,)).fetchall()
        return tuple(dict.fromkeys(str(row[0]) for row in rows))

    def add_erasure(self, event: Event, at: float, statement: str) -> None:
        """Note what is erased in this transaction; it is signed when the log is empty, too."""
        self._conn.execute("INSERT INTO erasure VALUES (?, ?, ?, x'', '')", (event.id, at, statement))
        first = self.fact(_UNSIGNED_FROM)
        if not first or int(first) > event.id:
            self._remember(str(event.id))

    def sign_erasures(self, signed: list[tuple[int, bytes]], signer: str) -> None:
        """Complete receipts: (event, signature)."""
        rows = [(signature, signer, event) for event, signature in signed]
        self._conn.executemany("UPDATE erasure SET signature = ?, signer = ? WHERE event = ?", rows)
        left = self.unsigned_erasures(1)
        self._remember(str(left[0].event) if left else "")

    def keep_erasures(self, rows: Iterable[Sequence[object]]) -> None:
        """Take over receipts from a store that was set aside, inside a transaction."""
        self._conn.executemany("INSERT OR IGNORE INTO erasure VALUES (?, ?, ?, ?, ?)", [tuple(row) for row in rows])
        first = self._row("SELECT min(event) FROM erasure WHERE signature = x''")
        self._remember("" if first is None or first[0] is None else str(first[0]))

    def unsigned_erasures(self, limit: int) -> list[Erased]:
        """Receipts that wait for their signature, by event."""
        first = self.fact(_UNSIGNED_FROM)
        if not first:
            return []
        return self._erased("event >= ? AND signature = x'' ORDER BY event LIMIT ?", (int(first), limit))

    def erasures_of(self, record_id: UUID) -> list[Erased]:
        """The receipts of one record, in the order of its revisions."""
        return [one for event in self.revisions(record_id) for one in self.erasure_of(event.id)]

    def erasure_of(self, event: int) -> list[Erased]:
        """The receipt of one event, if it has one."""
        return self._erased("event = ?", (event,))

    def erasures_after(self, event: int, limit: int) -> list[Erased]:
        """Receipts in the order of their events."""
        return self._erased("event > ? ORDER BY event LIMIT ?", (event, limit))

    def past_their_receipt(self) -> list[int]:
        """Numbers of events whose photos may be erased already, while no receipt of erasure tells of them yet."""
        return [int(row[0]) for row in self._rows("SELECT id FROM event WHERE state IN ('DELIVERED', 'SUPERSEDED')")]

    def photos_erased(self, events: Sequence[int]) -> list[tuple[float, int]]:
        """Of these events: when photos' keys were destroyed (Unix seconds), and how many; nothing of the others.

        What a correction replaced lost its photos with the correction's receipt.
        """
        settled = (
            "CASE e.state WHEN 'DELIVERED' THEN e.settled_at ELSE (SELECT settled_at FROM event AS l WHERE "
            "l.record = e.record AND l.revision > e.revision AND l.state IN ('DELIVERED', 'PURGED') "
            "ORDER BY l.revision LIMIT 1) END"
        )
        rows = self._rows(
            f"SELECT {settled}, count(*) FROM event AS e JOIN data_key AS k ON k.event = e.id "  # noqa: S608 - constants
            f"WHERE e.id IN ({', '.join('?' * len(events))}) AND k.part <> 'text' "
            "AND k.wrapped = zeroblob(length(k.wrapped)) GROUP BY e.id",
            events,
        )
        return [(float(at), int(photos)) for at, photos in rows if at is not None]

    def _erased(self, where: str, values: tuple[int, ...]) -> list[Erased]:
        with self._told("read"):
            rows = self._conn.execute(
                f"SELECT event, at, statement, signature, signer FROM erasure WHERE {where}",  # noqa: S608 - constants
                values,
            ).fetchall()
        return [Erased(*row) for row in rows]

    def _remember(self, first: str) -> None:
        self._conn.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", (_UNSIGNED_FROM, first))
