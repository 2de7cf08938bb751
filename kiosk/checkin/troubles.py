"""What did not go well in a visit, as lines in the log that name nobody: the number at the desk, and a word of ours."""

from __future__ import annotations

import logging

from kiosk.checkin.events import Event
from kiosk.checkin.flow import Ticket
from kiosk.model import Reason

log = logging.getLogger(__name__)


class Troubles:
    """Notes each refusal, failure and face hint once per question, however often the frames repeat it.

    Owned by the runner's thread.
    """

    def __init__(self) -> None:
        self._ticket: Ticket | None = None
        self._noted: set[tuple[str, Reason]] = set()

    def note(self, event: Event, ticket: Ticket, number: str) -> None:
        """Log ``event`` if it has a Reason. ``ticket``: the question it answers; ``number``: the visit's."""
        reason = getattr(event, "reason", getattr(event, "hint", None))
        if not isinstance(reason, Reason):
            return
        if ticket != self._ticket:
            self._ticket, self._noted = ticket, set()
        what = (type(event).__name__, reason)
        if what not in self._noted:
            self._noted.add(what)
            log.info("number %s: %s: %s", number, what[0], reason.value)
