"""From schema 1 to 2: hashes of rows and payloads, suites, facts, erasure receipts, flags for staff. Frozen."""

from __future__ import annotations

import hashlib
from typing import Any

from offline_queue.database.connection import Connection

SLICE = 200
"""Rows in memory at once: payloads may be 30 KB each."""

_CHANGES = """
DROP TRIGGER event_body;
ALTER TABLE event ADD COLUMN given_hash BLOB;
ALTER TABLE event ADD COLUMN row_hash BLOB;
ALTER TABLE event ADD COLUMN flag TEXT;
ALTER TABLE payload ADD COLUMN hash BLOB;
ALTER TABLE data_key ADD COLUMN suite TEXT NOT NULL DEFAULT 'intl';
CREATE TABLE fact (name TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) STRICT;
CREATE TABLE erasure (
  event INTEGER PRIMARY KEY NOT NULL,
  at REAL NOT NULL,
  statement TEXT NOT NULL,
  signature BLOB NOT NULL,
  signer TEXT NOT NULL
) STRICT;
CREATE INDEX event_flag ON event (id) WHERE flag IS NOT NULL
"""

BODY = """CREATE TRIGGER event_body BEFORE UPDATE OF id, record, revision, op, stay, supersedes, due_at, wall, boot,
  mono, content_hash, given_hash, row_hash ON event BEGIN
  SELECT RAISE(ABORT, 'the body of an event never changes');
END"""

_HASHED = "id, record, revision, op, stay, supersedes, due_at, wall, boot, mono, content_hash, given_hash"


def step(conn: Connection) -> None:
    """Change a database of schema 1. Inside the caller's transaction; takes some seconds for each GB."""
    for statement in _CHANGES.split(";"):
        conn.execute(statement)
    conn.execute("UPDATE event SET given_hash = content_hash")
    # What the authority warned of stood in ``why`` until now
    conn.execute("UPDATE event SET flag = why WHERE state IN ('DELIVERED', 'PURGED')")
    _hash_events(conn)
    _hash_payloads(conn)
    conn.execute(BODY)


def _hash_events(conn: Connection) -> None:
    last = -1
    while rows := conn.execute(
        f"SELECT {_HASHED} FROM event WHERE id > ? ORDER BY id LIMIT {SLICE}",  # noqa: S608 - constants
        (last,),
    ).fetchall():
        conn.executemany("UPDATE event SET row_hash = ? WHERE id = ?", [(_row_hash(row), row[0]) for row in rows])
        last = rows[-1][0]


def _hash_payloads(conn: Connection) -> None:
    last = -1
    while rows := conn.execute(
        f"SELECT rowid, sealed FROM payload WHERE rowid > ? ORDER BY rowid LIMIT {SLICE}",  # noqa: S608 - constants
        (last,),
    ).fetchall():
        hashes = [(hashlib.sha256(sealed).digest(), rowid) for rowid, sealed in rows]
        conn.executemany("UPDATE payload SET hash = ? WHERE rowid = ?", hashes)
        last = rows[-1][0]


def _row_hash(row: tuple[Any, ...]) -> bytes:
    # As rows.row_hash makes it in this version; copied, because a frozen step must not follow later changes
    event, record, revision, op, stay, supersedes, due_at, wall, boot, mono, content_hash, given_hash = row
    identity = f"{event}|{record.hex()}|{revision}|{op}|{supersedes}|{content_hash.hex()}|{given_hash.hex()}"
    return hashlib.sha256(f"{identity}|{due_at!r}|{wall!r}|{boot}|{mono!r}|{stay}".encode()).digest()
