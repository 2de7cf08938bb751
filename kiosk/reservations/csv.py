"""Bookings from a CSV file that the hotel's system drops. It is read again whenever it has changed.

UTF-8 with a header line, one line per guest. A line that cannot be used is left out and told with its
number; the others serve. The file is personal data: its folder belongs to the kiosk's user alone.
"""

from __future__ import annotations

import csv
import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from kiosk.config import Config
from kiosk.errors import GatewayUnavailable
from kiosk.model import Identity, Refusal, Reservation
from kiosk.reservations import wire
from kiosk.reservations.matching import Booking, match

log = logging.getLogger(__name__)

COLUMNS = (
    "stay_id",
    "confirmation",
    "name",
    "document_number",
    "phone",
    "room_no",
    "room_type",
    "party_size",
    "arrival",
    "departure",
    "room_ready",
    "balance_due_fen",
    "status",
)
MAX_BYTES = 20 * 1024 * 1024
_TOLD_FAULTS = 20


@dataclass(frozen=True, slots=True)
class Sheet:
    """One reading of the file."""

    bookings: tuple[Booking, ...] = field(default=(), repr=False)
    faults: tuple[str, ...] = ()
    """``line 7: arrival is no date YYYY-MM-DD``: never a value."""


class CsvReservations:
    """Reservations from a file. Any thread; a lookup reads the file only if it has changed."""

    def __init__(self, path: Path, today: Callable[[], date]) -> None:
        self._path = path
        self._today = today
        self._lock = threading.Lock()
        self._read_as: tuple[int, int, int] | None = None
        self._sheet = Sheet()

    def find(self, identity: Identity, reference: str | None) -> Reservation | Refusal:
        """Match against the file as it is now. Raises GatewayUnavailable when it is absent or no such file."""
        return match(self.sheet().bookings, identity, reference, self._today())

    def sheet(self) -> Sheet:
        """Return the file's present content. Raises GatewayUnavailable."""
        with self._lock:
            try:
                stat = self._path.stat()
                seen = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
                if seen != self._read_as:
                    self._sheet = self._load(stat.st_size)
                    self._read_as = seen
            except OSError as error:
                self._forget()
                why = error.strerror or type(error).__name__
                raise GatewayUnavailable(f"reservations file {self._path.name}: {why}; check csv_path") from None
            except GatewayUnavailable:
                self._forget()
                raise
            return self._sheet

    def _load(self, size_bytes: int) -> Sheet:
        if size_bytes > MAX_BYTES:
            raise GatewayUnavailable(f"reservations file {self._path.name}: larger than {MAX_BYTES // 1024 // 1024} MB")
        try:
            sheet = parse(self._path.read_bytes())
        except ValueError as error:
            raise GatewayUnavailable(f"reservations file {self._path.name}: {error}") from None
        for fault in sheet.faults[:_TOLD_FAULTS]:
            log.warning("reservations file %s: %s", self._path.name, fault)
        if len(sheet.faults) > _TOLD_FAULTS:
            log.warning("reservations file %s: %d more faults", self._path.name, len(sheet.faults) - _TOLD_FAULTS)
        return sheet

    def _forget(self) -> None:
        self._read_as, self._sheet = None, Sheet()


def make(config: Config) -> CsvReservations:
    """Make the adapter for one kiosk."""
    zone = ZoneInfo(config.kiosk.timezone)
    path = config.reservations.csv_path or Path("reservations.csv")
    return CsvReservations(path, lambda: datetime.now(zone).date())


def parse(data: bytes) -> Sheet:
    """Read the file's bytes. Raises ValueError when it is no such table at all; a bad line is only a fault."""
    try:
        lines = data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise ValueError("not UTF-8: save it as CSV UTF-8") from None
    header = _cells(lines[0]) if lines else []
    if missing := [name for name in COLUMNS if name not in header]:
        raise ValueError(f"columns are missing: {', '.join(missing)}")
    return _gathered(_named(lines, header))


def _named(lines: list[str], header: list[str]) -> Iterator[tuple[int, dict[str, str] | str]]:
    """Yield (line number, cells by column, or what is wrong with the line)."""
    for at, line in enumerate(lines[1:], 2):
        try:
            cells = _cells(line)
        except ValueError as error:
            yield at, str(error)
            continue
        if len(cells) == len(header):
            yield at, dict(zip(header, cells, strict=True))
        elif any(cells):
            yield at, f"{len(cells)} cells, the header has {len(header)}"


def _cells(line: str) -> list[str]:
    """Read one line by itself, so that a stray quote spoils no other. Raises ValueError."""
    try:
        return next(csv.reader([line], strict=True), [])
    except csv.Error as error:
        raise ValueError(f"no CSV: {error}") from None


def _gathered(lines: Iterable[tuple[int, dict[str, str] | str]]) -> Sheet:
    """Put the guests of one stay together."""
    stays: dict[str, Booking] = {}
    faults: list[str] = []
    for at, cells in lines:
        try:
            if isinstance(cells, str):
                raise ValueError(cells)
            found = wire.booking(_typed(cells), (wire.guest(cells["name"], cells["document_number"]),))
            known = stays.get(found.stay.stay_id)
            if known is not None and replace(found, guests=known.guests) != known:
                raise ValueError("differs from an earlier line of the same stay_id in more than the guest")
        except ValueError as error:
            faults.append(f"line {at}: {error}")
            continue
        stays[found.stay.stay_id] = found if known is None else replace(known, guests=known.guests + found.guests)
    return Sheet(tuple(stays.values()), tuple(faults))


def _typed(cells: Mapping[str, str]) -> dict[str, object]:
    """Turn the cells that are no text into what they mean; a cell that means nothing stays text, and is told."""
    typed: dict[str, object] = dict(cells)
    for name in ("party_size", "balance_due_fen"):
        digits = cells[name].strip()
        if digits.removeprefix("-").isdecimal() and digits.isascii() and len(digits) <= 12:
            typed[name] = int(digits)
    ready = cells["room_ready"].strip().lower()
    if ready in ("true", "false"):
        typed["room_ready"] = ready == "true"
    for name in ("arrival", "departure", "status"):
        typed[name] = cells[name].strip()
    return typed
