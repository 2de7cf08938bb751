"""The authority's clock as it told it: what requests are signed with, what this kiosk's own is held against.

It is carried on by the monotonic clock, so neither a wall clock that is wrong nor one that jumps moves it. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

SHANGHAI = timezone(timedelta(hours=8))
"""The authority's zone: its days begin here, and what is told to people is told in it."""
SKEW_SHOWN_S = 60.0
"""A wall clock that is further off than this is told to staff."""
_EARLIEST, _LATEST = 1_735_689_600.0, 4_102_444_800.0
"""2025 to 2100: anything else is no time that an authority tells."""


@dataclass(frozen=True, slots=True)
class AuthorityTime:
    """What the authority's clock said at a moment of our monotonic one."""

    at: float
    """Unix seconds."""
    mono: float

    def now(self, mono: float) -> float:
        """Return the authority's time, Unix seconds, at a later moment of the same boot."""
        return self.at + (mono - self.mono)

    def off_s(self, wall: float, mono: float) -> float:
        """Return how far ahead of the authority's clock this kiosk's is, in seconds; negative when behind."""
        return wall - self.now(mono)


def iso(at: float) -> str:
    """Return Unix seconds as Shanghai's time, ISO 8601 to the second."""
    return datetime.fromtimestamp(at, SHANGHAI).isoformat(timespec="seconds")


def moment(text: object) -> float | None:
    """Read a time in ISO 8601 with an offset; None for anything else, or a time that cannot be."""
    if not isinstance(text, str) or len(text) > 40:
        return None
    try:
        told = datetime.fromisoformat(text)
    except ValueError:
        return None
    if told.tzinfo is None:
        return None
    try:
        stamp = told.timestamp()
    except (OverflowError, ValueError):
        return None
    return stamp if _EARLIEST <= stamp <= _LATEST else None
