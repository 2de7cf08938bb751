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

from offline_queue.crypto.suites import GM, INTL, SuiteName, gm

GENESIS = "GENESIS"
SUITE = "SUITE"
"""State of an entry, of no event, whose detail names the suite that hashes it and all that follow."""
_BEFORE_ALL = b"\0" * 32
_ENCODE = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode


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


@dataclass(frozen=True, slots=True)
class Suites:
    """Which suite hashes which entries: (first sequence number, name), in order. ``intl`` before them all."""

    since: tuple[tuple[int, SuiteName], ...] = ()

    def at(self, seq: int) -> SuiteName:
        return next((name for first, name in reversed(self.since) if first <= seq), INTL)

    @property
    def newest(self) -> SuiteName:
        return self.since[-1][1] if self.since else INTL

    def then(self, seq: int, name: SuiteName) -> Suites:
        return Suites((*self.since, (seq, name)))

    def to_fact(self) -> str:
        return json.dumps(self.since)


_INTL_ONLY = Suites()


def suites_of(fact: str | None) -> Suites:
    """Read what ``to_fact`` made. Raises ValueError for what is none."""
    try:
        return Suites(tuple((int(seq), GM if name == GM else INTL) for seq, name in json.loads(fact or "[]")))
    except TypeError as exc:
        raise ValueError("not a list of suites") from exc


def following(
    previous: Entry | None, event: int, state: str, at_ms: int, detail: str, suite: SuiteName = INTL
) -> Entry:
    """Make the entry after ``previous``."""
    seq = previous.seq + 1 if previous is not None else 1
    before = previous.hash if previous is not None else _BEFORE_ALL
    return Entry(seq, event, state, at_ms, detail, _hash(suite, before, (seq, event, state, at_ms, detail)))


def identity(record_id: UUID, revision: int, op: str, content_hash: bytes) -> str:
    """Detail of an event's first entry."""
    return f"{record_id.hex} {revision} {op} {content_hash.hex()}"


def broken(entries: Iterable[Entry], previous: Entry | None = None, suites: Suites = _INTL_ONLY) -> Iterator[int]:
    """Yield the sequence number of each entry that does not follow from the one before it."""
    for entry in entries:
        suite = suites.at(entry.seq)
        try:
            expected = following(previous, entry.event, entry.state, entry.at_ms, entry.detail, suite)
        except TypeError:  # a broken page holds bytes, or nothing, where a text or a hash was
            yield entry.seq
        else:
            if (entry.seq, entry.hash) != (expected.seq, expected.hash):
                yield entry.seq
        previous = entry


def _hash(suite: SuiteName, before: bytes, fields: tuple[int | str, ...]) -> bytes:
    data = before + _ENCODE(fields).encode()
    return hashlib.sha256(data).digest() if suite == INTL else gm.digest(data)
