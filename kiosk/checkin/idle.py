"""The visit's clock: how long the present question may stay, the warning before it goes, the time that is left."""

from __future__ import annotations

import time
from collections.abc import Callable

from kiosk.checkin.events import Expired, TimedOut
from kiosk.checkin.states import State
from kiosk.checkin.timeouts import Budgets, Turn


class IdleClock:
    """Owned by the runner's thread. ``now`` is a monotonic clock in seconds."""

    def __init__(self, budgets: Budgets, warning_s: float, now: Callable[[], float] = time.monotonic) -> None:
        self._budgets = budgets
        self._warning_s = warning_s
        self._now = now
        self._deadline: float | None = None
        self._warned = False
        self.stretch = 1.0
        """How much longer a guest has: elder mode gives twice the time."""

    def rewind(self, state: State) -> None:
        """A new question is asked: the full budget."""
        budget = self._budgets.of_state(state)
        self._warned = False
        stretch = self.stretch if budget.turn is Turn.GUEST else 1.0
        self._deadline = None if budget.seconds is None else self._now() + budget.seconds * stretch

    def touched(self, state: State) -> None:
        """A finger on the glass: a guest has the full budget again, the kiosk's own turn is not lengthened by it."""
        if self._budgets.of_state(state).turn is not Turn.KIOSK:
            self.rewind(state)

    def wait_s(self) -> float | None:
        """Return how long nothing needs to be done, at most 1 s while a countdown is shown; None: for ever."""
        if self._deadline is None:
            return None
        wait = max(0.0, self._deadline - self._now())
        return min(wait, 1.0) if self._warned else wait

    def left_s(self) -> int | None:
        """Return the seconds of the warning that are left, None while there is none."""
        if not self._warned or self._deadline is None:
            return None
        return max(0, round(self._deadline - self._now()))

    def ended(self, state: State) -> Expired | TimedOut | None:
        """Return what the passing of time means now. The first time for a guest, it only begins the warning."""
        if self._deadline is None or self._now() < self._deadline:
            return None
        turn = self._budgets.of_state(state).turn
        if turn is Turn.GUEST and not self._warned:
            self._warned, self._deadline = True, self._now() + self._warning_s
            return None
        self._deadline = None
        return TimedOut() if turn is Turn.KIOSK else Expired()
