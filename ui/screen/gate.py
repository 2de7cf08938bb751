"""Lets one touch through for each question, with the ticket of the question that was on the screen."""

from __future__ import annotations

import time
from dataclasses import dataclass
from math import hypot

from PySide6.QtCore import QObject, QTimer, Signal

from kiosk.checkin import states
from kiosk.checkin.events import Event
from kiosk.checkin.flow import Ticket
from kiosk.checkin.shown import Shown
from kiosk.checkin.states import State
from ui.screen.hands import Hands

REPEAT_S = 0.4
"""A touch on the place of the last answer, this soon after it, is the second half of a double tap."""
REPEAT_MM = 20.0
SETTLE_MS = 100
"""A finger on its way down when the screen changes by itself meant the screen before."""

NOTHING_TO_TOUCH = (
    states.Scanning | states.Resolving | states.LookingUp | states.FetchingPortrait | states.Saving | states.IssuingKey
)
"""Screens with nothing but the foot bar, which never moves: no finger can be on its way to anything else."""


@dataclass(frozen=True, slots=True)
class _Touch:
    at: float
    """Monotonic seconds."""
    x: float
    y: float


class Gate(QObject):
    """Between the buttons and the check-in. It costs a guest who means it nothing: what it drops was not meant.

    ``open`` is what the scene's ``enabled`` is bound to. GUI thread only; places are pixels of the scene.
    """

    changed = Signal()
    followed = Signal()
    """Another ticket, though perhaps the same look."""

    def __init__(self, hands: Hands, near_px: float, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.hands = hands
        self._near_px = near_px
        self._ticket = Ticket(0, 0)
        self._state: State = states.Welcome()
        self._finger: _Touch | None = None
        self._answered: _Touch | None = None
        self._owes_answer = True
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.changed)

    @property
    def open(self) -> bool:
        return not self._timer.isActive()

    @property
    def ticket(self) -> Ticket:
        """The question that a touch answers now."""
        return self._ticket

    def follow(self, shown: Shown) -> None:
        """A state arrived: from now on touches answer its question."""
        moved, state = shown.ticket != self._ticket, shown.state
        if type(state) is not type(self._state) or shown.ticket.visit != self._ticket.visit:
            if self._owes_answer:
                self._settle()
            self._owes_answer = not isinstance(state, NOTHING_TO_TOUCH)
        self._ticket, self._state = shown.ticket, state
        if moved:
            self.followed.emit()

    def finger(self, x: float, y: float) -> None:
        """A finger came down here, on whatever."""
        self._finger = _Touch(time.monotonic(), x, y)

    def takes(self, x: float, y: float) -> bool:
        """Say whether a finger that comes down here and now would count."""
        return self.open and not self._repeats(_Touch(time.monotonic(), x, y))

    def send(self, event: Event) -> None:
        """Send a guest's answer, if the touch that just ended counts."""
        if self.pass_once():
            self.answer(event)

    def answer(self, event: Event) -> None:
        """Send the answer of a touch that passed."""
        self._owes_answer = False
        self.hands.send(event, self._ticket)

    def pass_once(self) -> bool:
        """Return whether the touch that just ended counts; if so, its second half will not."""
        touch, self._finger = self._finger or self._unseen(), None
        if not self.open or self._repeats(touch):
            return False
        self._answered = _Touch(time.monotonic(), touch.x, touch.y)
        return True

    def _unseen(self) -> _Touch:
        """Assistive technology presses without a finger: as if it were in the same place again."""
        last = self._answered or _Touch(0.0, 0.0, 0.0)
        return _Touch(time.monotonic(), last.x, last.y)

    def _repeats(self, touch: _Touch) -> bool:
        last = self._answered
        if last is None or touch.at - last.at > REPEAT_S:
            return False
        return hypot(touch.x - last.x, touch.y - last.y) <= self._near_px

    def _settle(self) -> None:
        was_open = self.open
        self._timer.start(SETTLE_MS)
        if was_open:
            self.changed.emit()
