"""Whether anything moves before the camera: the idle screen must not decode one still picture for hours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

STEP_PX = 16
"""One pixel in each square of this side is looked at: the smallest code that can be read covers a hundred."""
LEVELS = 24
"""Gray levels that a pixel must change by: a sensor's noise stays below."""
PIXELS = 8
"""Changed pixels that count as motion."""
CALM_S = 1.0
"""How long nothing must have moved before frames are let pass."""
GLANCE_S = 1.0
"""A calm picture is looked at this often all the same."""


class Motion:
    """Compares each frame with the last one that was looked at, on 3,600 pixels. Costs 20 µs a frame."""

    def __init__(self) -> None:
        self._seen: NDArray[np.int16] | None = None
        self._moved_at = float("-inf")
        self._looked_at = float("-inf")

    def worth_a_look(self, frame: NDArray[np.uint8], at: float) -> bool:
        """Say whether this frame (BGR, taken at monotonic ``at``) can show anything that the last did not."""
        sample = frame[::STEP_PX, ::STEP_PX, 1].astype(np.int16)
        if self._seen is None or np.count_nonzero(np.abs(sample - self._seen) > LEVELS) > PIXELS:
            self._moved_at = at
        if self.is_calm(at) and at - self._looked_at < GLANCE_S:
            return False
        self._seen, self._looked_at = sample, at
        return True

    def is_calm(self, at: float) -> bool:
        """Say whether nothing has moved for a while."""
        return at - self._moved_at > CALM_S
