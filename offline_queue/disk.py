"""How much room the outbox has left, and what follows from it: warn, staff only, refuse.

A refusal comes before the disk is really full: what is acknowledged must still be marked, receipted and erased.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from kiosk.config import OutboxSection
from kiosk.errors import OutboxUnavailable
from offline_queue.ballast import Ballast
from offline_queue.full import is_full

T = TypeVar("T")

log = logging.getLogger(__name__)

MB = 1 << 20
_LEAVES = 1.1
"""A level is left only with a tenth more room than its mark: a disk at the mark must not make the screen flicker."""
_START_BYTES = 8 * MB
"""What a kiosk must be able to write at its start; with less, the ballast goes at once."""
LOOK_EVERY_S = 2.0


class DiskLevel(StrEnum):
    """From best to worst."""

    ROOM = "room"
    WARN = "warn"
    """Staff are told; guests notice nothing."""
    STAFF_ONLY = "staff_only"
    """No new visit begins at this kiosk; one under way is finished."""
    REFUSE = "refuse"
    """Nothing is put any more. What is there is still delivered, marked and erased."""

    @property
    def rank(self) -> int:
        """0 for the best, so that levels can be compared."""
        return tuple(DiskLevel).index(self)

    @property
    def serves(self) -> bool:
        """Guests may begin a visit."""
        return self in (DiskLevel.ROOM, DiskLevel.WARN)


@dataclass(frozen=True, slots=True)
class DiskView:
    """What was last seen. ``usable_mb`` is what is left besides the ballast, also while that is given up."""

    level: DiskLevel = DiskLevel.ROOM
    usable_mb: int = 0
    ballast: bool = False
    """The ballast lies there whole (a kiosk that carries none has no ballast)."""


def level_of(usable: int, settings: OutboxSection, before: DiskLevel = DiskLevel.ROOM) -> DiskLevel:
    """Judge the bytes that are left. Pure. ``before``: the level until now, which is left with some delay."""
    marks = {
        DiskLevel.WARN: settings.disk_warn_mb,
        DiskLevel.STAFF_ONLY: settings.disk_staff_mb,
        DiskLevel.REFUSE: settings.disk_refuse_mb,
    }
    reached = [
        level for level, mark in marks.items() if usable < mark * MB * (_LEAVES if level.rank <= before.rank else 1)
    ]
    return reached[-1] if reached else DiskLevel.ROOM


def free_bytes(folder: Path) -> int:
    """What this user may still write where ``folder`` lies. Some microseconds. Raises OSError."""
    seen = os.statvfs(folder)
    return seen.f_bavail * seen.f_frsize


class Disk:
    """The room of one store. ``spending`` on the owner's thread, ``tend`` on the watch's, all else on any."""

    def __init__(self, folder: Path, settings: OutboxSection, *, free: Callable[[Path], int] = free_bytes) -> None:
        """Look once; no ballast is made yet. ``free``: bytes that are left where a folder lies."""
        self._folder = folder
        self._settings = settings
        self._free = free
        self._lock = threading.Lock()
        self._compresses = False
        self._plenty = int((settings.disk_warn_mb * _LEAVES + settings.ballast_mb) * MB)
        self.ballast = Ballast(folder, settings.ballast_mb * MB)
        self.view = DiskView()
        """Replaced whole at each look."""
        self.look()

    def look(self) -> DiskView:
        """Measure, judge and tell the log when the level changed. A disk that does not answer keeps its level."""
        with self._lock:
            before = self.view
            try:
                free = self._free(self._folder)
            except OSError as exc:
                log.warning("disk of the outbox: free space is unknown: %s", exc.strerror)
                return before
            # Judged as if the ballast lay there: what is freed for marking must not let guests in again
            usable = free - (self.ballast.size_bytes - self.ballast.held_bytes)
            level = level_of(usable, self._settings, before.level)
            self.view = DiskView(level, usable // MB, self.ballast.size_bytes > 0 and self.ballast.whole)
            _tell(before.level, self.view)
            return self.view

    def tend(self) -> DiskView:
        """Look, and make the ballast (again) when the disk can spare it."""
        view = self.look()
        if self.ballast.whole or view.level is DiskLevel.REFUSE or self._compresses or not self.ballast.take():
            return view
        if self.ballast.whole:
            log.info("disk of the outbox: ballast of %d MB laid down", self._settings.ballast_mb)
        else:
            self._compresses = True  # or each look would write it all again
            log.warning("disk of the outbox: its file system keeps no ballast; use one without compression")
        return self.look()

    def admit(self) -> None:
        """Let a put go on, or raise OutboxUnavailable: the disk has too little room for one more record."""
        with contextlib.suppress(OSError):
            # As nearly always, and each put asks: one call of the system, whether the ballast lies there or not
            if self.view.level is DiskLevel.ROOM and self._free(self._folder) >= self._plenty:
                return
        view = self.look()
        if view.level is DiskLevel.REFUSE:
            raise OutboxUnavailable(
                f"outbox: {view.usable_mb} MB are left on its disk, below disk_refuse_mb = "
                f"{self._settings.disk_refuse_mb}; nothing was acknowledged. Free space on this disk"
            )

    def make_room_to_start(self) -> None:
        """Give the ballast up at once where a start finds no room: log, audit and key memory must open, too."""
        try:
            full = self._free(self._folder) < _START_BYTES
        except OSError:
            return
        if full and self.ballast.give_up():
            log.warning("disk of the outbox: full at the start; the ballast is given up. Free space on this disk")

    def spending(self, work: Callable[[], T]) -> T:
        """Do a piece of work. When the disk is full, give the ballast up and do it once more, from its beginning."""
        try:
            return work()
        except OutboxUnavailable as exc:
            if not (is_full(exc) and self.ballast.give_up()):
                raise
            log.warning("disk of the outbox: full; the ballast is given up, so that marking and erasing go on")
            return work()


class DiskWatch:
    """Tends the disk from a thread of its own, and says when its level changes. ``stop`` ends it at once."""

    def __init__(self, disk: Disk, changed: Callable[[DiskView], None], *, every_s: float = LOOK_EVERY_S) -> None:
        """Prepare; nothing runs yet. ``changed`` is called on the watching thread and must not block."""
        self._disk = disk
        self._changed = changed
        self._every_s = every_s
        self._told = disk.view.level
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="disk")

    def start(self) -> None:
        """Lay the ballast down before the first guest, then watch."""
        self._told = self._disk.tend().level
        self._thread.start()

    def stop(self) -> None:
        """End the thread. Safe to call twice, and before ``start``."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(self._every_s):
            view = self._disk.tend()
            if view.level is not self._told:
                self._told = view.level
                self._changed(view)


def _tell(before: DiskLevel, view: DiskView) -> None:
    if view.level.rank > before.rank:
        meaning = {
            DiskLevel.WARN: "it gets short",
            DiskLevel.STAFF_ONLY: "guests are sent to the front desk",
            DiskLevel.REFUSE: "no registration is taken",
        }[view.level]
        log.warning("disk of the outbox: %d MB left, %s. Free space on this disk", view.usable_mb, meaning)
    elif view.level is not before:
        log.warning("disk of the outbox: %d MB left, better again", view.usable_mb)
