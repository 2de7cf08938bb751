"""A real camera: Video4Linux through OpenCV, motion JPEG at a fixed size."""

from __future__ import annotations

import os
import time
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.camera.fit import fit
from kiosk.config import CameraSection, Config
from kiosk.errors import DeviceUnavailable

DEVICE = "camera"
READ_S = "1"
"""How long OpenCV waits for a frame before it counts as missing; its own default is ten seconds."""
GONE_AFTER_FRAMES = 3
"""Missing frames in a row that mean a pulled cable; one alone happens on a busy USB bus."""
_WAITED_MS = 2.0
_BUFFERS = 4


class V4l2Camera:
    """Delivers the newest frame: what queued up while the reader was busy is passed over undecoded."""

    def __init__(self, settings: CameraSection) -> None:
        self._settings = settings
        self._capture: cv2.VideoCapture | None = None
        self._missing = 0

    def open(self) -> None:
        self.close()
        device = self._settings.device
        if not Path(device).exists():
            raise DeviceUnavailable(DEVICE, f"{device} is not there; plug the camera in or correct camera.device")
        os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", READ_S)
        capture = cv2.VideoCapture(device, cv2.CAP_V4L2)
        if not capture.isOpened():
            raise DeviceUnavailable(
                DEVICE, f"{device} cannot be opened; check that it is a camera, is not in use, and may be read"
            )
        wanted = self._settings
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, wanted.width_px)
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, wanted.height_px)
        capture.set(cv2.CAP_PROP_FPS, wanted.fps)
        capture.set(cv2.CAP_PROP_BUFFERSIZE, _BUFFERS)
        self._capture, self._missing = capture, 0

    def read(self, into: NDArray[np.uint8]) -> bool:
        capture = self._grabbed()
        if capture is None:
            return False
        got, image = capture.retrieve()
        if got:
            fit(np.asarray(image, np.uint8), into)
        return bool(got)

    def skip(self) -> bool:
        return self._grabbed() is not None

    def close(self) -> None:
        if self._capture is not None:
            self._capture.release()
            self._capture = None

    def _grabbed(self) -> cv2.VideoCapture | None:
        """Take frames off the queue until one had to be waited for: that is the newest."""
        capture = self._capture
        if capture is None:
            raise DeviceUnavailable(DEVICE, "not open; open it first")
        for _ in range(_BUFFERS):
            began = time.monotonic()
            if not capture.grab():
                self._missed()
                return None
            if (time.monotonic() - began) * 1000 > _WAITED_MS:
                break
        self._missing = 0
        return capture

    def _missed(self) -> None:
        self._missing += 1
        if self._missing >= GONE_AFTER_FRAMES or not Path(self._settings.device).exists():
            raise DeviceUnavailable(DEVICE, f"{self._settings.device} delivers no frames; check its cable")


def make(config: Config) -> V4l2Camera:
    """Build the driver."""
    return V4l2Camera(config.camera)
