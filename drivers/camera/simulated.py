"""A camera without hardware: it draws what a ``Stage`` holds up to it, at the pace of a real one."""

from __future__ import annotations

import base64
import binascii
import json
import logging
import os
import select
import socket
import stat
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.camera import render
from drivers.camera.pace import Pace
from drivers.camera.render import Box, Frame, Sitter
from drivers.camera.stage import MAX_MESSAGE_BYTES, scene_socket
from kiosk.config import Config
from kiosk.errors import DeviceUnavailable, KioskError
from kiosk.socket_address import fitting

log = logging.getLogger(__name__)

DEVICE = "simulated camera"
_CLIENT_S = 2.0
_DETECT_SIDES_PX = (200, 280, 360, 480)


@dataclass(frozen=True, slots=True)
class _Scene:
    """A loop of frames, as far as it is drawn, which began with frame number ``first`` of the camera."""

    frames: tuple[Frame, ...]
    first: int

    def frame(self, number: int) -> Frame:
        return self.frames[max(0, number - self.first) % len(self.frames)]


class SimulatedCamera:
    """Listens on a 0600 Unix socket while it is open. A scene stays until the next one, also while closed."""

    def __init__(self, scene_socket: Path, fps: float) -> None:
        self._path = scene_socket
        self._pace = Pace(fps)
        self._scene = _Scene(tuple(render.empty_frames()), 0)
        self._number = 0
        self._unplugged_until = 0.0
        self._listener: socket.socket | None = None
        self._thread: threading.Thread | None = None

    def open(self) -> None:
        if time.monotonic() < self._unplugged_until:
            raise DeviceUnavailable(DEVICE, "unplugged; plug it in again")
        self.close()
        self._listener = _listen(self._path)
        self._number, self._scene = 0, _Scene(self._scene.frames, 0)
        self._pace.restart()
        self._thread = threading.Thread(target=self._serve, args=(self._listener,), name="scene", daemon=True)
        self._thread.start()

    def read(self, into: NDArray[np.uint8]) -> bool:
        self._number = self._next()
        np.copyto(into, self._scene.frame(self._number))
        return True

    def skip(self) -> bool:
        self._next()
        return True

    def close(self) -> None:
        if self._listener is None or self._thread is None:
            return
        self._listener.shutdown(socket.SHUT_RDWR)
        if self._thread is not threading.current_thread():
            self._thread.join()
        self._listener.close()
        self._path.unlink(missing_ok=True)
        self._listener = self._thread = None

    def _next(self) -> int:
        if self._listener is None:
            raise DeviceUnavailable(DEVICE, "not open; open it first")
        number = self._pace.wait()
        if time.monotonic() < self._unplugged_until:
            raise DeviceUnavailable(DEVICE, "unplugged; plug it in again")
        return number

    # -- on the scene's thread

    def _serve(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:  # closed
                return
            with client:
                client.settimeout(_CLIENT_S)
                try:
                    self._answer(client, listener)
                except OSError as error:
                    log.warning("scene: a client went away: %s", type(error).__name__)

    def _answer(self, client: socket.socket, listener: socket.socket) -> None:
        """Show the first frame of what is asked for, say so, then draw the rest of its loop in the camera's pace.

        Drawn all at once, it would hold up the thread that looks at the first frame.
        """
        try:
            frames = self._drawn(json.loads(client.recv(MAX_MESSAGE_BYTES)))
            shown: tuple[Frame, ...] = (next(frames),)
        except (ValueError, TypeError, KeyError, KioskError) as error:
            client.send(json.dumps({"error": str(error)}).encode())
            return
        first = self._number + 1
        self._scene = _Scene(shown, first)
        client.send(b"{}")
        while (
            not select.select([listener], [], [], self._pace.period_s / 2)[0]
            and (frame := next(frames, None)) is not None
        ):
            shown = (*shown, frame)
            self._scene = _Scene(shown, first)

    def _drawn(self, message: dict[str, object]) -> Iterator[Frame]:
        match message:
            case {"scene": "code", "payload": str(payload), "seed": int(seed)}:
                return render.code_frames(_bytes(payload), seed)
            case {"scene": "faces", "images": list(paths), "seed": int(seed), "face_px": face_px}:
                width = face_px if isinstance(face_px, int) else render.FACE_PX
                return render.face_frames([sitter(Path(path)) for path in paths], width, seed)
            case {"scene": "unplugged", "seconds": int() | float() as seconds}:
                self._unplugged_until = time.monotonic() + seconds
                return render.empty_frames()
            case {"scene": "nothing"}:
                return render.empty_frames()
            case _:
                raise ValueError("unknown scene")


def make(config: Config) -> SimulatedCamera:
    """Build the driver."""
    return SimulatedCamera(scene_socket(config), config.camera.fps)


def sitter(path: Path) -> Sitter:
    """Read a photo and find the largest face in it. Raises ValueError when there is none, ModelsMissing.

    This looks at the photo that is to be drawn, never at a frame.
    """
    photo = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if photo is None:
        raise ValueError(f"{path.name} is not a picture that can be read")
    box = _face_box(np.asarray(photo, np.uint8))
    if box is None:
        raise ValueError(f"{path.name} shows no face")
    return Sitter(np.asarray(photo, np.uint8), box)


def _face_box(photo: Frame) -> Box | None:
    """Box the largest face: the median over several sizes, because a single one is off by up to a tenth."""
    from kiosk.weights import cache

    detector = cv2.FaceDetectorYN.create(str(cache.path("yunet")), "", (320, 320), 0.6)
    found = []
    for side in _DETECT_SIDES_PX:
        scale = side / max(photo.shape[:2])
        small = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        detector.setInputSize((small.shape[1], small.shape[0]))
        _, faces = detector.detect(small)
        if faces is not None:
            found.append(max(faces, key=lambda face: float(face[2]))[:4] / scale)
    if not found:
        return None
    return Box(*(float(value) for value in np.median(found, axis=0)))


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("payload is not base64") from error


def _listen(path: Path) -> socket.socket:
    """Return a listening socket that only this account can reach. Raises DeviceUnavailable."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    _clear(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    mask = os.umask(0o177)
    try:
        with fitting(path) as address:
            listener.bind(address)
        listener.listen()
    except OSError as error:
        listener.close()
        raise DeviceUnavailable(DEVICE, f"cannot listen at {path}: {error.strerror}; choose another path") from error
    finally:
        os.umask(mask)
    return listener


def _clear(path: Path) -> None:
    """Remove what a killed process left behind; never another kiosk's socket, nor a file that is none."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise DeviceUnavailable(DEVICE, f"camera.scene_socket {path} is a file of another kind; choose another path")
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as probe:
        try:
            with fitting(path) as address:
                probe.connect(address)
        except OSError:
            path.unlink(missing_ok=True)
            return
    raise DeviceUnavailable(DEVICE, f"another kiosk listens at {path}; stop it or choose another path")
