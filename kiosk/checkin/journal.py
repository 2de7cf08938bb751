"""The data-free event log: state, event kind, milliseconds. A visit can be played again, no guest can be named."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from kiosk.checkin.events import Consented, Event
from kiosk.checkin.states import State
from kiosk.model import Hint, Reason


@dataclass(frozen=True, slots=True)
class Entry:
    """One step of one visit."""

    visit: int
    ms: int
    """Milliseconds since the journal began."""
    state: str
    event: str
    detail: str
    """A Reason, a Hint or a consent's purpose: words of ours, never the guest's."""
    next: str


def entry(visit: int, ms: int, state: State, event: Event, following: State) -> Entry:
    """Describe a step by kinds alone."""
    return Entry(visit, ms, type(state).__name__, type(event).__name__, detail_of(event), type(following).__name__)


def detail_of(event: Event) -> str:
    """Return the event's Reason, Hint or purpose; everything else about it stays out."""
    if isinstance(event, Consented):
        return event.consent.purpose
    for name in ("reason", "hint"):
        value = getattr(event, name, None)
        if isinstance(value, Reason | Hint):
            return value.value
    return ""


MAX_BYTES = 8 * 1024 * 1024
"""A journal that has grown past this begins anew at the next start; the one before it is kept as ``.1``."""


class Journal:
    """Appends entries to a JSON-lines file. One thread writes; a full disk costs the entry, never the visit."""

    def __init__(self, path: Path | None, max_bytes: int = MAX_BYTES) -> None:
        self._file: TextIO | None = None
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.exists() and path.stat().st_size > max_bytes:
                path.replace(path.with_suffix(path.suffix + ".1"))
            self._file = path.open("a", encoding="utf-8")
        self.lost = 0

    def write(self, step: Entry) -> None:
        """Append one step and flush it."""
        if self._file is None:
            return
        try:
            self._file.write(json.dumps({name: getattr(step, name) for name in Entry.__slots__}) + "\n")
            self._file.flush()
        except OSError:
            self.lost += 1

    def close(self) -> None:
        """Close the file. Safe to call twice, and on a full disk."""
        if self._file is not None:
            with suppress(OSError):  # what a full disk refused is tried once more here: it was counted already
                self._file.close()
            self._file = None


def read(path: Path) -> list[Entry]:
    """Read a journal. Raises ValueError naming the line that is no entry."""
    entries = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            entries.append(Entry(**json.loads(line)))
        except (TypeError, ValueError) as error:
            raise ValueError(f"{path.name}, line {number}: not an entry of an event log") from error
    return entries
