"""Threads for the calls that block. A call that hangs holds up its own kind only: no put ever waits behind it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

MOST = 4
"""Calls of one kind at once: one visit needs one, late answers of earlier visits may hold others."""


class Workers:
    """One thread for each call, at most ``most`` of a kind. ``start`` and ``wait`` come from one thread at a time.

    The threads are daemons: a device driver that never returns must not keep the process from ending.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._at_work: dict[type[object], tuple[threading.Thread, ...]] = {}

    def start(self, kind: type[object], call: Callable[[], None]) -> bool:
        """Let a thread make the call; False, and nothing is called, when too many of its kind have not returned."""
        busy = self._busy(kind)
        if len(busy) >= self._most:
            return False
        thread = threading.Thread(target=call, name=kind.__name__, daemon=True)
        self._at_work[kind] = (*busy, thread)
        thread.start()
        return True

    def wait(self, kinds: Iterable[type[object]], timeout_s: float) -> bool:
        """Wait for the calls of these kinds, ``timeout_s`` in all; say whether all have returned."""
        until = time.monotonic() + timeout_s
        kinds = tuple(kinds)
        for thread in (thread for kind in kinds for thread in self._busy(kind)):
            thread.join(max(0.0, until - time.monotonic()))
        return not any(self._busy(kind) for kind in kinds)

    def _busy(self, kind: type[object]) -> tuple[threading.Thread, ...]:
        return tuple(thread for thread in self._at_work.get(kind, ()) if thread.is_alive())
