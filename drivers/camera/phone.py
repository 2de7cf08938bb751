"""A guest's phone, drawn flat: bezel, screen, a code in the middle, as an app shows it."""

from __future__ import annotations

import functools

import cv2
import numpy as np
import segno
from numpy.typing import NDArray

QUIET_ZONE_MODULES = 4
CODE_SIDE_PX = 620
"""What a code may take of a frame's height; a module is a whole number of pixels within it."""
MIN_MODULE_PX, MAX_MODULE_PX = 3, 8

_BEZEL_PX = 16
_BEZEL = (38, 34, 32)
_PAPER = (250, 248, 247)
_INK = (120, 112, 108)
_ACCENT = (87, 107, 11)


@functools.lru_cache(maxsize=4)
def phone(payload: bytes, mask: int) -> NDArray[np.uint8]:
    """Return the phone as BGR. Raises ValueError when no symbol can hold the payload (2,953 bytes)."""
    code = _code(payload, mask)
    side = code.shape[0]
    margin = side // 12
    width = side + 2 * margin
    height = int(width * 1.9)
    screen = np.full((height, width, 3), _PAPER, np.uint8)
    screen[: height // 9] = _ACCENT
    top = (height - side) // 2
    screen[top : top + side, margin : margin + side] = code
    _lines(screen, top - height // 14, width)
    _lines(screen, top + side + height // 20, width)
    screen = _lit(screen)
    return np.asarray(cv2.copyMakeBorder(screen, *(_BEZEL_PX,) * 4, cv2.BORDER_CONSTANT, value=_BEZEL), np.uint8)


def _code(payload: bytes, mask: int) -> NDArray[np.uint8]:
    """Draw the symbol. A given mask pattern spares the search for the best one, which takes longer than the drawing."""
    try:
        symbol = segno.make_qr(payload, error="l", boost_error=False, mask=mask % 8)
    except segno.DataOverflowError as error:
        raise ValueError(f"{len(payload)} bytes do not fit into a QR symbol") from error
    modules = int(symbol.symbol_size(border=QUIET_ZONE_MODULES)[0])
    scale = min(MAX_MODULE_PX, max(MIN_MODULE_PX, CODE_SIDE_PX // modules))
    dark = np.frombuffer(b"".join(symbol.matrix), np.uint8).reshape(modules - 2 * QUIET_ZONE_MODULES, -1)
    padded = np.pad(dark, QUIET_ZONE_MODULES)
    gray = np.kron(1 - padded, np.full((scale, scale), 1, np.uint8)) * np.uint8(228) + np.uint8(20)
    return np.repeat(gray[:, :, None], 3, axis=2)


def _lines(screen: NDArray[np.uint8], top: int, width: int) -> None:
    """Draw two bars where an app has words."""
    for row, share in ((0, 0.5), (1, 0.3)):
        left, y = int(width * (1 - share) / 2), top + row * width // 18
        cv2.rectangle(screen, (left, y), (width - left, y + width // 40), _INK, -1)


def _lit(screen: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Add what a lens sees of a screen: rows of pixels, and a light that falls off to one side."""
    height, width = screen.shape[:2]
    rows = np.where(np.arange(height) % 3 == 0, 0.965, 1.0)[:, None]
    fall = np.linspace(1.0, 0.9, width)[None, :]
    return np.asarray(screen * (rows * fall)[:, :, None], np.uint8)
