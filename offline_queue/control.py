"""The running kiosk answers about its outbox: JSON lines over a Unix socket of mode 0600.

One question a connection: the client sends an ``Inquiry`` as one line, the server answers
``{"row": …}`` for each row and ends with ``{"end": rows}`` or ``{"error": "…"}``.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import socket
import stat
import struct
import threading
import time
from pathlib import Path

from kiosk.errors import KioskError, OutboxUnavailable
from kiosk.socket_address import fitting
from offline_queue.inquiry import Answers, Inquiry, Sync
from offline_queue.owner import OutboxOwner

log = logging.getLogger(__name__)

LONGEST_QUESTION_BYTES = 4096
_QUESTION_S = 2.0
"""A client that does not finish its question in this time is let go: the next one waits behind it."""
_ANSWER_S = 30.0
"""A client that does not take its whole answer in this time is let go."""
_CALLERS = 8
"""Callers that may wait in the kernel; the next is refused."""


class ControlServer:
    """Serves one caller at a time on a thread of its own; neither sync nor a guest's put ever waits for a caller."""

    def __init__(self, owner: OutboxOwner, path: Path, *, sync: Sync | None = None) -> None:
        """Prepare; nothing runs yet.

        Args:
            owner: The store, held by this process.
            path: Where the socket shall lie, in a folder of mode 0700.
            sync: Woken after a retry; None in tools that deliver nothing.
        """
        self._answers = Answers(owner, sync)
        self._path = path
        self._listening: socket.socket | None = None
        self._caller: socket.socket | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="queue control")

    def start(self) -> None:
        """Replace a socket that a killed kiosk left, and listen. Raises OutboxUnavailable."""
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            _remove_stale(self._path)
            with fitting(self._path) as name:
                sock.bind(name)
            # Nobody can connect before listen, so nobody meets the mode that bind gave
            self._path.chmod(0o600)
            sock.listen(_CALLERS)
        except BaseException as exc:
            sock.close()
            if not isinstance(exc, OSError):
                raise
            raise OutboxUnavailable(
                f"outbox socket {self._path.name} in {self._path.parent}: {exc.strerror or exc}; "
                "fix: a state_dir that this user may write, on a file system that knows sockets"
            ) from exc
        self._listening = sock
        self._thread.start()

    def stop(self) -> None:
        """Hang up, end the thread, remove the socket. Safe to call twice, and before ``start``."""
        self._stopping.set()
        for sock in (self._listening, self._caller):
            if sock is not None:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
        if self._thread.is_alive():
            self._thread.join()
        if self._listening is not None:
            self._listening.close()
            self._listening = None
            self._path.unlink(missing_ok=True)

    def _serve(self) -> None:
        listening = self._listening
        assert listening is not None  # noqa: S101 - start made it
        while not self._stopping.is_set():
            try:
                caller, _ = listening.accept()
            except OSError as exc:
                if not self._stopping.is_set():
                    log.warning("queue control: %s", exc.strerror)
                    self._stopping.wait(1.0)
                continue
            with caller:
                self._caller = caller
                try:
                    self._attend(caller)
                except OSError:
                    pass  # the caller left, or was too slow
                finally:
                    self._caller = None

    def _attend(self, caller: socket.socket) -> None:
        uid = _peer_uid(caller)
        if uid not in (os.geteuid(), 0):
            log.warning("queue control: a process of user %d was refused", uid)
            return
        line = _read_line(caller, time.monotonic() + _QUESTION_S)
        until = time.monotonic() + _ANSWER_S
        rows = 0
        try:
            for row in self._answers.rows(Inquiry.from_json(line), f"uid {uid}"):
                _write(caller, {"row": row}, until)
                rows += 1
        except KioskError as exc:
            _write(caller, {"error": str(exc)}, until)
        except OSError:
            raise
        except Exception as exc:  # the next caller must still be served, and the message may hold a guest's data
            log.error("queue control: a bug: %s", type(exc).__name__)
            _write(caller, {"error": f"queue: the kiosk failed to answer ({type(exc).__name__})"}, until)
        else:
            _write(caller, {"end": rows}, until)


def _remove_stale(path: Path) -> None:
    """Remove the socket of a kiosk that was killed: the store's lock says that none is running."""
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise OutboxUnavailable(f"outbox socket {path}: something else lies there; it was left untouched, move it")
    except FileNotFoundError:
        return
    path.unlink()


def _peer_uid(caller: socket.socket) -> int:
    _, uid, _ = struct.unpack("3i", caller.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))
    return int(uid)


def _read_line(caller: socket.socket, until: float) -> bytes:
    """Read up to the end of the line. A longer question comes back cut, and is refused as no JSON."""
    line = b""
    while b"\n" not in line and len(line) <= LONGEST_QUESTION_BYTES:
        caller.settimeout(_left(until))
        part = caller.recv(LONGEST_QUESTION_BYTES)
        if not part:
            break
        line += part
    return line.partition(b"\n")[0][:LONGEST_QUESTION_BYTES]


def _write(caller: socket.socket, told: dict[str, object], until: float) -> None:
    caller.settimeout(_left(until))
    caller.sendall(json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError("a caller took too long")
    return left
