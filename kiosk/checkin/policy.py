"""What must be settled before a visit goes on, as pure rules over a Case.

The order of ``obstacle`` is the law's: a minor, an overseas guest or a party is a person's business
before any face step and before any key.
"""

from __future__ import annotations

from datetime import date
from enum import Enum, auto

from kiosk.model import Case, Reason

ADULT_YEARS = 18
MAX_CAPTURE_ATTEMPTS = 3
MAX_REFERENCE_TRIES = 3
MAX_REFUSED_CODES = 5


class Settling(Enum):
    """What a clerk's approval means for a referral."""

    VERIFY = auto()
    """Staff looked at document and person: their decision takes the place of the face."""
    CLEAR = auto()
    """The obstacle is out of the way: go on where the guest stopped."""
    LOOK_UP = auto()
    """The desk changed the booking: look it up again."""
    KEY_BY_HAND = auto()
    """The desk handed over a key: the visit is complete."""
    DESK_ONLY = auto()
    """The record needs more than this kiosk can ask: the desk takes the guest over."""


SETTLINGS: dict[Reason, Settling] = {
    Reason.FACE_DECLINED: Settling.VERIFY,
    Reason.NO_PORTRAIT: Settling.VERIFY,
    Reason.FACE_UNAVAILABLE: Settling.VERIFY,
    Reason.NO_FACE: Settling.VERIFY,
    Reason.TWO_FACES: Settling.VERIFY,
    Reason.FACE_TOO_FAR: Settling.VERIFY,
    Reason.FACE_TOO_NEAR: Settling.VERIFY,
    Reason.FACE_TURNED: Settling.VERIFY,
    Reason.FACE_BLURRED: Settling.VERIFY,
    Reason.FACE_DARK: Settling.VERIFY,
    Reason.FACE_BRIGHT: Settling.VERIFY,
    Reason.FACE_OFF_CENTRE: Settling.VERIFY,
    Reason.NOT_LIVE: Settling.VERIFY,
    Reason.FACE_DOUBTFUL: Settling.VERIFY,
    Reason.NOT_MATCHED: Settling.VERIFY,
    Reason.PARTY: Settling.CLEAR,
    Reason.BALANCE_DUE: Settling.CLEAR,
    Reason.ROOM_NOT_READY: Settling.LOOK_UP,
    Reason.NO_RESERVATION: Settling.LOOK_UP,
    Reason.NAME_DIFFERS: Settling.LOOK_UP,
    Reason.HOTEL_SYSTEM_DOWN: Settling.LOOK_UP,
    Reason.KEY_FAILED: Settling.KEY_BY_HAND,
}


def settling(reason: Reason) -> Settling:
    """Return what an approval means for ``reason``; what is not in the table belongs to the desk."""
    return SETTLINGS.get(reason, Settling.DESK_ONLY)


def age_on(birth: date, today: date) -> int:
    """Return full years; someone born on 29 February has the birthday on 1 March in common years."""
    return today.year - birth.year - ((today.month, today.day) < (birth.month, birth.day))


def obstacle(case: Case) -> Reason | None:
    """Return the first thing that a person must settle before this case goes on."""
    return next((reason for reason in _obstacles(case) if reason not in case.cleared), None)


def _obstacles(case: Case) -> list[Reason]:
    found: list[Reason] = []
    identity, stay = case.identity, case.reservation
    if identity is not None:
        if identity.nationality != "CHN":
            found.append(Reason.OVERSEAS)
        if case.today is None or age_on(identity.birth_date, case.today) < ADULT_YEARS:
            found.append(Reason.MINOR)
    if stay is not None:
        if stay.party_size != 1:
            found.append(Reason.PARTY)
        if stay.balance_due_fen > 0:
            found.append(Reason.BALANCE_DUE)
        if not stay.room_ready:
            found.append(Reason.ROOM_NOT_READY)
    return found


def missing_fields(case: Case) -> tuple[str, ...]:
    """Return the legal fields that neither the source nor the guest has given yet."""
    if case.identity is None or case.identity.ethnicity is not None:
        return ()
    return () if any(name == "ethnicity" for name, _ in case.declared) else ("ethnicity",)


def no_face_because(case: Case) -> Reason | None:
    """Return why the face step cannot be offered in this visit, or None when it can."""
    if case.identity is None or not case.face_offered:
        return Reason.FACE_UNAVAILABLE
    if case.portrait is None and case.identity.portrait is None and case.identity.portrait_ticket is None:
        return Reason.NO_PORTRAIT
    return None
