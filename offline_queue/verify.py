"""Checks the whole outbox against itself: pages, tally, chain, and that what waits can be opened."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from offline_queue import chain
from offline_queue.owner import OutboxOwner
from offline_queue.rows import Event
from offline_queue.sealing import TEXT
from offline_queue.states import EventState
from offline_queue.store import Store

SLICE = 2_000
"""Rows looked at in one turn of the owner thread, so that a guest's put does not wait for a long check."""
_OPENABLE = frozenset({EventState.BLOCKED, EventState.READY, EventState.INFLIGHT, EventState.REJECTED})


@dataclass(frozen=True, slots=True)
class Report:
    """``faults`` is empty when everything holds."""

    events: int
    changes: int
    """Entries of the chain."""
    faults: tuple[str, ...] = field(default=())


def verify(owner: OutboxOwner) -> Report:
    """Check everything; blocks the caller for as long as it takes.

    The owner thread is held for SQLite's own check of the pages (about 1 s for each GB), then slice by slice.
    """
    faults = owner.call(_whole)
    states: dict[int, tuple[str, str]] = {}
    identities: dict[int, str] = {}
    changes = 0
    previous: chain.Entry | None = None
    while entries := owner.call(lambda store, seq=changes: store.chain_after(seq, SLICE)):  # type: ignore[misc]
        faults += [f"chain: entry {seq} does not follow" for seq in chain.broken(entries, previous)]
        for entry in entries:
            identities.setdefault(entry.event, entry.detail)
            states[entry.event] = (entry.state, entry.detail)
        changes, previous = entries[-1].seq, entries[-1]
    events, last, missing = 0, 0, set(states) - {0}
    while True:
        found, moved = owner.call(lambda store, at=(last, changes): _slice(owner, store, *at))  # type: ignore[misc]
        for entry in moved:  # a running kiosk goes on while we look
            identities.setdefault(entry.event, entry.detail)
            states[entry.event] = (entry.state, entry.detail)
            changes = entry.seq
        for event, opens in found:
            faults += _judge(event, identities.get(event.id, ""), states.get(event.id, ("", "")), opens=opens)
        if not found:
            break
        missing -= {event.id for event, _ in found}
        events, last = events + len(found), found[-1][0].id
    faults += [f"event {event}: the chain knows it, the table does not" for event in sorted(missing)]
    return Report(events, changes, tuple(faults))


def _whole(store: Store) -> list[str]:
    faults = [f"database: {text}" for text in store.damage()]
    counted, scanned = store.counts(), store.scanned_counts()
    return faults + [
        f"tally: {state} says {counted.get(state)}, there are {n}"
        for state, n in scanned.items()
        if counted.get(state) != n
    ]


def _slice(
    owner: OutboxOwner, store: Store, after: int, seq: int
) -> tuple[list[tuple[Event, bool]], list[chain.Entry]]:
    """Read events and, in the same turn, what changed since the chain was read."""
    events = store.events_after(after, SLICE // 10)
    return [(event, _opens(owner, store, event)) for event in events], store.chain_after(seq, -1)


def _opens(owner: OutboxOwner, store: Store, event: Event) -> bool:
    if event.state not in _OPENABLE:
        return True
    parts = owner.vault.open(store, event)
    text = parts.get(TEXT)
    return text is not None and None not in parts.values() and hashlib.sha256(text).digest() == event.content_hash


def _judge(event: Event, identity: str, last: tuple[str, str], *, opens: bool) -> list[str]:
    faults = []
    state, detail = last
    if identity != chain.identity(event.record_id, event.revision, event.op, event.content_hash):
        faults.append(f"event {event.id}: record, revision, op or hash are not those that were put")
    if state != event.state:
        faults.append(f"event {event.id}: is {event.state}, its chain says {state or 'nothing'}")
    if event.state is EventState.DELIVERED and detail != event.receipt:
        faults.append(f"event {event.id}: receipt is not the one that came")
    if not opens:
        faults.append(f"event {event.id}: waits and cannot be opened")
    return faults
