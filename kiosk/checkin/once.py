"""One stay, one registration: who shows the code again after the check-in, or after a power cut, gets no second one."""

from __future__ import annotations

from collections.abc import Callable

from kiosk.model import Identity, Reason, Refusal, Reservation
from kiosk.ports import Reservations


class OncePerStay:
    """The hotel's bookings, but for those whose only guest this kiosk has registered already: the desk looks at them.

    The hotel's system learns of a check-in later than the outbox. A booking of several is told apart by staff.
    """

    def __init__(self, reservations: Reservations, is_registered: Callable[[str], bool]) -> None:
        self._reservations = reservations
        self._is_registered = is_registered

    def find(self, identity: Identity, reference: str | None) -> Reservation | Refusal:
        """Look up as the hotel's adapter does. Raises what it raises."""
        found = self._reservations.find(identity, reference)
        if isinstance(found, Reservation) and found.party_size == 1 and self._is_registered(found.stay_id):
            return Refusal(Reason.ALREADY_IN_HOUSE)
        return found
