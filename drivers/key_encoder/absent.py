"""Stands in for an encoder that could not be reached at the start: makes no key, says why."""

from __future__ import annotations

from datetime import datetime

from kiosk.errors import DeviceUnavailable
from kiosk.model import RegistrationId


class AbsentKeyEncoder:
    """Each key goes to the desk until the kiosk is started again. Holds nothing, blocks never."""

    def __init__(self, why: str) -> None:
        self._why = why

    def issue(self, room_no: str, until: datetime, record_id: RegistrationId) -> None:  # noqa: ARG002 - a port
        """Raise DeviceUnavailable: the record is safe, the desk hands out the key."""
        raise DeviceUnavailable("key encoder", f"{self._why}; connect it, then start the kiosk again")
