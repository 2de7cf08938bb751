"""What the outbox needs of a connection to SQLite, and what an error of it means.

``sqlite3`` is the product's. The chaos runs put the same store on another binding, over a file system that
loses and tears writes, in the place of ``sqlite3.connect`` (``kiosk.chaos.binding``): its connections answer as
these protocols say and raise ``sqlite3.Error`` with ``sqlite_errorcode`` set.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from kiosk.errors import OutboxDamaged, OutboxUnavailable

_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_FIXES = {
    sqlite3.SQLITE_BUSY: "Another program has the file open: stop that program",
    sqlite3.SQLITE_LOCKED: "Another program has the file open: stop that program",
    sqlite3.SQLITE_READONLY: "Let the kiosk's own user write the file and its folder",
}
_UNREADABLE = frozenset({sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_CORRUPTFS})
"""A bad sector stays bad: to wait for it would stop every guest."""
_TWICE = frozenset(
    {sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_ROWID}
)
"""We look before we insert: what is there twice was hidden from us by a broken page."""


class Cursor(Protocol):
    """The answer to one statement."""

    @property
    def rowcount(self) -> int:
        """Rows that an UPDATE or DELETE changed."""
        ...

    def fetchone(self) -> Any: ...  # noqa: ANN401 - as the binding says: a tuple of what the row holds, or None

    def fetchall(self) -> list[Any]: ...


class Connection(Protocol):
    """In autocommit mode: transactions begin and end by their own statements. In the owner's turns only."""

    @property
    def in_transaction(self) -> bool: ...

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Cursor: ...

    def executemany(self, sql: str, parameters: Iterable[Sequence[Any]], /) -> Cursor: ...

    def close(self) -> None: ...


Connect: TypeAlias = Callable[[Path], Connection]
"""Opens the file, which exists. Raises ``sqlite3.Error``."""


def connect(path: Path) -> Connection:
    """Open the file by the standard library's binding. ``turns.py`` sees to it that it is one thread's at a time."""
    return sqlite3.connect(path, isolation_level=None, timeout=0, check_same_thread=False)


def failed(exc: sqlite3.Error | ValueError, file: str, doing: str) -> OutboxUnavailable:
    """Return what to raise for an error of SQLite: OutboxDamaged when the file itself is broken.

    A ValueError is a value that none of ours can be, a text that is no UTF-8 for example; it is not repeated.
    """
    if isinstance(exc, ValueError):
        return OutboxDamaged(f"outbox {file}: {doing}: a value that is none of ours. The file is damaged: set it aside")
    said = f"outbox {file}: {doing}: {exc}; nothing was acknowledged. "
    code: int = getattr(exc, "sqlite_errorcode", 0)
    # The binding gives no code for a text that is none: one of ours always is UTF-8
    undecodable = isinstance(exc, sqlite3.OperationalError) and not code and "decode to UTF-8" in str(exc)
    if code & 0xFF in _DAMAGED or code in _TWICE or code in _UNREADABLE or undecodable:
        return OutboxDamaged(said + "The file is damaged: it is to be set aside, and salvaged")
    return OutboxUnavailable(said + _FIXES.get(code & 0xFF, "Check free space and the disk"))
