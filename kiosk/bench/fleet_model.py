"""A city's kiosks after an outage, simulated: the product's own line and waits, a server with a capacity. Pure.

One kiosk is its ``Line``, the real one, and how many records it holds; what it asks, in which order, is what the sync
thread asks: token, limits, batch, results, and between batches whether the code tables changed, which holds no line
when it fails. The server carries out so many requests a second, lets a second's worth wait, and refuses the rest with
503 and Retry-After. Time is a number; nothing sleeps.

Left out: a batch that is judged only at a later poll, a list of receipts that fell due during the outage (one request),
a second batch in flight (the same requests in another order), and that a kiosk without a network takes fewer guests.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter
from dataclasses import dataclass, field

from offline_queue.backoff import ERRAND_SPREAD_S, OUTAGE_S, poll_delay_s
from offline_queue.delivery.code_tables import LOOK_AGAIN_S, LOOK_EVERY_S
from offline_queue.delivery.line import Line, Pace

TOKEN, LIMITS, BATCH, RESULTS, LOOK = "token", "limits", "batch", "results", "look"
LONGEST_S = 7200.0


@dataclass(frozen=True, slots=True)
class Plan:
    """One simulation. Times in seconds."""

    kiosks: int
    outage_s: float
    capacity: float
    """Requests a second that the server carries out."""
    records_per_h: float
    """That each kiosk puts, on average, during and after the outage."""
    pace: Pace
    restart: bool = False
    """The outage was a power cut: every kiosk starts anew in the second in which it ends."""
    every_minute: bool = False
    """Instead of our waits: a try at each full minute, as a cron job makes it. For comparison only."""
    queue_s: float = 1.0
    """How much work the server lets wait before it refuses."""
    retry_after_s: float = 10.0
    latency_s: float = 0.02
    poll_s: float = 0.5
    seed: int = 1


@dataclass(slots=True)
class Kiosk:
    line: Line
    waiting: int = 0
    """Records in the store, not in flight."""
    in_flight: int = 0
    held: int = 0
    """Records of the outage that are not delivered."""
    next_ask: str = TOKEN
    """Once there is a token: what the rest of its state says."""
    look_at: float = 0.0
    """When it asks whether the code tables changed."""
    planned: int = 0
    """Number of the event that is its next try; an older one is void."""
    asking: bool = False
    refused: int = 0
    delivered_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened after the network came back, which is second 0."""

    drained_s: float
    """When the last kiosk had delivered what it held when the network came back; ``LONGEST_S`` if one had not."""
    starved: int
    """Kiosks that had not delivered by then."""
    served: int
    """Requests carried out until then."""
    refused: int
    """Requests answered 503 until then."""
    most_refused: int
    """503s of the unluckiest kiosk."""
    arrivals: Counter[int] = field(repr=False)
    """Requests that reached the server, by second."""
    waits: tuple[float, ...] = field(repr=False)
    """When each kiosk that held something had delivered it, in order."""


class Fleet:
    """The simulation. ``run`` once."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._draw = random.Random(plan.seed)  # noqa: S311 - a simulation, repeatable
        self._events: list[tuple[float, int, int, str]] = []
        self._count = 0
        # The outage begins before second 0, where the waits of a new line begin
        fresh = Line(limit=plan.pace.batch_max, try_at=-plan.outage_s, tried_at=-plan.outage_s)
        self._kiosks = [Kiosk(fresh, look_at=self._look_at(-plan.outage_s)) for _ in range(plan.kiosks)]
        self._free_at = 0.0
        self._open = 1  # until the network is back and we know how many
        self._served = self._refused = 0
        self._arrivals: Counter[int] = Counter()

    def run(self) -> Outcome:
        """Play the outage and what follows, until everything of the outage is delivered."""
        for number, kiosk in enumerate(self._kiosks):
            self._plan_put(number, -self.plan.outage_s)
            if not self.plan.restart:
                self._plan_try(kiosk, number, -self.plan.outage_s)
        self._at(0.0, -1, "back")
        now = 0.0
        while self._open and now < LONGEST_S:
            now, event, number, what = heapq.heappop(self._events)
            match what:
                case "back":
                    self._network_is_back()
                case "put":
                    self._put(number, now)
                case "try" if event == self._kiosks[number].planned:
                    self._try(self._kiosks[number], number, now)
                case "refused":
                    self._refuse(number, now)
                case "served":
                    self._serve(self._kiosks[number], number, now)
                case _:
                    pass  # a try that another one replaced
        waits = sorted(kiosk.delivered_at for kiosk in self._kiosks if kiosk.delivered_at)
        return Outcome(
            drained_s=LONGEST_S if self._open else waits[-1],
            starved=self._open,
            served=self._served,
            refused=self._refused,
            most_refused=max(kiosk.refused for kiosk in self._kiosks),
            arrivals=self._arrivals,
            waits=tuple(waits),
        )

    # ---- the kiosks --------------------------------------------------------------------------------------------------

    def _put(self, number: int, now: float) -> None:
        kiosk = self._kiosks[number]
        kiosk.waiting += 1
        kiosk.line = kiosk.line.woken(now, self.plan.pace)
        if not (self.plan.restart and now < 0):
            self._plan_try(kiosk, number, now)
        self._plan_put(number, now)

    def _plan_put(self, number: int, after: float) -> None:
        self._at(after + self._draw.expovariate(self.plan.records_per_h / 3600), number, "put")

    def _plan_try(self, kiosk: Kiosk, number: int, now: float, wait_s: float = 0.0) -> None:
        if kiosk.asking:
            return
        records = kiosk.waiting or kiosk.in_flight
        at = max(now + wait_s, kiosk.line.try_at, now if records else kiosk.look_at)
        if self.plan.every_minute and kiosk.line.failures:
            at = (now // 60 + 1) * 60
        kiosk.planned = self._at(at, number, "try")

    def _network_is_back(self) -> None:
        plan = self.plan
        for number, kiosk in enumerate(self._kiosks):
            kiosk.held = kiosk.waiting
            if plan.restart:
                waited_s = plan.outage_s if kiosk.waiting else 0.0
                fresh = Line(limit=plan.pace.batch_max)
                kiosk.line = fresh.started(0.0, waited_s, self._draw.random(), plan.pace)
                kiosk.look_at = (ERRAND_SPREAD_S if kiosk.line.storm else plan.pace.spread_s) * self._draw.random()
                self._plan_try(kiosk, number, 0.0)
        self._open = sum(1 for kiosk in self._kiosks if kiosk.held)

    def _try(self, kiosk: Kiosk, number: int, now: float) -> None:
        plan = self.plan
        if now < 0:  # nobody hears it; the token of before the outage expires meanwhile
            self._fail(kiosk, now, "unreachable", None)
            self._plan_try(kiosk, number, now)
            return
        if kiosk.next_ask not in (TOKEN, LIMITS):
            kiosk.next_ask = RESULTS if kiosk.in_flight else BATCH if kiosk.waiting else LOOK
        kiosk.asking = True
        self._arrivals[int(now)] += 1
        if self._free_at - now > plan.queue_s:
            self._refused += 1
            self._at(now + plan.latency_s, number, "refused")
            return
        self._served += 1
        self._free_at = max(self._free_at, now) + 1 / plan.capacity
        self._at(self._free_at + plan.latency_s, number, "served")

    def _refuse(self, number: int, now: float) -> None:
        plan, kiosk = self.plan, self._kiosks[number]
        kiosk.asking = False
        kiosk.refused += 1
        self._fail(kiosk, now, "http 503", None if plan.every_minute else plan.retry_after_s)
        if kiosk.next_ask == LIMITS:  # they stay as they were, and the token is good
            kiosk.next_ask = BATCH
        self._plan_try(kiosk, number, now)

    def _fail(self, kiosk: Kiosk, now: float, why: str, told_s: float | None) -> None:
        """Hold the line; a look that fails is only made again later."""
        if not (kiosk.waiting or kiosk.in_flight) or kiosk.next_ask == LOOK:
            kiosk.look_at = now + LOOK_AGAIN_S * (0.5 + self._draw.random())
            return
        kiosk.line = kiosk.line.failed(why, now, self._draw.random(), self.plan.pace, retry_after_s=told_s)
        if told_s is not None and kiosk.next_ask == BATCH:
            kiosk.line = kiosk.line.shrunk(min(kiosk.waiting, kiosk.line.limit))

    def _serve(self, kiosk: Kiosk, number: int, now: float) -> None:
        """Take in an answer and go on as the sync thread does."""
        kiosk.asking = False
        wait_s = 0.0
        match kiosk.next_ask:
            case "token":
                kiosk.next_ask = LIMITS
            case "limits":
                kiosk.next_ask = BATCH
            case "batch":
                if kiosk.line.failures and kiosk.look_at < now and now - kiosk.line.failing_since > OUTAGE_S:
                    kiosk.look_at = now + ERRAND_SPREAD_S * self._draw.random()
                kiosk.line = kiosk.line.passed(now, self.plan.pace)
                kiosk.in_flight = min(kiosk.waiting, kiosk.line.limit)
                kiosk.waiting -= kiosk.in_flight
                wait_s = poll_delay_s(0, self.plan.poll_s)
            case "results":
                kiosk.line = kiosk.line.passed(now, self.plan.pace)
                self._delivered(kiosk, now)
            case _:
                kiosk.look_at = self._look_at(now)
        self._plan_try(kiosk, number, now, wait_s)

    def _delivered(self, kiosk: Kiosk, now: float) -> None:
        first = kiosk.held > 0
        kiosk.held = max(0, kiosk.held - kiosk.in_flight)
        kiosk.in_flight = 0
        if first and not kiosk.held:
            kiosk.delivered_at = now
            self._open -= 1

    def _look_at(self, now: float) -> float:
        return now + LOOK_EVERY_S * (0.5 + self._draw.random())

    def _at(self, when: float, number: int, what: str) -> int:
        self._count += 1
        heapq.heappush(self._events, (when, self._count, number, what))
        return self._count
