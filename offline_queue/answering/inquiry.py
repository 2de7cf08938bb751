"""What may be asked about the outbox, as one line of JSON. Pure; ``answers.py`` and ``upkeep.py`` answer it."""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import asdict, dataclass, field, fields
from typing import Literal, TypeAlias, get_args
from uuid import UUID

from kiosk.errors import ContractError

Ask: TypeAlias = Literal[
    "status",
    "list",
    "show",
    "waiting",
    "retry",
    "amend",
    "export",
    "purge",
    "receipt",
    "hold",
    "release",
    "verify",
    "salvage",
    "rotate-keys",
]
Row: TypeAlias = dict[str, object]

LONG_ASKS: frozenset[str] = frozenset({"export", "purge", "verify", "salvage", "rotate-keys"})
"""Those that may take minutes: one of them at a time, on a thread of its own."""
LONGEST_LIST = 500
LONGEST_REASON = 200
_OPERATOR = re.compile(r"[\w.@-]{1,40}")
_EXPORT_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Inquiry:
    """One question. ``record`` empty with ``retry``: only try the line at once."""

    ask: Ask
    record: str = ""
    limit: int = 50
    waiting: bool = False
    """``list``: only what is not delivered, the one due first on top."""
    flagged: bool = False
    """``list``: only what staff should look at though it is delivered."""
    dry_run: bool = False
    """``purge``: say what would be erased, erase nothing."""
    report: bool = False
    """``purge``: say what was erased until now, erase nothing."""
    case: str = ""
    """``hold``: number of the case that wants the record kept."""
    operator: str = ""
    """``export``: who takes the data away; ``amend``: who says so."""
    op: str = ""
    """``amend``: RC, EX, UP, VD, CC or VI."""
    value: str = field(default="", repr=False)
    """``amend``: the room, the time, the reason, or fields of a guest or a visitor as an object of JSON."""
    reason: str = ""
    """``export``: why."""
    export_id: str = ""
    """``export``: 32 hex digits that stand in the audit and on each page."""

    def to_json(self) -> bytes:
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_json(cls, line: bytes) -> Inquiry:
        """Read a question that may come from anybody. Raises ContractError."""
        try:
            told = json.loads(line.decode("utf-8"))
        except (ValueError, RecursionError):
            raise ContractError("outbox: a question is one line of JSON in UTF-8") from None
        if not isinstance(told, dict) or told.get("ask") not in get_args(Ask):
            raise ContractError(f"outbox: ask one of {', '.join(get_args(Ask))}")
        known = {one.name: told[one.name] for one in fields(cls) if one.name in told}
        for name, value in known.items():
            if type(value) is not type(getattr(_LIKE, name)):
                raise ContractError(f"outbox: {name} is of another kind than it should be")
        inquiry = cls(**known)
        if not 1 <= inquiry.limit <= LONGEST_LIST:
            raise ContractError(f"outbox: limit is a number from 1 to {LONGEST_LIST}")
        return inquiry


_LIKE = Inquiry("status")


def as_object(value: object) -> Row:
    """Return an object of JSON, or an empty one."""
    return value if isinstance(value, dict) else {}


def record_of(text: str) -> UUID:
    """Read a record's id. Raises ContractError."""
    try:
        return UUID(text)
    except ValueError:
        raise ContractError("outbox: a record is named by its UUID; ./run queue list shows them") from None


def checked_operator(text: str) -> str:
    """Return the operator's name. Raises ContractError for none, or one that is no name."""
    if not _OPERATOR.fullmatch(text):
        raise ContractError("outbox: operator is 1 to 40 letters, digits and . _ @ - without spaces, as in li.na")
    return text


def checked_reason(text: str) -> str:
    """Return the reason in one line. Raises ContractError for none, or one that is no reason."""
    reason = " ".join(text.split())
    if not 4 <= len(reason) <= LONGEST_REASON or any(unicodedata.category(one).startswith("C") for one in reason):
        raise ContractError(
            f'outbox: reason is 4 to {LONGEST_REASON} signs in one line, as in "network gone since 22 Nov"'
        )
    return reason


def checked_export_id(text: str) -> str:
    """Return an export's id. Raises ContractError."""
    if not _EXPORT_ID.fullmatch(text):
        raise ContractError("outbox: an export is named by 32 hex digits")
    return text
