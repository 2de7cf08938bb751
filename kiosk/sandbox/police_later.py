"""What the sandbox's police endpoint demands of what follows a check-in, and of visitors. Pure.

A room change, an extension, a check-out and a void say only what changed: who it is about is known by the recordId.
"""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from kiosk.sandbox.police_forms import LONGEST_STAY, Rule, Seen, moment, named, number_holds, room_given, room_known
from kiosk.sandbox.police_forms import text as text_of
from kiosk.sandbox.police_tables import DOCUMENTS, ID_TYPES, VOID_REASONS


def _follows(seen: Seen) -> bool:
    return seen.sub.revision > 1


def _said_by(seen: Seen) -> bool:
    verify = seen.sub.record["verify"]
    return isinstance(verify, dict) and bool(text_of(verify.get("operator")))


def _planned_out(seen: Seen) -> bool:
    at, end = moment(seen.sub.record.get("occurredAt")), moment(seen.guest.get("plannedOutAt"))
    return at is not None and end is not None and at < end <= at + LONGEST_STAY


def _checked_out(seen: Seen) -> bool:
    """It is the moment that the record is about."""
    at = moment(seen.guest.get("checkOutAt"))
    return at is not None and at == moment(seen.sub.record.get("occurredAt"))


def _void_reason(seen: Seen) -> bool:
    return seen.guest.get("voidReason") in VOID_REASONS


def _name(seen: Seen) -> bool:
    return named(seen.guest.get("name"))


def _document(seen: Seen) -> bool:
    return seen.guest.get("idType") in ID_TYPES | DOCUMENTS


def _number(seen: Seen) -> bool:
    number = text_of(seen.guest.get("idNumber"))
    if seen.guest.get("idType") in ID_TYPES:
        return number_holds(number)
    return 5 <= len(number) <= 20 and number.isascii() and number.isalnum()


def _visited(seen: Seen) -> bool:
    try:
        return str(UUID(text_of(seen.guest.get("visitedRecordId")))) != seen.sub.record_id
    except ValueError:
        return False


def _consented(seen: Seen) -> bool:
    return bool(text_of(seen.guest.get("consentId")))


def _came(seen: Seen) -> bool:
    return moment(seen.guest.get("inAt")) is not None and "outAt" not in seen.guest


def _left(seen: Seen) -> bool:
    at = moment(seen.guest.get("outAt"))
    return at is not None and at == moment(seen.sub.record.get("occurredAt"))


_FOLLOWS: tuple[Rule, ...] = (("E400", "revision", _follows), ("E400", "verify", _said_by))
_ROOM: tuple[Rule, ...] = (("E2A", "guest.roomNo", room_given), ("ENOROOM", "guest.roomNo", room_known))
_LEAVES: tuple[Rule, ...] = (*_FOLLOWS, ("E20", "guest.checkOutAt", _checked_out))

RULES: Mapping[str, tuple[Rule, ...]] = {
    "RC": (*_FOLLOWS, *_ROOM),
    "EX": (*_FOLLOWS, ("E20", "guest.plannedOutAt", _planned_out)),
    "CC": _LEAVES,
    "JC": _LEAVES,
    "VD": (*_FOLLOWS, ("E400", "guest.voidReason", _void_reason)),
    "VI": (
        ("E400", "verify", _said_by),
        ("E22", "guest.name", _name),
        ("E26", "guest.idType", _document),
        ("E27", "guest.idNumber", _number),
        ("E21", "guest.visitedRecordId", _visited),
        ("E400", "guest.consentId", _consented),
        *_ROOM,
        ("E20", "guest.inAt", _came),
    ),
}
"""By operation; a visitor's first revision, which says that they came."""
VISITOR_LEFT: tuple[Rule, ...] = (*_FOLLOWS, ("E20", "guest.outAt", _left))
"""A visitor's second revision."""
