"""What a kiosk must remember across a restart, besides records: codes that were used, and PINs that were wrong.

A small SQLite file. Losing it costs the replay memory and the PIN lock-out, never a record, so a damaged file
is set aside and a new one made. A code is kept as a keyed hash only; the key lies beside the file.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from kiosk.durable import write_whole
from kiosk.errors import OperationalError

log = logging.getLogger(__name__)

VERSION = 1
LONGEST_LOCK_S = 3600.0
FAILURES_KEPT_S = 24 * 3600.0
"""Wrong PINs count together when no more than this lies between two of them."""
_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_SCHEMA = """
CREATE TABLE code (hash BLOB PRIMARY KEY, visit TEXT NOT NULL, seen REAL NOT NULL, until REAL NOT NULL) STRICT;
CREATE INDEX code_until ON code (until);
CREATE TABLE pin (
  operator TEXT PRIMARY KEY, failures INTEGER NOT NULL DEFAULT 0, failed REAL NOT NULL DEFAULT 0,
  lock_s REAL NOT NULL DEFAULT 0, locked REAL NOT NULL DEFAULT 0, locked_up REAL NOT NULL DEFAULT 0,
  boot TEXT NOT NULL DEFAULT ''
) STRICT;
"""


@cache
def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return secrets.token_hex(8)


@dataclass(frozen=True, slots=True)
class Clocks:
    """Wall time can be set; time since the boot cannot, but says nothing after the next boot."""

    wall: Callable[[], float] = time.time
    up: Callable[[], float] = lambda: time.clock_gettime(time.CLOCK_BOOTTIME)
    boot: Callable[[], str] = _boot_id


class StateStore:
    """The memory, from any thread: one connection behind one lock. Each change is on the disk when the call returns.

    Every call raises OperationalError when the disk refuses.
    """

    def __init__(self, path: Path, clocks: Clocks | None = None) -> None:
        """Open or make the file and the key beside it. Raises OperationalError."""
        self._path = path
        self._clocks = clocks or Clocks()
        self._lock = threading.RLock()
        self._run = secrets.token_hex(4)
        with self._told("open"):
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._conn = _open(path)
        try:
            with self._told("open"):
                self._key = _key(path.with_suffix(".key"))
                self._purge(self._clocks.wall())
        except BaseException:
            self._conn.close()
            raise

    def close(self) -> None:
        """Let the file go. Safe to call twice."""
        with self._lock:
            self._conn.close()

    # -- codes

    def is_replay(self, code: bytes, visit: str, now: datetime) -> bool:
        """Say whether a different visit had this code answered within its window.

        Visits of an earlier run of the kiosk are always different ones, whatever their number.
        """
        with self._told("read"):
            row = self._conn.execute(
                "SELECT visit FROM code WHERE hash = ? AND until > ?", (self._hash(code), now.timestamp())
            ).fetchone()
        return row is not None and row[0] != self._visit(visit)

    def remember_code(self, code: bytes, visit: str, now: datetime, hours: float) -> None:
        """Keep a code that was answered in ``visit`` for ``hours``; forget those whose time is over."""
        at = now.timestamp()
        with self._told("write"):
            self._purge(at)
            self._conn.execute(
                "INSERT INTO code VALUES (?, ?, ?, ?) ON CONFLICT (hash) DO UPDATE SET "
                "visit = excluded.visit, seen = excluded.seen, until = excluded.until",
                (self._hash(code), self._visit(visit), at, at + hours * 3600),
            )

    def _purge(self, at: float) -> None:
        """Forget what is over. A code seen in the future was seen before the clock was set back: count from now."""
        self._conn.execute("UPDATE code SET until = ? + until - seen, seen = ? WHERE seen > ?", (at, at, at))
        self._conn.execute("DELETE FROM code WHERE until <= ?", (at,))

    def _hash(self, code: bytes) -> bytes:
        return hashlib.blake2b(code, key=self._key, digest_size=16).digest()

    def _visit(self, visit: str) -> str:
        return f"{self._run}:{visit}"

    # -- PINs

    def pin_failed(self, operator: str, now: datetime) -> int:
        """Count a wrong PIN; return how many there were since the last right one."""
        at = now.timestamp()
        with self._told("write"):
            row = self._conn.execute(
                "INSERT INTO pin (operator, failures, failed) VALUES (?, 1, ?) ON CONFLICT (operator) DO UPDATE SET "
                "failures = iif(excluded.failed - failed > ?, 1, failures + 1), failed = excluded.failed "
                "RETURNING failures",
                (operator, at, FAILURES_KEPT_S),
            ).fetchall()
        return int(row[0][0])

    def pin_cleared(self, operator: str) -> None:
        """Forget wrong PINs and lock-out."""
        with self._told("write"):
            self._conn.execute("DELETE FROM pin WHERE operator = ?", (operator,))

    def lock_pin(self, operator: str, until: datetime) -> None:
        """Refuse PINs until then, at most an hour."""
        wall = self._clocks.wall()
        lock_s = min(max(until.timestamp() - wall, 0.0), LONGEST_LOCK_S)
        with self._told("write"):
            self._conn.execute("INSERT INTO pin (operator) VALUES (?) ON CONFLICT DO NOTHING", (operator,))
            self._begin_lock(operator, lock_s)

    def pin_locked_until(self, operator: str) -> datetime | None:
        """Return the end of the lock-out, UTC, or None.

        Within one boot the time since the boot decides, so that setting the clock neither frees nor prolongs a
        lock-out. After a boot the clock decides; if it was set back, the lock-out starts again, once.
        """
        wall, up = self._clocks.wall(), self._clocks.up()
        with self._told("read"):
            row = self._conn.execute(
                "SELECT lock_s, locked, locked_up, boot FROM pin WHERE operator = ? AND lock_s > 0", (operator,)
            ).fetchone()
            if row is None:
                return None
            lock_s, locked, locked_up, boot = row
            passed = up - locked_up if boot == self._clocks.boot() else wall - locked
            if passed < 0:
                self._begin_lock(operator, lock_s)
                passed = 0.0
        left = min(lock_s, LONGEST_LOCK_S) - passed
        return datetime.fromtimestamp(wall + left, UTC) if left > 0 else None

    def _begin_lock(self, operator: str, lock_s: float) -> None:
        clocks = self._clocks
        self._conn.execute(
            "UPDATE pin SET lock_s = ?, locked = ?, locked_up = ?, boot = ? WHERE operator = ?",
            (lock_s, clocks.wall(), clocks.up(), clocks.boot(), operator),
        )

    @contextlib.contextmanager
    def _told(self, doing: str) -> Iterator[None]:
        with self._lock:
            try:
                yield
            except (sqlite3.Error, OSError) as error:
                what = error.strerror if isinstance(error, OSError) else error
                raise OperationalError(f"{self._path.name}: {doing}: {what}; check free space and the disk") from error


def _open(path: Path) -> sqlite3.Connection:
    """Open the file; one that is damaged is set aside first."""
    try:
        return _prepared(path)
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF not in _DAMAGE:
            raise
        log.error(
            "%s is damaged (%s); set aside as %s: replay memory and PIN lock-out begin anew",
            path.name, error, _set_aside(path),
        )  # fmt: skip
        return _prepared(path)


def _prepared(path: Path) -> sqlite3.Connection:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
    path.chmod(0o600)
    conn = sqlite3.connect(path, isolation_level=None, timeout=5, check_same_thread=False)
    try:
        conn.execute("PRAGMA journal_mode = WAL").fetchone()
        conn.execute("PRAGMA synchronous = FULL")
        version = int(conn.execute("PRAGMA user_version").fetchone()[0])
        if version > VERSION:
            raise OperationalError(
                f"{path.name}: version {version} is newer than {VERSION}, which this program knows; it was left "
                "untouched, start the newer program"
            )
        if version == 0:
            conn.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version = {VERSION}; COMMIT")
        faults = conn.execute("PRAGMA quick_check(1)").fetchone()
        if faults[0] != "ok":
            raise _damaged(str(faults[0]))
    except BaseException:
        conn.close()
        raise
    return conn


def _damaged(what: str) -> sqlite3.DatabaseError:
    error = sqlite3.DatabaseError(what)
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error


def _set_aside(path: Path) -> str:
    number = 1
    while path.with_name(f"{path.name}.damaged-{number}").exists():
        number += 1
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(path.with_name(f"{path.name}.damaged-{number}{suffix}"))
    return f"{path.name}.damaged-{number}"


def _key(path: Path) -> bytes:
    """Return the key. One that had to be made recognises no code of before; those rows end with their hours."""
    with contextlib.suppress(FileNotFoundError, ValueError):
        key = bytes.fromhex(path.read_text(encoding="ascii"))
        if len(key) == 32:
            path.chmod(0o600)
            return key
    key = secrets.token_bytes(32)
    write_whole(path, key.hex().encode())
    return key
