"""Which errors are a disk without room: SQLite's word for it, and the system's."""

from __future__ import annotations

import errno
import sqlite3


def is_full(error: BaseException) -> bool:
    """Say whether an error, or what caused it, is a disk without room: whoever said so."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, sqlite3.Error) and _primary(cause) == sqlite3.SQLITE_FULL:
            return True
        if isinstance(cause, OSError) and cause.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        cause = cause.__cause__
    return False


def _primary(error: sqlite3.Error) -> int:
    return (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF  # errors of the module itself carry none
