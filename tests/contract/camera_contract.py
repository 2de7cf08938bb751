"""Every camera driver inherits this suite: subclass it and say how to build one that works."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import pytest

from drivers.camera import FRAME_SHAPE, Camera
from kiosk.errors import DeviceUnavailable
from tests.stopwatch import Stopwatch


def blank() -> np.ndarray:
    return np.full(FRAME_SHAPE, 7, np.uint8)


class CameraContract:
    FPS = 50.0

    def make(self) -> Camera:
        raise NotImplementedError

    @pytest.fixture
    def camera(self) -> Iterator[Camera]:
        camera = self.make()
        yield camera
        camera.close()

    def test_satisfies_the_protocol(self, camera: Camera) -> None:
        assert isinstance(camera, Camera)

    def test_fills_a_frame(self, camera: Camera) -> None:
        camera.open()
        frame = blank()
        assert camera.read(frame)
        assert np.ptp(frame) > 20

    def test_keeps_its_pace(self, camera: Camera) -> None:
        camera.open()
        frame = blank()
        camera.read(frame)
        began = time.monotonic()
        for _ in range(10):
            assert camera.read(frame)
        taken = time.monotonic() - began
        assert taken > 9 / self.FPS

    def test_a_skipped_frame_takes_its_time_too(self, camera: Camera) -> None:
        camera.open()
        assert camera.skip()
        began = time.monotonic()
        assert [camera.skip() for _ in range(5)] == [True] * 5
        assert time.monotonic() - began > 4 / self.FPS

    def test_a_late_reader_gets_on_with_the_newest(self, camera: Camera) -> None:
        camera.open()
        frame = blank()
        camera.read(frame)
        time.sleep(0.3)
        watch = Stopwatch()
        camera.read(frame)
        camera.read(frame)
        assert watch.seconds() < 0.2

    def test_before_it_is_open_it_says_so(self, camera: Camera) -> None:
        with pytest.raises(DeviceUnavailable, match="open"):
            camera.read(blank())
        with pytest.raises(DeviceUnavailable, match="open"):
            camera.skip()

    def test_it_opens_again_after_it_was_closed(self, camera: Camera) -> None:
        camera.open()
        camera.close()
        with pytest.raises(DeviceUnavailable):
            camera.read(blank())
        camera.open()
        assert camera.read(blank())

    def test_to_close_twice_is_harmless(self, camera: Camera) -> None:
        camera.close()
        camera.open()
        camera.close()
        camera.close()
