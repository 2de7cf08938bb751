"""What a record must hold before it is put: rule by rule, each with the authority's code. Pure.

Here: what every record keeps, and a domestic guest's check-in or correction. Overseas guests are in ``overseas``,
what follows a check-in and visitors in ``later_rules``. The police refuse the same; found here, a person mends it
while the guest still stands at the kiosk.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime

from kiosk.credentials import resident_id
from kiosk.model import Photo
from kiosk.registration import later_rules, overseas
from kiosk.registration.code_tables import BUILT_IN, CodeTables
from kiosk.registration.forms import (
    COMMON,
    LONGEST_STAY,
    MAX_PARTY,
    OLDEST_BIRTH,
    ROOM,
    Draft,
    Finding,
    Record,
    Rule,
    broken,
    chinese_name,
    moment,
)

PHOTO_BUDGET_BYTES = 12 * 1024
MAX_ADDRESS = 70
PHOTO_ABSENT = frozenset({"declined", "no_portrait", "under_14", "no_camera", "face_not_completed"})


def findings(record: Record, photos: tuple[Photo, ...], tables: CodeTables = BUILT_IN) -> tuple[Finding, ...]:
    """Return every broken rule, in the order of the tables below."""
    found = broken(_rules(record), Draft(record, tables))
    found += [Finding("E13", f"photos.{p.kind}") for p in photos if len(p.jpeg) > PHOTO_BUDGET_BYTES]
    found += [Finding("E307", f"photos.{p.kind}") for p in photos if not _is_jpeg(p.jpeg)]
    return tuple(found)


def _rules(record: Record) -> tuple[Rule, ...]:
    op, guest = str(record.get("op")), record.get("guest")
    if op == "VI" and record.get("revision") != 1:
        return (*COMMON, *later_rules.VISITOR_LEFT)
    if op in later_rules.RULES:
        return (*COMMON, *later_rules.RULES[op])
    foreign = op == "JI" or (op == "UP" and isinstance(guest, Mapping) and "surnameLatin" in guest)
    return (*COMMON, *(overseas.RULES if foreign else DOMESTIC), *WHOLE)


# ---- a domestic guest ------------------------------------------------------------------------------------------------


def _guest_code(draft: Draft) -> bool:
    return re.fullmatch(r"[0-9]{22}", draft.guest["guestCode"], re.ASCII) is not None


def _name(draft: Draft) -> bool:
    return chinese_name(draft.guest["name"])


def _sex(draft: Draft) -> bool:
    return draft.guest["sex"] in {"1", "2", "0", "9"}


def _ethnicity(draft: Draft) -> bool:
    return draft.guest["ethnicity"] in draft.tables.ethnicities


def _birth_date(draft: Draft) -> bool:
    return date.fromisoformat(draft.guest["birthDate"]) >= OLDEST_BIRTH


def _id_type(draft: Draft) -> bool:
    return bool(draft.guest["idType"] == "11")


def _id_number(draft: Draft) -> bool:
    return resident_id.is_valid(draft.guest["idNumber"])


def _division(draft: Draft) -> bool:
    code = draft.guest["divisionCode"]
    return re.fullmatch(r"[0-9]{6}", code, re.ASCII) is not None and code[:2] in draft.tables.provinces


def _address(draft: Draft) -> bool:
    text: str = draft.guest["address"]
    return 1 <= len(text.strip()) <= MAX_ADDRESS and text.isprintable()


def _number_agrees(draft: Draft) -> bool:
    """Birth date, sex and division are those of the number."""
    guest, number = draft.guest, draft.guest["idNumber"]
    if not resident_id.is_valid(number):
        return False
    same_birth = guest["birthDate"] == resident_id.birth_date(number).isoformat()
    same_sex = guest["sex"] in {"0", "9", resident_id.sex(number)}
    return same_birth and same_sex and bool(guest["divisionCode"] == resident_id.division(number))


DOMESTIC: tuple[Rule, ...] = (
    ("E21", "guest.guestCode", _guest_code),
    ("E22", "guest.name", _name),
    ("E23", "guest.sex", _sex),
    ("E24", "guest.ethnicity", _ethnicity),
    ("E25", "guest.birthDate", _birth_date),
    ("E26", "guest.idType", _id_type),
    ("E27", "guest.idNumber", _id_number),
    ("E28", "guest.divisionCode", _division),
    ("E29", "guest.address", _address),
    *ROOM,
    ("E302", "guest.idNumber", _number_agrees),
)

# ---- whoever the guest is --------------------------------------------------------------------------------------------


def _times(draft: Draft) -> bool:
    """The stay ends after it began; a check-in is about its own moment, a correction comes later."""
    begin, end = moment(draft.guest["checkInAt"]), moment(draft.guest["plannedOutAt"])
    own = draft.record["occurredAt"] == draft.guest["checkInAt"] or draft.record["op"] == "UP"
    return begin < end <= begin + LONGEST_STAY and own and begin <= moment(draft.record["occurredAt"])


def _code_of_hotel(draft: Draft) -> bool:
    return bool(draft.guest["guestCode"].startswith(draft.record["hotelCode"]))


def _born_before(draft: Draft) -> bool:
    return date.fromisoformat(draft.guest["birthDate"]) <= datetime.fromisoformat(draft.record["occurredAt"]).date()


def _in_force(draft: Draft) -> bool:
    until = draft.guest.get("validTo", "长期")
    return until == "长期" or date.fromisoformat(until) >= moment(draft.guest["checkInAt"]).date()


def _head_count(draft: Draft) -> bool:
    index: int = draft.guest["occupantIndex"]
    size: int = draft.guest["partySize"]
    return type(index) is int and type(size) is int and 1 <= index <= size <= MAX_PARTY


def _photos_or_reason(draft: Draft) -> bool:
    if "photoAbsentReason" in draft.record and draft.record["photoAbsentReason"] not in PHOTO_ABSENT:
        return False
    return draft.record["op"] == "UP" or bool(draft.record["photos"]) != ("photoAbsentReason" in draft.record)


def _no_photo_again(draft: Draft) -> bool:
    return draft.record["revision"] == 1 or not draft.record["photos"]


def _verified(draft: Draft) -> bool:
    verify = draft.record["verify"]
    return bool(verify["method"] and verify["identityConsentId"])


WHOLE: tuple[Rule, ...] = (
    ("E400", "verify", _verified),
    ("E20", "guest.plannedOutAt", _times),
    ("E21", "guest.guestCode", _code_of_hotel),
    ("E25", "guest.birthDate", _born_before),
    ("E303", "guest.validTo", _in_force),
    ("E306", "guest.partySize", _head_count),
    ("E307", "photoAbsentReason", _photos_or_reason),
    ("E301", "photos", _no_photo_again),
)


def _is_jpeg(data: bytes) -> bool:
    return data.startswith(b"\xff\xd8\xff") and data.endswith(b"\xff\xd9")
