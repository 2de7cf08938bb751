"""What a JPEG, PNG or WebP says of its size in its first bytes. Nothing is decoded.

Pictures come from strangers: a few bytes can claim one of gigabytes, so whoever opens one looks here first.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

PNG = b"\x89PNG\r\n\x1a\n"
"""How every PNG begins."""
_JPEG_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD8)})
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


@dataclass(frozen=True, slots=True)
class Header:
    """Sides in pixels, bits of each channel."""

    width: int
    height: int
    bits: int = 8


def read_header(data: bytes) -> Header | None:
    """Return what a JPEG, PNG or WebP says of its size, or None for anything else. Raises nothing for any bytes."""
    try:
        if data.startswith(b"\xff\xd8\xff"):
            return _jpeg(data)
        if data.startswith(PNG) and data[12:16] == b"IHDR":
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
