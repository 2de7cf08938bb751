"""Frames at the pace of a camera, for drivers that have none of their own."""

from __future__ import annotations

import time


class Pace:
    """Waits for the next of evenly spaced moments; a reader that is late gets the newest, not the missed ones."""

    def __init__(self, fps: float) -> None:
        self.period_s = 1.0 / fps
        self._began = time.monotonic()
        self._last = -1

    def restart(self) -> None:
        """Count from now."""
        self._began, self._last = time.monotonic(), -1

    def wait(self) -> int:
        """Block until the next moment; return its number since the start. At most one period, in seconds."""
        passed = (time.monotonic() - self._began) / self.period_s
        self._last = max(self._last + 1, int(passed))
        delay = self._began + self._last * self.period_s - time.monotonic()
        if delay > 0:
            time.sleep(delay)
        return self._last
