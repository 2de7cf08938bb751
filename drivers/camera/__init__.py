"""Cameras, one file per device; ``camera.driver`` in config.toml names the file, whose ``make(config)`` builds it."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from kiosk.frames import HEIGHT_PX, WIDTH_PX

FRAME_SHAPE = (HEIGHT_PX, WIDTH_PX, 3)
"""Every driver delivers frames of this size: BGR, 8 bits."""


@runtime_checkable
class Camera(Protocol):
    """A stream of frames at the device's own pace.

    All calls come from one thread. After DeviceUnavailable the caller closes, waits and opens again:
    a device that comes back is used without a restart.
    """

    def open(self) -> None:
        """Claim the device; may block two seconds while it enumerates. Raises DeviceUnavailable."""
        ...

    def read(self, into: NDArray[np.uint8]) -> bool:
        """Wait up to 100 ms for the next frame and fill ``into`` with it; False when none came.

        ``into`` has FRAME_SHAPE. Raises DeviceUnavailable when the device is not open, or gone.
        """
        ...

    def skip(self) -> bool:
        """Let one frame pass without the cost of looking at it. Blocks and raises as ``read`` does."""
        ...

    def close(self) -> None:
        """Release the device. Safe to call twice, and after a failed open."""
        ...
