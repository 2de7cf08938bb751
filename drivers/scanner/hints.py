"""What a guest can do about a code that is seen but not read. Pure; about the code only.

Judged on the patch of the frame around the eyes that were found. The thresholds were set on drawn
phones (tests/unit/test_hints.py); they choose words, they refuse nothing.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.scanner.finders import Eye
from kiosk.model import Hint

DARK_WHITE = 90
"""Gray level: the lightest part of a symbol below it means a screen too dark."""
PALE_BLACK = 110
"""Gray level: the darkest part above it, where the lightest is bright, means glare."""
FAINT = 45
"""Gray levels between dark and light: less cannot be read."""
SMALL_MODULE_PX = 2.2
SHORT_LEG = 0.75
"""Shorter leg by longer leg of the three eyes: less is a phone held at a slant."""
SLANT_DEG = 15.0
"""How far the angle between the legs may be from a right one."""
DRAWN_OUT = 1.6
"""Height of an eye by its width, or the other way round: more is a slant, too."""
FAST_PX_S = 400.0
"""Faster than this, an exposure of 10 ms smears a module of 4 px."""
SOFT_EDGE = 1.0
"""Width of an edge, in modules: more is blurred."""


def hint_for(gray: NDArray[np.uint8], eyes: tuple[Eye, ...], speed_px_s: float = 0.0) -> Hint | None:
    """Return the one thing that would help most, or None when nothing measured explains the failure.

    Args:
        gray: The frame.
        eyes: What ``find_eyes`` found in it, three at most.
        speed_px_s: How fast the eyes move over the frames.
    """
    if not eyes:
        return None
    patch = _patch(gray, eyes)
    black, white = (float(value) for value in np.percentile(patch, (4, 90)))
    if light := _light(black, white):
        return light
    module = float(np.median([eye.module_px for eye in eyes]))
    if module < SMALL_MODULE_PX:
        return Hint.CLOSER
    if _is_slanted(eyes):
        return Hint.FLATTER
    if speed_px_s > FAST_PX_S or edge_px(patch, white - black) > SOFT_EDGE * module:
        return Hint.HOLD_STILL
    return None


def edge_px(patch: NDArray[np.uint8], contrast: float) -> float:
    """Return how many pixels the steepest edges take to go from dark to light."""
    across = np.abs(cv2.Sobel(patch, cv2.CV_32F, 1, 0, ksize=3))
    down = np.abs(cv2.Sobel(patch, cv2.CV_32F, 0, 1, ksize=3))
    steepest = (
        float(np.percentile(np.maximum(across, down), 97)) / 8.0
    )  # Sobel's weights sum to 8 for one level a pixel
    return contrast / max(steepest, 1.0)


def _patch(gray: NDArray[np.uint8], eyes: tuple[Eye, ...]) -> NDArray[np.uint8]:
    """Return the frame's part that holds the eyes whole."""
    reach = 5 * max(eye.module_px for eye in eyes)
    xs, ys = [eye.x for eye in eyes], [eye.y for eye in eyes]
    top, bottom = max(0, int(min(ys) - reach)), int(max(ys) + reach) + 1
    left, right = max(0, int(min(xs) - reach)), int(max(xs) + reach) + 1
    return gray[top:bottom, left:right]


def _light(black: float, white: float) -> Hint | None:
    if white < DARK_WHITE:
        return Hint.BRIGHTER
    if black > PALE_BLACK:
        return Hint.DARKER
    if white - black < FAINT:
        return Hint.BRIGHTER
    return None


def _is_slanted(eyes: tuple[Eye, ...]) -> bool:
    """Say whether eyes are drawn out, or three of them far from a right angle with equal legs."""
    stretch = float(np.median([eye.stretch for eye in eyes]))
    if max(stretch, 1 / stretch) > DRAWN_OUT:
        return True
    if len(eyes) < 3:
        return False
    points = [(eye.x, eye.y) for eye in eyes]
    corner = max(range(3), key=lambda n: math.dist(points[(n + 1) % 3], points[(n + 2) % 3]))
    origin, one, two = points[corner], points[(corner + 1) % 3], points[(corner + 2) % 3]
    legs = sorted((math.dist(origin, one), math.dist(origin, two)))
    if legs[0] < 7 * eyes[0].module_px:
        return False
    turn = math.atan2(one[1] - origin[1], one[0] - origin[0]) - math.atan2(two[1] - origin[1], two[0] - origin[0])
    angle = abs(math.degrees(math.atan2(math.sin(turn), math.cos(turn))))
    return legs[0] / legs[1] < SHORT_LEG or abs(angle - 90.0) > SLANT_DEG
