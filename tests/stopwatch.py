"""Time for tests that bound a wait: what passed while the whole machine stood still counts for nobody."""

from __future__ import annotations

import threading
import time

TICK_S = 0.01
STOOD_STILL_S = 0.1
"""A tick that comes this much too late: no thread of this process ran."""


class Stopwatch:
    """Runs from its making to ``seconds``."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._lost_s = 0.0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._tick, name="stopwatch", daemon=True)
        self._thread.start()

    def seconds(self) -> float:
        """Stop, and return the time since the beginning, without that in which this process could not run."""
        if not self._stopped.is_set():
            self._stopped.set()
            self._thread.join()
            self._passed = time.monotonic() - self._began
        return self._passed - self._lost_s

    def _tick(self) -> None:
        last, ended = time.monotonic(), False
        while not ended:  # the last look comes after the end: the machine may have stood still right before it
            ended = self._stopped.wait(TICK_S)
            now = time.monotonic()
            if now - last > STOOD_STILL_S:
                self._lost_s += now - last
            last = now
