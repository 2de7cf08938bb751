"""The data-free event log: state, event kind, milliseconds. A visit can be played again, no guest can be named."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from kiosk.checkin.events import Consented, Event
from kiosk.checkin.states import State, Welcome
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
"""A journal that has grown past this begins anew after the visit; the one before it is kept as ``.1``."""


LONGEST_LINE_BYTES = 4096


class Journal:
    """Appends entries to a JSON-lines file. One thread writes; a full disk costs the entry, never the visit."""

    def __init__(self, path: Path | None, max_bytes: int = MAX_BYTES) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._file: TextIO | None = None
        self.lost = 0
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.exists() and path.stat().st_size > max_bytes:
                path.replace(_older(path))
            _cut_torn_line(path)
            self._file = path.open("a", encoding="utf-8")

    def write(self, step: Entry) -> None:
        """Append one step and flush it."""
        if self._file is None:
            return
        try:
            self._file.write(json.dumps({name: getattr(step, name) for name in Entry.__slots__}) + "\n")
            self._file.flush()
            if step.next == Welcome.__name__ and self._file.tell() > self._max_bytes:
                self._begin_anew(self._file)
        except OSError:
            self.lost += 1

    def _begin_anew(self, full: TextIO) -> None:
        if self._path is not None:
            self._path.replace(_older(self._path))
            self._file = self._path.open("a", encoding="utf-8")
            full.close()

    def close(self) -> None:
        """Close the file. Safe to call twice, and on a full disk."""
        if self._file is not None:
            with suppress(OSError):  # what a full disk refused is tried once more here: it was counted already
                self._file.close()
            self._file = None


def _older(path: Path) -> Path:
    return path.with_suffix(path.suffix + ".1")


def _cut_torn_line(path: Path) -> None:
    """Drop what a power cut or a full disk left of a last line: the entry after it must stand on a line of its own."""
    if not path.is_file():
        return
    with path.open("r+b") as file:
        begin = max(0, file.seek(0, os.SEEK_END) - LONGEST_LINE_BYTES)
        file.seek(begin)
        tail = file.read()
        file.truncate(begin + tail.rfind(b"\n") + 1)


def read(path: Path) -> list[Entry]:
    """Read a journal. Raises ValueError naming the line that is no entry."""
    entries = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            entries.append(Entry(**json.loads(line)))
        except (TypeError, ValueError) as error:
            raise ValueError(f"{path.name}, line {number}: not an entry of an event log") from error
    return entries
