"""The vision process: owns camera, decoders and nets. ``python -m kiosk.vision``, started by kiosk/vision_process.py.

A second composition root, without Qt, network or disk. One thread: take commands, take a frame, look, report.
It ends with its parent: by the kernel's signal, or when the socket closes.
"""

from __future__ import annotations

import ctypes
import importlib
import logging
import os
import queue
import signal
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import assert_never

import cv2
from typing_extensions import override

from drivers.camera import Camera
from kiosk import dumps
from kiosk.config import Config
from kiosk.errors import DeviceUnavailable, ModelsMissing, where
from kiosk.frames import Frames
from kiosk.vision_messages import (
    CameraDown,
    CameraUp,
    Command,
    Logged,
    Message,
    Quit,
    Ready,
    Saw,
    WatchCodes,
    WatchFace,
    Wipe,
)
from kiosk.vision_modes import Attempt, LookForCodes, LookForFace, Mode

log = logging.getLogger(__name__)

BEAT_S = 3.0
"""Longest silence while frames are taken; then the kiosk ends this process."""
OPEN_S = 15.0
"""Longest silence while a device enumerates or nets are loaded."""
NO_FRAME_S = 3.0
RETRY_S = 0.5
CALM_SKIPS = 2
"""Frames let pass for each one looked at while nothing moves: a third of 30 a second is seen within 100 ms."""

_PR_SET_PDEATHSIG = 1

MakeAttempt = Callable[[bytes], Attempt]


class VisionLoop:
    """The process's one loop.

    ``make_attempt`` None: the nets are not there, a face is refused at once. ``lines``: log records of any
    thread, which only this one sends.
    """

    def __init__(
        self,
        kiosk: Connection,
        frames: Frames,
        camera: Camera,
        make_attempt: MakeAttempt | None,
        lines: queue.SimpleQueue[Logged] | None = None,
    ) -> None:
        self._kiosk = kiosk
        self._frames = frames
        self._camera = camera
        self._make_attempt = make_attempt
        self._mode: Mode | None = None
        self._is_open = False
        self._is_up = False
        self._is_down_told = False
        self._frame_at = 0.0
        self._ended = False
        self._lines = lines or queue.SimpleQueue()

    def run(self) -> None:
        """Serve until Quit. Raises EOFError or OSError when the kiosk is gone."""
        self._say(Ready(self._make_attempt is not None))
        try:
            while not self._ended:
                self._flush()
                self._obey()
                self._turn()
        finally:
            self._end_mode()
            self._camera.close()

    # -- commands

    def _obey(self) -> None:
        while not self._ended and self._kiosk.poll(0):
            self._perform(self._kiosk.recv())

    def _perform(self, command: Command) -> None:
        match command:
            case WatchCodes(watch):
                self._begin_mode(LookForCodes(watch))
            case WatchFace(watch, reference):
                self._end_mode()
                attempt = self._make_attempt(reference) if self._make_attempt is not None else None
                self._begin_mode(LookForFace(watch, attempt))
            case Wipe(wipes):
                self._end_mode()
                self._frames.wiped(wipes)
            case Quit():
                self._ended = True
            case _:
                assert_never(command)

    def _begin_mode(self, mode: Mode) -> None:
        self._end_mode()
        self._mode = mode

    def _end_mode(self) -> None:
        if self._mode is not None:
            self._mode.close()
            self._mode = None

    # -- frames

    def _turn(self) -> None:
        if not self._is_open:
            self._open()
            return
        self._frames.may_be_silent(time.monotonic() + BEAT_S)
        try:
            came = self._take_frame()
        except DeviceUnavailable as error:
            self._lose(str(error))
            return
        now = time.monotonic()
        if came:
            self._frame_at = now
            self._tell_up()
        elif now - self._frame_at > NO_FRAME_S:
            self._lose(f"camera: no frame for {NO_FRAME_S:.0f} s; check its cable")

    def _take_frame(self) -> bool:
        """Take one frame and look at it, if anything is to be looked for."""
        mode = self._mode
        if mode is None:
            return self._camera.skip()
        since: float | None = None
        if mode.is_calm(time.monotonic()):
            for _ in range(CALM_SKIPS):
                self._camera.skip()
                since = since or time.monotonic()
                if self._kiosk.poll(0):
                    return True
        slot = self._frames.next_slot()
        if not self._camera.read(slot):
            return False
        at = time.monotonic()
        self._frames.publish()
        slot.flags.writeable = False
        for report in mode.look(slot, at, since or at):
            self._say(Saw(report))
        return True

    def _open(self) -> None:
        self._frames.may_be_silent(time.monotonic() + OPEN_S)
        try:
            self._camera.open()
        except DeviceUnavailable as error:
            self._lose(str(error))
            return
        self._is_open, self._frame_at = True, time.monotonic()

    def _lose(self, reason: str) -> None:
        """Close the camera, say so once, and wait a moment for a command before it is opened again."""
        self._camera.close()
        self._frames.withdraw()
        self._is_open = self._is_up = False
        if not self._is_down_told:
            self._is_down_told = True
            self._say(CameraDown(reason))
        self._frames.may_be_silent(time.monotonic() + BEAT_S)
        self._kiosk.poll(RETRY_S)

    def _tell_up(self) -> None:
        if not self._is_up:
            self._is_up, self._is_down_told = True, False
            self._say(CameraUp())

    # -- telling

    def _say(self, message: Message) -> None:
        self._kiosk.send(message)

    def _flush(self) -> None:
        while not self._lines.empty():
            self._say(self._lines.get())


class LinesToKiosk(logging.Handler):
    """Hands log records of any thread to the loop."""

    def __init__(self, lines: queue.SimpleQueue[Logged]) -> None:
        super().__init__()
        self._lines = lines

    @override
    def emit(self, record: logging.LogRecord) -> None:
        self._lines.put(Logged(record.levelno, record.name, record.getMessage()))


def load_nets(config: Config) -> MakeAttempt | None:
    """Load the nets, so that the first guest does not wait for them. None when the files are not there."""
    from kiosk.face import verifier

    try:
        engine = verifier.FaceEngine.load()
    except ModelsMissing as error:
        log.warning("no face step: %s", error)
        return None
    return lambda reference: verifier.Attempt(engine, config.face, reference)


def main(argv: list[str]) -> int:
    """Serve the kiosk whose process number, socket and memory are named by ``argv``."""
    parent, socket_fd, memory_fd = (int(word) for word in argv)
    _end_with(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
    kiosk, frames = Connection(socket_fd), Frames(memory_fd)
    frames.may_be_silent(time.monotonic() + OPEN_S)
    lines: queue.SimpleQueue[Logged] = queue.SimpleQueue()
    logging.basicConfig(level=logging.INFO, handlers=[LinesToKiosk(lines)], force=True)
    try:
        config: Config = kiosk.recv()
        dumps.forbid(also_debuggers=config.kiosk.mode == "production")
        camera: Camera = importlib.import_module(f"drivers.camera.{config.camera.driver}").make(config)
        VisionLoop(kiosk, frames, camera, load_nets(config), lines).run()
    except (EOFError, ConnectionError):  # the kiosk is gone
        return 0
    except Exception as error:  # the kiosk starts another process
        kiosk.send(Logged(logging.CRITICAL, __name__, f"ended by {where(error)}"))
        return 1
    return 0


def _end_with(parent: int) -> None:
    """Ask the kernel to kill this process when the thread that started it ends."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
