"""The legal clock of a record: when it must be reported, and how near that is. Pure."""

from __future__ import annotations

from enum import StrEnum

from kiosk.config import OutboxSection
from offline_queue.clock import Clock
from offline_queue.database.rows import Event
from offline_queue.delivery.authority_time import SKEW_SHOWN_S

OVERSEAS_OPS = frozenset({"JI", "JC"})
_AMBER, _RED = 0.5, 0.8


class Due(StrEnum):
    """How near the end of the time to report is, for the unsent record that ends first."""

    NONE = "none"
    GREEN = "green"
    AMBER = "amber"
    """Half of the time is gone."""
    RED = "red"
    """Four fifths are gone."""
    ALARM = "alarm"
    """The time is over."""


def window_s(op: str, settings: OutboxSection) -> float:
    """Seconds from what happened to the latest report of it."""
    return settings.due_overseas_h * 3600 if op in OVERSEAS_OPS else settings.due_domestic_min * 60


def now_for(event: Event, clock: Clock) -> float:
    """Return the time by the clock that stamped an event when it was put, Unix seconds.

    Within a boot the monotonic clock carries it on: a wall clock that is set right, or wrong, makes no record
    overdue and hides none. After a restart only the wall clock is left; if that is behind the stamp, it was turned
    back and nobody knows how long ago the event was put: its time counts as over.
    """
    wall, mono = clock.wall(), clock.mono()
    if event.boot == clock.boot() and event.mono <= mono:
        return event.wall + (mono - event.mono)
    return wall if wall > event.wall - SKEW_SHOWN_S else max(wall, event.due_at)


def level(now: float, due_at: float, window: float) -> Due:
    """Judge one unsent record. All in Unix seconds."""
    gone = 1 - (due_at - now) / window
    if gone >= 1:
        return Due.ALARM
    if gone >= _RED:
        return Due.RED
    return Due.AMBER if gone >= _AMBER else Due.GREEN
