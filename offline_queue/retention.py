"""Erasing what is delivered and past its retention: key first, then the sealed bytes, then the log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from offline_queue.states import EventState
from offline_queue.store import Store

if TYPE_CHECKING:
    from offline_queue.owner import OutboxOwner

SLICE = 100
"""Records erased in one transaction, so that a guest's put waits for no long one."""
_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Purge:
    """What a purge erased, or with ``dry_run`` would erase."""

    records: int
    log_emptied: bool
    more: bool
    """A full slice was erased: call again."""


def purge(store: Store, wall: float, retention_days: float, *, dry_run: bool = False) -> Purge:
    """Erase one slice of what was delivered at least ``retention_days`` ago, and what it had replaced. Owner thread.

    Receipt, hash and chain stay: they prove the report and name nobody.
    """
    before = wall - retention_days * _DAY_S
    if dry_run:
        return Purge(len(store.in_state(EventState.DELIVERED, settled_before=before)), log_emptied=False, more=False)
    events = store.in_state(EventState.DELIVERED, SLICE, settled_before=before)
    if not events:
        return Purge(0, log_emptied=False, more=False)
    with store.transaction():
        for event in events:
            for erased in (event, *store.replaced_by(event)):
                store.destroy_keys(erased, text=True)
            store.move(event, EventState.PURGED, wall, detail="retention")
    return Purge(len(events), log_emptied=store.truncate_log(), more=len(events) == SLICE)


def purge_all(owner: OutboxOwner, retention_days: float) -> Purge:
    """Erase slice by slice until nothing is past its time. Not from the owner thread; a put waits for a slice only."""
    records, emptied = 0, True
    while True:
        done = owner.call(lambda store: purge(store, owner.clock.wall(), retention_days))
        records, emptied = records + done.records, emptied and (done.log_emptied or not done.records)
        if not done.more:
            return Purge(records, emptied, more=False)
