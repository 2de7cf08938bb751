"""The sandbox's hotel system, asked over HTTPS. A real one is another file like this."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

from kiosk.config import Config
from kiosk.errors import GatewayNonsense
from kiosk.https import JsonOverTls
from kiosk.model import Identity, Refusal, Reservation
from kiosk.reservations import wire
from kiosk.reservations.matching import Booking, match

log = logging.getLogger(__name__)

NAME = "hotel system"
_SEARCH = "/v1/reservations/search"
_FIELDS = {
    "stay_id": "stayId",
    "confirmation": "confirmation",
    "phone": "phone",
    "room_no": "roomNo",
    "room_type": "roomType",
    "party_size": "partySize",
    "arrival": "arrival",
    "departure": "departure",
    "room_ready": "roomReady",
    "balance_due_fen": "balanceDueFen",
    "status": "status",
}
"""Our name → the name on the wire."""


class SimulatedReservations:
    """Reservations over HTTPS. Blocks up to ``reservations.timeout_s``; any thread."""

    def __init__(self, config: Config, today: Callable[[], date]) -> None:
        settings = config.reservations
        self._https = JsonOverTls(NAME, settings.url, settings, settings.timeout_s)
        self._today = today

    def find(self, identity: Identity, reference: str | None) -> Reservation | Refusal:
        """Search by document number or by reference. Raises GatewayUnavailable or GatewayNonsense."""
        if reference is None:
            offered = self._search({"documentNumber": identity.id_number}) if identity.id_number else ()
        else:
            offered = self._search({"reference": reference})
        return match(offered, identity, reference, self._today())

    def close(self) -> None:
        """Close the connections. Safe to call twice."""
        self._https.close()

    def _search(self, wanted: Mapping[str, object]) -> tuple[Booking, ...]:
        listed = self._https.post(_SEARCH, wanted).get("reservations")
        if not isinstance(listed, list):
            raise GatewayNonsense(f"{NAME}: {_SEARCH} answered without a list of reservations")
        found = tuple(booking for item in listed if (booking := _booking(item)) is not None)
        if listed and not found:
            raise GatewayNonsense(f"{NAME}: {_SEARCH} answered no reservation in the agreed form")
        return found


def make(config: Config) -> SimulatedReservations:
    """Make the adapter for one kiosk."""
    zone = ZoneInfo(config.kiosk.timezone)
    return SimulatedReservations(config, lambda: datetime.now(zone).date())


def _booking(item: object) -> Booking | None:
    """Read one reservation; one that cannot be read is logged, without a value, and left out."""
    try:
        if not isinstance(item, dict) or not isinstance(item.get("guests"), list):
            raise ValueError("no object with guests")
        guests = tuple(wire.guest(one.get("name"), one.get("documentNumber")) for one in item["guests"])
        return wire.booking({ours: item.get(theirs) for ours, theirs in _FIELDS.items()}, guests)
    except (ValueError, AttributeError) as error:
        log.warning("%s: a reservation is left out: %s", NAME, error)
        return None
