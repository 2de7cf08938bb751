"""What a domestic record must hold before it is put: rule by rule, each with the authority's code. Pure.

The police refuse the same; found here, a person mends it while the guest still stands at the kiosk.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from kiosk.credentials import resident_id
from kiosk.model import Photo
from kiosk.registration.code_tables import ETHNICITIES, PROVINCES

PHOTO_BUDGET_BYTES = 12 * 1024
MAX_NAME_UNITS, MAX_ADDRESS, MAX_PARTY = 15, 70, 20
OLDEST_BIRTH = date(1900, 1, 1)

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that is broken: the authority's code and the field, never a value."""

    code: str
    field: str


def findings(record: Record, photos: tuple[Photo, ...]) -> tuple[Finding, ...]:
    """Return every broken rule, in the order of the table below."""
    guest: Record = record["guest"]
    broken = [Finding(code, f"guest.{name}") for code, name, holds in _GUEST_RULES if not holds(guest[name])]
    broken += [Finding(code, name) for code, name, holds in _RECORD_RULES if not holds(record)]
    broken += [Finding("E13", f"photos.{p.kind}") for p in photos if len(p.jpeg) > PHOTO_BUDGET_BYTES]
    broken += [Finding("E307", f"photos.{p.kind}") for p in photos if not _is_jpeg(p.jpeg)]
    return tuple(broken)


def _guest_code(code: str) -> bool:
    return re.fullmatch(r"[0-9]{22}", code, re.ASCII) is not None


def _name(name: str) -> bool:
    units = len(name.encode("utf-16-le", "surrogatepass")) // 2
    letters = all(unicodedata.category(sign).startswith("L") or sign in "· " for sign in name)
    return 1 <= units <= MAX_NAME_UNITS and letters and name == name.strip()


def _birth_date(text: str) -> bool:
    return date.fromisoformat(text) >= OLDEST_BIRTH


def _address(text: str) -> bool:
    return 1 <= len(text.strip()) <= MAX_ADDRESS and text.isprintable()


_GUEST_RULES: tuple[tuple[str, str, Callable[[Any], bool]], ...] = (
    ("E21", "guestCode", _guest_code),
    ("E22", "name", _name),
    ("E23", "sex", lambda sex: sex in {"1", "2", "0", "9"}),
    ("E24", "ethnicity", lambda code: code in ETHNICITIES),
    ("E25", "birthDate", _birth_date),
    ("E26", "idType", lambda kind: kind == "11"),
    ("E27", "idNumber", resident_id.is_valid),
    ("E28", "divisionCode", lambda code: re.fullmatch(r"[0-9]{6}", code) is not None and code[:2] in PROVINCES),
    ("E29", "address", _address),
    ("E2A", "roomNo", lambda room: bool(room.strip())),
)
"""Code, field of the guest, what its value must keep."""


def _times(record: Record) -> bool:
    begin, end = (datetime.fromisoformat(record["guest"][name]) for name in ("checkInAt", "plannedOutAt"))
    return begin < end and record["occurredAt"] == record["guest"]["checkInAt"]


def _hotel(record: Record) -> bool:
    code: str = record["hotelCode"]
    whole: str = record["guest"]["guestCode"]
    return re.fullmatch(r"[0-9]{10}", code, re.ASCII) is not None and whole.startswith(code)


def _number_agrees(record: Record) -> bool:
    """Birth date, sex and division are those of the number."""
    guest, number = record["guest"], record["guest"]["idNumber"]
    if not resident_id.is_valid(number):
        return False
    same_birth = guest["birthDate"] == resident_id.birth_date(number).isoformat()
    same_sex = guest["sex"] in {"0", "9", resident_id.sex(number)}
    return same_birth and same_sex and bool(guest["divisionCode"] == resident_id.division(number))


def _head_count(record: Record) -> bool:
    index: int = record["guest"]["occupantIndex"]
    size: int = record["guest"]["partySize"]
    return 1 <= index <= size <= MAX_PARTY


def _born_before(record: Record) -> bool:
    return date.fromisoformat(record["guest"]["birthDate"]) <= datetime.fromisoformat(record["occurredAt"]).date()


def _photos_or_reason(record: Record) -> bool:
    return bool(record["photos"]) != ("photoAbsentReason" in record)


_RECORD_RULES: tuple[tuple[str, str, Callable[[Record], bool]], ...] = (
    ("E20", "guest.plannedOutAt", _times),
    ("E21", "hotelCode", _hotel),
    ("E25", "guest.birthDate", _born_before),
    ("E302", "guest.idNumber", _number_agrees),
    ("E306", "guest.partySize", _head_count),
    ("E307", "photoAbsentReason", _photos_or_reason),
)


def _is_jpeg(data: bytes) -> bool:
    return data.startswith(b"\xff\xd8\xff") and data.endswith(b"\xff\xd9")
