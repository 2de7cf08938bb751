"""A booking from outside, checked field by field; the faults name the field and never its value."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from kiosk.model import Reservation
from kiosk.reservations.matching import STATUSES, BookedGuest, Booking

MAX_TEXT = 100
MAX_PARTY = 20


def booking(fields: Mapping[str, object], guests: tuple[BookedGuest, ...]) -> Booking:
    """Build a booking from values under our own field names. Raises ValueError naming the first faulty field."""
    status = text(fields, "status")
    if status not in STATUSES:
        raise ValueError(f"status is none of {', '.join(sorted(STATUSES))}")
    arrival, departure = day(fields, "arrival"), day(fields, "departure")
    if departure < arrival:
        raise ValueError("departure lies before arrival")
    stay = Reservation(
        stay_id=text(fields, "stay_id"),
        confirmation=text(fields, "confirmation"),
        room_no=text(fields, "room_no", may_be_empty=fields.get("room_ready") is False),
        room_type=text(fields, "room_type"),
        party_size=number(fields, "party_size", 1, MAX_PARTY),
        arrival=arrival,
        departure=departure,
        room_ready=truth(fields, "room_ready"),
        balance_due_fen=number(fields, "balance_due_fen", -(10**9), 10**9),
    )
    return Booking(stay, text(fields, "phone", may_be_empty=True), status, guests)


def guest(name: object, document_number: object) -> BookedGuest:
    """Build one guest of a booking. Raises ValueError."""
    fields = {"name": name, "document_number": document_number or ""}
    return BookedGuest(text(fields, "name"), text(fields, "document_number", may_be_empty=True))


def text(fields: Mapping[str, object], name: str, *, may_be_empty: bool = False) -> str:
    """Return one line of text. Raises ValueError."""
    value = fields.get(name)
    if not isinstance(value, str) or len(value) > MAX_TEXT or not value.strip().isprintable():
        raise ValueError(f"{name} is missing or no line of text")
    if not value.strip() and not may_be_empty:
        raise ValueError(f"{name} is empty")
    return value.strip()


def day(fields: Mapping[str, object], name: str) -> date:
    """Return a date written YYYY-MM-DD. Raises ValueError."""
    value = fields.get(name)
    try:
        return date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise ValueError(f"{name} is no date YYYY-MM-DD") from None


def number(fields: Mapping[str, object], name: str, least: int, most: int) -> int:
    """Return a whole number. Raises ValueError."""
    value = fields.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ValueError(f"{name} is no whole number from {least} to {most}")
    return value


def truth(fields: Mapping[str, object], name: str) -> bool:
    """Return true or false. Raises ValueError."""
    value = fields.get(name)
    if not isinstance(value, bool):
        raise ValueError(f"{name} is neither true nor false")
    return value
