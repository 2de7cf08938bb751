"""Forms that the rules of the sandbox's police endpoint ask for: texts, times, dates, numbers. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, TypeAlias

from kiosk.sandbox.submission import Submission

EARLY = timedelta(minutes=5)
OLDEST = timedelta(days=30)
"""An outage may be long; a check-in of last month is a mistake."""
LONGEST_STAY = timedelta(days=366)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


@dataclass(frozen=True, slots=True)
class Finding:
    """Why a record is not accepted, or accepted with a warning: a code, and the field it is about."""

    code: str
    field: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A submission, the endpoint's time at which it is judged, and the rooms that the endpoint knows."""

    sub: Submission
    now: datetime
    rooms: Collection[str]

    @property
    def guest(self) -> Mapping[str, Any]:
        """The part about the guest."""
        return self.sub.guest


Rule: TypeAlias = tuple[str, str, Callable[[Seen], bool]]
"""A code, the field it is about, and what a record must keep."""


def text(value: object) -> str:
    """Return a text; anything else is an empty one."""
    return value if isinstance(value, str) else ""


def moment(value: object) -> datetime | None:
    """Read a time with the offset of Shanghai; anything else is None."""
    try:
        read = datetime.fromisoformat(text(value))
    except ValueError:
        return None
    return read if read.utcoffset() == timedelta(hours=8) else None


def recent(at: datetime | None, now: datetime) -> bool:
    """Say whether this is neither in the future nor of last month."""
    return at is not None and now - OLDEST <= at <= now + EARLY


def day(value: object) -> date | None:
    """Read a date; anything else is None."""
    try:
        return date.fromisoformat(text(value))
    except ValueError:
        return None


def number_holds(number: str) -> bool:
    """Say whether this is a number of GB 11643: 17 digits with a birth date, and the check digit of them."""
    if not re.fullmatch(r"[0-9]{17}[0-9X]", number) or day(f"{number[6:10]}-{number[10:12]}-{number[12:14]}") is None:
        return False
    return "10X98765432"[sum(int(c) * w for c, w in zip(number, _WEIGHTS, strict=False)) % 11] == number[17]


def named(value: object) -> bool:
    """Say whether this is a name as a Chinese document has it: 1 to 15 UTF-16 units, letters, dots, spaces."""
    name = text(value)
    units = len(name.encode("utf-16-le")) // 2
    return 1 <= units <= 15 and all(unicodedata.category(c).startswith("L") or c in "· " for c in name)


def counted(seen: Seen) -> bool:
    """Say whether occupant and party size fit together."""
    index, size = seen.guest.get("occupantIndex"), seen.guest.get("partySize")
    return type(index) is int and type(size) is int and 1 <= index <= size <= 20


def born(seen: Seen) -> bool:
    """Say whether there is a birth date, in the past."""
    birth = day(seen.guest.get("birthDate"))
    return birth is not None and date(1900, 1, 1) <= birth <= seen.now.date()


def room_given(seen: Seen) -> bool:
    """Say whether there is a room."""
    return bool(text(seen.guest.get("roomNo")))


def room_known(seen: Seen) -> bool:
    """Say whether the room is the hotel's."""
    return seen.guest["roomNo"] in seen.rooms
