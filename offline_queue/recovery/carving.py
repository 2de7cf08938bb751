"""Finds the outbox's rows in every page of a damaged database, and says where each lies.

Rows are told by the kinds of their columns; whether one is whole is for ``judging``. Of several rows with one
number the newest comes first.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from offline_queue.crypto.sealing import SealedPart
from offline_queue.database.schema import TABLES
from offline_queue.recovery.cells import Cell, cells
from offline_queue.recovery.kept import Value
from offline_queue.recovery.pages import Pages

_KINDS: dict[str, tuple[str, int]] = {
    # One letter a column, a capital one may be NULL; then how many of them the first schema had
    "event": ("IbitttIiiirrrtrbTITTTRBBT", 22),
    "payload": ("itbB", 3),
    "data_key": ("itttbt", 5),
    "chain": ("Iititb", 6),
    "fact": ("tt", 2),
    "erasure": ("Irtbt", 5),
}
# SQLite stores a REAL without a fraction as an integer
_TYPES: dict[str, tuple[type, ...]] = {"i": (int,), "r": (int, float), "t": (str,), "b": (bytes,)}

Spot = int
"""Index of a page, then 16 bits for the offset of a row in it: a big outbox has a million of them."""
Spots = dict[int, tuple[Spot, ...]]
"""By event, in the order in which they were found."""
Change = tuple[int, str, str, int]
"""An entry of the chain: number, state, detail and time."""


def table_of(values: tuple[Value, ...]) -> str | None:
    """Say which table a row belongs to by the kinds of its values; None when to none of them."""
    for table, (letters, least) in _KINDS.items():
        if least <= len(values) <= len(letters) and all(map(_fits, values, letters)):
            return table
    return None


def _fits(value: Value, letter: str) -> bool:
    if value is None:
        return letter.isupper()
    return isinstance(value, _TYPES[letter.lower()])


@dataclass(slots=True)
class Carved:
    """Where the rows lie. Filled page by page, so that nobody waits for all of it."""

    pages: Pages
    events: Spots = field(default_factory=dict)
    payloads: dict[str, Spots] = field(default_factory=lambda: defaultdict(dict))
    """By part."""
    keys: dict[str, Spots] = field(default_factory=lambda: defaultdict(dict))
    born: dict[int, Change] = field(default_factory=dict)
    """By event: its first entry in the chain."""
    last: dict[int, Change] = field(default_factory=dict)
    """By event: its last one."""
    facts: dict[str, str] = field(default_factory=dict)
    erasures: dict[int, tuple[Value, ...]] = field(default_factory=dict)
    head: tuple[int, bytes] = (0, b"")
    """Number and hash of the chain's last entry."""
    recipients: set[str] = field(default_factory=set)
    riddles: list[str] = field(default_factory=list)
    """Where reading or judging failed by a bug of ours: such a file is not given up."""

    def look(self, index: int) -> None:
        """Take in one page."""
        for cell in cells(self.pages.nth(index), self.pages.size, self.pages.page):
            table = table_of(cell.values)
            if table is not None:
                self._take(table, cell, index << 16 | cell.start)

    def numbers(self) -> list[int]:
        """Every event of which anything is left."""
        return sorted(number for number in self.events.keys() | self.born.keys() if number > 0)

    def rows(self, event: int) -> Iterator[dict[str, Value]]:
        """Yield the event's rows by column, newest first."""
        for place in self.events.get(event, ()):
            if (cell := self._at(place)) is not None:
                row = dict.fromkeys(TABLES["event"]) | dict(zip(TABLES["event"], cell.values, strict=False))
                yield row | {"id": event}

    def part_names(self, event: int) -> list[str]:
        return [part for part in ("id", "live", "text") if event in self.payloads[part] or event in self.keys[part]]

    def parts(self, event: int, part: str) -> Iterator[SealedPart]:
        """Yield each sealed part that lies there with each key that lies there, the newest first."""
        keys = [cell.values for place in self.keys[part].get(event, ()) if (cell := self._at(place)) is not None]
        for place in self.payloads[part].get(event, ()):
            cell = self._at(place)
            sealed = cell.values[2] if cell is not None else None
            for key in keys:
                _, _, recipient, key_id, wrapped, *suite = key
                if isinstance(sealed, bytes) and isinstance(wrapped, bytes):
                    name = str(suite[0]) if suite else "intl"
                    yield SealedPart(part, sealed, str(recipient), str(key_id), wrapped, name)

    def _at(self, place: Spot) -> Cell | None:
        found = cells(self.pages.nth(place >> 16), self.pages.size, self.pages.page)
        return next((cell for cell in found if cell.start == place & 0xFFFF), None)

    def _take(self, table: str, cell: Cell, place: Spot) -> None:
        values = cell.values
        match table:
            case "event":
                _add(self.events, cell.rowid, place)
            case "payload":
                _add(self.payloads[str(values[1])], int(values[0] or 0), place)
            case "data_key":
                _add(self.keys[str(values[1])], int(values[0] or 0), place)
                self.recipients.add(str(values[2]))
            case "chain":
                self._take_entry(cell.rowid, values)
            case "fact":
                self.facts.setdefault(str(values[0]), str(values[1]))
            case "erasure":
                self.erasures.setdefault(cell.rowid, (cell.rowid, *values[1:]))
            case _:
                pass

    def _take_entry(self, seq: int, values: tuple[Value, ...]) -> None:
        _, event, state, at_ms, detail, entry_hash = values
        if not isinstance(event, int) or not isinstance(at_ms, int) or not isinstance(entry_hash, bytes):
            return
        change = (seq, sys.intern(str(state)), str(detail), at_ms)
        if event not in self.born or seq < self.born[event][0]:
            self.born[event] = change
        if event not in self.last or seq > self.last[event][0]:
            self.last[event] = change
        if seq > self.head[0]:
            self.head = (seq, entry_hash)


def _add(spots: Spots, event: int, spot: Spot) -> None:
    spots[event] = (*spots.get(event, ()), spot)
