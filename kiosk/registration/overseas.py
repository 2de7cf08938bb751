"""What the record of a guest from overseas must hold (JI, and UP of one), after the police's own audit faults. Pure."""

from __future__ import annotations

import re
from datetime import date

from kiosk.registration.forms import OLDEST_BIRTH, ROOM, Draft, Rule, chinese_name, moment

CHINESE_NAME_TOO = frozenset({"16", "17", "19"})
"""Documents of guests from Hong Kong, Macau, Taiwan and of overseas Chinese: the Chinese name is needed as well."""
VISA_FREE = "MQ"
_LATIN = re.compile(r"[A-Z]+(?:[ '-][A-Z]+)*")
_UMLAUTS = str.maketrans({"Ä": "AE", "Ö": "OE", "Ü": "UE", "ß": "SS", "Å": "AA", "Æ": "AE", "Ø": "OE", "Ñ": "N"})


def latin(name: str) -> str:
    """Return a name as the machine-readable zone writes it: upper case, half width, umlauts in two letters.

    Particles such as BIN, BINTI and S-O stay: the visual zone has them.
    """
    half = "".join(chr(ord(sign) - 0xFEE0) if 0xFF01 <= ord(sign) <= 0xFF5E else sign for sign in name)
    return " ".join(half.replace("ß", "SS").upper().translate(_UMLAUTS).split())


def _code(draft: Draft) -> bool:
    return re.fullmatch(r"[0-9]{22}", draft.guest["guestCode"], re.ASCII) is not None


def _surname(draft: Draft) -> bool:
    name = draft.guest["surnameLatin"]
    return len(name) <= 40 and _LATIN.fullmatch(name) is not None


def _given(draft: Draft) -> bool:
    """A single name stands in the surname, and this is empty."""
    name = draft.guest["givenLatin"]
    return name == "" or (len(name) <= 40 and _LATIN.fullmatch(name) is not None)


def _chinese_name(draft: Draft) -> bool:
    guest = draft.guest
    name = guest.get("nameCn", "")
    return chinese_name(name) if name else guest["documentType"] not in CHINESE_NAME_TOO


def _sex(draft: Draft) -> bool:
    return draft.guest["sex"] in {"1", "2", "0", "9"}


def _birth_date(draft: Draft) -> bool:
    return date.fromisoformat(draft.guest["birthDate"]) >= OLDEST_BIRTH


def _nationality(draft: Draft) -> bool:
    code = draft.guest["nationality"]
    return re.fullmatch(r"[A-Z]{3}", code) is not None and (
        draft.tables.countries is None or code in draft.tables.countries
    )


def _document_type(draft: Draft) -> bool:
    code, known = draft.guest["documentType"], draft.tables.documents
    return re.fullmatch(r"[0-9A-Z]{2}", code) is not None and (known is None or code in known)


def _document_number(draft: Draft) -> bool:
    return re.fullmatch(r"[A-Z0-9]{5,20}", draft.guest["documentNumber"]) is not None


def _visa_type(draft: Draft) -> bool:
    code, known = draft.guest["visaType"], draft.tables.visas
    return re.fullmatch(r"[A-Z][A-Z0-9]?", code) is not None and (known is None or code in known)


def _visa_number(draft: Draft) -> bool:
    number = draft.guest["visaNumber"]
    free = draft.guest["visaType"] == VISA_FREE
    return (number == "" and free) or re.fullmatch(r"[A-Z0-9]{5,20}", number) is not None


def _stay_until(draft: Draft) -> bool:
    return date.fromisoformat(draft.guest["stayUntil"]) >= moment(draft.record["occurredAt"]).date()


def _entry_date(draft: Draft) -> bool:
    return date.fromisoformat(draft.guest["entryDate"]) <= moment(draft.record["occurredAt"]).date()


def _entry_port(draft: Draft) -> bool:
    code, known = draft.guest["entryPort"], draft.tables.ports
    return bool(code.strip()) and (known is None or code in known)


def _stay_reason(draft: Draft) -> bool:
    code, known = draft.guest["stayReason"], draft.tables.reasons
    return bool(code.strip()) and (known is None or code in known)


def _issued_at(draft: Draft) -> bool:
    return 1 <= len(draft.guest["issuedAt"].strip()) <= 40


RULES: tuple[Rule, ...] = (
    ("E21", "guest.guestCode", _code),
    ("EJW1", "guest.surnameLatin", _surname),
    ("E22", "guest.givenLatin", _given),
    ("E22", "guest.nameCn", _chinese_name),
    ("E23", "guest.sex", _sex),
    ("E25", "guest.birthDate", _birth_date),
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
    *ROOM,
)
