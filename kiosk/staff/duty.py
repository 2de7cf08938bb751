"""What staff must know of the records that the law wants reported: the outbox in a handful of figures, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

DueLevel: TypeAlias = Literal["none", "green", "amber", "red", "alarm"]
RoomLevel: TypeAlias = Literal["room", "warn", "staff_only", "refuse"]


@dataclass(frozen=True, slots=True)
class Duty:
    """Looked at anew each second while the sheet is open; names nobody."""

    waiting: int = 0
    """Records that the authority has not receipted."""
    due: DueLevel = "none"
    """How near the law's time is for the first of them."""
    due_in_min: int | None = None
    """Whole minutes until then; below 0: overdue."""
    to_decide: int = 0
    """Records that were rejected, or cannot be opened: a person decides."""
    line: Literal["open", "waits", "breaker", "licence"] = "open"
    """To the authority; a breaker opens only when somebody mends what is wrong, a manager where it is the licence."""
    clock_off_min: int = 0
    """How many minutes this kiosk's clock is ahead of the authority's."""
    disk: RoomLevel = "room"
    disk_mb: int = 0
    """What is left there, besides the ballast."""
    mending: bool = False
    """A damaged outbox was set aside, and what it held is being brought back."""
    copy_behind: bool = False
    """The second copy, where there is one, lacks what was put last."""
