"""Can the state folder take a record, durably? Without that no key is given."""

from __future__ import annotations

import os
import stat
import tempfile
import time
from pathlib import Path

from kiosk.commissioning.finding import Finding, Result
from kiosk.config import Config, OutboxSection
from offline_queue.disk import DiskLevel, free_bytes, level_of

SPACE = "disk space"
"""Name of the finding that says whether records fit."""
SLOW_FSYNC_S = 0.5

_WORDS = "the state folder"


def findings(config: Config) -> list[Finding]:
    """Look at free space and write one block through to the disk; blocks as long as the disk does."""
    place = _existing(config.kiosk.state_dir)
    return [_space(place, config.outbox), _write(place, config.kiosk.state_dir)]


def _existing(folder: Path) -> Path:
    """Return the folder, or the one in which the first start will make it."""
    return next(place for place in (folder, *folder.parents) if place.exists())


def _space(place: Path, settings: OutboxSection) -> Finding:
    free = free_bytes(place)
    level = level_of(free, settings)
    seen = f"{free / 1024**3:.1f} GB free where {_WORDS} lies"
    if not level.serves:
        meaning = f"{seen}: records may not fit, and no key is given without its record; guests are sent to the desk"
        return Finding(SPACE, Result.FAIL, meaning, "free space on this disk, or move kiosk.state_dir")
    if level is DiskLevel.WARN:
        return Finding(SPACE, Result.WARN, seen, "free space on this disk")
    return Finding(SPACE, Result.OK, seen)


def _write(place: Path, wanted: Path) -> Finding:
    name = "disk writes"
    if not place.is_dir():
        return Finding(name, Result.FAIL, f"{place} is not a folder", "correct kiosk.state_dir")
    began = time.monotonic()
    try:
        with tempfile.TemporaryFile(dir=place) as file:
            file.write(b"\0" * 4096)
            file.flush()
            os.fsync(file.fileno())
    except OSError as exc:
        meaning = f"nothing can be written to {place}: {exc.strerror}"
        return Finding(name, Result.FAIL, meaning, "let this user write there, or correct kiosk.state_dir")
    took_s = time.monotonic() - began
    if place == wanted and stat.S_IMODE(place.stat().st_mode) & 0o077:
        return Finding(name, Result.WARN, f"others may read {place}", f"chmod 700 {place}")
    if took_s > SLOW_FSYNC_S:
        meaning = f"one durable write took {took_s:.1f} s: every check-in waits for that"
        return Finding(name, Result.WARN, meaning, "use a faster or healthier disk")
    there = "" if place == wanted else "; the first start makes the folder"
    return Finding(name, Result.OK, f"a durable write took {took_s * 1000:.0f} ms{there}")
