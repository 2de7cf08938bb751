"""apsw behind the face of ``sqlite3``: the store's own code runs on it, over a file system of ours.

Only what the outbox asks of a connection (``offline_queue.database.connection``) is here. Errors leave as those of
``sqlite3``, with the code of SQLite in ``sqlite_errorcode`` as there.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import apsw

_OPERATIONAL = frozenset(
    {
        apsw.SQLITE_ERROR,
        apsw.SQLITE_PERM,
        apsw.SQLITE_ABORT,
        apsw.SQLITE_BUSY,
        apsw.SQLITE_LOCKED,
        apsw.SQLITE_READONLY,
        apsw.SQLITE_INTERRUPT,
        apsw.SQLITE_IOERR,
        apsw.SQLITE_FULL,
        apsw.SQLITE_CANTOPEN,
        apsw.SQLITE_PROTOCOL,
        apsw.SQLITE_EMPTY,
        apsw.SQLITE_SCHEMA,
    }
)
_INTEGRITY = frozenset({apsw.SQLITE_CONSTRAINT, apsw.SQLITE_MISMATCH})

Edit = Callable[[str], str]
"""What is done to each statement before it runs: a control makes the store careless with it."""


class Cursor:
    """The rows of one statement. Closed when dropped, as a cursor of ``sqlite3`` is."""

    def __init__(self, rows: apsw.Cursor, rowcount: int) -> None:
        self._rows, self.rowcount = rows, rowcount

    def fetchone(self) -> tuple[Any, ...] | None:
        with _as_sqlite3():
            return self._rows.fetchone()

    def fetchall(self) -> list[tuple[Any, ...]]:
        with _as_sqlite3():
            return self._rows.fetchall()


class Connection:
    """One connection through the VFS ``vfs``. Used by the thread that made it."""

    def __init__(self, path: Path, vfs: str, edit: Edit = lambda sql: sql) -> None:
        """Open or make the file. Raises sqlite3.OperationalError."""
        self._edit = edit
        with _as_sqlite3():
            self._db = apsw.Connection(str(path), vfs=vfs)

    @property
    def in_transaction(self) -> bool:
        return self._db.in_transaction

    def execute(self, sql: str, values: Sequence[object] = ()) -> Cursor:
        with _as_sqlite3():
            before = self._db.total_changes()
            rows = self._db.execute(self._edit(sql), tuple(values))
            changed = self._db.changes() if self._db.total_changes() != before else 0
            return Cursor(rows, changed)

    def executemany(self, sql: str, rows: Iterable[Sequence[object]]) -> Cursor:
        with _as_sqlite3():
            before = self._db.total_changes()
            done = self._db.executemany(sql, [tuple(row) for row in rows])
            return Cursor(done, self._db.total_changes() - before)

    def close(self) -> None:
        # sqlite3_close tells nobody that its last copying into the database failed; apsw would
        with contextlib.suppress(apsw.Error):
            self._db.close(force=True)


@contextlib.contextmanager
def connecting(folder: Path, make: Callable[[Path], Connection]) -> Iterator[None]:
    """While the block runs, every database that this process opens under ``folder`` is opened by ``make``."""
    real = sqlite3.connect

    def connect(database: Any, *more: Any, **options: Any) -> Any:  # noqa: ANN401 - sqlite3's own face
        path = Path(database)
        return make(path) if path.is_relative_to(folder) else real(database, *more, **options)

    sqlite3.connect = connect
    try:
        yield
    finally:
        sqlite3.connect = real


@contextlib.contextmanager
def _as_sqlite3() -> Iterator[None]:
    try:
        yield
    except apsw.Error as exc:
        raise _translated(exc) from exc


def _translated(exc: apsw.Error) -> sqlite3.Error:
    code = int(getattr(exc, "extendedresult", apsw.SQLITE_ERROR))
    primary = code & 0xFF
    error: sqlite3.Error
    if primary in _OPERATIONAL:
        error = sqlite3.OperationalError(str(exc))
    elif primary in _INTEGRITY:
        error = sqlite3.IntegrityError(str(exc))
    elif primary in (apsw.SQLITE_MISUSE, apsw.SQLITE_RANGE):
        error = sqlite3.InterfaceError(str(exc))
    else:
        error = sqlite3.DatabaseError(str(exc))
    error.sqlite_errorcode = code
    return error
