"""What the screen may do: a handful of calls into the check-in and the staff sheet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kiosk.checkin.events import Event
from kiosk.checkin.flow import Ticket
from kiosk.model import Consent


def _nobody(_: bool) -> None:
    """Nobody wants to know."""


@dataclass(frozen=True, slots=True)
class Hands:
    """Calls the screen makes. All are thread-safe and return at once; all come from the GUI thread."""

    send: Callable[[Event, Ticket], None]
    """A guest's answer, with the ticket of the question that was on the screen."""
    still_here: Callable[[], None]
    activity: Callable[[], None]
    """Somebody touches the screen: the idle clock starts again. At most once a second."""
    staff_open: Callable[[], None]
    staff_pin: Callable[[str], None]
    staff_approve: Callable[[str], None]
    """The code of a resolution."""
    staff_retry: Callable[[], None]
    staff_end: Callable[[], None]
    staff_close: Callable[[], None]
    new_consent: Callable[[str, str], Consent]
    """(purpose, language): the consent the guest has just given to the text on the screen."""
    elder_mode: Callable[[bool], None] = _nobody
    """Elder mode went on or off: it has a longer idle time."""
