"""What the police endpoint says of itself: limits, maintenance windows, code tables and their version."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kiosk.sandbox.faults import Fault, FaultBoard
from kiosk.sandbox.messages import Answer, Request
from kiosk.sandbox.police_auth import iso
from kiosk.sandbox.police_rules import MAX_PHOTO_BYTES
from kiosk.sandbox.police_tables import TABLES, VERSION

MAX_RECORDS = 100
MAX_BODY_BYTES = 4 * 1024 * 1024
OPEN_IN_A_WINDOW = frozenset({"/v1/token", "/v1/limits"})
"""A kiosk may learn during a maintenance window how long it lasts."""


@dataclass(frozen=True, slots=True)
class Window:
    """A maintenance window, in Unix seconds."""

    begins: float
    ends: float


class Terms:
    """The endpoint's terms as the fault board has them now. Called from any connection's thread."""

    def __init__(self, board: FaultBoard, now: Callable[[], float]) -> None:
        """Prepare. ``now``: the endpoint's own clock, which may be off."""
        self._board, self._now = board, now
        self._fetched: set[tuple[str, str]] = set()

    @property
    def version(self) -> str:
        """The code tables' version."""
        return _version(self._changed())

    def limits(self) -> Answer:
        """``GET /v1/limits``."""
        off_s = self._now() - time.time()  # windows are told in the endpoint's own time, as everything it says
        windows = [{"from": iso(w.begins + off_s), "to": iso(w.ends + off_s)} for w in self._windows()]
        return Answer(
            200,
            {
                "maxRecords": MAX_RECORDS,
                "maxPhotoBytes": MAX_PHOTO_BYTES,
                "maxBodyBytes": MAX_BODY_BYTES,
                "schemaVersion": self.version,
                "maintenance": windows,
            },
        )

    def closed(self, request: Request) -> Answer | None:
        """Return the refusal while a maintenance window lasts, None outside of one."""
        now = time.time()
        ends = max((w.ends for w in self._windows() if w.begins <= now < w.ends), default=None)
        if ends is None or request.path in OPEN_IN_A_WINDOW:
            return None
        wait = ("Retry-After", str(int(ends - now) + 1))
        return Answer(503, {"code": "E503", "error": "maintenance"}, (wait,))

    def table(self, name: str, device: str) -> Answer:
        """``GET /v1/codetables/{name}``; the device has the version's tables from now on."""
        change = self._changed()
        if name not in TABLES:
            return Answer(404, {"code": "E404", "error": "no such table"})
        entries = self._rooms(change) if name == "rooms" else TABLES[name]
        self._fetched.add((device, _version(change)))
        listed = [{"code": code, "name": text} for code, text in entries.items()]
        return Answer(200, {"name": name, "version": _version(change), "entries": listed})

    def rooms(self) -> Mapping[str, str]:
        """Return the hotel's room list as the endpoint has it."""
        return self._rooms(self._changed())

    def outdated(self, device: str) -> bool:
        """Say whether the tables changed and this device has fetched none since: its records are E308."""
        return self.version != VERSION and (device, self.version) not in self._fetched

    def _windows(self) -> list[Window]:
        return [_window(fault) for fault in self._board.every("police", "window")]

    def _changed(self) -> Fault | None:
        return next(reversed(self._board.every("police", "new_tables")), None)

    @staticmethod
    def _rooms(change: Fault | None) -> Mapping[str, str]:
        if change is None:
            return TABLES["rooms"]
        rooms = {room: name for room, name in TABLES["rooms"].items() if room != change.text("drop_room", "")}
        added = change.text("add_room", "")
        return rooms | ({added: added} if added else {})


def _version(change: Fault | None) -> str:
    return VERSION if change is None else change.text("version", "sandbox-2")


def _window(fault: Fault) -> Window:
    begins = fault.since + fault.number("in_s", 60)
    return Window(begins, begins + fault.number("lasts_s", 60))
