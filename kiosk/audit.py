"""The audit: who did what, when and why, one JSON line per entry, each hash covering the one before it.

A line is ``{"seq", "at", "kind", "fields", "hash"}``; ``hash`` is SHA-256 over the hash before it and the
canonical JSON of the rest. An entry that was altered, left out or put in later breaks the chain; one cut off
the end does not, so the newest hash is told by ``verify`` to be noted elsewhere.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import logging
import os
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from kiosk.durable import sync_folder
from kiosk.errors import OperationalError
from kiosk.redaction import redact

log = logging.getLogger(__name__)

Value = str | int | float | bool | None

AUDIT_FILE = "audit.jsonl"
"""In the state folder."""
BEFORE_ALL = "0" * 64
_OURS = re.compile(r"(?=\d*[a-f])(?:[0-9a-f]{32}|[0-9a-f]{64})")
"""Identifiers and digests of ours, alone in a field: no number of a guest has this form."""
_LONG = 10**14
_TAIL_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the audit."""

    seq: int
    at: str
    """UTC, ISO 8601."""
    kind: str
    fields: dict[str, Value]
    hash: str

    def line(self) -> bytes:
        """Return the line as it stands in the file."""
        return _json({name: getattr(self, name) for name in Entry.__slots__}) + b"\n"


@dataclass(frozen=True, slots=True)
class Verified:
    """What ``verify`` found."""

    entries: int
    """Entries that were read; up to ``broken_at`` they are as they were written."""
    broken_at: int | None = None
    """The first line that does not follow from the one before it, counted from 1."""
    why: str = ""
    head: str = BEFORE_ALL
    """Hash of the newest entry that was read."""


def following(previous: Entry | None, at: str, kind: str, fields: dict[str, Value]) -> Entry:
    """Make the entry after ``previous``."""
    seq = previous.seq + 1 if previous is not None else 1
    before = previous.hash if previous is not None else BEFORE_ALL
    body = _json({"seq": seq, "at": at, "kind": kind, "fields": fields})
    return Entry(seq, at, kind, fields, hashlib.sha256(bytes.fromhex(before) + body).hexdigest())


def entry_of(line: bytes) -> Entry | None:
    """Read a line, or return None when it is no entry, whole and alone."""
    try:
        found: dict[str, Any] = json.loads(line)
        entry = Entry(**found)
        valid = isinstance(found["fields"], dict) and type(found["seq"]) is int and len(bytes.fromhex(entry.hash)) == 32
    except (TypeError, ValueError, RecursionError):
        return None
    return entry if valid and entry.line() == line.rstrip(b"\n") + b"\n" else None


def why_broken(previous: Entry | None, entry: Entry | None) -> str:
    """Say what is wrong with an entry after ``previous``; empty when nothing."""
    if entry is None:
        return "not an entry: the line was altered or cut"
    expected = following(previous, entry.at, entry.kind, entry.fields)
    if entry.seq != expected.seq:
        return f"entry {entry.seq} stands where {expected.seq} should: one was taken out or put in"
    if entry.hash != expected.hash:
        return f"entry {entry.seq} does not match its hash: it, or the one before it, was altered"
    return ""


def read(path: Path) -> Iterator[tuple[int, Entry | None]]:
    """Yield each line's number and entry. Needs no lock: the kiosk may go on writing. Raises OSError."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            whole = line if line.endswith(b"\n") else line + file.readline()  # it may be under way just now
            yield number, entry_of(whole) if whole.endswith(b"\n") else None


def newest(path: Path, most_bytes: int) -> Iterator[Entry]:
    """Yield the entries among the last ``most_bytes``, the oldest first. Lines that are none are left out."""
    with path.open("rb") as file:
        begin = max(0, file.seek(0, os.SEEK_END) - most_bytes)
        file.seek(begin)
        if begin:
            file.readline()  # cut
        yield from filter(None, map(entry_of, file))


def verify(path: Path) -> Verified:
    """Follow the chain from its beginning to its end. Raises OSError."""
    previous: Entry | None = None
    entries, broken_at, why = 0, None, ""
    for number, entry in read(path):
        if broken_at is None and (why := why_broken(previous, entry)):
            broken_at = number
        if entry is not None:
            entries += 1
            previous = entry
    return Verified(entries, broken_at, why, previous.hash if previous else BEFORE_ALL)


class AuditLog:
    """The one writer of an audit file, from any thread.

    Opening it finds the end of the chain. A last line that a power cut tore is moved to ``<name>.torn-<n>``
    and the first new entry says so, in its place.
    """

    def __init__(self, path: Path, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """Raises OperationalError when the file cannot be opened or another process writes it."""
        self._path = path
        self._now = now
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            self._fd = os.open(path, flags, 0o600)
            try:
                self._open()
            except BaseException:
                os.close(self._fd)
                raise
        except BlockingIOError as error:
            raise OperationalError(f"audit {path.name}: another process writes it; stop the other kiosk") from error
        except OSError as error:
            raise OperationalError(f"audit {path.name}: {error.strerror}; check the disk and the folder") from error

    def _open(self) -> None:
        fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.fchmod(self._fd, 0o600)
        sync_folder(self._path.parent)
        tail = _Tail.of(self._fd)
        self._last, self._end = tail.last, tail.end
        self._clean = not tail.torn
        if tail.torn:
            aside = _set_aside(self._path, tail.torn)
            log.error("audit: %d bytes after entry %d were no entry; moved to %s", len(tail.torn), self._seq(), aside)
            self.write("audit.torn", bytes=len(tail.torn), moved_to=aside)
        if tail.why:
            log.error("audit: %s; run: audit verify", tail.why)
            self.write("audit.broken_before", why=tail.why)

    def write(self, kind: str, **fields: Value) -> None:
        """Append one entry; return once it would survive a power cut. Texts pass through redaction.

        Raises OSError; then nothing was added.
        """
        kept = {name: _safe(value) for name, value in fields.items()}
        with self._lock:
            at = self._now().astimezone(UTC).isoformat(timespec="milliseconds")
            entry = following(self._last, at, redact(kind), kept)
            line = entry.line()
            try:
                _write_all(self._fd, line, self._end)
                os.ftruncate(self._fd, self._end + len(line))
                os.fsync(self._fd)
            except OSError:
                if self._clean:  # else what a power cut left lies there, and no entry tells of it yet
                    with contextlib.suppress(OSError):  # if this fails too, the next entry is written over it
                        os.ftruncate(self._fd, self._end)
                raise
            self._last, self._end, self._clean = entry, self._end + len(line), True

    def close(self) -> None:
        """Let the file go. Safe to call twice; a ``write`` afterwards raises OSError."""
        with self._lock:
            if self._fd >= 0:
                os.close(self._fd)
                self._fd = -1

    def _seq(self) -> int:
        return self._last.seq if self._last is not None else 0


@dataclass(frozen=True, slots=True)
class _Tail:
    """The end of an audit file: its last entry, where the next one goes, and what lies there instead."""

    last: Entry | None
    end: int
    torn: bytes
    why: str
    """What is wrong with the entries read; empty when they follow from each other."""

    @staticmethod
    def of(fd: int) -> _Tail:
        size = os.fstat(fd).st_size
        length = min(size, _TAIL_BYTES)
        while True:
            tail = _Tail._read(fd, size, length)
            if tail is not None:
                return tail
            length = min(size, length * 8)

    @staticmethod
    def _read(fd: int, size: int, length: int) -> _Tail | None:
        """Look at the last ``length`` bytes. None when no entry is among them and there are more."""
        begin = size - length
        data = os.pread(fd, length, begin)
        if begin:
            skipped = data.find(b"\n") + 1
            data, begin = data[skipped:], begin + skipped
        entries: list[Entry] = []
        end = begin
        position = begin
        for line in data.splitlines(keepends=True):
            position += len(line)
            entry = entry_of(line) if line.endswith(b"\n") else None
            if entry is not None:
                entries.append(entry)
                end = position
        if not entries and begin:
            return None
        before: list[Entry | None] = [None] if not begin else []
        broken = (why_broken(one, other) for one, other in pairwise([*before, *entries]))
        last = entries[-1] if entries else None
        return _Tail(last, end, data[end - begin :], next(filter(None, broken), ""))


def _set_aside(path: Path, torn: bytes) -> str:
    number = 1
    while True:
        aside = path.with_name(f"{path.name}.torn-{number}")
        try:
            fd = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except FileExistsError:
            number += 1
            continue
        try:
            _write_all(fd, torn, 0)
            os.fsync(fd)
        finally:
            os.close(fd)
        sync_folder(path.parent)
        return aside.name


def _write_all(fd: int, data: bytes, offset: int) -> None:
    while data:
        written = os.pwrite(fd, data, offset)
        data, offset = data[written:], offset + written


def _safe(value: Value) -> Value:
    if isinstance(value, str):
        return value if _OURS.fullmatch(value) else redact(value)
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, float) and not abs(value) < _LONG:  # also infinite and not-a-number, which JSON lacks
        return "<number>"
    return value if abs(value) < _LONG else redact(str(value))


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"), allow_nan=False).encode()
