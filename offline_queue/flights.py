"""One batch on its way: sending it, asking after it, and writing down what became of it. Sync thread only."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar
from uuid import UUID

from kiosk.config import ReportingSection
from offline_queue import claims, settle
from offline_queue.backoff import poll_delay_s, retry_delay_s
from offline_queue.claims import Claimed
from offline_queue.endpoint import Endpoint
from offline_queue.line import Line, Pace
from offline_queue.owner import OutboxOwner
from offline_queue.replies import Result
from offline_queue.rows import Event
from offline_queue.settle import Again, Ask, Hold, Later, Rejected, Sent, Settlement, StillInFlight, TakeToken
from offline_queue.store import Store

log = logging.getLogger(__name__)

PATIENCE_S = 900.0
"""A batch that is still being worked on after this time is asked for record by record."""

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Flight:
    """A batch and the events it holds, INFLIGHT in the store. Times are monotonic."""

    batch_id: str
    events: tuple[Event, ...]
    since: float
    poll_at: float = 0.0
    polls: int = 0

    @classmethod
    def of(cls, batch_id: str, items: Sequence[Claimed], now: float) -> Flight:
        return cls(batch_id, tuple(item.event for item in items), now)


class Courier:
    """Carries flights over the line. ``send`` and ``poll`` return True when receipts were saved."""

    def __init__(
        self,
        owner: OutboxOwner,
        endpoint: Endpoint,
        settings: ReportingSection,
        line: Line,
        draw: Callable[[], float],
        on_receipt: Callable[[str, str], None] | None,
    ) -> None:
        self.line = line
        self.flights: list[Flight] = []
        self._owner = owner
        self._clock = owner.clock
        self._endpoint = endpoint
        self._poll_s = settings.poll_s
        self._pace = Pace.of(settings)
        self._draw = draw
        self._on_receipt = on_receipt

    def send(self, flight: Flight, items: Sequence[Claimed]) -> bool:
        """Send a batch that was just claimed."""
        size = len(items)
        verdict = self._with_token(
            lambda: settle.judge_batch(self._endpoint.send(flight.batch_id, items), flight.batch_id, size)
        )
        match verdict:
            case settle.TakenIn():
                self._passed()
                self._owner.call(lambda store: _note_taken(store, flight))
                self.flights.append(self._scheduled(flight))
                return False
            case settle.Halve(why):
                log.warning("sync: a batch of %d was refused whole (%s): halving it", size, why)
                self._passed()
                self.line = self.line.shrunk(size)
                return self._settle([(event, Again(why, charged=False)) for event in flight.events])
            case Rejected():
                self._passed()
                return self._settle([(event, verdict) for event in flight.events])
            case settle.AskEach(why):
                self._passed()
                return self._settle(self._ask_each([(event, Ask(why)) for event in flight.events]))
            case TakeToken() | Hold() | Later():
                return self._give_back(flight, verdict)

    def poll(self, flight: Flight) -> bool:
        """Ask what became of a batch that was taken in."""
        verdict = self._with_token(lambda: settle.judge_poll(self._endpoint.poll(flight.batch_id), flight.batch_id))
        match verdict:
            case settle.Results(results, finished):
                self._passed()
                return self._judge(flight, {result.record_id: result for result in results}, finished=finished)
            case settle.Gone():
                self._passed()
                return self._land(flight, [(event, Again("authority lost the batch")) for event in flight.events])
            case TakeToken() | Hold() | Later():
                # The batch was taken in: it stays in flight, only the line waits
                self._failed(verdict)
                self._reschedule(flight, self._scheduled(flight))
                return False

    def _judge(self, flight: Flight, results: dict[UUID, Result], *, finished: bool) -> bool:
        outcomes: list[tuple[Event, Settlement]] = []
        for event in flight.events:
            result = results.get(event.record_id)
            if result is not None:
                outcomes.append((event, settle.judge_result(_sent(event), result)))
            elif finished:
                outcomes.append((event, Again("no result in a finished batch")))
            else:
                outcomes.append((event, StillInFlight()))
        if self._clock.mono() - flight.since > PATIENCE_S:
            outcomes = [
                (event, Ask("no result in time") if isinstance(outcome, StillInFlight) else outcome)
                for event, outcome in outcomes
            ]
        return self._land(flight, self._ask_each(outcomes))

    def _ask_each(self, outcomes: Sequence[tuple[Event, Settlement]]) -> list[tuple[Event, Settlement]]:
        """Replace every ``Ask`` by what the authority says it has of that record."""
        return [
            (event, self._ask(event, outcome.why) if isinstance(outcome, Ask) else outcome)
            for event, outcome in outcomes
        ]

    def _ask(self, event: Event, why: str) -> Settlement:
        if self.line.failures:  # it failed for another record of this batch: no second time-out for the same
            return Again(why, charged=False)
        verdict = self._with_token(
            lambda: settle.judge_record(*self._endpoint.record(str(event.record_id)), _sent(event))
        )
        if isinstance(verdict, TakeToken | Hold | Later):
            self._failed(verdict)
            return Again(why, charged=False)
        return verdict

    def _land(self, flight: Flight, outcomes: Sequence[tuple[Event, Settlement]]) -> bool:
        """Save outcomes; what is still in flight goes on as a smaller flight."""
        delivered = self._settle(outcomes)
        left = tuple(event for event, outcome in outcomes if isinstance(outcome, StillInFlight))
        self._reschedule(flight, self._scheduled(replace(flight, events=left)) if left else None)
        return delivered

    def _give_back(self, flight: Flight, verdict: TakeToken | Hold | Later) -> bool:
        """The batch did not get through: its records are ready again, and the line waits."""
        self._failed(verdict)
        charged = isinstance(verdict, Later) and verdict.charged
        size = len(flight.events)
        if charged:
            self.line = self.line.shrunk(size)
        # In company nobody knows who is guilty: only a record that failed alone waits on its own account
        why = self.line.why
        return self._settle([(event, Again(why, charged=charged)) for event in flight.events], alone=size == 1)

    def _settle(self, outcomes: Sequence[tuple[Event, Settlement]], *, alone: bool = True) -> bool:
        owner, clock = self._owner, self._clock
        receipts = owner.call(
            lambda store: claims.settle(
                store,
                outcomes,
                clock.wall(),
                poison_attempts=owner.settings.poison_attempts,
                wait_s=self._wait_s if alone else lambda _: 0.0,
            )
        )
        for receipt in receipts:
            log.info("sync: record %s revision %d delivered", receipt.record_id, receipt.revision)
            if self._on_receipt is not None:
                self._on_receipt(receipt.record_id, receipt.receipt_no)
        return bool(receipts)

    def _with_token(self, ask: Callable[[], V]) -> V | Hold | Later:
        """Ask, and once more with a new token if the old one was refused."""
        verdict = ask()
        if not isinstance(verdict, TakeToken):
            return verdict
        if (trouble := settle.judge_token(self._endpoint.take_token())) is not None:
            return trouble
        again = ask()
        return Hold("token refused twice") if isinstance(again, TakeToken) else again

    def _failed(self, verdict: TakeToken | Hold | Later) -> None:
        why = verdict.why if isinstance(verdict, Hold | Later) else "token"
        retry_after_s = verdict.retry_after_s if isinstance(verdict, Later) else None
        breaker = not isinstance(verdict, Later)
        if why != self.line.why:
            log.warning("sync: endpoint: %s%s", why, " (breaker open)" if breaker else "")
        self.line = self.line.failed(
            why, self._clock.mono(), self._draw(), self._pace, retry_after_s=retry_after_s, breaker=breaker
        )

    def _passed(self) -> None:
        self.line = self.line.passed(self._clock.mono(), self._pace)

    def _wait_s(self, attempts: int) -> float:
        return retry_delay_s(attempts, self._draw(), base_s=self._pace.base_s, cap_s=self._pace.cap_s)

    def _scheduled(self, flight: Flight) -> Flight:
        wait_s = poll_delay_s(flight.polls, self._poll_s)
        return replace(flight, poll_at=self._clock.mono() + wait_s, polls=flight.polls + 1)

    def _reschedule(self, flight: Flight, instead: Flight | None) -> None:
        others = [other for other in self.flights if other.batch_id != flight.batch_id]
        self.flights = [*others, instead] if instead is not None else others


def _sent(event: Event) -> Sent:
    return Sent(event.record_id, event.revision, event.content_hash)


def _note_taken(store: Store, flight: Flight) -> None:
    with store.transaction():
        store.note(flight.events, http=202)
