"""Say how alike two faces are, with SFace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from kiosk.face.detect import Face, Image

Template = NDArray[np.float32]
"""128 numbers of length 1: personal data of the most sensitive kind. Lives in memory only, until the attempt ends."""

ALIGNED_PX = 112


class Matcher:
    """One net. Not for two threads at once."""

    def __init__(self, net: Path) -> None:
        self._net: Any = cv2.FaceRecognizerSF.create(str(net), "")

    def align(self, image: Image, face: Face) -> Image:
        """Cut the face out, upright, eyes and mouth at fixed places; 112×112."""
        aligned: Image = self._net.alignCrop(image, face.row)
        return aligned

    def template(self, aligned: Image) -> Template:
        """Return the mean of the face's and its mirror image's features, of length 1. Two runs of the net."""
        mirrored = np.ascontiguousarray(aligned[:, ::-1])
        both = self._features(aligned) + self._features(mirrored)
        return unit(both)

    def _features(self, aligned: Image) -> Template:
        return unit(self._net.feature(aligned).ravel())


def unit(vector: Template) -> Template:
    """The same direction with length 1; NaN throughout where there is none."""
    length = float(np.linalg.norm(vector))
    if not length > 0.0:
        return np.full_like(vector, np.nan)
    return vector / np.float32(length)


def similarity(first: Template, second: Template) -> float:
    """Cosine of two templates, -1..1, or NaN."""
    return float(np.dot(first, second))
