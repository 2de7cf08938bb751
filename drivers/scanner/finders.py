"""Where a frame shows the square eyes of a QR symbol, also when nothing in it can be read.

An eye crosses any line through its centre as dark, light, dark, light, dark in the proportions
1:1:3:1:1 (ISO/IEC 18004). Lines are looked at in both directions; where both agree there is an eye.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

_WINDOW_PX = 61
_OFFSET = 4
_EVERY = 2
_SHAPE = np.array([1.0, 1.0, 3.0, 1.0, 1.0])
_TOLERANCE = 0.55
"""Of a module; for the middle, three times as much."""
_MIN_MODULE_PX = 1.2
_MAX_CANDIDATES = 600
_MIN_LINES = 2


@dataclass(frozen=True, slots=True)
class Eye:
    """Centre of one eye, in pixels, and the size of a module there."""

    x: float
    y: float
    module_px: float


def find_eyes(gray: NDArray[np.uint8]) -> tuple[Eye, ...]:
    """Return the eyes, the most certain first, at most eight. Costs about 4 ms on a 1280x720 frame."""
    mean = cv2.boxFilter(gray, -1, (_WINDOW_PX, _WINDOW_PX))
    _, below = cv2.threshold(cv2.subtract(mean, gray), _OFFSET, 1, cv2.THRESH_BINARY)
    dark = np.asarray(below, np.uint8)
    across = _crossings(dark[::_EVERY].copy())
    down = _crossings(dark.T[::_EVERY].copy())
    if not len(across) or not len(down):
        return ()
    return _merged(_agreeing(across, down[:, [1, 0, 2]]))


def _crossings(dark: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return (position along the line, position of the line, module) of each 1:1:3:1:1 on the given lines."""
    width = dark.shape[1]
    dark[:, 0] = dark[:, -1] = 0
    flat = dark.ravel()
    edges = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    if len(edges) < 6:
        return np.empty((0, 3), np.float32)
    runs = np.diff(edges)
    five = np.lib.stride_tricks.sliding_window_view(runs, 5)[::2]  # the first edge goes from light to dark
    total = five.sum(axis=1)
    rough = (np.abs(five[:, 2] * 7 - total * 3) < total * 3 * _TOLERANCE) & (total < width)
    rough &= total >= 7 * _MIN_MODULE_PX
    index = np.flatnonzero(rough)
    module = total[index, None] / 7.0
    # A run of whole pixels is off by up to half a pixel at each end, which matters for small modules.
    fits = np.all(np.abs(five[index] - module * _SHAPE) < module * _TOLERANCE * _SHAPE + 0.5, axis=1)
    index, module = index[fits][:_MAX_CANDIDATES], module[fits][:_MAX_CANDIDATES, 0]
    start = edges[index * 2]
    centre = start % width + total[index] / 2.0
    return np.stack([centre, start // width * float(_EVERY), module], axis=1).astype(np.float32)


def _agreeing(across: NDArray[np.float32], down: NDArray[np.float32]) -> NDArray[np.float32]:
    """Keep the crossings along x that a crossing along y confirms."""
    gap = np.abs(across[:, None, :] - down[None, :, :])
    module = across[:, 2][:, None]
    near = (gap[:, :, 0] < 1.5 * module + 1) & (gap[:, :, 1] < 1.5 * module + 1)
    alike = (down[None, :, 2] > 0.5 * module) & (down[None, :, 2] < 2.0 * module)
    return across[np.any(near & alike, axis=1)]


def _merged(points: NDArray[np.float32]) -> tuple[Eye, ...]:
    """Join the lines through one eye."""
    eyes: list[tuple[int, Eye]] = []
    left = points
    while len(left) and len(eyes) < 32:
        seed = left[len(left) // 2]
        near = np.all(np.abs(left[:, :2] - seed[:2]) < 3.0 * seed[2] + 1, axis=1)
        group = left[near]
        if len(group) >= _MIN_LINES:
            x, y, module = (float(value) for value in np.median(group, axis=0))
            eyes.append((len(group), Eye(x, y, module)))
        left = left[~near]
    eyes.sort(key=lambda found: found[0], reverse=True)
    return tuple(eye for _, eye in eyes[:8])
