"""A file that only takes up room: given up when the disk is full, so that what must still be written can be.

Marking what was delivered and erasing what is past its time both write before they free anything.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

FILE = "queue.ballast"


class Ballast:
    """The file beside the store. Owner's thread and the watch's; each call is one or two calls of the file system."""

    def __init__(self, folder: Path, size_bytes: int) -> None:
        """Name the file; nothing is made yet. ``size_bytes`` 0: this kiosk carries none."""
        self._path = folder / FILE
        self.size_bytes = size_bytes

    @property
    def held_bytes(self) -> int:
        """How much of the disk it takes up now. Blocks that are really there: a sparse file would save nobody."""
        try:
            return min(self.size_bytes, self._path.lstat().st_blocks * 512)
        except OSError:
            return 0

    @property
    def whole(self) -> bool:
        """Say whether all of it lies there."""
        return self.held_bytes >= self.size_bytes

    def take(self) -> bool:
        """Allocate what is missing; False, and nothing left behind, when the disk cannot spare it."""
        try:
            fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError:
            return False
        try:
            os.ftruncate(fd, min(os.fstat(fd).st_size, self.size_bytes))  # the settings may carry less than before
            os.posix_fallocate(fd, 0, self.size_bytes)
        except OSError:
            self.give_up()
            return False
        finally:
            os.close(fd)
        return True

    def give_up(self) -> bool:
        """Free its blocks for what must be written now; False when there are none to free."""
        held = self.held_bytes
        with contextlib.suppress(OSError):
            self._path.unlink()
        return held > 0
