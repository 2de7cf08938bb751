"""Where a frame shows the square eyes of a QR symbol, also when nothing in it can be read.

An eye crosses any line through its centre as dark, light, dark, light, dark in the proportions
1:1:3:1:1 (ISO/IEC 18004). Lines are looked at in both directions; where both agree there is an eye.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

_WINDOW_PX = 31
_OFFSET = 4
_EVERY = 2
_SHAPE = np.array([1.0, 1.0, 3.0, 1.0, 1.0])
_TOLERANCE = 0.5
"""Of a module; for the middle, three times as much."""
_MIN_MODULE_PX = 1.4
_MAX_CANDIDATES = 600
_STRETCH = 2.6
_MAX_EYES = 32
_WORTH_MODULES = 1.5

Lines: TypeAlias = NDArray[np.float32]
"""Rows of (x, y, module) in pixels: where a line crosses what may be an eye."""


@dataclass(frozen=True, slots=True)
class Eye:
    """Centre of one eye, in pixels, and the size of a module there."""

    x: float
    y: float
    module_px: float
    stretch: float = 1.0
    """Height by width: far from 1 where the symbol is seen at a slant."""


def find_eyes(gray: NDArray[np.uint8]) -> tuple[Eye, ...]:
    """Return the three eyes of a symbol, or the one or two that can be seen. Costs 4 to 10 ms on a 1280x720 frame."""
    soft = cv2.blur(gray, (9, 9))
    gray = np.asarray(cv2.addWeighted(gray, 2.0, soft, -1.0, 0), np.uint8)
    mean = cv2.boxFilter(gray, -1, (_WINDOW_PX, _WINDOW_PX))
    _, below = cv2.threshold(cv2.subtract(mean, gray), _OFFSET, 1, cv2.THRESH_BINARY)
    dark = np.asarray(below, np.uint8)
    across = _crossings(dark[::_EVERY].copy())
    down = _crossings(dark.T[::_EVERY].copy())
    if not len(across) or not len(down):
        return ()
    return _best_three(_joined(*_agreeing(across, down[:, [1, 0, 2]])))


def _crossings(dark: NDArray[np.uint8]) -> Lines:
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


def _agreeing(across: Lines, down: Lines) -> tuple[Lines, Lines]:
    """Keep the lines of each direction that a line of the other one confirms."""
    gap = np.abs(across[:, None, :2] - down[None, :, :2])
    module, other = across[:, None, 2], down[None, :, 2]
    near = np.all(gap < 1.7 * np.maximum(module, other)[:, :, None] + 1, axis=2)
    agree = near & (other > module / _STRETCH) & (other < module * _STRETCH)
    return across[agree.any(axis=1)], down[agree.any(axis=0)]


def _joined(across: Lines, down: Lines) -> list[Eye]:
    """Join the lines through one eye. A true one is crossed by three modules' worth of lines in both directions."""
    eyes: list[tuple[float, Eye]] = []
    left = across
    while len(left) and len(eyes) < _MAX_EYES:
        seed = left[len(left) // 2]
        mine = _close_to(left, seed, 1.6)
        group, others = left[mine], down[_close_to(down, seed, _STRETCH)]
        left = left[~mine]
        if not len(others):
            continue
        width, height = float(group[:, 2].mean()), float(others[:, 2].mean())
        worth = min(len(group) / height, len(others) / width) * _EVERY
        if worth >= _WORTH_MODULES:
            x, y = float(group[:, 0].mean()), float(others[:, 1].mean())
            eyes.append((worth, Eye(x, y, (width * height) ** 0.5, height / width)))
    eyes.sort(key=lambda found: found[0], reverse=True)
    return [eye for _, eye in eyes]


def _close_to(lines: Lines, seed: NDArray[np.float32], ratio: float) -> NDArray[np.bool_]:
    alike = (lines[:, 2] > seed[2] / ratio) & (lines[:, 2] < seed[2] * ratio)
    near = np.all(np.abs(lines[:, :2] - seed[:2]) < 2.0 * np.maximum(lines[:, 2:], seed[2]) + 1, axis=1)
    return np.asarray(near & alike, np.bool_)


def _best_three(eyes: list[Eye]) -> tuple[Eye, ...]:
    """Return the three alike eyes that span most, as those of one symbol do; fewer eyes as they are."""

    def area(three: tuple[Eye, ...]) -> float:
        a, b, c = three
        return abs((b.x - a.x) * (c.y - a.y) - (c.x - a.x) * (b.y - a.y)) / 2

    alike = [
        three
        for three in combinations(eyes[:8], 3)
        if max(eye.module_px for eye in three) < 1.6 * min(eye.module_px for eye in three)
    ]
    best = max(alike, key=area, default=None)
    if best is not None and area(best) > (7 * best[0].module_px) ** 2 / 2:
        return best
    return tuple(eyes[:2])
