"""The camera drivers: what all share, and what each does when its device is not there."""

from __future__ import annotations

import itertools
import socket
import stat
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from drivers.camera import Camera
from drivers.camera.simulated import SimulatedCamera, make
from drivers.camera.stage import Stage
from drivers.camera.v4l2 import V4l2Camera
from drivers.camera.video import VideoCamera
from drivers.scanner.decode import decode
from kiosk.config import CameraSection, Config
from kiosk.errors import DeviceUnavailable
from kiosk.weights import cache
from tests.contract.camera_contract import CameraContract, blank
from tests.unit.test_decode import picture

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder whose name is short enough for a Unix socket."""
    with tempfile.TemporaryDirectory(prefix="cam-") as name:
        yield Path(name)


class TestSimulated(CameraContract):
    @pytest.fixture(autouse=True)
    def _folder(self, short: Path) -> None:
        self.path = short / "state" / "scene.sock"

    def make(self) -> SimulatedCamera:
        return SimulatedCamera(self.path, self.FPS)

    def show(self, camera: Camera) -> np.ndarray:
        frame = blank()
        camera.read(frame)
        return frame

    def test_a_code_that_is_held_up_is_in_the_next_frame(self, camera: Camera) -> None:
        camera.open()
        assert decode(self.show(camera)) == []
        Stage(self.path).show_code(b"exact \xff bytes", seed=3)
        assert [found.payload for found in decode(self.show(camera))] == [b"exact \xff bytes"]
        Stage(self.path).show_nothing()
        assert decode(self.show(camera)) == []

    @pytest.mark.timeout(30)
    def test_what_is_held_up_to_a_camera_whose_process_ends_is_held_up_to_the_next_one(self) -> None:
        self.path.parent.mkdir()
        asked: list[bytes] = []

        def serve() -> None:
            for answer in (b"", b"{}"):
                client, _ = listener.accept()
                with client:
                    asked.append(client.recv(1024))
                    if answer:
                        client.send(answer)

        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
            listener.bind(str(self.path))
            listener.listen()
            server = threading.Thread(target=serve)
            server.start()
            Stage(self.path).show_nothing()
            server.join()
        assert asked == [b'{"scene": "nothing"}'] * 2

    def test_somebody_who_stands_still_moves_a_little(self, camera: Camera) -> None:
        camera.open()
        Stage(self.path).show_face(cache.path("demo_face_astronaut"))
        time.sleep(0.5)  # the loop is drawn in the camera's pace
        frames = [self.show(camera) for _ in range(4)]
        assert all(np.any(one != two) for one, two in itertools.pairwise(frames))

    def test_the_socket_belongs_to_this_account_and_is_gone_afterwards(self, camera: Camera) -> None:
        camera.open()
        assert stat.S_IMODE(self.path.stat().st_mode) == 0o600
        camera.close()
        assert not self.path.exists()

    def test_what_a_killed_process_left_behind_is_cleared(self, camera: Camera) -> None:
        self.path.parent.mkdir()
        left = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        left.bind(str(self.path))
        left.close()
        camera.open()
        Stage(self.path).show_nothing()

    def test_another_kiosks_socket_is_left_alone(self, camera: Camera) -> None:
        camera.open()
        with pytest.raises(DeviceUnavailable, match="another kiosk"):
            self.make().open()
        Stage(self.path).show_nothing()

    def test_an_ordinary_file_is_left_alone(self, camera: Camera) -> None:
        self.path.parent.mkdir()
        self.path.write_text("somebody's notes")
        with pytest.raises(DeviceUnavailable, match="another kind"):
            camera.open()
        assert self.path.read_text() == "somebody's notes"

    def test_a_folder_deeper_than_a_socket_address_serves_too(self, short: Path) -> None:
        deep = short / ("d" * 60) / ("e" * 60) / "scene.sock"
        camera = SimulatedCamera(deep, 30)
        camera.open()
        Stage(deep).show_code(b"held up in a deep folder")
        with pytest.raises(DeviceUnavailable, match="another kiosk"):
            SimulatedCamera(deep, 30).open()
        camera.close()
        assert not deep.exists()

    def test_a_pulled_cable_is_noticed_and_mended(self, camera: Camera) -> None:
        camera.open()
        Stage(self.path).unplug(0.4)
        with pytest.raises(DeviceUnavailable, match="unplugged"):
            self.show(camera)
        with pytest.raises(DeviceUnavailable, match="unplugged"):
            camera.open()
        camera.close()
        time.sleep(0.45)
        camera.open()
        assert np.ptp(self.show(camera)) > 20

    @pytest.mark.parametrize("size", [2954, 5000])
    def test_what_fits_in_no_symbol_is_said(self, camera: Camera, size: int) -> None:
        camera.open()
        with pytest.raises(ValueError, match="do not fit"):
            Stage(self.path).show_code(b"\xff" * size)
        Stage(self.path).show_code(b"\xff" * 2953)

    def test_a_photo_without_a_face_is_said(self, camera: Camera, tmp_path: Path) -> None:
        camera.open()
        empty = tmp_path / "wall.png"
        cv2.imwrite(str(empty), np.full((300, 300, 3), 128, np.uint8))
        with pytest.raises(ValueError, match="no face"):
            Stage(self.path).show_face(empty)
        with pytest.raises(ValueError, match="not a picture"):
            Stage(self.path).show_face(tmp_path / "missing.png")

    def test_a_client_that_talks_nonsense_does_no_harm(self, camera: Camera) -> None:
        camera.open()
        for message in (b"not json", b"[]", b'{"scene": "code"}', b'{"scene": "code", "payload": "%", "seed": 1}'):
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
                client.connect(str(self.path))
                client.send(message)
                assert b"error" in client.recv(1000)
        Stage(self.path).show_code(b"still here")

    def test_a_stage_waits_for_a_camera_that_is_just_starting(self, camera: Camera) -> None:
        late = threading.Timer(0.3, camera.open)
        late.start()
        Stage(self.path).show_nothing()
        late.join()

    def test_a_stage_without_a_camera_says_what_to_do(self, short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("drivers.camera.stage.CONNECT_S", 0.05)
        with pytest.raises(DeviceUnavailable, match="start a kiosk"):
            Stage(short / "nobody.sock").show_nothing()

    def test_without_a_path_the_socket_is_in_the_state_folder(self, short: Path) -> None:
        config = Config()
        config = config.model_copy(update={"kiosk": config.kiosk.model_copy(update={"state_dir": short})})
        camera = make(config)
        camera.open()
        assert (short / "scene.sock").is_socket()
        camera.close()


class TestFolder(CameraContract):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.path = tmp_path
        for number in range(3):
            cv2.imwrite(str(tmp_path / f"{number}.png"), picture(b"%d" % number, scale=6))
        (tmp_path / "notes.txt").write_text("not a picture")

    def make(self) -> VideoCamera:
        return VideoCamera(self.path, self.FPS)

    def test_pictures_come_in_order_and_again(self, camera: Camera) -> None:
        camera.open()
        seen = []
        for _ in range(7):
            frame = blank()
            camera.read(frame)
            seen += [found.payload for found in decode(frame)]
        assert seen == [b"0", b"1", b"2", b"0", b"1", b"2", b"0"]

    def test_an_empty_folder_is_said(self, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        with pytest.raises(DeviceUnavailable, match="holds no picture"):
            VideoCamera(tmp_path / "empty", 30).open()

    def test_a_spoilt_picture_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "spoilt").mkdir()
        (tmp_path / "spoilt" / "a.png").write_bytes(b"no PNG")
        with pytest.raises(DeviceUnavailable, match=r"a\.png"):
            VideoCamera(tmp_path / "spoilt", 30).open()


class TestVideoFile(CameraContract):
    @pytest.fixture(autouse=True)
    def _file(self, tmp_path: Path) -> None:
        self.path = tmp_path / "lobby.avi"
        writer = cv2.VideoWriter(str(self.path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (640, 480))
        for number in range(3):
            writer.write(np.full((480, 640, 3), 60 + 80 * number, np.uint8))
        writer.release()

    def make(self) -> VideoCamera:
        return VideoCamera(self.path, self.FPS)

    def test_it_loops(self, camera: Camera) -> None:
        camera.open()
        levels = []
        for _ in range(5):
            frame = blank()
            camera.read(frame)
            levels.append(round(int(frame[360, 640, 0]) / 10) * 10)
        assert levels == [60, 140, 220, 60, 140]

    def test_a_file_that_is_no_video_is_said(self, tmp_path: Path) -> None:
        with pytest.raises(DeviceUnavailable, match="not there"):
            VideoCamera(tmp_path / "missing.avi", 30).open()
        (tmp_path / "text.avi").write_text("no video")
        with pytest.raises(DeviceUnavailable, match="cannot be played"):
            VideoCamera(tmp_path / "text.avi", 30).open()
        with pytest.raises(DeviceUnavailable, match="not set"):
            VideoCamera(None, 30).open()


def test_a_camera_that_is_absent_is_said_with_what_to_do(tmp_path: Path) -> None:
    camera = V4l2Camera(CameraSection(driver="v4l2", device=str(tmp_path / "video9")))
    with pytest.raises(DeviceUnavailable, match="plug the camera in"):
        camera.open()
    camera.close()


def test_a_device_that_is_no_camera_is_said(capfd: pytest.CaptureFixture[str]) -> None:
    camera = V4l2Camera(CameraSection(driver="v4l2", device="/dev/null"))
    with pytest.raises(DeviceUnavailable, match="is a camera"):
        camera.open()
    with pytest.raises(DeviceUnavailable, match="not open"):
        camera.read(blank())
