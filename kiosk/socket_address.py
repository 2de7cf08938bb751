"""Addresses of Unix sockets: the kernel takes 107 bytes, a state folder may lie deeper."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

LONGEST = 107
"""Bytes of ``sun_path`` without its closing zero."""


@contextlib.contextmanager
def fitting(path: Path) -> Iterator[str]:
    """Yield a name of ``path`` that fits into a socket address, through a handle of its folder when it is too long.

    Raises OSError when the folder cannot be opened.
    """
    if len(os.fsencode(path)) <= LONGEST:
        yield os.fspath(path)
        return
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
