"""Forms that a record's fields must have, and the finding for one that has not. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypeAlias

from kiosk.registration.code_tables import CodeTables

MAX_NAME_UNITS, MAX_PARTY = 15, 20
OLDEST_BIRTH = date(1900, 1, 1)

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


def room(draft: Draft) -> bool:
    """Say whether a room is named."""
    return bool(draft.guest["roomNo"].strip())


def room_known(draft: Draft) -> bool:
    """Say whether the authority knows the room; any, as long as it told no list."""
    return draft.tables.rooms is None or draft.guest["roomNo"] in draft.tables.rooms


ROOM: tuple[Rule, ...] = (("E2A", "guest.roomNo", room), ("ENOROOM", "guest.roomNo", room_known))
