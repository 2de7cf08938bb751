"""A recording instead of a camera: a video file, or a folder of pictures in the order of their names. It loops."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.camera.fit import fit
from drivers.camera.pace import Pace
from kiosk.config import Config
from kiosk.errors import DeviceUnavailable

DEVICE = "video"
PICTURES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".webp"})


class _Reel(Protocol):
    def next(self) -> NDArray[np.uint8] | None: ...

    def close(self) -> None: ...


class VideoCamera:
    """Plays at ``fps``, whatever speed the file was taken at."""

    def __init__(self, path: Path | None, fps: float) -> None:
        self._path = path
        self._pace = Pace(fps)
        self._reel: _Reel | None = None

    def open(self) -> None:
        self.close()
        if self._path is None:
            raise DeviceUnavailable(DEVICE, "camera.video_path is not set; name a video file or a folder of pictures")
        self._reel = _Folder(self._path) if self._path.is_dir() else _File(self._path)
        self._pace.restart()

    def read(self, into: NDArray[np.uint8]) -> bool:
        image = self._advance()
        if image is None:
            return False
        fit(image, into)
        return True

    def skip(self) -> bool:
        return self._advance() is not None

    def close(self) -> None:
        if self._reel is not None:
            self._reel.close()
            self._reel = None

    def _advance(self) -> NDArray[np.uint8] | None:
        if self._reel is None:
            raise DeviceUnavailable(DEVICE, "not open; open it first")
        self._pace.wait()
        return self._reel.next()


class _Folder:
    """The pictures of a folder, read anew in each round so that a large one needs no memory."""

    def __init__(self, path: Path) -> None:
        self._files = sorted(file for file in path.iterdir() if file.suffix.lower() in PICTURES)
        self._number = 0
        if not self._files:
            raise DeviceUnavailable(DEVICE, f"camera.video_path {path} holds no picture; put PNG or JPEG files there")
        self._only = self._load() if len(self._files) == 1 else None

    def next(self) -> NDArray[np.uint8] | None:
        return self._only if self._only is not None else self._load()

    def close(self) -> None:
        self._only = None

    def _load(self) -> NDArray[np.uint8]:
        file = self._files[self._number % len(self._files)]
        self._number += 1
        image = cv2.imread(str(file), cv2.IMREAD_COLOR)
        if image is None:
            raise DeviceUnavailable(DEVICE, f"{file} cannot be read as a picture; remove or replace it")
        return np.asarray(image, np.uint8)


class _File:
    """A video file, wound back at its end."""

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise DeviceUnavailable(DEVICE, f"camera.video_path {path} is not there; name a file or a folder")
        self._path = path
        self._capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
        if not self._capture.isOpened():
            raise DeviceUnavailable(DEVICE, f"camera.video_path {path} cannot be played; convert it to MP4 or AVI")

    def next(self) -> NDArray[np.uint8] | None:
        got, image = self._capture.read()
        if not got:
            self._capture.set(cv2.CAP_PROP_POS_FRAMES, 0)
            got, image = self._capture.read()
        if not got:
            raise DeviceUnavailable(DEVICE, f"camera.video_path {self._path} holds no frame; replace the file")
        return np.asarray(image, np.uint8)

    def close(self) -> None:
        self._capture.release()


def make(config: Config) -> VideoCamera:
    """Build the driver."""
    return VideoCamera(config.camera.video_path, config.camera.fps)
