"""The bytes of a file on a disk that may be failing: what it cannot read any more is zeros.

Not mapped into memory: a bad sector would then be a signal that ends the kiosk, at each start again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias, overload

SECTOR_BYTES = 4096
"""Of a disk, and of the kernel's cache: as much as one bad spot costs."""
_WINDOW = 1 << 16


class FileBytes:
    """An open file, read as ``bytes`` are. Any one thread; no part of it stays in memory."""

    def __init__(self, fd: int) -> None:
        """Borrow a descriptor; the size is the one that the file has now. Raises OSError."""
        self._fd = fd
        self._size = os.fstat(fd).st_size

    def __len__(self) -> int:
        return self._size

    @overload
    def __getitem__(self, at: int) -> int: ...
    @overload
    def __getitem__(self, at: slice) -> bytes: ...
    def __getitem__(self, at: int | slice) -> int | bytes:
        if isinstance(at, int):
            return read(self._fd, at, 1)[0][0]
        start, stop, _ = at.indices(self._size)
        return read(self._fd, start, stop - start)[0] if stop > start else b""

    def find(self, what: bytes, start: int) -> int:
        """Return where ``what`` begins, at ``start`` or later; -1 when nowhere."""
        if self[start : start + len(what)] == what:  # as nearly always, where one frame follows the other
            return start
        for at in range(start, self._size, _WINDOW):
            found = self[at : at + _WINDOW + len(what) - 1].find(what)
            if found >= 0:
                return at + found
        return -1


Bytes: TypeAlias = bytes | FileBytes


def read(fd: int, at: int, length: int) -> tuple[bytes, bool]:
    """Return so many bytes, with zeros for those that cannot be read or are gone, and whether all could be."""
    try:
        held = os.pread(fd, length, at)
    except OSError:
        return b"".join(_sectors(fd, at, length)), False
    return held.ljust(length, b"\0"), True


@contextmanager
def opened(path: Path) -> Iterator[FileBytes]:
    """Open a file to read it bit by bit. Raises OSError when it cannot be opened."""
    with path.open("rb", buffering=0) as file:
        yield FileBytes(file.fileno())


def _sectors(fd: int, at: int, length: int) -> Iterator[bytes]:
    end = at + length
    while at < end:
        some = min(end, (at // SECTOR_BYTES + 1) * SECTOR_BYTES) - at
        try:
            yield os.pread(fd, some, at).ljust(some, b"\0")
        except OSError:
            yield bytes(some)
        at += some
