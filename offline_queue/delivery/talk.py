"""One end of the line: asks with a token and the right time, and holds the line when it fails. Sync thread only."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from offline_queue.backoff import OUTAGE_S
from offline_queue.clock import Clock
from offline_queue.delivery.authority_time import SKEW_SHOWN_S
from offline_queue.delivery.endpoint import Endpoint, Window
from offline_queue.delivery.line import Line, Pace
from offline_queue.delivery.troubles import Hold, Later, TakeToken, WrongClock, judge_token

log = logging.getLogger(__name__)

V = TypeVar("V")

LONGEST_MAINTENANCE_S = 6 * 3600.0
"""A window that ends later is probed after this time: a typing error must not silence a hotel."""


class Talk:
    """The line's state, what may be asked over it now, and what time it is at the other end."""

    def __init__(self, endpoint: Endpoint, clock: Clock, pace: Pace, draw: Callable[[], float]) -> None:
        self.endpoint = endpoint
        self.clock = clock
        self.pace = pace
        self.draw = draw
        self.line = Line(limit=pace.batch_max)
        self._ignored: Window | None = None
        """A maintenance window in which the authority is asked all the same: by a person's wish, or it is too long."""
        self._skewed = False
        self.back_at = 0.0
        """When the last longer outage ended. Monotonic."""

    def ask(self, question: Callable[[], V]) -> V | Hold | Later:
        """Ask, and once more each with a new token or the right time, if the old one was refused."""
        verdict = question()
        unmended: list[type[Hold]] = [TakeToken, WrongClock]  # in either order, each once
        while type(verdict) in unmended:
            unmended.remove(type(verdict))  # type: ignore[arg-type]
            if isinstance(verdict, TakeToken) and (trouble := self._token()) is not None:
                return trouble
            verdict = question()  # with that token; signed with the time that the refusal told
        return verdict

    def now(self) -> float:
        """The authority's time where it is known, else the wall clock's. Unix seconds."""
        told = self.endpoint.time
        return self.clock.wall() if told is None else told.now(self.clock.mono())

    def off_s(self) -> float | None:
        """How far the wall clock is ahead of the authority's, in seconds; None before it told its time."""
        told = self.endpoint.time
        return None if told is None else told.off_s(self.clock.wall(), self.clock.mono())

    def heed_maintenance(self) -> None:
        """Hold the line until the end of an announced window, and a while longer: a city's kiosks wait for it too."""
        if self.line.try_at <= self.clock.mono() and (pause := self._maintenance()) is not None:
            self.failed(pause)

    def force(self) -> None:
        """A person asks for a try at once, also during maintenance."""
        self._ignored = self._window()
        self.line = self.line.forced(self.clock.mono())

    def failed(self, verdict: Hold | Later) -> None:
        """Hold the line."""
        breaker = isinstance(verdict, Hold)
        if verdict.why != self.line.why:
            log.warning("sync: endpoint: %s%s", verdict.why, " (breaker open)" if breaker else "")
        self.line = self.line.failed(
            verdict.why, self.clock.mono(), self.draw(), self.pace, retry_after_s=verdict.retry_after_s, breaker=breaker
        )

    def passed(self) -> None:
        """An answer came: the line is open."""
        now = self.clock.mono()
        if self.line.failures and now - self.line.failing_since > OUTAGE_S:
            self.back_at = now
        self.line = self.line.passed(now, self.pace)
        off_s = self.off_s() or 0.0
        if (skewed := abs(off_s) > SKEW_SHOWN_S) and not self._skewed:
            log.warning("sync: the clock is %+.0f s off the authority's, whose time requests bear now: set it", off_s)
        self._skewed = skewed

    def _token(self) -> Hold | Later | None:
        trouble = judge_token(self.endpoint.take_token())
        if isinstance(trouble, WrongClock):
            trouble = judge_token(self.endpoint.take_token())  # signed with the time that the refusal told
        return trouble if trouble is not None else self._maintenance()

    def _maintenance(self) -> Later | None:
        window = self._window()
        if window is None or window == self._ignored:
            return None
        left_s = window.end - self.now()
        if left_s > LONGEST_MAINTENANCE_S:
            left_s = LONGEST_MAINTENANCE_S
            self._ignored = window  # waited for once; from then on the answers say whether it still goes on
        return Later("maintenance", charged=False, retry_after_s=left_s + self.pace.spread_s * self.draw())

    def _window(self) -> Window | None:
        now = self.now()
        return next((window for window in self.endpoint.limits.maintenance if window.begin <= now < window.end), None)
