"""The screen as a hand and an eye have it, for the demo, the benches and tests: touch, look, know when it is painted.

Calls come from any thread but the GUI thread and block until Qt has done them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal

from kiosk.checkin.flow import Ticket
from kiosk.errors import ScreenClosed
from ui.screen import touch
from ui.screen.app import Screen

ANSWER_S = 20.0
GONE_S = 0.05
"""How often a waiting request looks whether the screen is still there."""


class _Request:
    """One yes-or-no question on its way to the GUI thread, and its answer on the way back."""

    def __init__(self, call: Callable[[], bool]) -> None:
        self._call = call
        self._done = threading.Event()
        self._result = False
        self._error: Exception | None = None

    def perform(self) -> None:
        try:
            self._result = self._call()
        except Exception as error:  # raised again where it was asked
            self._error = error
        self._done.set()

    def wait(self, gone: threading.Event) -> bool:
        end = time.monotonic() + ANSWER_S
        while not self._done.wait(GONE_S):
            if gone.is_set():
                raise ScreenClosed
            if time.monotonic() > end:
                raise TimeoutError(f"the screen did not answer within {ANSWER_S:.0f} s")
        if self._error is not None:
            raise self._error
        return self._result


class Glass(QObject):
    """Made on the GUI thread. ``painted`` is called there, once for each ticket that can be seen and touched.

    Whoever waits when the screen goes, and whoever asks after that, gets ScreenClosed.
    """

    _asked = Signal(object)

    def __init__(self, screen: Screen, painted: Callable[[Ticket, float], None] = lambda ticket, at: None) -> None:
        super().__init__()
        self._window = screen.window
        self._gate = screen.gate
        self._painted = painted
        self._swapped: Ticket | None = None
        self._told: Ticket | None = None
        self._gone = threading.Event()
        self._asked.connect(self._perform, Qt.ConnectionType.QueuedConnection)
        self._window.frameSwapped.connect(self._on_swap)
        self._gate.changed.connect(self._look)
        # A question that looks like the one before it must be painted too, or nobody would hear of it.
        self._gate.followed.connect(self._window.update)

    def tap(self, name: str) -> None:
        """Touch the control with this objectName, as soon as it takes touches. Raises LookupError if it never does."""
        end = time.monotonic() + ANSWER_S
        while not self._ask(lambda: self._try_tap(name)):
            if time.monotonic() > end:
                raise LookupError(f"no control {name!r} can be touched")
            time.sleep(0.01)

    def can_tap(self, name: str) -> bool:
        """Say whether the control is there, visible and takes touches now."""
        return self._ask(lambda: self._takes(name))

    def grab(self, path: Path) -> None:
        """Save what the screen shows as a PNG."""
        if not self._ask(lambda: self._window.grabWindow().save(str(path))):
            raise OSError(f"{path.name}: the picture could not be written")

    def leave(self) -> None:
        """Qt will answer no more. Any thread."""
        self._gone.set()

    def _ask(self, call: Callable[[], bool]) -> bool:
        request = _Request(call)
        self._asked.emit(request)
        return request.wait(self._gone)

    def _perform(self, request: _Request) -> None:
        request.perform()

    def _try_tap(self, name: str) -> bool:
        if not self._takes(name):
            return False
        touch.tap(self._window, name)
        return True

    def _takes(self, name: str) -> bool:
        place = touch.place(self._window, name)
        return place is not None and self._gate.takes(place.x(), place.y())

    def _on_swap(self) -> None:
        self._swapped = self._gate.ticket
        self._look()

    def _look(self) -> None:
        ticket = self._gate.ticket
        if self._gate.open and self._swapped == ticket and self._told != ticket:
            self._told = ticket
            self._painted(ticket, time.monotonic())
