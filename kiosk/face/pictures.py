"""Decode a picture from outside: only three formats, and never before its size was read from its header.

A portrait comes out of a code or over the network: a few bytes can claim a picture of gigabytes.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from enum import StrEnum

import cv2
import numpy as np

from kiosk.face.detect import Image

MAX_BYTES = 30 * 1024 * 1024
MAX_PIXELS = 25_000_000
MIN_SIDE_PX = 16
_COLOURLESS = 3
"""Largest difference between the channels of a picture without colour; JPEG rounds by about this."""

_JPEG_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD8)})
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


class Unreadable(StrEnum):
    """Why a file is not used as a picture."""

    MISSING = "missing"
    BROKEN = "unreadable"
    TOO_LARGE = "too_large"
    TOO_SMALL = "too_small"
    NOT_8_BIT = "not_8_bit"


@dataclass(frozen=True, slots=True)
class Header:
    width: int
    height: int
    bits: int = 8


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    image: Image = field(repr=False)

    @property
    def has_colour(self) -> bool:
        """False for a grey picture, however it is stored. No colour camera gives one."""
        small = cv2.resize(self.image, (64, 64), interpolation=cv2.INTER_AREA).astype(np.int16)
        return int((small.max(2) - small.min(2)).max()) > _COLOURLESS


def decode(data: bytes) -> Picture | Unreadable:
    """Return the picture in BGR, upright, or why not. Raises nothing for any bytes."""
    if len(data) > MAX_BYTES:
        return Unreadable.TOO_LARGE
    header = read_header(data)
    if header is None:
        return Unreadable.BROKEN
    if header.width * header.height > MAX_PIXELS:
        return Unreadable.TOO_LARGE
    if min(header.width, header.height) < MIN_SIDE_PX:
        return Unreadable.TOO_SMALL
    if header.bits != 8:
        return Unreadable.NOT_8_BIT
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        return Unreadable.BROKEN
    return Unreadable.BROKEN if image is None else Picture(np.asarray(image, np.uint8))


def read_header(data: bytes) -> Header | None:
    """Return what a JPEG, PNG or WebP says of its size, or None for anything else."""
    try:
        if data.startswith(b"\xff\xd8\xff"):
            return _jpeg(data)
        if data.startswith(b"\x89PNG\r\n\x1a\n") and data[12:16] == b"IHDR":
            width, height, bits = struct.unpack_from(">IIB", data, 16)
            return Header(width, height, max(bits, 8))
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return _webp(data)
    except (struct.error, IndexError):
        return None
    return None


def _jpeg(data: bytes) -> Header | None:
    at = 2
    while data[at] == 0xFF:
        kind = data[at + 1]
        if kind == 0xFF:
            at += 1
            continue
        if kind in _JPEG_WITHOUT_LENGTH:
            at += 2
            continue
        if kind in _JPEG_FRAMES:
            bits, height, width = struct.unpack_from(">BHH", data, at + 4)
            return Header(width, height, bits)
        (length,) = struct.unpack_from(">H", data, at + 2)
        at += 2 + max(length, 2)
    return None


def _webp(data: bytes) -> Header | None:
    match data[12:16]:
        case b"VP8 " if data[23:26] == b"\x9d\x01\x2a":
            width, height = struct.unpack_from("<HH", data, 26)
            return Header(width & 0x3FFF, height & 0x3FFF)
        case b"VP8L" if data[20] == 0x2F:
            (packed,) = struct.unpack_from("<I", data, 21)
            return Header((packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1)
        case b"VP8X":
            width = int.from_bytes(data[24:27], "little") + 1
            height = int.from_bytes(data[27:30], "little") + 1
            return Header(width, height)
        case _:
            return None
