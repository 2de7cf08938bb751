"""Find faces and their five points with YuNet: detect small, crop large.

A frame is shrunk to 320 px before the net sees it, which finds every face that is large enough to be of
use here and takes a fifth of the time; the places found are in the full frame's pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from kiosk.face.thresholds import DETECTION_SCORE

Image = NDArray[np.uint8]
"""Height × width × 3, BGR, 0..255."""

DETECT_PX = 320
_OVERLAP = 0.3
_KEEP = 50


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """One face, in pixels of the image it was found in."""

    row: NDArray[np.float32]
    """As YuNet gives it: x, y, width, height, five points (x, y each), score."""

    @property
    def x(self) -> float:
        return float(self.row[0])

    @property
    def y(self) -> float:
        return float(self.row[1])

    @property
    def width(self) -> float:
        return float(self.row[2])

    @property
    def height(self) -> float:
        return float(self.row[3])

    @property
    def middle(self) -> tuple[float, float]:
        return self.x + self.width / 2, self.y + self.height / 2

    @property
    def points(self) -> NDArray[np.float32]:
        """Right eye, left eye (the person's own), nose, right and left corner of the mouth."""
        return self.row[4:14].reshape(5, 2)


class Detector:
    """One net. Not for two threads at once."""

    def __init__(self, net: Path) -> None:
        self._size = (DETECT_PX, DETECT_PX)
        self._net: Any = cv2.FaceDetectorYN.create(str(net), "", self._size, DETECTION_SCORE, _OVERLAP, _KEEP)

    def find(self, image: Image, longer_side_px: int = DETECT_PX) -> list[Face]:
        """Return the faces, the largest first. The image is shrunk or grown to ``longer_side_px``."""
        scale = longer_side_px / max(image.shape[:2])
        height, width = (max(1, round(side * scale)) for side in image.shape[:2])
        small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
        if self._size != (width, height):
            self._net.setInputSize((width, height))
            self._size = (width, height)
        _, rows = self._net.detect(small)
        faces = [] if rows is None else [_in_full_size(row, scale) for row in rows if _is_plausible(row)]
        return sorted(faces, key=lambda face: -face.width)


def _is_plausible(row: NDArray[np.float32]) -> bool:
    return bool(np.isfinite(row).all() and row[2] >= 1 and row[3] >= 1)


def _in_full_size(row: NDArray[np.float32], scale: float) -> Face:
    full = row.astype(np.float32, copy=True)
    full[:14] /= np.float32(scale)
    return Face(full)
