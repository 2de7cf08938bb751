"""Erasing what is delivered and past its retention: key first, then the sealed bytes, then the log, then the receipt.

A receipt of erasure is drafted in the transaction that destroys the keys and signed when the log is empty, too:
it never says more than what is so.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from offline_queue import erasure, legal_hold
from offline_queue.database.rows import Event
from offline_queue.migrations import backup
from offline_queue.states import EventState
from offline_queue.store import Store

if TYPE_CHECKING:
    from offline_queue.owner import OutboxOwner

log = logging.getLogger(__name__)

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
    held: int = 0
    """Past their time, and kept for a legal hold."""


def purge(store: Store, wall: float, retention_days: float, *, dry_run: bool = False) -> Purge:
    """Erase one slice of what was delivered at least ``retention_days`` ago, and what it had replaced. Owner thread.

    Receipt, hash and chain stay: they prove the report and name nobody.
    """
    events, held = _past_their_time(store, wall - retention_days * _DAY_S, limit=-1 if dry_run else SLICE)
    if dry_run or not events:
        return Purge(len(events), log_emptied=False, more=False, held=held)
    hotel = store.hotel
    with store.transaction():
        for event in events:
            replaced = store.replaced_by(event)
            statement = erasure.draft(store, hotel, event, replaced, wall)
            for erased in (event, *replaced):
                store.destroy_keys(erased, text=True)
            store.move(event, EventState.PURGED, wall, detail="retention")
            store.add_erasure(event, wall, statement)
    return Purge(len(events), log_emptied=store.truncate_log(), more=len(events) == SLICE, held=held)


def purge_all(owner: OutboxOwner, retention_days: float, *, now: Callable[[], float] | None = None) -> Purge:
    """Erase slice by slice until nothing is past its time, then sign the receipts. Not from the owner thread.

    A put waits for one slice at most. ``now``: tells Unix seconds, ``owner.now`` when None.
    """
    now = now or owner.now
    records, emptied = 0, True
    while True:
        done = owner.call(lambda store: purge(store, now(), retention_days))
        records, emptied = records + done.records, emptied and (done.log_emptied or not done.records)
        if not done.more:
            break
    _drop_backups(owner, now() - retention_days * _DAY_S)
    erasure.sign_waiting(owner)
    return Purge(records, emptied, more=False, held=done.held)


def _drop_backups(owner: OutboxOwner, before: float) -> None:
    """Remove what migrations kept, once nobody goes back to it: it holds no key, and takes up room."""
    for path in backup.outdated(owner.call(lambda store: store.path), before):
        try:
            path.unlink()
            log.info("outbox: %s is removed, its time is over", path.name)
        except OSError as exc:
            log.warning("outbox: %s cannot be removed: %s", path.name, exc.strerror)


def _past_their_time(store: Store, before: float, limit: int) -> tuple[list[Event], int]:
    """Return what may be erased, and how many are past their time and held."""
    on_hold = [
        event
        for record_id in legal_hold.held(store)
        for event in store.revisions(record_id)
        if event.state is EventState.DELIVERED and event.settled_at is not None and event.settled_at <= before
    ]
    kept = {event.id for event in on_hold}
    wanted = limit if limit < 0 else limit + len(kept)  # those on hold come first, again and again
    found = store.in_state(EventState.DELIVERED, wanted, settled_before=before)
    events = [event for event in found if event.id not in kept]
    return (events if limit < 0 else events[:limit]), len(kept)
