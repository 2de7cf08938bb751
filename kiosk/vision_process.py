"""The kiosk's handle on the vision process: commands go in, reports come out, a hung or dead process is replaced."""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import wait
from typing import assert_never

from kiosk.config import Config
from kiosk.frames import Frames
from kiosk.ports import VisionDown, VisionReport, VisionUp
from kiosk.vision_child import VisionChild
from kiosk.vision_messages import (
    CameraDown,
    CameraUp,
    Command,
    Logged,
    Message,
    Ready,
    Saw,
    WatchCodes,
    WatchFace,
    Wipe,
)

log = logging.getLogger(__name__)

START_S = 20.0
"""How long a new process may take to its first sign of life."""
CHECK_S = 0.5
LATE_S = 1.0
"""A look at the process that comes later than this: the whole machine stood still, and so did the process."""
EXCUSED_S = 2.0
"""How long it then has for a sign of life."""
FORGIVEN_S = 10.0
"""A process overdue by more than this at one look is excused by no later one, or it might hang for ever."""
BACKOFF_S = (0.1, 0.5, 1.0, 2.0, 5.0)
"""Waits before the next start, after failures one upon another."""
STEADY_S = 30.0
"""A process that lived this long was no failure upon another."""


class VisionProcess:
    """Implements ``kiosk.ports.Vision``. One thread of its own owns the child; orders come from one other and only put.

    ``latest_frame``, ``rest`` and ``wipe`` touch the shared frames directly.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._frames = Frames.create()
        self._commands: queue.SimpleQueue[Command] = queue.SimpleQueue()
        self._bell = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()
        self._child: VisionChild | None = None
        self._face_capable = False
        self._is_up: bool | None = None
        self._looked_at = self._excused_until = 0.0
        self._report: Callable[[VisionReport], None] = lambda report: None

    # -- from the check-in's thread, but for what is only read

    def start(self, report: Callable[[VisionReport], None]) -> None:
        self._report = report
        self._thread = threading.Thread(target=self._run, name="vision", daemon=True)
        self._thread.start()

    def watch_codes(self, watch: int) -> None:
        self._put(WatchCodes(watch))

    def watch_face(self, watch: int, reference: bytes) -> None:
        self._put(WatchFace(watch, reference))

    def rest(self) -> None:
        self.wipe()

    def wipe(self) -> None:
        self._put(Wipe(self._frames.wipe()))

    def close(self) -> None:
        if self._closing.is_set():
            return
        self._closing.set()
        self._ring()
        if self._thread is not None:
            self._thread.join()
        self._frames.close()
        os.close(self._bell)

    @property
    def face_capable(self) -> bool:
        """Whether the nets are loaded; false until the process said so."""
        return self._face_capable

    @property
    def pid(self) -> int | None:
        """The process's number; None between two of them."""
        child = self._child
        return child.pid if child is not None else None

    def latest_frame(self) -> tuple[int, memoryview] | None:
        """Return the newest frame and its number, uncopied: BGR, 1280x720; None when there is none to show."""
        return self._frames.latest()

    def _put(self, command: Command) -> None:
        """Order something. What still waits is superseded, but for the last wipe: no portrait outlives its question."""
        if self._closing.is_set():
            return
        wipes = [waiting for waiting in self._waiting() if isinstance(waiting, Wipe)]
        for kept in (*wipes[-1:], command):
            self._commands.put(kept)
        self._ring()

    def _waiting(self) -> Iterator[Command]:
        """Take what waits, one by one."""
        with contextlib.suppress(queue.Empty):
            while True:
                yield self._commands.get_nowait()

    def _ring(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.eventfd_write(self._bell, 1)

    # -- on the vision thread

    def _run(self) -> None:
        failures = 0
        while not self._closing.is_set():
            began = time.monotonic()
            reason = self._live()
            if self._closing.is_set():
                return
            failures = 1 if time.monotonic() - began > STEADY_S else failures + 1
            log.error("vision process: %s; it is started again", reason)
            self._down(f"vision process: {reason}")
            self._closing.wait(BACKOFF_S[min(failures, len(BACKOFF_S)) - 1])

    def _live(self) -> str:
        """Run one process to its end; return why it ended."""
        self._looked_at = time.monotonic()
        self._frames.may_be_silent(self._looked_at + START_S)
        try:
            self._child = child = VisionChild(self._config, self._frames)
        except Exception as error:  # as below
            return f"cannot be started ({type(error).__name__})"
        reason = "closed"
        try:
            while not self._closing.is_set():
                self._attend(child)
        except Exception as error:  # gone, hung, or a fault of ours: another process is tried, this thread goes on
            reason = f"ended or hung ({type(error).__name__})"
        if self._closing.is_set():
            child.end()
        else:
            child.kill()
        self._child = None
        self._frames.withdraw()
        return reason

    def _attend(self, child: VisionChild) -> None:
        """Carry what there is in both directions. Raises when the process must be replaced."""
        ready = wait([child.connection, self._bell], CHECK_S)
        if self._bell in ready:
            os.eventfd_read(self._bell)
        for command in self._waiting():
            child.send(command)
        if child.connection in ready:
            self._take(child.connection.recv())
        if self._hangs(time.monotonic()):
            raise TimeoutError

    def _hangs(self, now: float) -> bool:
        """Say whether the process is silent for too long, while this thread was there to hear it."""
        is_late = now - self._looked_at > CHECK_S + LATE_S
        if is_late and self._frames.silent_for(self._looked_at) < FORGIVEN_S:
            self._excused_until = now + EXCUSED_S
        self._looked_at = now
        return self._frames.silent_for(now) > 0 and now >= self._excused_until

    def _take(self, message: Message) -> None:
        match message:
            case Ready(face_capable):
                self._face_capable = face_capable
            case CameraUp():
                self._tell_up()
            case CameraDown(reason):
                log.warning("%s", reason)
                self._down(reason)
            case Saw(report):
                self._tell(report)
            case Logged(level, logger, text):
                logging.getLogger(logger).log(level, "%s", text)
            case _:
                assert_never(message)

    def _tell_up(self) -> None:
        if not self._is_up:
            self._is_up = True
            self._tell(VisionUp())

    def _down(self, reason: str) -> None:
        if self._is_up is not False:
            self._is_up = False
            self._tell(VisionDown(reason))

    def _tell(self, report: VisionReport) -> None:
        try:
            self._report(report)
        except Exception as error:  # the listener's fault must not blind the kiosk
            log.error("a vision report was not taken: %s", type(error).__name__)
