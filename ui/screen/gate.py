"""Lets one touch through for each question, with the ticket of the question that was on the screen."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

from kiosk.checkin.events import Event
from kiosk.checkin.flow import Ticket
from kiosk.checkin.shown import Shown
from ui.screen.hands import Hands

REPEAT_MS = 300
"""The second half of a double tap must not answer the question that comes next."""
SETTLE_MS = 100
"""A finger on its way down when the screen changes meant the screen before."""


class Gate(QObject):
    """Between the buttons and the check-in. Closed for a moment after a touch and after each new screen.

    ``open`` is what the scene's ``enabled`` is bound to, so whoever wants to tap can see it.
    """

    changed = Signal()
    followed = Signal()
    """Another ticket, though perhaps the same look."""

    def __init__(self, hands: Hands, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.hands = hands
        self._ticket = Ticket(0, 0)
        self._state: type[object] = object
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
        if type(shown.state) is not self._state or shown.ticket.visit != self._ticket.visit:
            self._close_for(SETTLE_MS)
        moved = shown.ticket != self._ticket
        self._ticket, self._state = shown.ticket, type(shown.state)
        if moved:
            self.followed.emit()

    def send(self, event: Event) -> bool:
        """Send a guest's answer, unless the gate is closed. Returns whether it was sent."""
        if not self.pass_once():
            return False
        self.hands.send(event, self._ticket)
        return True

    def pass_once(self) -> bool:
        """Return whether a touch counts; if so, the next one does not for a moment."""
        if not self.open:
            return False
        self._close_for(REPEAT_MS)
        return True

    def _close_for(self, ms: int) -> None:
        was_open = self.open
        if was_open or self._timer.remainingTime() < ms:
            self._timer.start(ms)
        if was_open:
            self.changed.emit()
