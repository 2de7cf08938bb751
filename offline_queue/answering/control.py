"""The running kiosk answers about its outbox: JSON lines over a Unix socket of mode 0600.

One question a connection: the client sends an ``Inquiry`` as one line, the server answers
``{"row": …}`` for each row and ends with ``{"end": rows}`` or ``{"error": "…"}``. A long answer says
``{"wait": seconds}`` while there is no row yet.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import stat
import struct
import threading
from pathlib import Path

from kiosk.config import KioskSection
from kiosk.errors import OutboxUnavailable
from kiosk.socket_address import fitting
from offline_queue.answering.answers import Answers, Auditing, Sync
from offline_queue.answering.attending import Attendant
from offline_queue.owner import OutboxOwner

log = logging.getLogger(__name__)

CALLERS = 8
"""Callers attended at a time; the next ones wait in the kernel."""
_LEAVE_S = 0.2
"""Callers are hung up on at the stop; work under way ends with its slice, when the owner closes."""


class ControlServer:
    """Serves callers on threads of its own; neither sync nor a guest's put ever waits for a caller."""

    def __init__(
        self,
        owner: OutboxOwner,
        path: Path,
        *,
        sync: Sync | None = None,
        audit: Auditing | None = None,
        kiosk: KioskSection | None = None,
    ) -> None:
        """Prepare; nothing runs yet.

        Args:
            owner: The store, held by this process.
            path: Where the socket shall lie, in a folder of mode 0700.
            sync: Woken after a retry; None in tools that deliver nothing.
            audit: Where exports, amendments and upkeep are written down; None refuses them.
            kiosk: In whose name records are amended; None refuses that.
        """
        self._answers = Answers(owner, sync, audit, kiosk)
        self._attendant = Attendant(self._answers)
        self._path = path
        self._listening: socket.socket | None = None
        self._callers: dict[socket.socket, threading.Thread] = {}
        self._lock = threading.Lock()
        self._free = threading.Semaphore(CALLERS)
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
            sock.listen(CALLERS)
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
        with self._lock:
            callers = dict(self._callers)
        for sock in (self._listening, *callers):
            if sock is not None:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
        self._free.release()
        if self._thread.is_alive():
            self._thread.join()
        for thread in callers.values():
            thread.join(_LEAVE_S)
        if self._listening is not None:
            self._listening.close()
            self._listening = None
            self._path.unlink(missing_ok=True)

    def _serve(self) -> None:
        listening = self._listening
        assert listening is not None  # noqa: S101 - start made it
        while not self._stopping.is_set():
            self._free.acquire()
            try:
                caller, _ = listening.accept()
            except OSError as exc:
                self._free.release()
                if not self._stopping.is_set():
                    log.warning("queue control: %s", exc.strerror)
                    self._stopping.wait(1.0)
                continue
            thread = threading.Thread(target=self._attend, args=(caller,), name="queue caller", daemon=True)
            with self._lock:
                self._callers[caller] = thread
                if self._stopping.is_set():  # it came in while stop hung up on the others
                    caller.close()
            thread.start()

    def _attend(self, caller: socket.socket) -> None:
        try:
            with caller:
                uid = _peer_uid(caller)
                if uid in (os.geteuid(), 0):
                    self._attendant.attend(caller, f"uid {uid}")
                else:
                    log.warning("queue control: a process of user %d was refused", uid)
        except OSError:
            pass  # the caller left, or was too slow
        finally:
            with self._lock:
                self._callers.pop(caller, None)
            self._free.release()


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
