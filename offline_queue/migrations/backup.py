"""The copy that is written before a migration: every table but the data keys, which never enter a backup."""

from __future__ import annotations

import calendar
import os
import time
from pathlib import Path

from kiosk.durable import sync_file, sync_folder
from offline_queue.database.connection import Connection

_LEFT_OUT = "data_key"
_STAMP = "%Y%m%dT%H%M%SZ"


def write(conn: Connection, path: Path, version: int, wall: float) -> Path:
    """Write ``queue.db.v1-<utc>.backup`` beside ``path``, mode 0600, durable before it returns.

    Raises OSError or ``sqlite3.Error``, and leaves no half of one under that name.
    """
    stamp = time.strftime(_STAMP, time.gmtime(wall))
    kept = path.with_name(f"{path.name}.v{version}-{stamp}.backup")
    draft = path.with_name(f"{path.name}.backup-draft")
    draft.unlink(missing_ok=True)
    os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
    try:
        _copy(conn, draft)
        sync_file(draft)
        draft.replace(kept)
        sync_folder(path.parent)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    return kept


def outdated(store: Path, before: float) -> list[Path]:
    """Return the backups beside ``store`` that were written before a moment (Unix seconds), by their names."""
    found = []
    for path in store.parent.glob(f"{store.name}.v*.backup"):
        stamp = path.name.removesuffix(".backup").rpartition("-")[2]
        try:
            written = calendar.timegm(time.strptime(stamp, _STAMP))
        except ValueError:
            continue  # not a name of ours
        if written < before:
            found.append(path)
    return found


def _copy(conn: Connection, draft: Path) -> None:
    conn.execute("ATTACH DATABASE ? AS backup", (str(draft),))
    try:
        conn.execute("PRAGMA backup.journal_mode = OFF").fetchall()  # a cut-off copy is thrown away whole
        conn.execute("BEGIN")
        tables = "SELECT name, sql FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        for name, sql in conn.execute(tables).fetchall():
            bare = sql.replace('"', "").removeprefix(f"CREATE TABLE {name}")
            conn.execute(f"CREATE TABLE backup.{name}{bare}")
            if name != _LEFT_OUT:
                conn.execute(f"INSERT INTO backup.{name} SELECT * FROM main.{name}")  # noqa: S608 - our tables' names
        for setting in ("application_id", "user_version"):
            value = conn.execute(f"PRAGMA main.{setting}").fetchone()[0]
            conn.execute(f"PRAGMA backup.{setting} = {value}")
        conn.execute("COMMIT")
    finally:
        if conn.in_transaction:
            conn.execute("ROLLBACK")
        conn.execute("DETACH DATABASE backup")
