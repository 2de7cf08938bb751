"""What the sandbox's police endpoint demands of one record, rule by rule, each with its code. Pure.

The rules that need to know other records (E2B, E304, E306 by count, E409, E410) are in ``police_store``.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from kiosk.sandbox.messages import BadRequest
from kiosk.sandbox.people import ROOMS
from kiosk.sandbox.police_tables import ETHNICITIES, ID_TYPES, PROVINCES

HOTEL_CODES = frozenset({"3101009999"})
MAX_PHOTO_BYTES = 30_720
MAX_TEXT_BYTES = 16_384
EARLY = timedelta(minutes=5)
OLDEST = timedelta(days=30)
"""An outage may be long; a check-in of last month is a mistake."""
ADULT_YEARS = 18

OPERATIONS = frozenset({"CI", "CC", "RC", "EX", "UP", "VD"})
ABSENT = frozenset({"declined", "no_portrait", "under_14", "no_camera", "face_not_completed"})
METHODS = frozenset({"code+face", "code+staff", "card+face", "card+staff"})
FACE_FIELDS = ("similarity", "similarityThreshold", "padScore", "padThreshold", "modelVersion", "consentId")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


@dataclass(frozen=True, slots=True)
class Finding:
    """Why a record is not accepted, or accepted with a warning: a code, and the field it is about."""

    code: str
    field: str


@dataclass(frozen=True, slots=True)
class Submission:
    """One item of a batch, parsed as far as it takes to answer about it."""

    record_id: str
    revision: int
    content_hash: str
    """SHA-256 of the record's exact bytes, in lower-case hexadecimal."""
    text: str = field(repr=False)
    record: Mapping[str, Any] = field(repr=False)
    photos: Mapping[str, bytes] = field(repr=False)
    previous_receipt: str = ""

    @property
    def guest(self) -> Mapping[str, Any]:
        """The part about the guest; empty if there is none."""
        guest = self.record.get("guest")
        return guest if isinstance(guest, dict) else {}

    @property
    def photo_list(self) -> list[Mapping[str, Any]]:
        """The photos that the record names."""
        photos = self.record.get("photos")
        return [photo for photo in photos if isinstance(photo, dict)] if isinstance(photos, list) else []


def parse(item: object) -> Submission:
    """Read one item of a batch. Raises BadRequest E400 for what cannot even be answered about, E13 for too large."""
    if not isinstance(item, dict) or not isinstance(item.get("record"), str):
        raise BadRequest("an item wants a record as a JSON text")
    text, photos = item["record"], item.get("photos", {})
    if not isinstance(photos, dict):
        raise BadRequest("photos must map a SHA-256 to base64")
    try:
        exact = text.encode()
        record = json.loads(text)
        record_id, revision = str(UUID(record["recordId"])), record["revision"]
        opened = {str(name): base64.b64decode(value, validate=True) for name, value in photos.items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, binascii.Error) as exc:
        raise BadRequest("a record is no JSON object with recordId and revision, or a photo no base64") from exc
    if not isinstance(revision, int) or isinstance(revision, bool) or revision < 1:
        raise BadRequest("revision must be 1 or more")
    if len(exact) > MAX_TEXT_BYTES:
        raise BadRequest("a record is too large", "E13", 413)
    content_hash = hashlib.sha256(exact).hexdigest()
    return Submission(record_id, revision, content_hash, text, record, opened, str(item.get("prevReceipt", "")))


def judge(sub: Submission, now: datetime) -> Finding | None:
    """Return the first rule that the record breaks, in the order of the codes."""
    try:
        return next((Finding(code, name) for code, name, keeps in RULES if not keeps(_Seen(sub, now))), None)
    except (TypeError, ValueError):  # a list where a text belongs: JSON may hold anything anywhere
        return Finding("E400", "record")


# ---- the rules: True when the record keeps them ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Seen:
    """A submission and the endpoint's time at which it is judged."""

    sub: Submission
    now: datetime


def _form(seen: _Seen) -> bool:
    record, verify = seen.sub.record, seen.sub.record.get("verify")
    texts = all(isinstance(record.get(name), str) and record[name] for name in ("stayId", "hotelCode", "kioskId"))
    salted = bool(re.fullmatch(r"[0-9a-f]{32}", _text(record.get("salt"))))
    flags = record.get("op") in OPERATIONS and isinstance(record.get("capturedOffline"), bool)
    return texts and salted and flags and isinstance(verify, dict) and bool(seen.sub.guest)


def _verified(seen: _Seen) -> bool:
    verify = seen.sub.record["verify"]
    named = verify.get("method") in METHODS and bool(_text(verify.get("identityConsentId")))
    if str(verify.get("method")).endswith("+face"):
        return named and all(verify.get(name) not in (None, "") for name in FACE_FIELDS)
    return named and bool(_text(verify.get("operator")))


def _occurred(seen: _Seen) -> bool:
    return _recent(_moment(seen.sub.record.get("occurredAt")), seen.now)


def _check_in(seen: _Seen) -> bool:
    return _recent(_moment(seen.sub.guest.get("checkInAt")), seen.now)


def _check_out(seen: _Seen) -> bool:
    begin, end = _moment(seen.sub.guest.get("checkInAt")), _moment(seen.sub.guest.get("plannedOutAt"))
    return begin is not None and end is not None and begin < end <= begin + timedelta(days=366)


def _guest_code(seen: _Seen) -> bool:
    hotel, code = _text(seen.sub.record.get("hotelCode")), _text(seen.sub.guest.get("guestCode"))
    return hotel in HOTEL_CODES and bool(re.fullmatch(r"[0-9]{22}", code)) and code.startswith(hotel)


def _name(seen: _Seen) -> bool:
    name = _text(seen.sub.guest.get("name"))
    units = len(name.encode("utf-16-le")) // 2
    return 1 <= units <= 15 and all(unicodedata.category(c).startswith("L") or c in "· " for c in name)


def _sex(seen: _Seen) -> bool:
    sex, number = seen.sub.guest.get("sex"), _text(seen.sub.guest.get("idNumber"))
    if sex not in {"0", "1", "2", "9"}:
        return False
    return not _number_holds(number) or sex in {"0", "9"} or (int(number[16]) % 2 == 1) == (sex == "1")


def _ethnicity(seen: _Seen) -> bool:
    return seen.sub.guest.get("ethnicity") in ETHNICITIES


def _birth(seen: _Seen) -> bool:
    born = _day(seen.sub.guest.get("birthDate"))
    return born is not None and date(1900, 1, 1) <= born <= seen.now.date()


def _id_type(seen: _Seen) -> bool:
    return seen.sub.guest.get("idType") in ID_TYPES


def _id_number(seen: _Seen) -> bool:
    return _number_holds(_text(seen.sub.guest.get("idNumber")))


def _division(seen: _Seen) -> bool:
    code = _text(seen.sub.guest.get("divisionCode"))
    return bool(re.fullmatch(r"[0-9]{6}", code)) and code[:2] in PROVINCES


def _address(seen: _Seen) -> bool:
    return 1 <= len(_text(seen.sub.guest.get("address")).strip()) <= 70


def _room_given(seen: _Seen) -> bool:
    return bool(_text(seen.sub.guest.get("roomNo")))


def _room_known(seen: _Seen) -> bool:
    return seen.sub.guest["roomNo"] in ROOMS


def _photos_small(seen: _Seen) -> bool:
    return all(len(photo) <= MAX_PHOTO_BYTES for photo in seen.sub.photos.values())


def _photos_whole(seen: _Seen) -> bool:
    """Every photo that came is the one that its name says, and the record names exactly those that came."""
    named = [_text(photo.get("sha256")) for photo in seen.sub.photo_list]
    true = all(hashlib.sha256(photo).hexdigest() == name for name, photo in seen.sub.photos.items())
    return true and set(named) == (set(seen.sub.photos) if seen.sub.revision == 1 else set()) and len(named) <= 2


def _photos_or_reason(seen: _Seen) -> bool:
    kinds = [photo.get("kind") for photo in seen.sub.photo_list]
    reason = seen.sub.record.get("photoAbsentReason")
    if reason is not None and reason not in ABSENT:
        return False
    return (
        set(kinds) <= {"id", "live"}
        and len(kinds) == len(set(kinds))
        and bool(kinds or reason or seen.sub.revision > 1)
    )


def _photos_jpeg(seen: _Seen) -> bool:
    return all(photo.startswith(b"\xff\xd8\xff") and photo.endswith(b"\xff\xd9") for photo in seen.sub.photos.values())


def _birth_in_number(seen: _Seen) -> bool:
    return _text(seen.sub.guest.get("birthDate")).replace("-", "") == _text(seen.sub.guest.get("idNumber"))[6:14]


def _guardian(seen: _Seen) -> bool:
    born = date.fromisoformat(seen.sub.guest["birthDate"])
    today = seen.now.date()
    years = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    return years >= ADULT_YEARS or all(_text(seen.sub.guest.get(name)) for name in ("guardianName", "guardianPhone"))


def _head_count(seen: _Seen) -> bool:
    index, size = seen.sub.guest.get("occupantIndex"), seen.sub.guest.get("partySize")
    return type(index) is int and type(size) is int and 1 <= index <= size <= 20


RULES: tuple[tuple[str, str, Callable[[_Seen], bool]], ...] = (
    ("E400", "record", _form),
    ("E400", "verify", _verified),
    ("E13", "photos", _photos_small),
    ("E20", "occurredAt", _occurred),
    ("E20", "guest.checkInAt", _check_in),
    ("E20", "guest.plannedOutAt", _check_out),
    ("E21", "guest.guestCode", _guest_code),
    ("E22", "guest.name", _name),
    ("E23", "guest.sex", _sex),
    ("E24", "guest.ethnicity", _ethnicity),
    ("E25", "guest.birthDate", _birth),
    ("E26", "guest.idType", _id_type),
    ("E27", "guest.idNumber", _id_number),
    ("E28", "guest.divisionCode", _division),
    ("E29", "guest.address", _address),
    ("E2A", "guest.roomNo", _room_given),
    ("ENOROOM", "guest.roomNo", _room_known),
    ("E301", "photos", _photos_whole),
    ("E302", "guest.birthDate", _birth_in_number),
    ("E305", "guest.guardianName", _guardian),
    ("E306", "guest.partySize", _head_count),
    ("E307", "photos", _photos_jpeg),
    ("E307", "photoAbsentReason", _photos_or_reason),
)

# ---- forms -----------------------------------------------------------------------------------------------------------


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _moment(value: object) -> datetime | None:
    """Read a time with the offset of Shanghai; anything else is None."""
    try:
        moment = datetime.fromisoformat(_text(value))
    except ValueError:
        return None
    return moment if moment.utcoffset() == timedelta(hours=8) else None


def _recent(moment: datetime | None, now: datetime) -> bool:
    return moment is not None and now - OLDEST <= moment <= now + EARLY


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(_text(value))
    except ValueError:
        return None


def _number_holds(number: str) -> bool:
    """Say whether this is a number of GB 11643: 17 digits with a birth date, and the check digit of them."""
    if not re.fullmatch(r"[0-9]{17}[0-9X]", number) or _day(f"{number[6:10]}-{number[10:12]}-{number[12:14]}") is None:
        return False
    return "10X98765432"[sum(int(c) * w for c, w in zip(number, _WEIGHTS, strict=False)) % 11] == number[17]
