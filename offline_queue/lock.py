"""The exclusive lock of a store: one process, told clearly when it is a second one."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

from kiosk.errors import OutboxUnavailable


class StoreLock:
    """A lock on a file beside the store. The kernel frees it when the process ends, however it ends."""

    def __init__(self, path: Path) -> None:
        """Take the lock. Raises OutboxUnavailable when another process has it."""
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as exc:
            raise OutboxUnavailable(
                f"outbox lock {path.name} in {path.parent}: {exc.strerror}; fix: let this user write there"
            ) from exc
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as exc:
            holder = os.pread(self._fd, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(self._fd)
            raise OutboxUnavailable(
                f"outbox in {path.parent} is held by process {holder}; it was left untouched. "
                "Fix: stop that kiosk, or ask it through its socket (queue …)"
            ) from exc
        with contextlib.suppress(OSError):  # the number is for people; a full disk must not stop the lock
            os.ftruncate(self._fd, 0)
            os.pwrite(self._fd, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Give the lock back. Safe to call twice."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
