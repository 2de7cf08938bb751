"""Resident-ID numbers of GB 11643: 6 digits division, 8 birth date, 3 sequence, 1 check digit."""

from __future__ import annotations

import re
from datetime import date, datetime
from enum import Enum, auto

_FORM = re.compile(r"[1-9][0-9]{16}[0-9X]", re.ASCII)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_DIGITS = "10X98765432"
_FOREIGN_PERMIT = "9"


class Holder(Enum):
    """Which document has this number. Only a citizen's card is registered by the kiosk itself."""

    CITIZEN = auto()
    HK_MACAU_PERMIT = auto()
    TAIWAN_PERMIT = auto()
    FOREIGN_PERMIT = auto()


def normal(number: str) -> str:
    """Return the number as it is compared and stored: no spaces, capital X."""
    return number.strip().upper()


def is_valid(number: str) -> bool:
    """Say whether form, check digit and birth date hold. Old and abolished divisions are fine."""
    if not _FORM.fullmatch(number) or check_digit(number[:17]) != number[17]:
        return False
    try:
        birth_date(number)
    except ValueError:
        return False
    return True


def check_digit(body: str) -> str:
    """Return the 18th character for the first 17 digits."""
    return _CHECK_DIGITS[sum(int(digit) * weight for digit, weight in zip(body, _WEIGHTS, strict=True)) % 11]


def birth_date(number: str) -> date:
    """Return digits 7 to 14. Raises ValueError for a day that never was."""
    return datetime.strptime(number[6:14], "%Y%m%d").date()  # noqa: DTZ007 - a birth date has no time zone


def sex(number: str) -> str:
    """Return the sex that digit 17 gives, as GB/T 2261.1: 1 male, 2 female."""
    return "1" if int(number[16]) % 2 else "2"


def division(number: str) -> str:
    """Return the GB/T 2260 code of the first registration. It refuses nobody: people move, numbers stay."""
    return number[:6]


def holder(number: str) -> Holder:
    """Say from the prefix whose document carries this number."""
    if number.startswith(_FOREIGN_PERMIT):
        return Holder.FOREIGN_PERMIT
    match number[:2]:
        case "81" | "82":
            return Holder.HK_MACAU_PERMIT
        case "83":
            return Holder.TAIWAN_PERMIT
        case _:
            return Holder.CITIZEN
