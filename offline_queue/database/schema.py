"""Opening the one connection to the outbox: whose file it is, how it is synced, and whether it is whole.

Nothing is changed in a file that is not ours or that a newer program made. What makes and migrates the
tables is in ``migrations``.
"""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path

from kiosk.durable import sync_folder
from kiosk.errors import OutboxDamaged, OutboxUnavailable
from offline_queue import migrations
from offline_queue.database.connection import Connect, Connection, connect, failed
from offline_queue.database.header import refuse_foreign, refuse_newer
from offline_queue.migrations import VERSION, v1, v2
from offline_queue.states import EventState

TABLES: dict[str, tuple[str, ...]] = {
    "event": (
        *("id", "record", "revision", "op", "stay", "state", "supersedes", "attempts", "strikes", "tried_seq"),
        *("next_at", "due_at", "wall", "boot", "mono", "content_hash", "batch", "http", "why", "receipt"),
        *("received_at", "settled_at", "given_hash", "row_hash", "flag"),
    ),
    "payload": ("event", "part", "sealed", "hash"),
    "data_key": ("event", "part", "recipient", "key_id", "wrapped", "suite"),
    "tally": ("state", "n"),
    "chain": ("seq", "event", "state", "at_ms", "detail", "hash"),
    "fact": ("name", "value"),
    "erasure": ("event", "at", "statement", "signature", "signer"),
}
"""Every table of this version with its columns, in their order."""

_TRIGGERS = frozenset({"tally_insert", "tally_update", "tally_delete", "event_body"})
_INDEXES = frozenset({f"event_{state.lower()}" for state in EventState} | {"event_due", "event_record", "event_flag"})


def _written() -> dict[str, str]:
    """Every trigger and every partial index as it is written in each store of this version, by name."""
    statements = [one.strip() for one in (*v1.INDEXES.split(";"), *v1.TRIGGERS, v2.BODY)]
    return {one.split()[2]: one for one in statements if not one.startswith("CREATE UNIQUE")}


_WRITTEN = _written()


def open_database(path: Path, connect: Connect = connect, *, wall: float | None = None) -> Connection:
    """Open the store for its one owner thread, making or migrating it where needed.

    The caller holds the store's lock.

    Args:
        path: The file; made when absent or empty.
        connect: Opens it. The product's own by default.
        wall: Unix time for the name of a backup; the machine's when None.

    Raises:
        OutboxDamaged: No database, or one of ours whose pages or tables are broken; it was left as it is.
        OutboxUnavailable: Newer than this program, another program's, or the disk refuses; nothing was changed.
    """
    refuse_foreign(path)
    _claim_name(path)
    try:
        conn = connect(path)
    except sqlite3.Error as exc:
        raise failed(exc, path.name, "open") from exc
    try:
        _prepare(conn, path, time.time() if wall is None else wall)
    except (sqlite3.Error, ValueError) as exc:
        conn.close()
        if getattr(exc, "sqlite_errorcode", 0) == sqlite3.SQLITE_ERROR:  # our statements are right: the schema is not
            raise OutboxDamaged(f"outbox {path.name}: schema is not ours: {exc}; it was left untouched") from exc
        raise failed(exc, path.name, "open") from exc
    except OSError as exc:
        conn.close()
        raise OutboxUnavailable(
            f"outbox {path.name}: cannot be opened: {exc.strerror}; check whose it is, and the disk"
        ) from exc
    except BaseException:
        conn.close()
        raise
    return conn


def _claim_name(path: Path) -> None:
    """Make the file, empty, so that not even its first byte is readable by others; SQLite gives the log its mode."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
    except OSError as exc:
        raise OutboxUnavailable(
            f"outbox {path.name}: cannot be opened: {exc.strerror}; check whose it is, and the disk"
        ) from exc


def _prepare(conn: Connection, path: Path, wall: float) -> None:
    # Exclusive before WAL: the index of the WAL then lives in memory, and no second connection can
    # exist (SQLite before 3.51.3 can lose a WAL reset between two)
    conn.execute("PRAGMA locking_mode = EXCLUSIVE").fetchall()
    version: int = conn.execute("PRAGMA user_version").fetchone()[0]
    refuse_newer(path, version)
    if version == 0 and conn.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
        raise OutboxUnavailable(f"outbox {path.name}: another program's database; it was left untouched")
    if version == VERSION:
        _refuse_altered(conn, path)
    if version == 0:
        conn.execute("PRAGMA auto_vacuum = INCREMENTAL").fetchall()
    if conn.execute("PRAGMA journal_mode = WAL").fetchone()[0] != "wal":
        raise OutboxUnavailable(f"outbox {path.name}: the file system does not support a write-ahead log")
    for setting in ("synchronous = FULL", "temp_store = MEMORY", "secure_delete = ON"):
        conn.execute(f"PRAGMA {setting}").fetchall()
    path.chmod(0o600)
    if version:
        _carry_over(conn, path)
    if version < VERSION:
        migrations.bring_up(conn, path, version, wall)
        _refuse_altered(conn, path)
        sync_folder(path.parent)


def _carry_over(conn: Connection, path: Path) -> None:
    """Copy what the last run left in its log into the database, and sync that.

    A kernel that once failed to write a page of the log shows it to us all the same, and no later sync of the
    log brings it to the disk: what would be appended after it would be gone with the next power cut.
    """
    if conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
        raise OutboxUnavailable(f"outbox {path.name}: another program reads it; nothing was changed, stop that program")


def _refuse_altered(conn: Connection, path: Path) -> None:
    if faults := inspect(conn):
        raise OutboxDamaged(f"outbox {path.name}: schema is not ours: {', '.join(faults)}; it was left untouched")


def inspect(conn: Connection) -> list[str]:
    """Return what differs from the schema of this version; empty when it is ours."""
    faults = []
    for table, columns in TABLES.items():
        found = [row[1] for row in conn.execute(f"PRAGMA table_info({table})").fetchall()]
        if found != list(columns):
            faults.append(f"table {table}")
    have = {(row[0], row[1]): row[2] for row in conn.execute("SELECT type, name, sql FROM sqlite_schema").fetchall()}
    wanted = {("trigger", name) for name in _TRIGGERS} | {("index", name) for name in _INDEXES}
    missing = [f"{kind} {name}" for kind, name in sorted(wanted - have.keys())]
    # A bit of a trigger's text breaks every later put, and no page's checksum would say so
    altered = [
        f"{kind} {name}: its text"
        for (kind, name), sql in have.items()
        if sql and str(sql).strip() != _WRITTEN.get(name, str(sql).strip())
    ]
    return faults + missing + altered
