"""Checksummed frames, the bytes of the second copy. Pure.

A frame stands for itself: a torn tail, a flipped bit or a hole costs the frames it touches, and no other.

    magic 4 │ kind 1 │ record 16 │ revision 4 │ chain seq 8 │ body's length 4 │ CRC-32 of these 4
    body │ the first 16 bytes of SHA-256 over head and body
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum

from offline_queue.recovery.file_bytes import Bytes

MAGIC = b"SZJ1"
_HEAD = struct.Struct(">4sB16sIQI")
_CRC = struct.Struct(">I")
_DIGEST = 16
HEAD_BYTES = _HEAD.size + _CRC.size
LONGEST_BODY = 1 << 26


class Kind(IntEnum):
    """What a frame tells."""

    CHAIN = 1
    """Which chain the frames after it belong to; the first of each segment."""
    ROW = 2
    """An event as it stood after a commit, with its sealed parts."""
    STATE = 3
    """The same without parts: they are in an earlier frame, or erased."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame. ``seq`` is the chain's last number at the commit that it tells of."""

    kind: Kind
    record: bytes
    revision: int
    seq: int
    body: bytes = field(repr=False)

    def to_bytes(self) -> bytes:
        head = _HEAD.pack(MAGIC, self.kind, self.record, self.revision, self.seq, len(self.body))
        whole = head + _CRC.pack(zlib.crc32(head)) + self.body
        return whole + hashlib.sha256(whole).digest()[:_DIGEST]


@dataclass(frozen=True, slots=True)
class Found:
    """A frame's place in a segment; its body is not read yet."""

    kind: Kind
    record: bytes
    revision: int
    seq: int
    at: int
    length: int
    """Bytes of the body."""

    @property
    def end(self) -> int:
        return self.at + HEAD_BYTES + self.length + _DIGEST


def heads(data: Bytes, start: int = 0) -> Iterator[Found]:
    """Yield every frame whose head is whole and whose end lies within ``data``. Bodies are not looked at."""
    at = start
    while (at := data.find(MAGIC, at)) >= 0:
        found = _head(data, at)
        if found is None or found.end > len(data):
            at += 1
            continue
        yield found
        at = found.end


def whole(data: Bytes, start: int = 0) -> Iterator[Found]:
    """Yield every frame that is whole, to the last bit. After a broken one the search goes on inside it."""
    at = start
    while (at := data.find(MAGIC, at)) >= 0:
        found = _head(data, at)
        if found is None or read(data, found) is None:
            at += 1
            continue
        yield found
        at = found.end


def read(data: Bytes, found: Found) -> Frame | None:
    """Read one frame; None when a bit of it is not as it was written."""
    if found.end > len(data):
        return None
    body_end = found.at + HEAD_BYTES + found.length
    if hashlib.sha256(data[found.at : body_end]).digest()[:_DIGEST] != data[body_end : found.end]:
        return None
    return Frame(found.kind, found.record, found.revision, found.seq, data[found.at + HEAD_BYTES : body_end])


def _head(data: Bytes, at: int) -> Found | None:
    head = data[at : at + _HEAD.size]
    crc = data[at + _HEAD.size : at + HEAD_BYTES]
    if len(crc) < _CRC.size or _CRC.unpack(crc)[0] != zlib.crc32(head):
        return None
    _, kind, record, revision, seq, length = _HEAD.unpack(head)
    if kind not in tuple(Kind) or length > LONGEST_BODY:
        return None
    return Found(Kind(kind), record, revision, seq, at, length)
