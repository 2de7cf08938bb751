"""Can the state folder take a record, durably? Without that no key is given."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import time
from pathlib import Path

from kiosk.commissioning.finding import Finding, Result
from kiosk.config import Config

FULL_BYTES = 200 * 1024**2
"""Below this the kiosk must not begin: three days without the police endpoint take about 100 MB."""
LOW_BYTES = 1024**3
SLOW_FSYNC_S = 0.5

_WORDS = "the state folder"


def findings(config: Config) -> list[Finding]:
    """Look at free space and write one block through to the disk; blocks as long as the disk does."""
    place = _existing(config.kiosk.state_dir)
    return [_space(place), _write(place, config.kiosk.state_dir)]


def _existing(folder: Path) -> Path:
    """Return the folder, or the one in which the first start will make it."""
    return next(place for place in (folder, *folder.parents) if place.exists())


def _space(place: Path) -> Finding:
    free = shutil.disk_usage(place).free
    seen = f"{free / 1024**3:.1f} GB free where {_WORDS} lies"
    if free < FULL_BYTES:
        meaning = f"{seen}: records may not fit, and no key is given without its record"
        return Finding("disk space", Result.FAIL, meaning, "free space on this disk, or move kiosk.state_dir")
    if free < LOW_BYTES:
        return Finding("disk space", Result.WARN, seen, "free space on this disk")
    return Finding("disk space", Result.OK, seen)


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
