"""The schema's versions, forward only: one step from each to the next.

A new outbox is made by the same steps from nothing, so a migrated one and a new one cannot differ. A step
once released is never edited: files that it made exist.
"""

from __future__ import annotations

from pathlib import Path

from offline_queue.database.connection import Connection
from offline_queue.migrations import backup, v1, v2

STEPS = (v1.step, v2.step)
VERSION = len(STEPS)
APPLICATION_ID = v1.APPLICATION_ID


def bring_up(conn: Connection, path: Path, version: int, wall: float) -> None:
    """Bring a database from ``version`` (0: empty) to VERSION in one transaction; a cut leaves one or the other.

    A backup without data keys is written beside the file first. Blocks for some seconds per GB. Raises
    ``sqlite3.Error`` or OSError; nothing was changed then.
    """
    if version:
        backup.write(conn, path, version, wall)
    conn.execute("BEGIN IMMEDIATE")
    try:
        for step in STEPS[version:]:
            step(conn)
        conn.execute(f"PRAGMA user_version = {VERSION}")
        conn.execute("COMMIT")
    except BaseException:
        if conn.in_transaction:
            conn.execute("ROLLBACK")
        raise
    conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
