"""The next batch is claimed while the one before is on the wire: opening and syncing cost the line no time."""

from __future__ import annotations

import uuid
from concurrent.futures import Future
from dataclasses import dataclass

from offline_queue.delivery import claims
from offline_queue.delivery.claims import Claimed
from offline_queue.delivery.endpoint import ChainHead
from offline_queue.delivery.talk import Talk
from offline_queue.owner import OutboxOwner
from offline_queue.settle import Again
from offline_queue.store import Store


@dataclass(frozen=True, slots=True)
class Batch:
    """Records that were claimed together, and where the outbox's chain stood then."""

    id: str
    items: tuple[Claimed, ...]
    head: ChainHead | None


class Ahead:
    """Hands out batches to send. Sync thread only.

    What is claimed ahead is INFLIGHT in the store: it is sent, given back, or made ready again by ``claims.recover``.
    """

    def __init__(self, owner: OutboxOwner, talk: Talk) -> None:
        self._owner, self._talk = owner, talk
        self._next: Future[Batch] | None = None

    def take(self, *, more: bool = True) -> Batch | None:
        """Return the next batch; None when nothing is due. ``more``: another one may be sent right after it."""
        if len(self._waiting()) > self._limit():  # a failure shrank the batches since
            self.give_back()
        claimed, self._next = self._next, None
        batch = claimed.result() if claimed is not None else None
        if batch is None or not batch.items:  # nothing was due then; it may be now
            batch = self._claim().result()
        if not batch.items:
            return None
        if more:
            self._next = self._claim()
        return batch

    def waits(self) -> bool:
        """Say whether a batch is claimed that can be sent at once."""
        return bool(self._waiting())

    def give_back(self) -> None:
        """Let what was claimed ahead be ready again: the line cannot take it now."""
        items = self._waiting()
        self._next = None
        if not items:
            return
        unsent = [(item.event, Again("not sent", charged=False)) for item in items]
        wall = self._owner.clock.wall()
        self._owner.call(lambda store: claims.settle(store, unsent, wall, poison_attempts=1, wait_s=lambda _: 0.0))

    def forget(self) -> None:
        """The store makes everything ready again by itself, after what was asked of it before."""
        self._next = None

    def _waiting(self) -> tuple[Claimed, ...]:
        return self._next.result().items if self._next is not None else ()

    def _limit(self) -> int:
        return min(self._talk.line.limit, self._talk.endpoint.limits.max_records)

    def _claim(self) -> Future[Batch]:
        limit, most = self._limit(), self._talk.endpoint.limits.max_body_bytes
        name, cap_s = str(uuid.uuid4()), self._talk.pace.cap_s
        owner = self._owner

        def work(store: Store) -> Batch:
            wall = owner.clock.wall()
            items = claims.claim(store, owner.vault, wall, batch_id=name, limit=limit, max_bytes=most, cap_s=cap_s)
            head = store.head
            return Batch(name, tuple(items), ChainHead(head.seq, head.hash) if head is not None else None)

        return owner.submit(work)
