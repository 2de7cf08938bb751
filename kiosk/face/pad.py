"""Passive presentation attack detection: tell a live face from a print, a screen or a mask.

Two small nets see the face with its surroundings: 2.7 and 4 times the face's box. Where that is more than the frame,
both sides shrink alike until it fits, and the cut is pushed inside the frame: it never holds invented
pixels. That is how the nets were trained.

Weak on its own: frameless screens and good masks pass. It is a reason to refuse, and no proof of life.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from kiosk.face.detect import Face, Image

INPUT_PX = 80
LIVE = 1
"""Which of the three outputs is live; the others are two kinds of attack."""
CONTEXT_V2 = 2.7
CONTEXT_V1SE = 4.0


class Cut(NamedTuple):
    """Part of an image, in whole pixels; right and bottom are the first ones outside."""

    left: int
    top: int
    right: int
    bottom: int


def room(face: Face, shape: tuple[int, ...]) -> float:
    """How many times the face's box, each way, fits into the image."""
    return min((shape[0] - 1) / face.height, (shape[1] - 1) / face.width)


def cut(face: Face, context: float, shape: tuple[int, ...]) -> Cut:
    """Where ``context`` times the face's box lies, inside an image of this shape."""
    height, width = shape[:2]
    factor = min(context, room(face, shape))
    wide, high = face.width * factor, face.height * factor
    across, down = face.middle
    left = min(max(across - wide / 2, 0.0), width - 1 - wide)
    top = min(max(down - high / 2, 0.0), height - 1 - high)
    return Cut(max(int(left), 0), max(int(top), 0), int(left + wide) + 1, int(top + high) + 1)


class Pad:
    """Two nets. Not for two threads at once."""

    def __init__(self, v2: Path, v1se: Path) -> None:
        self._nets: tuple[tuple[Any, float], ...] = (
            (cv2.dnn.readNetFromONNX(str(v2)), CONTEXT_V2),
            (cv2.dnn.readNetFromONNX(str(v1se)), CONTEXT_V1SE),
        )

    def score(self, image: Image, face: Face) -> float:
        """Return 0..1, 1 is bona fide; NaN when a net says something that is no number."""
        outputs = [self._run(net, image, cut(face, context, image.shape)) for net, context in self._nets]
        return float(np.mean([output[LIVE] for output in outputs]))

    @staticmethod
    def _run(net: Any, image: Image, part: Cut) -> NDArray[np.float64]:  # noqa: ANN401  cv2 has no types
        picture = cv2.resize(image[part.top : part.bottom, part.left : part.right], (INPUT_PX, INPUT_PX))
        net.setInput(cv2.dnn.blobFromImage(picture))  # BGR, 0..255: these nets take no scaling
        return softmax(net.forward()[0])


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """Shares that sum to 1."""
    raised = np.exp(logits.astype(np.float64) - float(logits.max()))
    shares: NDArray[np.float64] = raised / raised.sum()
    return shares
