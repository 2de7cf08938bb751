"""Forms that a record's fields must have, and the finding for one that has not. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, TypeAlias

from kiosk.registration.code_tables import CodeTables

MAX_NAME_UNITS, MAX_PARTY, MAX_ID = 15, 20, 64
LONGEST_STAY = timedelta(days=366)
OLDEST_BIRTH = date(1900, 1, 1)

OPERATIONS = frozenset({"CI", "JI", "UP", "RC", "EX", "CC", "JC", "VD", "VI"})

Record: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that is broken: the authority's code and the field, never a value."""

    code: str
    field: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A record before it is frozen, and the tables that its codes are checked against."""

    record: Record = field(repr=False)
    tables: CodeTables

    @property
    def guest(self) -> Record:
        """The part about the guest. Raises KeyError."""
        guest: Record = self.record["guest"]
        return guest


Rule: TypeAlias = tuple[str, str, Callable[[Draft], bool]]
"""The authority's code, the field it is about, what the record must keep."""


def broken(rules: tuple[Rule, ...], draft: Draft) -> list[Finding]:
    """Return the finding of each rule that the record breaks; a field that is missing or of another kind breaks it."""
    return [Finding(code, name) for code, name, keeps in rules if not _keeps(keeps, draft)]


def _keeps(keeps: Callable[[Draft], bool], draft: Draft) -> bool:
    try:
        return bool(keeps(draft))
    except (KeyError, TypeError, ValueError, AttributeError):
        return False


def moment(text: str) -> datetime:
    """Read a time that has its offset. Raises ValueError."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("no offset")
    return at


def chinese_name(name: str) -> bool:
    """Say whether this is a name as a Chinese document has it."""
    units = len(name.encode("utf-16-le", "surrogatepass")) // 2
    letters = all(unicodedata.category(sign).startswith("L") or sign in "· " for sign in name)
    return 1 <= units <= MAX_NAME_UNITS and letters and name == name.strip()


def _named(draft: Draft) -> bool:
    """Stay, hotel and kiosk are named, in signs that can be written."""
    names = [draft.record[name] for name in ("stayId", "hotelCode", "kioskId")]
    return all(0 < len(name) <= MAX_ID and name.isprintable() for name in names)


def _salted(draft: Draft) -> bool:
    return re.fullmatch(r"[0-9a-f]{32}", draft.record["salt"], re.ASCII) is not None


def _told(draft: Draft) -> bool:
    known = draft.record["op"] in OPERATIONS
    return known and isinstance(draft.record["capturedOffline"], bool) and isinstance(draft.guest, Mapping)


def _revision(draft: Draft) -> bool:
    revision = draft.record["revision"]
    return type(revision) is int and revision >= 1


def _hotel(draft: Draft) -> bool:
    return re.fullmatch(r"[0-9]{10}", draft.record["hotelCode"], re.ASCII) is not None


def _occurred(draft: Draft) -> bool:
    return moment(draft.record["occurredAt"]).year >= OLDEST_BIRTH.year


def room(draft: Draft) -> bool:
    """Say whether a room is named."""
    return bool(draft.guest["roomNo"].strip())


def room_known(draft: Draft) -> bool:
    """Say whether the authority knows the room; any, as long as it told no list."""
    return draft.tables.rooms is None or draft.guest["roomNo"] in draft.tables.rooms


COMMON: tuple[Rule, ...] = (
    ("E400", "record", _named),
    ("E400", "revision", _revision),
    ("E400", "salt", _salted),
    ("E400", "record", _told),
    ("E20", "occurredAt", _occurred),
    ("E21", "hotelCode", _hotel),
)
"""Of every record."""
ROOM: tuple[Rule, ...] = (("E2A", "guest.roomNo", room), ("ENOROOM", "guest.roomNo", room_known))
