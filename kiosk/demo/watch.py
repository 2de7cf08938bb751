"""What the director of a demo can see of the kiosk: the screen as it is shown, and when it was painted."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from kiosk.checkin.flow import Ticket
from kiosk.checkin.shown import Shown
from kiosk.checkin.states import State
from kiosk.errors import OperationalError, ScreenClosed
from kiosk.ports import CodeSeen, VisionReport


class DemoStuck(OperationalError):
    """The kiosk did not come to the screen that the director waited for."""


@dataclass(slots=True)
class Turn:
    """One screen of one visit, with its times on the monotonic clock, in seconds."""

    shown: Shown
    at: float
    painted_at: float | None = None
    touched_at: float | None = None


@dataclass(slots=True)
class Watch:
    """Collects what was shown, painted, seen and receipted. Fed from several threads, read by one."""

    turns: list[Turn] = field(default_factory=list)
    codes: list[CodeSeen] = field(default_factory=list)
    receipts: list[tuple[str, str, float]] = field(default_factory=list)
    """(record id, receipt number, monotonic seconds)."""
    _gone: bool = False
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def shown(self, shown: Shown) -> None:
        """The runner published a state."""
        with self._changed:
            last = self.turns[-1].shown if self.turns else None
            if last is None or last.ticket != shown.ticket or type(last.state) is not type(shown.state):
                self.turns.append(Turn(shown, time.monotonic()))
            else:
                self.turns[-1].shown = shown
            self._changed.notify_all()

    def painted(self, ticket: Ticket, at: float) -> None:
        """The screen painted the first frame of ``ticket``'s state."""
        with self._changed:
            for turn in reversed(self.turns):
                if turn.shown.ticket == ticket and turn.painted_at is None:
                    turn.painted_at = at
                    break
            self._changed.notify_all()

    def saw(self, report: VisionReport) -> None:
        """The vision process reported."""
        if isinstance(report, CodeSeen):
            with self._changed:
                self.codes.append(report)

    def receipted(self, record_id: str, receipt_no: str) -> None:
        """The police endpoint's receipt was committed."""
        with self._changed:
            self.receipts.append((record_id, receipt_no, time.monotonic()))
            self._changed.notify_all()

    def left(self) -> None:
        """The screen went: nothing more will come."""
        with self._changed:
            self._gone = True
            self._changed.notify_all()

    def wait(self, what: str, ready: Callable[[], bool], timeout_s: float) -> None:
        """Block until ``ready()``. Raises DemoStuck that names ``what`` and the screen shown instead; ScreenClosed."""
        if not self.comes(ready, timeout_s):
            raise self.stuck(what, timeout_s)

    def stuck(self, what: str, waited_s: float) -> DemoStuck:
        """Return the error for something that did not come."""
        return DemoStuck(f"waited {waited_s:.0f} s for {what}; the kiosk shows {self.name()}")

    def comes(self, ready: Callable[[], bool], timeout_s: float) -> bool:
        """Block until ``ready()`` and say whether it came in time. Raises ScreenClosed."""
        with self._changed:
            come = self._changed.wait_for(lambda: ready() or self._gone, timeout_s)
            if self._gone:
                raise ScreenClosed
            return come

    def wait_for_eyes(self, timeout_s: float = 30.0) -> None:
        """Block until the kiosk offers codes and face: the camera is up, the nets are loaded."""

        def eyes() -> bool:
            return bool(self.turns) and self.turns[-1].shown.offers.codes and self.turns[-1].shown.offers.face

        self.wait("camera and nets", eyes, timeout_s)

    def wait_painted(self, states: tuple[type[State], ...], timeout_s: float = 30.0) -> Turn:
        """Block until one of ``states`` is shown and painted; return its turn."""
        names = " or ".join(kind.__name__ for kind in states)

        def ready() -> bool:
            return (
                bool(self.turns) and isinstance(self.turns[-1].shown.state, states) and bool(self.turns[-1].painted_at)
            )

        self.wait(names, ready, timeout_s)
        return self.turns[-1]

    def name(self) -> str:
        """Return the name of the present state, with the reason if staff are needed."""
        if not self.turns:
            return "nothing"
        state = self.turns[-1].shown.state
        reason = getattr(state, "reason", None) or getattr(state, "refused", None)
        return f"{type(state).__name__} ({reason})" if reason else type(state).__name__
