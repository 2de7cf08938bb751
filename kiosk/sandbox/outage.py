"""The fault ``outage``: a server's port is closed for a time, on a thread of its own."""

from __future__ import annotations

import math
import threading
import time

from kiosk.sandbox.faults import Fault
from kiosk.sandbox.http import Server


class Outage:
    """Closes the server when the fault begins and opens it when it ends or is cleared."""

    def __init__(self, server: Server, fault: Fault) -> None:
        """Begin to wait, or close the server at once."""
        self._server, self._fault = server, fault
        if fault.on(time.monotonic()):
            server.close()  # who asked for it must find it closed
        self._thread = threading.Thread(target=self._play, name="outage", daemon=True)
        self._thread.start()

    def wait_if_cleared(self) -> None:
        """Once the fault is cleared, wait until the server listens again."""
        if self._fault.cleared.is_set():
            self._thread.join()

    def _play(self) -> None:
        fault = self._fault
        if fault.cleared.wait(max(0.0, fault.begins - time.monotonic())):
            return
        self._server.close()
        fault.cleared.wait(None if math.isinf(fault.ends) else max(0.0, fault.ends - time.monotonic()))
        self._server.open()
