"""Checks the whole outbox against itself: rows, indexes, tally, chain, sealed bytes, that what waits can be opened and
that what should be erased is.

The owner thread is held for some milliseconds at a time, so that a guest's put waits for no more than one such slice.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from offline_queue.crypto.sealing import TEXT
from offline_queue.database import chain
from offline_queue.database.rows import Event
from offline_queue.owner import OutboxOwner
from offline_queue.states import EventState
from offline_queue.store import Store

CHAIN_SLICE, EVENT_SLICE = 500, 50
"""Rows read in one turn of the owner thread."""
SLICE_S = 0.01
"""A turn ends after this long even when rows are left: a cold disk reads slowly."""
_OPENABLE = frozenset({EventState.BLOCKED, EventState.READY, EventState.INFLIGHT, EventState.REJECTED})
_KEPT = frozenset({EventState.DELIVERED})
"""Staff may still correct or void it: its text opens until it is purged."""


@dataclass(frozen=True, slots=True)
class Report:
    """``faults`` is empty when everything holds."""

    events: int
    changes: int
    """Entries of the chain."""
    faults: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class _Found:
    """One event, and what its own bytes say."""

    event: Event
    faults: tuple[str, ...]


@dataclass(slots=True)
class _Known:
    """What the chain says, as far as it was read. Hashes stand for the details: a million of them are long."""

    seq: int = 0
    previous: chain.Entry | None = None
    identities: dict[int, int] = field(default_factory=dict)
    states: dict[int, tuple[str, int]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def read(self, entries: Iterable[chain.Entry], suites: chain.Suites) -> None:
        entries = list(entries)
        self.faults += [f"chain: entry {seq} does not follow" for seq in chain.broken(entries, self.previous, suites)]
        for entry in entries:
            if entry.event:
                self.identities.setdefault(entry.event, hash(entry.detail))
                self.states[entry.event] = (entry.state, hash(entry.detail))
            self.seq, self.previous = entry.seq, entry


def verify(owner: OutboxOwner, *, pages: bool = False) -> Report:
    """Check everything; blocks the caller for as long as it takes: some seconds for each 10,000 records.

    Args:
        owner: The outbox; it goes on working meanwhile.
        pages: Let SQLite check its pages, too. That holds the owner thread, about 1 s for each GB.
    """
    faults = [f"database: {text}" for text in owner.call(Store.damage)] if pages else []
    known = _Known()
    while entries := owner.call(lambda store: store.chain_after(known.seq, CHAIN_SLICE)):
        known.read(entries, owner.call(_suites))
    missing, last, events = set(known.states), 0, 0
    while True:
        found, moved, suites = owner.call(lambda store, at=last: _turn(owner, store, at, known.seq))  # type: ignore[misc]
        known.read(moved, suites)  # a running kiosk goes on while we look
        for one in found:
            faults += [*_judge(one.event, known), *one.faults]
        if not found:
            break
        missing -= {one.event.id for one in found}
        events, last = events + len(found), found[-1].event.id
    faults += [f"event {event}: the chain knows it, the table does not" for event in sorted(missing)]
    return Report(events, known.seq, (*faults, *_count(owner, known), *known.faults))


def _suites(store: Store) -> chain.Suites:
    return store.suites


def _turn(
    owner: OutboxOwner, store: Store, after: int, seq: int
) -> tuple[list[_Found], list[chain.Entry], chain.Suites]:
    """Look at some events and, in the same turn, read what changed since the chain was read."""
    began, found = time.monotonic(), []
    for event in store.events_after(after, EVENT_SLICE):
        found.append(_Found(event, tuple(_look(owner, store, event))))
        if time.monotonic() - began > SLICE_S:
            break
    return found, store.chain_after(seq, -1), store.suites


def _look(owner: OutboxOwner, store: Store, event: Event) -> list[str]:
    faults = [f"sealed {part} is not what was put" for part in store.payload_faults(event)]
    if not event.intact:
        faults.append("its row is not what was put")
    if store.lost_by_indexes(event):
        faults.append("an index does not find it")
    if not _opens(owner, store, event):
        faults.append(f"{'is kept' if event.state in _KEPT else 'waits'} and cannot be opened")
    faults += [f"{part} should be erased, and is not" for part in _not_erased(store, event)]
    return [f"event {event.id}: {fault}" for fault in faults]


def _not_erased(store: Store, event: Event) -> list[str]:
    """Return the parts of which a key, or sealed bytes with a key's place, are left though their time is over."""
    if event.state not in (EventState.DELIVERED, EventState.PURGED):
        return []
    left = {part.part for part in store.keys_of(event.id) if any(part.wrapped)}
    left |= {part.part for part in store.parts(event)}
    return sorted(left - {TEXT} if event.state is EventState.DELIVERED else left)


def _opens(owner: OutboxOwner, store: Store, event: Event) -> bool:
    if event.state not in _OPENABLE | _KEPT:
        return True
    parts = owner.vault.open(store, event)
    text = parts.get(TEXT)
    return text is not None and None not in parts.values() and hashlib.sha256(text).digest() == event.content_hash


def _judge(event: Event, known: _Known) -> list[str]:
    faults = []
    state, detail = known.states.get(event.id, ("", 0))
    identity = chain.identity(event.record_id, event.revision, event.op, event.content_hash)
    if known.identities.get(event.id) != hash(identity):
        faults.append(f"event {event.id}: record, revision, op or hash are not those that were put")
    if state != event.state:
        faults.append(f"event {event.id}: is {event.state}, its chain says {state or 'nothing'}")
    if event.state is EventState.DELIVERED and detail != hash(event.receipt):
        faults.append(f"event {event.id}: receipt is not the one that came")
    return faults


def _count(owner: OutboxOwner, known: _Known) -> list[str]:
    """Compare the tally with what the chain says: each event was compared with that."""
    counted, moved, suites = owner.call(lambda store: (store.counts(), store.chain_after(known.seq, -1), store.suites))
    known.read(moved, suites)
    there = Counter(state for state, _ in known.states.values())
    return [f"tally: {state} says {n}, there are {there[state]}" for state, n in counted.items() if there[state] != n]
