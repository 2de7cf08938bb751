"""Whether bytes are a portrait that the face step can use: a JPEG or WebP that decodes, of a sane size.

No face function is called here: a picture is only opened.
"""

from __future__ import annotations

import io
import struct

import cv2
import numpy as np

MAX_BYTES = 200 * 1024
MIN_SIDE_PX, MAX_SIDE_PX = 40, 2000
_START_OF_FRAME = frozenset({0xC0, 0xC1, 0xC2})
_NO_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})


def usable(data: bytes) -> bool:
    """Say whether ``data`` is such a picture. Its size is read first: none is opened that would fill the memory."""
    if len(data) > MAX_BYTES:
        return False
    try:
        size = _webp_size(data) if data[:4] == b"RIFF" else _jpeg_size(data)
    except (struct.error, IndexError):
        return False
    if size is None or not all(MIN_SIDE_PX <= side <= MAX_SIDE_PX for side in size):
        return False
    try:
        return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) is not None
    except cv2.error:
        return False


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    """Return (width, height) from the first frame header of a JPEG."""
    stream = io.BytesIO(data)
    if stream.read(2) != b"\xff\xd8":
        return None
    while True:
        mark, kind = struct.unpack(">BB", stream.read(2))
        if mark != 0xFF:
            return None
        if kind in _NO_LENGTH or kind == 0xFF:
            stream.seek(-1 if kind == 0xFF else 0, io.SEEK_CUR)
            continue
        (length,) = struct.unpack(">H", stream.read(2))
        if kind in _START_OF_FRAME:
            height, width = struct.unpack(">xHH", stream.read(5))
            return width, height
        stream.seek(max(0, length - 2), io.SEEK_CUR)


def _webp_size(data: bytes) -> tuple[int, int] | None:
    """Return (width, height) of a still WebP: lossy, lossless or extended."""
    if data[8:12] != b"WEBP":
        return None
    match data[12:16]:
        case b"VP8 ":
            width, height = struct.unpack_from("<HH", data, 26)
            return width & 0x3FFF, height & 0x3FFF
        case b"VP8L":
            (bits,) = struct.unpack_from("<I", data, 21)
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8X":
            width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
            return width, height
        case _:
            return None
