"""What makes a file and its name survive a power cut."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut: a file's own fsync does not. Raises OSError."""
    _sync(folder, os.O_DIRECTORY)


def sync_file(path: Path) -> None:
    """Wait until a file's bytes are on the disk, whoever wrote them. Raises OSError."""
    _sync(path, os.O_NOFOLLOW)


def write_whole(path: Path, data: bytes) -> None:
    """Put a file of mode 0600 in the place of another or of none. A power cut leaves the one or the other, whole.

    Durable before it returns. Raises OSError; what lay there is then as it was, and no half of a file beside it.
    """
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise
    sync_folder(path.parent)


def _sync(path: Path, flag: int) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | flag)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
