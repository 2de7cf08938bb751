"""Taking records out to be sent, and writing down what became of them. Owner thread; one transaction each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from offline_queue.crypto.sealing import TEXT
from offline_queue.crypto.vault import Vault
from offline_queue.database.rows import Event
from offline_queue.settle import Again, Ask, Delivered, Rejected, Settlement, StillInFlight
from offline_queue.states import EventState
from offline_queue.store import Store


@dataclass(frozen=True, slots=True)
class Claimed:
    """An event in flight, opened for sending. Lives in memory until its batch is sent."""

    event: Event
    text: bytes = field(repr=False)
    photos: tuple[bytes, ...] = field(repr=False)
    previous_receipt: str = ""
    supersedes: int | None = None
    """The first of the revisions right before it that a person replaced by it: the authority waits for none of them."""

    @property
    def wire_bytes(self) -> int:
        """About what it takes in a JSON batch: text is escaped, photos are base64."""
        return len(self.text) * 5 // 4 + sum(len(photo) * 4 // 3 + 100 for photo in self.photos) + 200


@dataclass(frozen=True, slots=True)
class Receipt:
    """A delivery that was just saved."""

    record_id: str
    revision: int
    receipt_no: str
    flag: str


def recover(store: Store, wall: float) -> int:
    """At start: whatever was in flight goes again; the authority knows it by its hash. Returns how many."""
    stranded = store.in_state(EventState.INFLIGHT)
    if stranded:
        with store.transaction():
            for event in stranded:
                store.move(event, EventState.READY, wall, detail="restart", batch=None, why="restart")
    return len(stranded)


def claim(
    store: Store, vault: Vault, wall: float, *, batch_id: str, limit: int, max_bytes: int, cap_s: float
) -> list[Claimed]:
    """Move up to ``limit`` due events to INFLIGHT and open them; what cannot be opened is quarantined.

    At most one revision of a record is READY at a time, so no batch holds two of one record.
    """
    due = store.ready(wall, cap_s, limit)
    if not due:
        return []
    claimed: list[Claimed] = []
    size = 0
    with store.transaction():
        for event in due:
            item = _opened(store, vault, event)
            if item is None:
                store.move(event, EventState.QUARANTINED, wall, detail="cannot be opened", why="cannot be opened")
                continue
            size += item.wire_bytes
            if claimed and size > max_bytes:
                break
            store.move(event, EventState.INFLIGHT, wall, batch=batch_id, http=None)
            claimed.append(replace(item, event=replace(event, state=EventState.INFLIGHT, batch=batch_id)))
    return claimed


def _opened(store: Store, vault: Vault, event: Event) -> Claimed | None:
    parts = vault.open(store, event)
    text = parts.pop(TEXT, None)
    photos = tuple(photo for photo in parts.values() if photo is not None)
    if text is None or len(photos) != len(parts):
        return None
    return Claimed(event, text, photos, *_before(store, event))


def _before(store: Store, event: Event) -> tuple[str, int | None]:
    """Return the receipt of the last revision before it that was sent, and the first one replaced since."""
    first, stands_for = event.revision, event.supersedes or event.revision
    earlier = None
    while first > 1:
        earlier = store.find(event.record_id, first - 1)
        if earlier is not None and earlier.state is not EventState.SUPERSEDED:
            break
        if earlier is None and first <= stands_for:
            break
        if earlier is not None and earlier.supersedes is not None:
            stands_for = min(stands_for, earlier.supersedes)
        first -= 1
        earlier = None
    receipt = (earlier.receipt or "") if earlier is not None else ""
    return receipt, first if first < event.revision else None


def settle(
    store: Store,
    outcomes: Sequence[tuple[Event, Settlement]],
    wall: float,
    *,
    poison_attempts: int,
    wait_s: Callable[[int], float],
    now: float | None = None,
) -> list[Receipt]:
    """Write down what became of events in flight, all in one transaction with their receipts.

    Args:
        store: The store.
        outcomes: Events as they are in the store now, and what the answers mean for them.
        wall: Unix time.
        poison_attempts: Charged tries, while others pass, after which a person must look.
        wait_s: Seconds until the next try after so many charged tries.
        now: The authority's time where it is known: retention counts from it, whatever the wall clock says.
    """
    settled_at = wall if now is None else now
    receipts: list[Receipt] = []
    with store.transaction():
        for event, outcome in outcomes:
            match outcome:
                case Delivered(receipt_no, _, flag):
                    deliver(store, event, outcome, wall, settled_at)
                    receipts.append(Receipt(str(event.record_id), event.revision, receipt_no, flag))
                case Rejected(why):
                    store.move(event, EventState.REJECTED, wall, detail=why, why=why, settled_at=settled_at)
                case Again():
                    _again(store, event, outcome, wall, poison_attempts, wait_s)
                case StillInFlight() | Ask():
                    pass
    return receipts


def deliver(store: Store, event: Event, outcome: Delivered, wall: float, settled_at: float) -> None:
    """Save the receipt of an event in flight, inside a transaction: the photos' keys die, the next revision may go."""
    store.move(
        event,
        EventState.DELIVERED,
        wall,
        detail=outcome.receipt_no,
        receipt=outcome.receipt_no,
        received_at=outcome.received_at,
        why=outcome.flag or None,
        flag=outcome.flag or None,
        settled_at=settled_at,
    )
    store.destroy_keys(event, text=False)
    for replaced in store.replaced_by(event):
        store.destroy_keys(replaced, text=False)
    store.release_next(event, wall)


def _again(
    store: Store, event: Event, outcome: Again, wall: float, poison_attempts: int, wait_s: Callable[[int], float]
) -> None:
    if not outcome.charged:
        next_at = wall if outcome.behind else event.next_at
        store.move(event, EventState.READY, wall, detail=outcome.why, batch=None, why=outcome.why, next_at=next_at)
        return
    attempts = event.attempts + 1
    # A try counts towards poison only if another record was delivered since the last one that counted:
    # an outage of three days makes no record a poison
    strike = store.last_delivery_seq > event.tried_seq
    strikes = event.strikes + strike
    tried_seq = max(event.tried_seq, store.last_delivery_seq)
    if strikes >= poison_attempts:
        why = f"poison after {attempts} tries: {outcome.why}"
        store.move(event, EventState.REJECTED, wall, detail=why, why=why, settled_at=wall, attempts=attempts)
        return
    store.move(
        event,
        EventState.READY,
        wall,
        detail=outcome.why,
        batch=None,
        why=outcome.why,
        attempts=attempts,
        strikes=strikes,
        tried_seq=tried_seq,
        next_at=wall + wait_s(attempts),
    )
