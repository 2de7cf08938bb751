"""The two photos that a record carries: small JPEGs, within the record's budget."""

from __future__ import annotations

import cv2
import numpy as np

from kiosk.face.detect import Face, Image

MAX_BYTES = 12_000
"""Both photos in base64 and the text must stay under the authority's 40 KB."""
WIDTH_PX, HEIGHT_PX = 240, 320
_FACE_WIDTHS = 2.0
"""A portrait is this many face widths wide."""
_QUALITIES = (90, 80, 70, 60, 50, 40)


def portrait(image: Image, face: Face) -> Image:
    """Cut head and shoulders out of a frame, 3:4, at most 240×320. A copy: the frame may be overwritten."""
    height, width = image.shape[:2]
    wide = min(face.width * _FACE_WIDTHS, width, height * WIDTH_PX / HEIGHT_PX)
    high = wide * HEIGHT_PX / WIDTH_PX
    across, down = face.middle
    left = int(min(max(across - wide / 2, 0), width - wide))
    top = int(min(max(down - high / 2, 0), height - high))
    part = image[top : top + max(int(high), 1), left : left + max(int(wide), 1)]
    return _fitted(part)


def jpeg(image: Image) -> bytes:
    """Encode at the best quality that fits the budget; where none does, shrink."""
    small = _fitted(image)
    while True:
        for quality in _QUALITIES:
            written, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, quality])
            if not written:
                raise ValueError(f"an image of {small.shape} cannot be encoded")
            if data.size <= MAX_BYTES:
                return bytes(data)
        small = _resized(small, 0.75)


def _fitted(image: Image) -> Image:
    scale = min(WIDTH_PX / image.shape[1], HEIGHT_PX / image.shape[0])
    if scale >= 1:
        return image.copy()
    return _resized(image, scale)


def _resized(image: Image, scale: float) -> Image:
    size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
