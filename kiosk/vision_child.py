"""One run of the vision process, as its parent holds it: started, spoken to, ended."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import struct
import subprocess
import sys
from multiprocessing.connection import Connection
from pathlib import Path

from kiosk.config import Config
from kiosk.frames import Frames
from kiosk.vision_messages import Command, Quit

log = logging.getLogger(__name__)

SEND_S = 0.05
"""A process that does not take a command in this time hangs, and is ended."""
RECEIVE_S = 1.0
LEAVE_S = 1.0
"""How long it may take to leave by itself."""
REAP_S = 2.0
"""How long a killed process may take to be gone; one that waits in the kernel for a broken camera takes for ever."""


class VisionChild:
    """A child process that shares ``frames``. All calls come from one thread, which must outlive the child:
    the kernel ends the child when the thread that started it ends. Raises OSError when it cannot be started."""

    def __init__(self, config: Config, frames: Frames) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            _limit(ours, socket.SO_SNDTIMEO, SEND_S)
            _limit(ours, socket.SO_RCVTIMEO, RECEIVE_S)
            fds = (theirs.fileno(), frames.fd)
            words = [str(number) for number in (os.getpid(), *fds)]
            self.connection = Connection(ours.detach())
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "kiosk.vision", *words],
                pass_fds=fds,
                process_group=0,  # Ctrl-C is for the kiosk, which says when to end
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env=_environment(),
            )
        try:
            self.send(config)
        except BaseException:
            self.kill()
            raise

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, message: Command | Config) -> None:
        """Raises OSError when the process is gone or hangs."""
        self.connection.send(message)

    def end(self) -> None:
        """Let the process leave, or kill it; at most 3 s."""
        with contextlib.suppress(OSError):
            self.send(Quit())
        try:
            self._process.wait(LEAVE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._reap()

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()
        self._reap()

    def _reap(self) -> None:
        self.connection.close()
        try:
            self._process.wait(REAP_S)
        except subprocess.TimeoutExpired:
            log.error("vision process %d does not end and is left behind; unplug its camera", self.pid)


def _limit(end: socket.socket, option: int, seconds: float) -> None:
    end.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", int(seconds), int(seconds % 1 * 1_000_000)))


def _environment() -> dict[str, str]:
    """Return ours, with the folder of this program on the path, whatever started us."""
    root = str(Path(__file__).resolve().parents[1])
    others = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([root, others]) if others else root}
