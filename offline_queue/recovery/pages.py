"""The pages of a database that SQLite may not open: file and write-ahead log, read only, nothing trusted.

The log's frames are checked one by one, each against the checksum stored in the one before it: SQLite itself
stops at the first bad one, and would drop every commit after it.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_SIZES = frozenset(1 << power for power in range(9, 17))
_USUAL_SIZE = 4096
_LOG_HEAD, _FRAME_HEAD = 32, 24
_BIG_ENDIAN_SUMS = 0x377F0683


@dataclass(frozen=True, slots=True)
class _LogFrame:
    """One frame of the log."""

    page: int
    commit: bool
    at: int
    """Where its page's bytes begin."""
    good: bool


class Pages:
    """Every page as the newest commit left it, and the others that lie about. Any one thread."""

    def __init__(self, database: Path, log: Path) -> None:
        """Open what there is of the two files. Raises OSError for one that is there and cannot be read."""
        self._closing = contextlib.ExitStack()
        try:
            self._base = self._map(database)
            self._log = self._map(log)
        except BaseException:
            self._closing.close()
            raise
        self.size = _page_size(self._base, self._log)
        frames = _frames(self._log, self.size)
        last = max((at for at, frame in enumerate(frames) if frame.commit and frame.good), default=-1)
        self._newest = {frame.page: frame.at for frame in frames[: last + 1] if frame.good}
        self._apart = [frame.at for at, frame in reversed(list(enumerate(frames))) if not frame.good or at > last]
        self._replaced = list(self._newest)
        self.count = max(-(-len(self._base) // self.size), max(self._newest, default=0))
        """Pages of the newest commit; one that a file cut short ends in is among them."""

    def close(self) -> None:
        self._closing.close()

    def page(self, number: int) -> bytes:
        """Return a page, numbered from 1; empty when there is none."""
        if (at := self._newest.get(number)) is not None:
            return self._log[at : at + self.size]
        return self._base[(number - 1) * self.size : number * self.size] if number > 0 else b""

    def __len__(self) -> int:
        return self.count + len(self._apart) + len(self._replaced)

    def nth(self, index: int) -> bytes:
        """Return any page by its index: those of the newest commit first, then what lies about.

        What lies about is older, or not trusted: frames whose checksum is wrong, frames behind the last commit, and
        pages of the file that the log replaced.
        """
        if index < self.count:
            return self.page(index + 1)
        index -= self.count
        if index < len(self._apart):
            return self._log[self._apart[index] : self._apart[index] + self.size]
        number = self._replaced[index - len(self._apart)]
        return self._base[(number - 1) * self.size : number * self.size]

    def _map(self, path: Path) -> bytes | mmap.mmap:
        try:
            file = self._closing.enter_context(path.open("rb"))
        except FileNotFoundError:
            return b""
        if os.fstat(file.fileno()).st_size == 0:
            return b""
        return self._closing.enter_context(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def blocks(path: Path, log: Path) -> Iterator[tuple[Path, int, int]]:
    """Yield file, offset and length of every page in both files, as they lie on the disk."""
    pages = Pages(path, log)
    size = pages.size
    pages.close()
    for file, head, gap in ((path, 0, 0), (log, _LOG_HEAD, _FRAME_HEAD)):
        end = file.stat().st_size if file.exists() else 0
        for at in range(head + gap, end, size + gap):
            yield file, at, min(size, end - at)


def _page_size(base: bytes | mmap.mmap, log: bytes | mmap.mmap) -> int:
    stored = struct.unpack(">H", base[16:18])[0] if len(base) >= 18 else 0
    stored = 65536 if stored == 1 else stored
    logged = struct.unpack(">I", log[8:12])[0] if len(log) >= _LOG_HEAD else 0
    # A flipped bit makes another power of two out of none: what both say, or the usual, comes first
    for size in (stored if stored == logged else 0, _USUAL_SIZE if _USUAL_SIZE in (stored, logged) else 0):
        if size in _SIZES:
            return size
    return next((size for size in (stored, logged) if size in _SIZES), _USUAL_SIZE)


def _frames(log: bytes | mmap.mmap, size: int) -> list[_LogFrame]:
    """Return the frames of the log's newest generation: older ones may lie behind it, told by their salt."""
    if len(log) < _LOG_HEAD + _FRAME_HEAD:
        return []
    step = _FRAME_HEAD + size
    starts = range(_LOG_HEAD, len(log) - step + 1, step)
    salts = [log[at + 8 : at + 16] for at in starts]
    salt = Counter([log[16:24], *salts[:2]]).most_common(1)[0][0]
    last = max((number for number, one in enumerate(salts) if one == salt), default=-1)
    order = ">" if struct.unpack(">I", log[:4])[0] == _BIG_ENDIAN_SUMS else "<"
    found = []
    sums = log[24:32]
    for at in starts[: last + 1]:
        page, commit = struct.unpack(">II", log[at : at + 8])
        good = _sums(order, sums, log[at : at + 8] + log[at + _FRAME_HEAD : at + step]) == log[at + 16 : at + 24]
        sums = log[at + 16 : at + 24]
        found.append(_LogFrame(page, commit != 0, at + _FRAME_HEAD, good))
    return found


def _sums(order: str, before: bytes, data: bytes) -> bytes:
    """The log's running checksum, see the file format of SQLite."""
    one, two = struct.unpack(">II", before)
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for first, second in zip(words[::2], words[1::2], strict=True):
        one = (one + first + two) & 0xFFFFFFFF
        two = (two + second + one) & 0xFFFFFFFF
    return struct.pack(">II", one, two)
