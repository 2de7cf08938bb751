"""What a record that follows a check-in, or a visitor's, must hold before it is put. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from kiosk.credentials import resident_id
from kiosk.registration.forms import LONGEST_STAY, ROOM, Draft, Rule, chinese_name, moment

VOID_REASONS = ("no_show", "mistake", "duplicate", "early_departure")


def _follows(draft: Draft) -> bool:
    return bool(draft.record["revision"] > 1)


def _said_by(draft: Draft) -> bool:
    return bool(draft.record["verify"]["operator"].strip())


def _other_room(draft: Draft) -> bool:
    return bool(draft.guest["roomNo"] != draft.guest.get("fromRoomNo"))


def _planned_out(draft: Draft) -> bool:
    at, end = moment(draft.record["occurredAt"]), moment(draft.guest["plannedOutAt"])
    return at < end <= at + LONGEST_STAY


def _checked_out(draft: Draft) -> bool:
    return bool(draft.guest["checkOutAt"] == draft.record["occurredAt"])


def _void_reason(draft: Draft) -> bool:
    return draft.guest["voidReason"] in VOID_REASONS


def _name(draft: Draft) -> bool:
    return chinese_name(draft.guest["name"])


def _id_type(draft: Draft) -> bool:
    code, known = draft.guest["idType"], draft.tables.documents
    return code == "11" or (code.isalnum() and (known is None or code in known))


def _id_number(draft: Draft) -> bool:
    number = draft.guest["idNumber"]
    if draft.guest["idType"] == "11":
        return resident_id.is_valid(number)
    return 5 <= len(number) <= 20 and number.isascii() and number.isalnum()


def _visited(draft: Draft) -> bool:
    return bool(str(UUID(draft.guest["visitedRecordId"])) != draft.record["recordId"])


def _consented(draft: Draft) -> bool:
    """A visitor is registered with their consent, or not at all."""
    return bool(draft.guest["consentId"].strip())


def _came(draft: Draft) -> bool:
    return "outAt" not in draft.guest and bool(draft.guest["inAt"] == draft.record["occurredAt"])


def _left(draft: Draft) -> bool:
    return bool(draft.guest["outAt"] == draft.record["occurredAt"])


_FOLLOWS: tuple[Rule, ...] = (("E400", "revision", _follows), ("E400", "verify.operator", _said_by))
_LEAVES: tuple[Rule, ...] = (*_FOLLOWS, ("E20", "guest.checkOutAt", _checked_out))

RULES: Mapping[str, tuple[Rule, ...]] = {
    "RC": (*_FOLLOWS, *ROOM, ("E2A", "guest.roomNo", _other_room)),
    "EX": (*_FOLLOWS, ("E20", "guest.plannedOutAt", _planned_out)),
    "CC": _LEAVES,
    "JC": _LEAVES,
    "VD": (*_FOLLOWS, ("E400", "guest.voidReason", _void_reason)),
    "VI": (
        ("E400", "verify.operator", _said_by),
        ("E22", "guest.name", _name),
        ("E26", "guest.idType", _id_type),
        ("E27", "guest.idNumber", _id_number),
        ("E21", "guest.visitedRecordId", _visited),
        ("E400", "guest.consentId", _consented),
        *ROOM,
        ("E20", "guest.inAt", _came),
    ),
}
"""By operation; a visitor's first revision."""
VISITOR_LEFT: tuple[Rule, ...] = (*_FOLLOWS, ("E20", "guest.outAt", _left))
"""A visitor's second revision."""
