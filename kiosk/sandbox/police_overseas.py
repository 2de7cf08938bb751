"""What the sandbox's police endpoint demands of a guest from overseas (JI, and UP of one). Pure."""

from __future__ import annotations

import re
from datetime import timedelta

from kiosk.sandbox.police_forms import Rule, Seen, day, moment, named, text
from kiosk.sandbox.police_tables import COUNTRIES, DOCUMENTS, PORTS, STAY_REASONS, VISA_FREE, VISAS

CHINESE_NAME_TOO = frozenset({"16", "17", "19"})
"""Documents of guests from Hong Kong, Macau, Taiwan and of overseas Chinese."""
_LATIN = re.compile(r"[A-Z]+([ '-][A-Z]+)*")
_DOCUMENT = re.compile(r"[A-Z0-9]{5,20}")
_VISA = re.compile(r"[A-Z0-9]{5,20}")


def _surname(seen: Seen) -> bool:
    """Upper case and half width, as the visual zone has it; a single name stands here."""
    name = text(seen.guest.get("surnameLatin"))
    return len(name) <= 40 and _LATIN.fullmatch(name) is not None


def _given(seen: Seen) -> bool:
    name = seen.guest.get("givenLatin")
    return name == "" or (len(text(name)) <= 40 and _LATIN.fullmatch(text(name)) is not None)


def _chinese_name(seen: Seen) -> bool:
    given = text(seen.guest.get("nameCn"))
    if not given:
        return seen.guest.get("documentType") not in CHINESE_NAME_TOO
    return named(given)


def _sex(seen: Seen) -> bool:
    return seen.guest.get("sex") in {"0", "1", "2", "9"}


def _nationality(seen: Seen) -> bool:
    return seen.guest.get("nationality") in COUNTRIES


def _document_type(seen: Seen) -> bool:
    return seen.guest.get("documentType") in DOCUMENTS


def _document_number(seen: Seen) -> bool:
    return _DOCUMENT.fullmatch(text(seen.guest.get("documentNumber"))) is not None


def _visa_type(seen: Seen) -> bool:
    return seen.guest.get("visaType") in VISAS


def _visa_number(seen: Seen) -> bool:
    number = text(seen.guest.get("visaNumber"))
    return _VISA.fullmatch(number) is not None or (number == "" and seen.guest.get("visaType") == VISA_FREE)


def _stay_until(seen: Seen) -> bool:
    """The permitted stay is not over on the day of the check-in."""
    last, at = day(seen.guest.get("stayUntil")), moment(seen.sub.record.get("occurredAt"))
    return last is not None and at is not None and last >= at.date()


def _entry_date(seen: Seen) -> bool:
    entered, today = day(seen.guest.get("entryDate")), seen.now.date()
    return entered is not None and today - timedelta(days=366 * 10) <= entered <= today


def _entry_port(seen: Seen) -> bool:
    return seen.guest.get("entryPort") in PORTS


def _stay_reason(seen: Seen) -> bool:
    return seen.guest.get("stayReason") in STAY_REASONS


def _issued_at(seen: Seen) -> bool:
    """The place that issued the document or the visa."""
    return 1 <= len(text(seen.guest.get("issuedAt")).strip()) <= 40


RULES: tuple[Rule, ...] = (
    ("EJW1", "guest.surnameLatin", _surname),
    ("E22", "guest.givenLatin", _given),
    ("E22", "guest.nameCn", _chinese_name),
    ("E23", "guest.sex", _sex),
    ("EJW2", "guest.nationality", _nationality),
    ("E26", "guest.documentType", _document_type),
    ("E27", "guest.documentNumber", _document_number),
    ("EJW3", "guest.visaType", _visa_type),
    ("EJW6", "guest.visaNumber", _visa_number),
    ("EJW4", "guest.stayUntil", _stay_until),
    ("EJW5", "guest.entryDate", _entry_date),
    ("ERJKA", "guest.entryPort", _entry_port),
    ("ETLSY", "guest.stayReason", _stay_reason),
    ("EQFD", "guest.issuedAt", _issued_at),
)
