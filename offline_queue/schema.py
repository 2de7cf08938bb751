"""Tables, triggers and indexes of the outbox, and opening the one connection to them.

Created and inspected through sqlite-utils; partial indexes and triggers, which it has no call for,
are plain SQL below. The schema's version is ``user_version``; changes go forward only.
"""

from __future__ import annotations

import os
import sqlite3
import struct
from pathlib import Path
from typing import TYPE_CHECKING

from kiosk.durable import sync_folder
from kiosk.errors import OutboxUnavailable
from offline_queue.states import UNSENT, EventState

if TYPE_CHECKING:
    from sqlite_utils import Database

VERSION = 1
APPLICATION_ID = 0x53555A51
"""``SUZQ`` in the file's header: another program's database is never taken for ours."""

TABLES: dict[str, dict[str, type]] = {
    "event": {
        "id": int,
        "record": bytes,
        "revision": int,
        "op": str,
        "stay": str,
        "state": str,
        "supersedes": int,
        "attempts": int,
        "strikes": int,
        "tried_seq": int,
        "next_at": float,
        "due_at": float,
        "wall": float,
        "boot": str,
        "mono": float,
        "content_hash": bytes,
        "batch": str,
        "http": int,
        "why": str,
        "receipt": str,
        "received_at": str,
        "settled_at": float,
    },
    "payload": {"event": int, "part": str, "sealed": bytes},
    "data_key": {"event": int, "part": str, "recipient": str, "key_id": str, "wrapped": bytes},
    "tally": {"state": str, "n": int},
    "chain": {"seq": int, "event": int, "state": str, "at_ms": int, "detail": str, "hash": bytes},
}
_KEYS: dict[str, str | tuple[str, ...]] = {
    "event": "id",
    "payload": ("event", "part"),
    "data_key": ("event", "part", "recipient"),
    "tally": "state",
    "chain": "seq",
}
_MAY_BE_NULL = {"supersedes", "batch", "http", "why", "receipt", "received_at", "settled_at"}
_DEFAULTS: dict[str, dict[str, int]] = {"event": {"attempts": 0, "strikes": 0, "tried_seq": 0}}

_INDEX_COLUMNS = {
    EventState.BLOCKED: "record, revision",
    EventState.READY: "next_at, id",
    EventState.INFLIGHT: "id",
    EventState.DELIVERED: "settled_at, id",
    EventState.PURGED: "id",
    EventState.REJECTED: "id",
    EventState.SUPERSEDED: "id",
    EventState.QUARANTINED: "id",
}

_TRIGGERS = """
CREATE TRIGGER tally_insert AFTER INSERT ON event BEGIN
  UPDATE tally SET n = n + 1 WHERE state = NEW.state;
END;
CREATE TRIGGER tally_update AFTER UPDATE OF state ON event WHEN OLD.state <> NEW.state BEGIN
  UPDATE tally SET n = n - 1 WHERE state = OLD.state;
  UPDATE tally SET n = n + 1 WHERE state = NEW.state;
END;
CREATE TRIGGER tally_delete AFTER DELETE ON event BEGIN
  UPDATE tally SET n = n - 1 WHERE state = OLD.state;
END;
CREATE TRIGGER event_body BEFORE UPDATE OF record, revision, op, content_hash ON event BEGIN
  SELECT RAISE(ABORT, 'the body of an event never changes');
END;
"""


def open_database(path: Path) -> sqlite3.Connection:
    """Open the store for its one owner thread, making it when absent.

    The caller holds the store's lock. Raises OutboxUnavailable for a file that is newer than this
    program or not an outbox (and leaves it untouched), and for a disk that refuses.
    """
    _refuse_foreign(path)
    _claim_name(path)
    try:
        conn = sqlite3.connect(path, isolation_level=None, timeout=0)
    except sqlite3.Error as exc:
        raise OutboxUnavailable(f"outbox {path.name}: cannot be opened: {exc}; check the disk and its mode") from exc
    try:
        _prepare(conn, path)
    except sqlite3.Error as exc:
        conn.close()
        raise OutboxUnavailable(
            f"outbox {path.name}: {exc}; nothing was changed. Free space if the disk is full, else call support"
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
        raise OutboxUnavailable(f"outbox {path.name}: cannot be opened: {exc.strerror}; check the disk") from exc


def _refuse_foreign(path: Path) -> None:
    """Judge the header's bytes before SQLite may touch the file."""
    try:
        with path.open("rb") as file:
            header = file.read(100)
    except FileNotFoundError:
        return
    except OSError as exc:
        raise OutboxUnavailable(f"outbox {path.name}: {exc.strerror}") from exc
    if not header:
        return
    if len(header) < 100 or not header.startswith(b"SQLite format 3\0"):
        raise OutboxUnavailable(f"outbox {path.name}: not a database; it was left untouched, set it aside")
    version, application = struct.unpack_from(">I", header, 60)[0], struct.unpack_from(">I", header, 68)[0]
    if application not in (0, APPLICATION_ID):
        raise OutboxUnavailable(f"outbox {path.name}: another program's database; it was left untouched")
    _refuse_newer(path, version)


def _refuse_newer(path: Path, version: int) -> None:
    if version > VERSION:
        raise OutboxUnavailable(
            f"outbox {path.name}: schema {version} is newer than {VERSION}, which this program knows; "
            "it was left untouched, start the newer program"
        )


def _prepare(conn: sqlite3.Connection, path: Path) -> None:
    # Exclusive before WAL: the index of the WAL then lives in memory, and no second connection can
    # exist (SQLite before 3.51.3 can lose a WAL reset between two)
    conn.execute("PRAGMA locking_mode = EXCLUSIVE")
    version: int = conn.execute("PRAGMA user_version").fetchone()[0]
    _refuse_newer(path, version)
    if version == 0 and conn.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
        raise OutboxUnavailable(f"outbox {path.name}: another program's database; it was left untouched")
    if version and (faults := inspect(conn)):
        raise OutboxUnavailable(f"outbox {path.name}: schema is not ours: {', '.join(faults)}; it was left untouched")
    conn.execute("PRAGMA auto_vacuum = INCREMENTAL")
    if conn.execute("PRAGMA journal_mode = WAL").fetchone()[0] != "wal":
        raise OutboxUnavailable(f"outbox {path.name}: the file system does not support a write-ahead log")
    conn.execute("PRAGMA synchronous = FULL")
    conn.execute("PRAGMA temp_store = MEMORY")
    conn.execute("PRAGMA secure_delete = ON")
    path.chmod(0o600)
    if version == 0:
        _create(conn)
        sync_folder(path.parent)


def _create(conn: sqlite3.Connection) -> None:
    db = _database(conn)
    with db.atomic():
        for name, columns in TABLES.items():
            required = set(columns) - _MAY_BE_NULL
            db.table(name).create(
                columns, pk=_KEYS[name], not_null=required, defaults=_DEFAULTS.get(name, {}), strict=True
            )
        db.table("event").create_index(["record", "revision"], "event_record", unique=True)
        for state, on in _INDEX_COLUMNS.items():
            conn.execute(f"CREATE INDEX event_{state.lower()} ON event ({on}) WHERE state = '{state}'")
        unsent = ", ".join(f"'{state}'" for state in sorted(UNSENT))
        conn.execute(f"CREATE INDEX event_due ON event (due_at) WHERE state IN ({unsent})")
        db.executescript(_TRIGGERS)
        db.table("tally").insert_all({"state": state.value, "n": 0} for state in EventState)
        conn.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        conn.execute(f"PRAGMA user_version = {VERSION}")
    conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def inspect(conn: sqlite3.Connection) -> list[str]:
    """Return what differs from the schema of this version; empty when it is ours."""
    db = _database(conn)
    found = {table.name: list(table.columns_dict) for table in db.tables if not table.name.startswith("sqlite_")}
    faults = [f"table {name}" for name, columns in TABLES.items() if found.get(name) != list(columns)]
    wanted = {"tally_insert", "tally_update", "tally_delete", "event_body"}
    missing = wanted - {trigger.name for trigger in db.triggers}
    indexes = {index.name for index in db.table("event").indexes} if "event" in found else set()
    lost = {f"event_{state.lower()}" for state in EventState} | {"event_due", "event_record"}
    return faults + sorted(f"trigger {name}" for name in missing) + sorted(f"index {name}" for name in lost - indexes)


def _database(conn: sqlite3.Connection) -> Database:
    # Imported here: it pulls in numpy, a third of a second that commands asking the running kiosk do not need
    from sqlite_utils import Database

    return Database(conn, execute_plugins=False)
