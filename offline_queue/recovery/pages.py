"""The pages of a database that SQLite may not open: file and write-ahead log, read only, nothing trusted.

The log's frames are checked one by one, each against the checksum stored in the one before it: SQLite itself
stops at the first bad one, and would drop every commit after it.
"""

from __future__ import annotations

import contextlib
import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from offline_queue.recovery.file_bytes import Bytes, opened

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Words: TypeAlias = NDArray[np.uint32]

Order: TypeAlias = Literal["<", ">"]

_SIZES = frozenset(1 << power for power in range(9, 17))
_USUAL_SIZE = 4096
_LOG_HEAD, _FRAME_HEAD = 32, 24
_FLIPS_OF_A_SALT = 2
"""So few bits off is damage; a frame of an older generation has another salt altogether, and its page is stale."""
_BIG_ENDIAN_SUMS = 0x377F0683


@dataclass(frozen=True, slots=True)
class _LogFrame:
    """One frame of the log."""

    page: int
    commit: bool
    at: int
    """Where its page's bytes begin."""
    good: bool
    """Its checksum is right: the page may be used."""
    sound: bool
    """Its salt, too: SQLite would use it."""


class Pages:
    """Every page as the newest commit left it, and the others that lie about. Any one thread."""

    def __init__(self, database: Path, log: Path) -> None:
        """Open what there is of the two files. Raises OSError for one that is there and cannot be read."""
        self._closing = contextlib.ExitStack()
        try:
            self._base = _open(database, self._closing)
            self._log = _open(log, self._closing)
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


def _open(path: Path, closing: contextlib.ExitStack) -> Bytes:
    """Open a file; empty when there is none."""
    try:
        return closing.enter_context(opened(path))
    except FileNotFoundError:
        return b""


def blocks(path: Path, log: Path) -> Iterator[tuple[Path, int, int]]:
    """Yield file, offset and length of every page in both files, as they lie on the disk."""
    pages = Pages(path, log)
    size = pages.size
    pages.close()
    for file, head, gap in ((path, 0, 0), (log, _LOG_HEAD, _FRAME_HEAD)):
        end = file.stat().st_size if file.exists() else 0
        for at in range(head + gap, end, size + gap):
            yield file, at, min(size, end - at)


def _page_size(base: Bytes, log: Bytes) -> int:
    stored = struct.unpack(">H", base[16:18])[0] if len(base) >= 18 else 0
    stored = 65536 if stored == 1 else stored
    logged = struct.unpack(">I", log[8:12])[0] if len(log) >= _LOG_HEAD else 0
    # A flipped bit makes another power of two out of none: what both say, or the usual, comes first
    for size in (stored if stored == logged else 0, _USUAL_SIZE if _USUAL_SIZE in (stored, logged) else 0):
        if size in _SIZES:
            return size
    return next((size for size in (stored, logged) if size in _SIZES), _USUAL_SIZE)


class LogHealth(Enum):
    """What the checksums say of a write-ahead log."""

    WHOLE = "whole"
    """Or torn behind its last commit, as a power cut leaves it."""
    TORN = "torn"
    """Its last commit is not whole: a power cut before the disk had it, or damage after."""
    BROKEN = "broken"
    """Damaged in front of a commit that was synced: SQLite would drop what was acknowledged after it."""


def log_health(database: Path, log: Path) -> LogHealth:
    """Judge a log before SQLite, which empties it, may touch it. Raises OSError."""
    with contextlib.ExitStack() as closing:
        base, held = _open(database, closing), _open(log, closing)
        frames = _frames(held, _page_size(base, held))
        if not frames:
            return LogHealth.WHOLE
        if not _head_holds(held):
            return LogHealth.BROKEN
    bad = next((at for at, frame in enumerate(frames) if not frame.sound), len(frames))
    # Of this generation: where a torn transaction left gaps, the commits of the one before shine through
    commits = [at for at, frame in enumerate(frames) if frame.commit and at > bad and frame.sound]
    if bad == len(frames):
        return LogHealth.WHOLE
    # Each commit is synced before the next begins, so what lies in front of two of them was whole once
    return LogHealth.BROKEN if commits and any(frame.sound for frame in frames[commits[0] + 1 :]) else LogHealth.TORN


def _frames(log: Bytes, size: int) -> list[_LogFrame]:
    """Return the frames of the log's newest generation: older ones may lie behind it, told by their salt."""
    if len(log) < _LOG_HEAD + _FRAME_HEAD:
        return []
    step = _FRAME_HEAD + size
    starts = range(_LOG_HEAD, len(log) - step + 1, step)
    salts = [log[at + 8 : at + 16] for at in starts]
    # A head that holds is synced before its first frame: what lies behind it with other salt was copied long ago
    salt = log[16:24] if _head_holds(log) else Counter([log[16:24], *salts[:2]]).most_common(1)[0][0]
    last = max((number for number, one in enumerate(salts) if one == salt), default=-1)
    order: Order = ">" if struct.unpack(">I", log[:4])[0] == _BIG_ENDIAN_SUMS else "<"
    found = []
    sums = log[24:32]
    for at, own in zip(starts[: last + 1], salts, strict=False):
        page, commit = struct.unpack(">II", log[at : at + 8])
        right = _sums(order, sums, log[at : at + 8] + log[at + _FRAME_HEAD : at + step]) == log[at + 16 : at + 24]
        good = right and _flips(own, salt) <= _FLIPS_OF_A_SALT
        sums = log[at + 16 : at + 24]
        found.append(_LogFrame(page, commit != 0, at + _FRAME_HEAD, good, good and own == salt))
    return found


def _head_holds(log: Bytes) -> bool:
    return _sums("<" if log[3] == 0x82 else ">", bytes(8), log[:24]) == log[24:32]


def _flips(one: bytes, other: bytes) -> int:
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).bit_count()


def _sums(order: Order, before: bytes, data: bytes) -> bytes:
    """The log's running checksum, see the file format of SQLite.

    ``one += first + two; two += second + one`` for each pair of words, in 32 bits: linear, so each word counts with
    a factor that only depends on its place.
    """
    # Here, because only what a killed kiosk left needs it, and it takes a tenth of a second
    import numpy as np

    factors = _factors(len(data) // 4)
    words = np.frombuffer(data, dtype=f"{order}u4").astype(np.uint32)
    one, two = struct.unpack(">II", before)
    totals = (
        int((words * factor.words).sum(dtype=np.uint32)) + one * factor.one + two * factor.two for factor in factors
    )
    return struct.pack(">II", *(total & 0xFFFFFFFF for total in totals))


@dataclass(frozen=True, slots=True)
class _Factor:
    """With what each word, and the sums before them, count in one of the two sums."""

    words: Words
    one: int
    two: int


@cache
def _factors(words: int) -> tuple[_Factor, _Factor]:
    import numpy as np

    counts: list[list[int]] = [[], []]
    first, second = (1, 1), (0, 1)
    for _ in range(words // 2):
        for sums, a, b in zip(counts, first, second, strict=True):
            sums += [b, a]
        first, second = _later(first), _later(second)
    one, two = (1, 0), (0, 1)
    for _ in range(words // 2):
        one, two = _later(one), _later(two)
    held = [np.array(sums[::-1], dtype=np.uint32) for sums in counts]
    return _Factor(held[0], one[0], two[0]), _Factor(held[1], one[1], two[1])


def _later(sums: tuple[int, int]) -> tuple[int, int]:
    """What a share in the two sums becomes with the next pair of words."""
    one = (sums[0] + sums[1]) & 0xFFFFFFFF
    return one, (sums[1] + one) & 0xFFFFFFFF
