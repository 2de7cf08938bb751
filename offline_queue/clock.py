"""The three times an event is stamped with: wall, boot and monotonic."""

from __future__ import annotations

import time
from functools import cache
from pathlib import Path
from typing import Protocol


class Clock(Protocol):
    """Wall time may jump both ways; monotonic time is only comparable within one boot."""

    def wall(self) -> float:
        """Unix time in seconds."""
        ...

    def mono(self) -> float:
        """``time.monotonic()``."""
        ...

    def boot(self) -> str:
        """Name of this boot, so that monotonic stamps of two boots are never compared."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def wall(self) -> float:
        return time.time()

    def mono(self) -> float:
        return time.monotonic()

    def boot(self) -> str:
        return _boot_id()


@cache
def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return "unknown"
