"""The hash chain over every change of state. Pure.

Each entry's hash covers the one before it, so a state, receipt or record that was altered, left out
or put in later breaks every hash after it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID

GENESIS = "GENESIS"
_BEFORE_ALL = b"\0" * 32


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of ``chain``. The first has event 0, state GENESIS and the hotel's code as its detail."""

    seq: int
    event: int
    state: str
    at_ms: int
    """Unix time in milliseconds, as the kiosk's clock said."""
    detail: str
    """What the state rests on: the record's identity when put, the receipt when delivered, why when rejected."""
    hash: bytes


def following(previous: Entry | None, event: int, state: str, at_ms: int, detail: str) -> Entry:
    """Make the entry after ``previous``."""
    seq = previous.seq + 1 if previous is not None else 1
    before = previous.hash if previous is not None else _BEFORE_ALL
    return Entry(seq, event, state, at_ms, detail, _hash(before, seq, event, state, at_ms, detail))


def identity(record_id: UUID, revision: int, op: str, content_hash: bytes) -> str:
    """Detail of an event's first entry."""
    return f"{record_id.hex} {revision} {op} {content_hash.hex()}"


def broken(entries: Iterable[Entry], previous: Entry | None = None) -> Iterator[int]:
    """Yield the sequence number of each entry that does not follow from the one before it."""
    for entry in entries:
        expected = following(previous, entry.event, entry.state, entry.at_ms, entry.detail)
        if (entry.seq, entry.hash) != (expected.seq, expected.hash):
            yield entry.seq
        previous = entry


def _hash(before: bytes, *fields: int | str) -> bytes:
    return hashlib.sha256(before + json.dumps(fields, ensure_ascii=True, separators=(",", ":")).encode()).digest()
