"""A key encoder without hardware: takes the time a real one takes, and can be told to jam."""

from __future__ import annotations

import threading
from datetime import datetime

from kiosk.config import Config
from kiosk.errors import DeviceUnavailable
from kiosk.model import RegistrationId

ENCODE_S = 0.15
"""How long the simulated encoder works on one card."""


class SimulatedKeyEncoder:
    """Counts the keys it made. ``jam(n)`` makes the next ``n`` keys fail, as an empty card hopper does."""

    def __init__(self, encode_s: float = ENCODE_S) -> None:
        self._encode_s = encode_s
        self._jams = 0
        self.issued: list[tuple[str, RegistrationId]] = []

    def jam(self, times: int = 1) -> None:
        """Let the next ``times`` keys fail."""
        self._jams = times

    def issue(self, room_no: str, until: datetime, record_id: RegistrationId) -> None:
        """Work for a moment, then hand out the key. Raises DeviceUnavailable while jammed."""
        threading.Event().wait(self._encode_s)
        if self._jams > 0:
            self._jams -= 1
            raise DeviceUnavailable("key encoder", "card hopper is empty; fill it, then try again on the staff sheet")
        self.issued.append((room_no, record_id))


def make(_config: Config) -> SimulatedKeyEncoder:
    """Build the driver."""
    return SimulatedKeyEncoder()
