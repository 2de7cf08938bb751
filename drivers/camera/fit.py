"""Bring a picture of any size to the size of a frame."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.camera import FRAME_SHAPE
from kiosk.frames import HEIGHT_PX, WIDTH_PX


def fit(image: NDArray[np.uint8], into: NDArray[np.uint8]) -> None:
    """Fill the frame ``into`` with the whole picture (BGR), centred, black beside it, proportions kept."""
    if image.shape == FRAME_SHAPE:
        np.copyto(into, image)
        return
    scale = min(WIDTH_PX / image.shape[1], HEIGHT_PX / image.shape[0])
    width, height = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    left, top = (WIDTH_PX - width) // 2, (HEIGHT_PX - height) // 2
    into[:] = 0
    into[top : top + height, left : left + width] = cv2.resize(image, (width, height), interpolation=method)
