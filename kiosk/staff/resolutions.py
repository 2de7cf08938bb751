"""What a clerk may decide about a referral, as codes: the screen words them, the audit and the record keep them.

A reason that is not here is the desk's: the clerk can only let the kiosk try again or end the visit.
"""

from __future__ import annotations

from kiosk.checkin.policy import SETTLINGS, Settling
from kiosk.model import Reason

DOCUMENT_AND_PERSON_SEEN = "document_and_person_seen"
"""The clerk looked at a photo document and at the guest: this takes the place of the face."""

_OF_THE_DESK: dict[Reason, tuple[str, ...]] = {
    Reason.PARTY: ("party_registered_at_desk",),
    Reason.BALANCE_DUE: ("balance_settled",),
    Reason.ROOM_NOT_READY: ("room_ready_now",),
    Reason.NO_RESERVATION: ("booking_corrected",),
    Reason.NAME_DIFFERS: ("booking_corrected",),
    Reason.HOTEL_SYSTEM_DOWN: ("hotel_system_back",),
    Reason.KEY_FAILED: ("key_handed_over",),
}

CODES = frozenset({DOCUMENT_AND_PERSON_SEEN}.union(*_OF_THE_DESK.values()))
"""Every code there is."""


def offered(reason: Reason | None) -> tuple[str, ...]:
    """Return the codes that settle ``reason``; none where only the desk can."""
    if reason is None or reason not in SETTLINGS:
        return ()
    if SETTLINGS[reason] is Settling.VERIFY:
        return (DOCUMENT_AND_PERSON_SEEN,)
    return _OF_THE_DESK[reason]
