"""What the store can be asked about itself: are its indexes, sealed bytes and pages whole? Owner thread only."""

from __future__ import annotations

import hashlib

from offline_queue.database.questions import Questions
from offline_queue.database.rows import Event
from offline_queue.states import UNSENT, EventState


class Inspections(Questions):
    """The part of the store that ``wholeness`` and ``verify`` look through."""

    def indexed_counts(self) -> dict[EventState, int]:
        """How many unsent events the index of each state names."""
        asked = "SELECT count(*) FROM event INDEXED BY event_{} WHERE state = '{}'"
        rows = {state: self._row(asked.format(state.lower(), state)) for state in sorted(UNSENT)}
        return {state: int(row[0]) for state, row in rows.items() if row is not None}

    def payload_faults(self, event: Event) -> list[str]:
        """Names of the parts whose sealed bytes are not those that were put: damaged, whatever key they have."""
        rows = self._rows("SELECT part, sealed, hash FROM payload WHERE event = ?", (event.id,))
        return [str(part) for part, sealed, known in rows if hashlib.sha256(sealed).digest() != known]

    def lost_by_indexes(self, event: Event) -> bool:
        """Say whether an index that the questions rest on does not find this event."""
        by_record = self._row(
            "SELECT id FROM event WHERE record = ? AND revision = ?", (event.record_id.bytes, event.revision)
        )
        column, value = _indexed(event)
        by_state = self._row(
            f"SELECT 1 FROM event INDEXED BY event_{event.state.lower()} "  # noqa: S608 - our states and columns
            f"WHERE state = '{event.state}' AND {column} = ? AND id = ?",
            (value, event.id),
        )
        return by_record != (event.id,) or by_state is None

    def damage(self) -> list[str]:
        """What SQLite itself finds wrong in its pages; empty when nothing."""
        with self._told("check"):
            rows = self._conn.execute("PRAGMA quick_check(5)").fetchall()
        return [str(row[0]) for row in rows if row[0] != "ok"]


def _indexed(event: Event) -> tuple[str, object]:
    """The leading column of the index that holds an event in its state, and the event's value there."""
    match event.state:
        case EventState.BLOCKED:
            return "record", event.record_id.bytes
        case EventState.READY:
            return "next_at", event.next_at
        case EventState.DELIVERED:
            return "settled_at", event.settled_at
        case _:
            return "id", event.id
