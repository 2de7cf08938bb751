"""Rows out of single pages, without the tree that leads to them. Pure but for the pages it is given.

Every leaf is looked at for itself, so a broken page costs its own rows only. What comes out is a guess until its
hashes are checked: a row is told by the kinds of its columns.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from offline_queue.recovery.kept import Value

LEAF = 0x0D
_LONGEST = 1 << 26
_BELOW = 1500
"""Bytes in front of the first row that are searched for one whose pointer was hit."""

_SOMETHING = re.compile(rb"[^\0]")

GetPage = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Cell:
    """One row as it lies in a leaf."""

    rowid: int
    values: tuple[Value, ...] = field(repr=False)
    start: int
    end: int


def cells(page: bytes, size: int, get: GetPage) -> Iterator[Cell]:
    """Yield every row that can be read in a page that is, or but for a bit was, a leaf of a table."""
    page = page.ljust(size, b"\0")  # the file may end within a page
    head = 100 if page.startswith(b"SQLite format 3") else 0
    if len(page) < head + 8 or (page[head] ^ LEAF).bit_count() > 1:
        return
    taken: list[tuple[int, int]] = []
    for at in _pointers(page, head, size):
        if not any(start <= at < end for start, end in taken) and (cell := _cell(page, at, size, get)) is not None:
            taken.append((cell.start, cell.end))
            yield cell
    yield from _between(page, size, get, sorted(taken))


def _pointers(page: bytes, head: int, size: int) -> list[int]:
    """Return where rows begin. The page's own count is not asked: one bit of it would cost all rows."""
    found: list[int] = []
    lowest, at = size, head + 8
    counted = at + 2 * int(struct.unpack_from(">H", page, head + 3)[0])
    while at + 2 <= lowest:
        (pointer,) = struct.unpack_from(">H", page, at)
        at += 2
        if pointer == 0 and at > counted:
            break
        if head + 8 < pointer < size - 3:
            found.append(pointer)
            lowest = min(lowest, pointer) if pointer > at else lowest
        elif len(found) > 400:
            break
    return found


def _between(page: bytes, size: int, get: GetPage, taken: list[tuple[int, int]]) -> Iterator[Cell]:
    """Look into the gaps between the rows that were found: a pointer may be what was hit."""
    first = taken[0][0] if taken else size
    ends = [end for _, end in taken]
    begins = [start for start, _ in taken[1:]] + [size]
    for start, stop in [*zip(ends, begins, strict=False), (max(8, first - _BELOW), first)]:
        at = start
        while (at := _not_zero(page, at)) < stop - 8:
            cell = _cell(page, at, size, get)
            if cell is None or cell.end > stop:
                at += 1
                continue
            yield cell
            at = cell.end


def _not_zero(page: bytes, at: int) -> int:
    """Skip what was wiped."""
    found = _SOMETHING.search(page, at)
    return len(page) if found is None else found.start()


def _cell(page: bytes, at: int, size: int, get: GetPage) -> Cell | None:
    start = at
    length, at = _varint(page, at)
    rowid, at = _varint(page, at)
    if not 3 <= length <= _LONGEST or at >= size:
        return None
    local = _local(length, size)
    end = at + local
    if end + (4 if local < length else 0) > size:
        return None
    held = page[at:end]
    if local < length:
        (overflow,) = struct.unpack_from(">I", page, end)
        end += 4
        values = _values(held, length, None)
        if values is None:
            return None
        held += _overflow(overflow, length - local, size, get)
    values = _values(held, length, held)
    return None if values is None else Cell(rowid, values, start, end)


def _local(length: int, size: int) -> int:
    """How much of a row lies in the page itself, see the file format of SQLite."""
    most = size - 35
    if length <= most:
        return length
    least = (size - 12) * 32 // 255 - 23
    wanted = least + (length - least) % (size - 4)
    return wanted if wanted <= most else least


def _overflow(page: int, left: int, size: int, get: GetPage) -> bytes:
    found = []
    seen: set[int] = set()
    while left > 0 and page and page not in seen:
        seen.add(page)
        held = get(page)
        if len(held) < size:
            break
        (page,) = struct.unpack_from(">I", held)
        found.append(held[4 : 4 + min(left, size - 4)])
        left -= size - 4
    return b"".join(found)


def _values(held: bytes, length: int, whole: bytes | None) -> tuple[Value, ...] | None:
    """Read a record; with ``whole`` None only its head is judged. None when it is no record of this length."""
    head, at = _varint(held, 0)
    if not 2 <= head <= min(len(held), 200):
        return None
    kinds = []
    while at < head:
        kind, at = _varint(held, at)
        if kind in (10, 11) or kind > _LONGEST:
            return None
        kinds.append(kind)
    if at != head or head + sum(map(_size, kinds)) != length:
        return None
    if whole is None:
        return ()
    values = []
    for kind in kinds:
        values.append(_value(kind, whole[at : at + _size(kind)]))
        at += _size(kind)
    return tuple(values)


def _size(kind: int) -> int:
    return (kind - 12) // 2 if kind >= 12 else (0, 1, 2, 3, 4, 6, 8, 8, 0, 0)[kind]


def _value(kind: int, held: bytes) -> Value:
    if kind == 0:
        return None
    if kind in (8, 9):
        return kind - 8
    if kind >= 12:
        return held.decode("utf-8", "replace") if kind % 2 else held
    if kind == 7:
        return float(struct.unpack(">d", held)[0]) if len(held) == 8 else 0.0
    return int.from_bytes(held, "big", signed=True)


def _varint(held: bytes, at: int) -> tuple[int, int]:
    """Read a varint of up to nine bytes; zero beyond the end."""
    value = 0
    for count in range(9):
        if at >= len(held):
            return 0, at
        byte = held[at]
        at += 1
        if count == 8:
            return value << 8 | byte, at
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            break
    return value, at
