"""Which booking is this guest's. Pure, the same for every hotel system; a name alone finds nothing."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from kiosk.credentials import resident_id
from kiosk.model import Identity, Reason, Refusal, Reservation

DUE_IN, IN_HOUSE, CHECKED_OUT = "DUE_IN", "IN_HOUSE", "CHECKED_OUT"
STATUSES = frozenset({DUE_IN, IN_HOUSE, CHECKED_OUT})
_PHONE_TAIL = re.compile(r"[0-9]{4}", re.ASCII)
_DOTS = dict.fromkeys(map(ord, "·•‧・･∙⋅●.．。"), "·")
"""What people type for the dot within a name."""


@dataclass(frozen=True, slots=True)
class BookedGuest:
    """A guest whom the booking names."""

    name: str = field(repr=False)
    document_number: str = field(default="", repr=False)
    """Empty when the hotel does not know it."""


LEAST_DIGITS = 6
"""Fewer digits of a confirmation number with letters say too little."""


@dataclass(frozen=True, slots=True)
class Booking:
    """One stay as the hotel's system has it."""

    stay: Reservation
    phone: str = field(repr=False)
    status: str
    guests: tuple[BookedGuest, ...] = field(repr=False)


def match(bookings: Iterable[Booking], identity: Identity, reference: str | None, today: date) -> Reservation | Refusal:
    """Find the stay that begins now: by document number, else by reference and verified name.

    Args:
        bookings: What the hotel's system offered; nothing is believed to be filtered already.
        identity: The verified guest.
        reference: Exactly four digits are the tail of the phone, anything else is a whole confirmation number. The
            kiosk's keypad has digits only, so all the digits of a number that has at least six are that number.
        today: The hotel's date. A stay may have begun yesterday: guests come after midnight.
    """
    offered = tuple(bookings)
    number = identity.id_number
    by_document = [b for b in offered if number and any(_same_document(g, number) for g in b.guests)]
    if (answer := _one_of(by_document, today)) is not None:
        return answer
    referred = [b for b in offered if reference is not None and _refers_to(b, reference)]
    current = [b for b in referred if b.status == IN_HOUSE or _begins(b, today)]
    if not current:
        return Refusal(Reason.NO_RESERVATION)
    named = [b for b in current if any(_may_be(guest, identity) for guest in b.guests)]
    if not named:
        return Refusal(Reason.NAME_DIFFERS)
    if len({b.stay.stay_id for b in named}) > 1:
        return Refusal(Reason.NO_RESERVATION)  # which of them is a question for a person
    return _one_of(named, today) or Refusal(Reason.NO_RESERVATION)


def comparable_name(name: str) -> str:
    """Return what two spellings of one name have in common: width, case, spaces and the dot are no differences."""
    text = unicodedata.normalize("NFKC", name.translate(_DOTS)).translate(_DOTS)
    return "".join(text.split()).casefold()


def comparable_reference(reference: str) -> str:
    """Return a typed or stored confirmation number without width, case and spaces."""
    return "".join(unicodedata.normalize("NFKC", reference).split()).casefold()


def _one_of(found: list[Booking], today: date) -> Reservation | Refusal | None:
    """Return the first stay that begins, or that the guest is in one already."""
    due = sorted((b for b in found if _begins(b, today)), key=lambda b: (b.stay.arrival, b.stay.stay_id))
    if due:
        return due[0].stay
    return Refusal(Reason.ALREADY_IN_HOUSE) if any(b.status == IN_HOUSE for b in found) else None


def _begins(booking: Booking, today: date) -> bool:
    return booking.status == DUE_IN and booking.stay.arrival <= today <= booking.stay.departure


def _refers_to(booking: Booking, reference: str) -> bool:
    wanted = comparable_reference(reference)
    if _PHONE_TAIL.fullmatch(wanted):
        digits = [sign for sign in booking.phone if sign.isascii() and sign.isdigit()]
        return len(digits) >= 7 and "".join(digits[-4:]) == wanted
    number = comparable_reference(booking.stay.confirmation)
    digits_alone = "".join(sign for sign in number if sign.isdigit())
    return bool(wanted) and (wanted == number or (len(wanted) >= LEAST_DIGITS and wanted == digits_alone))


def _same_document(guest: BookedGuest, number: str) -> bool:
    return resident_id.normal(guest.document_number) == number


def _may_be(guest: BookedGuest, identity: Identity) -> bool:
    """Say whether the booking's guest has this name, and no other document: namesakes exist."""
    if comparable_name(guest.name) != comparable_name(identity.name):
        return False
    return not guest.document_number.strip() or _same_document(guest, identity.id_number)
