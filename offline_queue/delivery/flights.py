"""One batch on its way: sending it, asking after it, and writing down what became of it. Sync thread only."""

from __future__ import annotations

import contextlib
import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from uuid import UUID

from kiosk.errors import KioskError
from offline_queue import settle
from offline_queue.backoff import poll_delay_s, retry_delay_s
from offline_queue.database.rows import Event
from offline_queue.delivery import claims
from offline_queue.delivery.claims import Claimed
from offline_queue.delivery.endpoint import ChainHead
from offline_queue.delivery.reconcile import ask_each, sent
from offline_queue.delivery.replies import Result
from offline_queue.delivery.talk import Talk
from offline_queue.owner import OutboxOwner
from offline_queue.settle import Again, Ask, Delivered, Hold, Later, Rejected, Settlement, StillInFlight
from offline_queue.store import Store

log = logging.getLogger(__name__)

PATIENCE_S = 900.0
"""A batch that is still being worked on after this time is asked for record by record."""
_STUBBORN = 3
_LICENCE_S = 300.0
"""Pause between two tries while the hotel's licence has expired; a person may try at once."""
_REMEMBERED = 4096
"""Receipts among which one that comes a second time, for another record, is noticed."""


@dataclass(frozen=True, slots=True)
class Flight:
    """A batch and the events it holds, INFLIGHT in the store. Times are monotonic."""

    batch_id: str
    events: tuple[Event, ...]
    since: float
    poll_at: float = 0.0
    polls: int = 0
    failed: int = 0
    """Polls in a row that brought no answer we know."""

    @property
    def stubborn(self) -> bool:
        """Asking after it fails again and again: what else there is goes first."""
        return self.failed >= _STUBBORN

    @classmethod
    def of(cls, batch_id: str, items: Sequence[Claimed], now: float) -> Flight:
        return cls(batch_id, tuple(item.event for item in items), now)


class Courier:
    """Carries flights over the line. What becomes of a record is saved while the next call is under way."""

    def __init__(
        self,
        owner: OutboxOwner,
        talk: Talk,
        poll_s: float,
        on_receipt: Callable[[str, str], None] | None,
        on_outdated: Callable[[], None] = lambda: None,
    ) -> None:
        """Prepare.

        Args:
            owner: The store.
            talk: The line.
            poll_s: ``reporting.poll_s``.
            on_receipt: Called with recordId and receiptNo after the commit; must not block.
            on_outdated: Called when a record was refused because its codes are outdated.
        """
        self.flights: list[Flight] = []
        self.saved_receipts = False
        """Their keys lie in the log still; the sync thread empties it."""
        self._owner = owner
        self._clock = owner.clock
        self._talk = talk
        self._poll_s = poll_s
        self._on_receipt = on_receipt
        self._on_outdated = on_outdated
        self._saving: Future[list[claims.Receipt]] | None = None
        self._receipts: OrderedDict[str, tuple[UUID, int]] = OrderedDict()
        self.refused = False
        """The hotel is, not a record: see ``_heed_licence``."""
        self._refused_at = -1.0

    def send(self, flight: Flight, items: Sequence[Claimed], head: ChainHead | None) -> None:
        """Send a batch that was just claimed."""
        talk, size = self._talk, len(items)
        verdict = talk.ask(
            lambda: settle.judge_batch(talk.endpoint.send(flight.batch_id, items, head), flight.batch_id, size)
        )
        match verdict:
            case settle.TakenIn():
                talk.passed()
                # Not waited for: it only tells staff, and what must rest on it comes after it on the owner thread
                self._owner.submit(lambda store: _note_taken(store, flight))
                self.flights.append(self._scheduled(flight))
            case settle.Halve(why):
                log.warning("sync: a batch of %d was refused whole (%s): halving it", size, why)
                talk.passed()
                talk.line = talk.line.shrunk(size)
                self._settle([(event, Again(why, charged=False)) for event in flight.events])
            case Rejected():
                talk.passed()
                self._settle([(event, verdict) for event in flight.events])
            case settle.AskEach(why):
                talk.passed()
                self._settle(ask_each(talk, [(event, Ask(why)) for event in flight.events]))
            case Hold() | Later():
                self._give_back(flight, verdict)

    def poll(self, flight: Flight) -> None:
        """Ask what became of a batch that was taken in."""
        talk = self._talk
        verdict = talk.ask(lambda: settle.judge_poll(talk.endpoint.poll(flight.batch_id), flight.batch_id))
        match verdict:
            case settle.Results(results, finished):
                talk.passed()
                self._judge(flight, results, finished=finished)
            case settle.Gone():
                talk.passed()
                self._land(flight, [(event, Again("authority lost the batch")) for event in flight.events])
            case Hold() | Later():
                self._unheard(flight, verdict)

    def collect(self) -> None:
        """Wait until what was handed in is saved, and tell its receipts."""
        saving, self._saving = self._saving, None
        receipts = saving.result() if saving is not None else []
        for receipt in receipts:
            log.info("sync: record %s revision %d delivered", receipt.record_id, receipt.revision)
            if self._on_receipt is not None:
                self._on_receipt(receipt.record_id, receipt.receipt_no)
        self.saved_receipts |= bool(receipts)

    def forget(self) -> None:
        """The store makes everything ready again by itself: nothing is in flight any more."""
        self.flights.clear()
        with contextlib.suppress(KioskError):  # what was saved is told all the same
            self.collect()

    def _judge(self, flight: Flight, results: Sequence[Result], *, finished: bool) -> None:
        told = _by_record(flight, results)
        outcomes: list[tuple[Event, Settlement]] = []
        for event in flight.events:
            result = told.get(event.record_id)
            if result is not None:
                outcomes.append((event, self._doubted(event, settle.judge_result(sent(event), result))))
            elif finished:
                outcomes.append((event, Ask("no result in a finished batch")))
            else:
                outcomes.append((event, StillInFlight()))
        if self._clock.mono() - flight.since > PATIENCE_S:
            outcomes = [
                (event, Ask("no result in time") if isinstance(outcome, StillInFlight) else outcome)
                for event, outcome in outcomes
            ]
        self._land(flight, outcomes)

    def _doubted(self, event: Event, outcome: Settlement) -> Settlement:
        """A receipt that was given to another record before proves nothing: ask."""
        if not isinstance(outcome, Delivered):
            return outcome
        me = (event.record_id, event.revision)
        if self._receipts.setdefault(outcome.receipt_no, me) != me:
            return Ask("receipt of another record")
        while len(self._receipts) > _REMEMBERED:
            self._receipts.popitem(last=False)
        return outcome

    def _unheard(self, flight: Flight, verdict: Hold | Later) -> None:
        """The batch was taken in: it stays in flight, only the line waits. But not for ever: see ``PATIENCE_S``."""
        if self._clock.mono() - flight.since > PATIENCE_S:
            self._reschedule(flight, None)
            self._give_back(flight, verdict)
            return
        self._talk.failed(verdict)
        self._reschedule(flight, replace(self._scheduled(flight), failed=flight.failed + 1))

    def _land(self, flight: Flight, outcomes: Sequence[tuple[Event, Settlement]]) -> None:
        """Save outcomes; what is still in flight goes on as a smaller flight."""
        self._settle(ask_each(self._talk, outcomes))
        left = tuple(event for event, outcome in outcomes if isinstance(outcome, StillInFlight))
        self._reschedule(flight, self._scheduled(replace(flight, events=left, failed=0)) if left else None)
        self._heed_licence(flight, outcomes)

    def _heed_licence(self, flight: Flight, outcomes: Sequence[tuple[Event, Settlement]]) -> None:
        """While the hotel's licence has expired every record would be refused, none is guilty: one a pause is sent."""
        told = [what for _, what in outcomes if not isinstance(what, StillInFlight)]
        why = next((what.why for what in told if isinstance(what, Again) and what.hotel), None)
        if why is not None:
            self._talk.line = self._talk.line.shrunk(1)
        if not told or flight.since <= self._refused_at:  # what was sent before the pause says nothing new
            return
        self.refused = why is not None
        if why is not None:
            self._talk.failed(Hold(why, _LICENCE_S))
            self._refused_at = self._clock.mono()

    def _give_back(self, flight: Flight, verdict: Hold | Later) -> None:
        """The batch did not get through: its records are ready again, and the line waits."""
        self._talk.failed(verdict)
        hold = isinstance(verdict, Hold)
        charged = isinstance(verdict, Later) and verdict.charged
        size = len(flight.events)
        if charged or hold:
            self._talk.line = self._talk.line.shrunk(size)
        # In company nobody knows who is guilty: only a record that failed alone waits on its own account
        why = self._talk.line.why
        again = Again(why, charged=charged, behind=hold)
        self._settle([(event, again) for event in flight.events], alone=size == 1)

    def _settle(self, outcomes: Sequence[tuple[Event, Settlement]], *, alone: bool = True) -> None:
        self.collect()
        owner, wall, now = self._owner, self._clock.wall(), self._talk.now()
        self._saving = owner.submit(
            lambda store: claims.settle(
                store,
                outcomes,
                wall,
                poison_attempts=owner.settings.poison_attempts,
                wait_s=self._wait_s if alone else lambda _: 0.0,
                now=now,
            )
        )
        if any(isinstance(outcome, Rejected) and outcome.tables_outdated for _, outcome in outcomes):
            self._on_outdated()

    def _wait_s(self, attempts: int) -> float:
        pace = self._talk.pace
        return retry_delay_s(attempts, self._talk.draw(), base_s=pace.base_s, cap_s=pace.cap_s)

    def _scheduled(self, flight: Flight) -> Flight:
        wait_s = poll_delay_s(flight.polls, self._poll_s)
        return replace(flight, poll_at=self._clock.mono() + wait_s, polls=flight.polls + 1)

    def _reschedule(self, flight: Flight, instead: Flight | None) -> None:
        others = [other for other in self.flights if other.batch_id != flight.batch_id]
        self.flights = [*others, instead] if instead is not None else others


def _by_record(flight: Flight, results: Sequence[Result]) -> dict[UUID, Result]:
    """The word on each record; of several on one record the one that echoes it, wherever it stands."""
    wanted = {event.record_id: sent(event) for event in flight.events}
    told: dict[UUID, Result] = {}
    for result in results:
        echo = wanted.get(result.record_id)
        if echo is not None and (result.record_id not in told or settle.echoes(echo, result)):
            told[result.record_id] = result
    return told


def _note_taken(store: Store, flight: Flight) -> None:
    with store.transaction():
        store.note(flight.events, http=202)
