"""What a check found: the result, what it means, what to do next."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Result(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARN = "warn"
    """The kiosk works, but somebody should look."""
    FAIL = "fail"
    SKIPPED = "skipped"
    """Not tested, or not wanted; takes away the capability that the finding names, if it names one."""


class Capability(StrEnum):
    """What the kiosk offers; the names are those of ``kiosk.checkin.shown.Offers``."""

    CODES = "codes"
    FACE = "face"
    ONLINE = "online"
    KEYS = "keys"
    RECORDS = "records"
    """Without them nobody is served: no record, no key."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One check's answer. Holds no personal data."""

    name: str
    """What was tested: ``camera``, ``police endpoint``."""
    result: Result
    meaning: str
    """What was seen and what follows from it."""
    next_step: str = ""
    """What to do; empty when nothing."""
    capability: Capability | None = None
    """What guests lose while this is not ok."""
