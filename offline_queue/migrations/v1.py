"""Schema 1, as the first outboxes were made. Frozen: a file made by it must open for ever."""

from __future__ import annotations

from offline_queue.database.connection import Connection

APPLICATION_ID = 0x53555A51
"""``SUZQ`` in the file's header: another program's database is never taken for ours."""

STATES = ("BLOCKED", "READY", "INFLIGHT", "DELIVERED", "PURGED", "REJECTED", "SUPERSEDED", "QUARANTINED")

TABLES = """
CREATE TABLE event (
  id INTEGER PRIMARY KEY NOT NULL,
  record BLOB NOT NULL,
  revision INTEGER NOT NULL,
  op TEXT NOT NULL,
  stay TEXT NOT NULL,
  state TEXT NOT NULL,
  supersedes INTEGER,
  attempts INTEGER NOT NULL DEFAULT 0,
  strikes INTEGER NOT NULL DEFAULT 0,
  tried_seq INTEGER NOT NULL DEFAULT 0,
  next_at REAL NOT NULL,
  due_at REAL NOT NULL,
  wall REAL NOT NULL,
  boot TEXT NOT NULL,
  mono REAL NOT NULL,
  content_hash BLOB NOT NULL,
  batch TEXT,
  http INTEGER,
  why TEXT,
  receipt TEXT,
  received_at TEXT,
  settled_at REAL
) STRICT;
CREATE TABLE payload (
  event INTEGER NOT NULL,
  part TEXT NOT NULL,
  sealed BLOB NOT NULL,
  PRIMARY KEY (event, part)
) STRICT;
CREATE TABLE data_key (
  event INTEGER NOT NULL,
  part TEXT NOT NULL,
  recipient TEXT NOT NULL,
  key_id TEXT NOT NULL,
  wrapped BLOB NOT NULL,
  PRIMARY KEY (event, part, recipient)
) STRICT;
CREATE TABLE tally (
  state TEXT PRIMARY KEY NOT NULL,
  n INTEGER NOT NULL
) STRICT;
CREATE TABLE chain (
  seq INTEGER PRIMARY KEY NOT NULL,
  event INTEGER NOT NULL,
  state TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  detail TEXT NOT NULL,
  hash BLOB NOT NULL
) STRICT
"""

INDEXES = """
CREATE UNIQUE INDEX event_record ON event (record, revision);
CREATE INDEX event_blocked ON event (record, revision) WHERE state = 'BLOCKED';
CREATE INDEX event_ready ON event (next_at, id) WHERE state = 'READY';
CREATE INDEX event_inflight ON event (id) WHERE state = 'INFLIGHT';
CREATE INDEX event_delivered ON event (settled_at, id) WHERE state = 'DELIVERED';
CREATE INDEX event_purged ON event (id) WHERE state = 'PURGED';
CREATE INDEX event_rejected ON event (id) WHERE state = 'REJECTED';
CREATE INDEX event_superseded ON event (id) WHERE state = 'SUPERSEDED';
CREATE INDEX event_quarantined ON event (id) WHERE state = 'QUARANTINED';
CREATE INDEX event_due ON event (due_at) WHERE state IN ('BLOCKED', 'INFLIGHT', 'QUARANTINED', 'READY', 'REJECTED')
"""

TRIGGERS = (
    """CREATE TRIGGER tally_insert AFTER INSERT ON event BEGIN
  UPDATE tally SET n = n + 1 WHERE state = NEW.state;
END""",
    """CREATE TRIGGER tally_update AFTER UPDATE OF state ON event WHEN OLD.state <> NEW.state BEGIN
  UPDATE tally SET n = n - 1 WHERE state = OLD.state;
  UPDATE tally SET n = n + 1 WHERE state = NEW.state;
END""",
    """CREATE TRIGGER tally_delete AFTER DELETE ON event BEGIN
  UPDATE tally SET n = n - 1 WHERE state = OLD.state;
END""",
    """CREATE TRIGGER event_body BEFORE UPDATE OF record, revision, op, content_hash ON event BEGIN
  SELECT RAISE(ABORT, 'the body of an event never changes');
END""",
)


def step(conn: Connection) -> None:
    """Make everything in an empty database. Inside the caller's transaction."""
    for statement in (*TABLES.split(";"), *INDEXES.split(";"), *TRIGGERS):
        conn.execute(statement)
    conn.executemany("INSERT INTO tally VALUES (?, 0)", [(state,) for state in STATES])
    conn.execute(f"PRAGMA application_id = {APPLICATION_ID}")
