"""Decode a picture from outside: only three formats, and never before its size was read from its header.

A portrait comes out of a code or over the network: a few bytes can claim a picture of gigabytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import cv2
import numpy as np

from kiosk.face.detect import Image
from kiosk.picture_header import read_header

MAX_BYTES = 30 * 1024 * 1024
MAX_PIXELS = 25_000_000
MIN_SIDE_PX = 16
_COLOURLESS = 3
"""Largest difference between the channels of a picture without colour; JPEG rounds by about this."""


class Unreadable(StrEnum):
    """Why a file is not used as a picture."""

    MISSING = "missing"
    BROKEN = "unreadable"
    TOO_LARGE = "too_large"
    TOO_SMALL = "too_small"
    NOT_8_BIT = "not_8_bit"


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
