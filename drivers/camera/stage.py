"""What is held up to the simulated camera, said from another process: the demo's, a bench's, a test's."""

from __future__ import annotations

import base64
import json
import socket
import time
from pathlib import Path

from kiosk.config import Config
from kiosk.errors import DeviceUnavailable
from kiosk.socket_address import fitting

CONNECT_S = 10.0
"""The camera's process may just be starting, or starting again."""
ANSWER_S = 10.0
MAX_MESSAGE_BYTES = 64 * 1024


def scene_socket(config: Config) -> Path:
    """Return where the simulated camera of a kiosk listens."""
    return config.camera.scene_socket or config.kiosk.state_dir / "scene.sock"


class Stage:
    """Client of the simulated camera. Each call returns once the camera shows it, and blocks up to 40 s.

    Raises DeviceUnavailable when no camera answers, ValueError when it cannot show what was asked for.
    """

    def __init__(self, scene_socket: Path) -> None:
        self._path = scene_socket

    def show_code(self, payload: bytes, seed: int = 0) -> None:
        """Hold up a phone that shows ``payload`` (at most 2,953 bytes)."""
        self._say({"scene": "code", "payload": base64.b64encode(payload).decode("ascii"), "seed": seed})

    def show_face(self, image: Path, seed: int = 0, face_px: int | None = None) -> None:
        """Let the person in a photo stand before the camera, the face ``face_px`` wide (None: where one stands)."""
        self.show_faces([image], seed, face_px)

    def show_faces(self, images: list[Path], seed: int = 0, face_px: int | None = None) -> None:
        """Let several people stand side by side."""
        paths = [str(image.resolve()) for image in images]
        self._say({"scene": "faces", "images": paths, "seed": seed, "face_px": face_px})

    def show_nothing(self) -> None:
        """Let everybody leave."""
        self._say({"scene": "nothing"})

    def unplug(self, seconds: float) -> None:
        """Pull the camera's cable for a while."""
        self._say({"scene": "unplugged", "seconds": seconds})

    def _say(self, message: dict[str, object]) -> None:
        end = time.monotonic() + ANSWER_S
        while not (answer := self._asked(json.dumps(message).encode())):
            if time.monotonic() > end:
                raise self._absent("ended before it answered")
        if problem := json.loads(answer).get("error"):
            raise ValueError(f"the simulated camera cannot show this: {problem}")

    def _asked(self, message: bytes) -> bytes:
        """Return the camera's answer; nothing when its process ended meanwhile: another one is on its way."""
        with self._connected() as connection:
            connection.settimeout(ANSWER_S)
            try:
                connection.send(message)
                return connection.recv(MAX_MESSAGE_BYTES)
            except (BrokenPipeError, ConnectionResetError):
                return b""
            except OSError as error:
                raise self._absent("did not answer") from error

    def _connected(self) -> socket.socket:
        end = time.monotonic() + CONNECT_S
        while True:
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            try:
                with fitting(self._path) as address:
                    connection.connect(address)
            except OSError as error:
                connection.close()
                if time.monotonic() > end:
                    raise self._absent("is not there") from error
                time.sleep(0.02)
            else:
                return connection

    def _absent(self, what: str) -> DeviceUnavailable:
        fix = 'start a kiosk whose camera.driver is "simulated"'
        return DeviceUnavailable("simulated camera", f"{what} at {self._path}; {fix}")
