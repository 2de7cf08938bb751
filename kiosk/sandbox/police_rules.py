"""What the sandbox's police endpoint demands of one record, rule by rule, each with its code. Pure.

Here: what every record keeps, and a domestic guest's check-in or correction. Overseas guests are in
``police_overseas``, what follows a check-in and visitors in ``police_later``. The rules that need to know other
records are in ``police_beside`` (E2B, E304, E306 by count) and ``police_store`` (E409, E410).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection
from datetime import date, datetime

from kiosk.sandbox import police_later, police_overseas
from kiosk.sandbox.people import ROOMS
from kiosk.sandbox.police_forms import (
    EARLY,
    LONGEST_STAY,
    Finding,
    Rule,
    Seen,
    born,
    counted,
    day,
    moment,
    named,
    number_holds,
    recent,
    room_given,
    room_known,
    text,
)
from kiosk.sandbox.police_tables import ETHNICITIES, ID_TYPES, PROVINCES
from kiosk.sandbox.submission import Submission

HOTEL_CODES = frozenset({"3101009999"})
MAX_PHOTO_BYTES = 30_720
ADULT_YEARS = 18

CHECK_INS = frozenset({"CI", "JI"})
WHOLE = CHECK_INS | {"UP"}
"""Operations whose record says everything about the guest."""
OPERATIONS = WHOLE | frozenset(police_later.RULES)
ABSENT = frozenset({"declined", "no_portrait", "under_14", "no_camera", "face_not_completed"})
METHODS = frozenset({"code+face", "code+staff", "card+face", "card+staff", "passport+staff", "certificate+staff"})
_NAMES = ("stayId", "hotelCode", "kioskId")
FACE_FIELDS = ("similarity", "similarityThreshold", "padScore", "padThreshold", "modelVersion", "consentId")


def judge(sub: Submission, now: datetime, rooms: Collection[str] = ROOMS) -> Finding | None:
    """Return the first rule that the record breaks, in the order of the codes."""
    seen = Seen(sub, now, rooms)
    try:
        return next((Finding(code, name) for code, name, keeps in _rules(sub) if not keeps(seen)), None)
    except (TypeError, ValueError):  # a list where a text belongs: JSON may hold anything anywhere
        return Finding("E400", "record")


def _rules(sub: Submission) -> tuple[Rule, ...]:
    if sub.op == "VI" and sub.revision > 1:
        return (*COMMON, *police_later.VISITOR_LEFT)
    if sub.op in police_later.RULES:
        return (*COMMON, *police_later.RULES[sub.op])
    overseas = sub.op == "JI" or (sub.op == "UP" and "surnameLatin" in sub.guest)
    return (*COMMON, *WHOLE_RECORD, *(police_overseas.RULES if overseas else RULES))


# ---- the rules: True when the record keeps them ----------------------------------------------------------------------


def _form(seen: Seen) -> bool:
    record, verify = seen.sub.record, seen.sub.record.get("verify")
    texts = all(0 < len(name) <= 64 and name.isprintable() for name in map(text, map(record.get, _NAMES)))
    salted = bool(re.fullmatch(r"[0-9a-f]{32}", text(record.get("salt"))))
    flags = seen.sub.op in OPERATIONS and isinstance(record.get("capturedOffline"), bool)
    return texts and salted and flags and isinstance(verify, dict)


def _guest_readable(seen: Seen) -> bool:
    return "sealedGuest" not in seen.sub.record or bool(seen.guest)


def _guest_given(seen: Seen) -> bool:
    return bool(seen.guest)


def _verified(seen: Seen) -> bool:
    verify = seen.sub.record["verify"]
    known = verify.get("method") in METHODS and bool(text(verify.get("identityConsentId")))
    if str(verify.get("method")).endswith("+face"):
        return known and all(verify.get(name) not in (None, "") for name in FACE_FIELDS)
    return known and bool(text(verify.get("operator")))


def _occurred(seen: Seen) -> bool:
    return recent(moment(seen.sub.record.get("occurredAt")), seen.now)


def _check_in(seen: Seen) -> bool:
    at = moment(seen.guest.get("checkInAt"))
    if seen.sub.op == "UP":  # of a long stay: when it is said is recent, what it is about need not be
        return at is not None and at <= seen.now + EARLY
    return recent(at, seen.now)


def _check_out(seen: Seen) -> bool:
    begin, end = moment(seen.guest.get("checkInAt")), moment(seen.guest.get("plannedOutAt"))
    return begin is not None and end is not None and begin < end <= begin + LONGEST_STAY


def _hotel(seen: Seen) -> bool:
    return seen.sub.record["hotelCode"] in HOTEL_CODES


def _guest_code(seen: Seen) -> bool:
    hotel, code = text(seen.sub.record.get("hotelCode")), text(seen.guest.get("guestCode"))
    return bool(re.fullmatch(r"[0-9]{22}", code)) and code.startswith(hotel)


def _name(seen: Seen) -> bool:
    return named(seen.guest.get("name"))


def _sex(seen: Seen) -> bool:
    sex, number = seen.guest.get("sex"), text(seen.guest.get("idNumber"))
    if sex not in {"0", "1", "2", "9"}:
        return False
    return not number_holds(number) or sex in {"0", "9"} or (int(number[16]) % 2 == 1) == (sex == "1")


def _ethnicity(seen: Seen) -> bool:
    return seen.guest.get("ethnicity") in ETHNICITIES


def _id_type(seen: Seen) -> bool:
    return seen.guest.get("idType") in ID_TYPES


def _id_number(seen: Seen) -> bool:
    return number_holds(text(seen.guest.get("idNumber")))


def _division(seen: Seen) -> bool:
    code = text(seen.guest.get("divisionCode"))
    return bool(re.fullmatch(r"[0-9]{6}", code)) and code[:2] in PROVINCES


def _address(seen: Seen) -> bool:
    return 1 <= len(text(seen.guest.get("address")).strip()) <= 70


def _in_force(seen: Seen) -> bool:
    """A document's last day, where the record has it, is not past on the day of the check-in; 长期 has no end."""
    until, at = seen.guest.get("validTo"), moment(seen.sub.record.get("occurredAt"))
    if until is None or until == "长期":
        return True
    last = day(until)
    return last is not None and at is not None and at.date() <= last


def _pictures(seen: Seen) -> Collection[bytes]:
    return seen.sub.photos.values() if seen.sub.pictures is None else seen.sub.pictures


def _photos_small(seen: Seen) -> bool:
    return all(len(photo) <= MAX_PHOTO_BYTES for photo in _pictures(seen))


def _photos_whole(seen: Seen) -> bool:
    """Every photo that came is the one that its name says, and the record names exactly those that came."""
    listed = [text(photo.get("sha256")) for photo in seen.sub.photo_list]
    true = all(hashlib.sha256(photo).hexdigest() == name for name, photo in seen.sub.photos.items())
    return true and set(listed) == (set(seen.sub.photos) if seen.sub.revision == 1 else set()) and len(listed) <= 2


def _photos_or_reason(seen: Seen) -> bool:
    kinds = [photo.get("kind") for photo in seen.sub.photo_list]
    reason = seen.sub.record.get("photoAbsentReason")
    if reason is not None and reason not in ABSENT:
        return False
    later = seen.sub.revision > 1 or seen.sub.op not in WHOLE
    return set(kinds) <= {"id", "live"} and len(kinds) == len(set(kinds)) and bool(kinds or reason or later)


def _photos_jpeg(seen: Seen) -> bool:
    return all(photo.startswith(b"\xff\xd8\xff") and photo.endswith(b"\xff\xd9") for photo in _pictures(seen))


def _birth_in_number(seen: Seen) -> bool:
    return text(seen.guest.get("birthDate")).replace("-", "") == text(seen.guest.get("idNumber"))[6:14]


def _guardian(seen: Seen) -> bool:
    birth, today = date.fromisoformat(seen.guest["birthDate"]), seen.now.date()
    years = today.year - birth.year - ((today.month, today.day) < (birth.month, birth.day))
    return years >= ADULT_YEARS or all(text(seen.guest.get(name)) for name in ("guardianName", "guardianPhone"))


COMMON: tuple[Rule, ...] = (
    ("E400", "record", _form),
    ("E400", "sealedGuest", _guest_readable),
    ("E400", "record", _guest_given),
    ("E20", "occurredAt", _occurred),
    ("E21", "hotelCode", _hotel),
    ("E13", "photos", _photos_small),
    ("E301", "photos", _photos_whole),
    ("E307", "photos", _photos_jpeg),
    ("E307", "photoAbsentReason", _photos_or_reason),
)
"""Of every record."""
WHOLE_RECORD: tuple[Rule, ...] = (
    ("E400", "verify", _verified),
    ("E20", "guest.checkInAt", _check_in),
    ("E20", "guest.plannedOutAt", _check_out),
    ("E21", "guest.guestCode", _guest_code),
    ("E25", "guest.birthDate", born),
    ("E2A", "guest.roomNo", room_given),
    ("ENOROOM", "guest.roomNo", room_known),
    ("E303", "guest.validTo", _in_force),
    ("E305", "guest.guardianName", _guardian),
    ("E306", "guest.partySize", counted),
)
"""Of a check-in or a correction, whoever the guest is."""
RULES: tuple[Rule, ...] = (
    ("E22", "guest.name", _name),
    ("E23", "guest.sex", _sex),
    ("E24", "guest.ethnicity", _ethnicity),
    ("E26", "guest.idType", _id_type),
    ("E27", "guest.idNumber", _id_number),
    ("E28", "guest.divisionCode", _division),
    ("E29", "guest.address", _address),
    ("E302", "guest.birthDate", _birth_in_number),
)
"""Of a domestic guest."""
