"""One SQLite file of the sandbox: a connection, a lock, and transactions. Made to be looked into while it runs.

Nothing survives the run and nothing must: so it does not wait for the disk.

Rows by their columns' names go through sqlite-utils: the gateway's codes and passes, and what is shown of the police's
ledger. Two places stay with SQL alone: the hotel system books before the servers listen, where the library would cost a
demo kiosk a sixth of a second of its start; the police write three rows a record, each nine times as long through it.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlite_utils.db import Table

Row = sqlite3.Row


class Database:
    """A file that several connections' threads use in turn."""

    def __init__(self, path: Path | None, schema: str) -> None:
        """Open or make the file and run the schema, which must be of ``IF NOT EXISTS`` statements.

        ``path`` None: in memory, which nobody else can look into.
        """
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None)
        if path is not None:
            path.chmod(0o600)
        self._connection.row_factory = Row
        self._connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;" + schema)
        self._tables: dict[str, Table] = {}

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Hold the file for several statements: all of them happen, or none."""
        with self._lock:
            if self._connection.in_transaction:
                yield
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.rollback()
                raise
            self._connection.commit()

    def run(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Execute one statement and return how many rows it changed."""
        with self._lock:
            return self._connection.execute(sql, values).rowcount

    def one(self, sql: str, values: Sequence[Any] = ()) -> Row | None:
        """Return the first row, or None."""
        with self._lock:
            row: Row | None = self._connection.execute(sql, values).fetchone()
            return row

    def all(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """Return every row."""
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    def insert(self, table: str, row: Mapping[str, Any]) -> None:
        """Add a row; columns that it does not name keep their defaults. Raises sqlite3.IntegrityError."""
        with self._lock:
            self._table(table).insert(dict(row))

    def get(self, table: str, key: str) -> dict[str, Any] | None:
        """Return the row with this primary key, or None."""
        from sqlite_utils.db import NotFoundError

        with self._lock:
            try:
                return self._table(table).get(key)
            except NotFoundError:
                return None

    def update(self, table: str, key: str, columns: Mapping[str, Any]) -> None:
        """Change these columns of the row with this primary key. Raises sqlite_utils.db.NotFoundError."""
        with self._lock:
            self._table(table).update(key, dict(columns))

    def rows(self, table: str, columns: Sequence[str]) -> list[dict[str, Any]]:
        """Return these columns of every row, in the order the rows came."""
        with self._lock:
            return list(self._table(table).rows_where(select=", ".join(columns), order_by="rowid"))

    def close(self) -> None:
        """Close the file. Safe to call twice."""
        with self._lock:
            self._connection.close()

    def _table(self, name: str) -> Table:
        """Return the table on this connection, within whose transactions sqlite-utils then works."""
        if name not in self._tables:
            from sqlite_utils import Database as Tables  # loads numpy; the kiosk's process, too, imports this file

            table = Tables(self._connection, recursive_triggers=False, execute_plugins=False).table(name)
            if not table.exists():  # it would make one by the first row
                raise LookupError(f"the sandbox's database has no table {name}")
            self._tables[name] = table
        return self._tables[name]
