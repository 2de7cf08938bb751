"""An outbox of any earlier version opens, keeps every record whole, and is never left half-way."""

from __future__ import annotations

import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from kiosk.errors import OutboxUnavailable
from kiosk.model import Registration
from offline_queue import migrations
from offline_queue.database import schema
from offline_queue.database.connection import Connection
from offline_queue.database.verify import verify
from offline_queue.migrations import v1
from offline_queue.owner import STORE_FILE
from offline_queue.settle import Rejected
from offline_queue.states import EventState
from tests.outbox_kit import claim, deliver, event, opened, raw, receipt, registration, reject, settle_claimed, state
from tests.recovery_kit import mended

V1 = {
    "event": "id, record, revision, op, stay, state, supersedes, attempts, strikes, tried_seq, next_at, due_at, wall, "
    "boot, mono, content_hash, batch, http, why, receipt, received_at, settled_at",
    "payload": "event, part, sealed",
    "data_key": "event, part, recipient, key_id, wrapped",
    "tally": "state, n",
    "chain": "seq, event, state, at_ms, detail, hash",
}


def as_v1(folder: Path) -> None:
    """Make the closed store the file that the first version would have made: its SQL, the same sealed records."""
    path = folder / STORE_FILE
    path.rename(folder / "new.db")
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA auto_vacuum = INCREMENTAL")
    db.execute("PRAGMA journal_mode = WAL")
    v1.step(db)
    db.execute("ATTACH DATABASE ? AS new", (str(folder / "new.db"),))
    db.execute("DELETE FROM main.tally")
    db.execute("UPDATE new.event SET why = flag WHERE flag IS NOT NULL")
    for table, columns in V1.items():
        if table == "event":
            db.execute(f"INSERT INTO main.event ({columns}) SELECT {columns} FROM new.event")
            db.execute("DELETE FROM main.tally")
        else:
            db.execute(f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM new.{table}")
    db.execute("PRAGMA main.user_version = 1")
    db.close()
    (folder / "new.db").unlink()


@pytest.fixture
def old(tmp_path: Path) -> tuple[Path, dict[str, Registration]]:
    """A folder with a store of schema 1 in which a record stands in each of the states that matter."""
    puts = {name: registration() for name in ("delivered", "warned", "purged", "rejected", "replaced", "flying", "due")}
    with opened(tmp_path) as owner:
        for name in ("delivered", "warned", "rejected", "replaced"):
            owner.outbox.put(puts[name])
        outcomes = {(puts["delivered"].record_id, 1): receipt(), (puts["rejected"].record_id, 1): Rejected("E22 name")}
        outcomes |= {(puts["warned"].record_id, 1): replace(receipt("R-2"), flag="E304")}
        settle_claimed(owner, {**outcomes, (puts["replaced"].record_id, 1): Rejected("E22 name")})
        puts["correction"] = registration(puts["replaced"].record_id, 2)
        owner.outbox.put(puts["correction"], supersedes=1)
        owner.outbox.put(puts["flying"])
        claim(owner)
        owner.outbox.put(puts["due"])
        puts["blocked"] = registration(puts["rejected"].record_id, 2)
        owner.outbox.put(puts["blocked"])
    del puts["purged"]
    as_v1(tmp_path)
    return tmp_path, puts


def test_every_record_of_the_first_version_still_opens_and_is_delivered(
    old: tuple[Path, dict[str, Registration]],
) -> None:
    folder, puts = old
    with opened(folder) as owner:
        assert verify(owner).faults == ()
        for put in puts.values():
            assert owner.outbox.open_text(put.record_id, put.revision) == put.text
        assert {name: state(owner, put.record_id, put.revision) for name, put in puts.items()} == {
            "delivered": EventState.DELIVERED,
            "warned": EventState.DELIVERED,
            "rejected": EventState.REJECTED,
            "replaced": EventState.SUPERSEDED,
            "correction": EventState.INFLIGHT,
            "flying": EventState.INFLIGHT,
            "due": EventState.READY,
            "blocked": EventState.BLOCKED,
        }
        assert owner.outbox.put(puts["due"]) == puts["due"].record_id  # acknowledged again, stored once
        deliver(owner, puts["due"].record_id)
        assert all(event(owner, put.record_id, put.revision).intact for put in puts.values())
        assert event(owner, puts["warned"].record_id).flag == "E304"
        assert verify(owner).faults == ()


def test_a_migrated_store_and_a_new_one_are_the_same(
    old: tuple[Path, dict[str, Registration]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    def shape(folder: Path) -> list[tuple[str, str, str]]:
        db = raw(folder)
        found = db.execute("SELECT type, name, sql FROM sqlite_schema ORDER BY type, name").fetchall()
        assert db.execute("PRAGMA user_version").fetchone() == (schema.VERSION,)
        db.close()
        return found

    new = tmp_path_factory.mktemp("new")
    for folder in (old[0], new):
        with opened(folder):
            pass
    assert shape(old[0]) == shape(new)


def test_a_backup_comes_first_and_holds_no_data_key(old: tuple[Path, dict[str, Registration]]) -> None:
    folder, puts = old
    db = raw(folder)
    wrapped = [row[0] for row in db.execute("SELECT wrapped FROM data_key") if any(row[0])]
    rows = db.execute("SELECT id, record, state, content_hash, receipt FROM event").fetchall()
    sealed = db.execute("SELECT * FROM payload").fetchall()
    db.close()
    with opened(folder):
        pass
    (kept,) = folder.glob("queue.db.v1-*.backup")
    assert kept.stat().st_mode & 0o777 == 0o600
    lying = kept.read_bytes()
    assert len(wrapped) > len(puts)
    assert not any(key in lying for key in wrapped)
    copy = sqlite3.connect(kept)
    assert copy.execute("PRAGMA user_version").fetchone() == (1,)
    assert copy.execute("SELECT count(*) FROM data_key").fetchone() == (0,)
    assert copy.execute("SELECT id, record, state, content_hash, receipt FROM event").fetchall() == rows
    assert copy.execute("SELECT * FROM payload").fetchall() == sealed
    copy.close()


@pytest.mark.parametrize("after", [0, 5, 12, 14])
def test_a_migration_that_is_cut_off_leaves_the_earlier_version_whole(
    old: tuple[Path, dict[str, Registration]], monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    folder, puts = old
    before = raw(folder)
    dump = list(before.iterdump())
    before.close()

    def cut(conn: Connection) -> None:
        statements = iter(range(after))

        class Cutting:
            def execute(self, sql: str, parameters: tuple[object, ...] = ()) -> object:
                if next(statements, None) is None:
                    raise sqlite3.OperationalError("cut off")
                return conn.execute(sql, parameters)

            def executemany(self, sql: str, rows: list[tuple[object, ...]]) -> object:
                return conn.executemany(sql, rows)

        migrations.v2.step(Cutting())  # type: ignore[arg-type]

    monkeypatch.setattr(migrations, "STEPS", (v1.step, cut))
    with pytest.raises(OutboxUnavailable, match="cut off"), opened(folder):
        pass
    left = raw(folder)
    assert list(left.iterdump()) == dump
    assert left.execute("PRAGMA user_version").fetchone() == (1,)
    left.close()
    monkeypatch.undo()
    with opened(folder) as owner:
        assert verify(owner).faults == ()
        assert owner.outbox.open_text(puts["due"].record_id, 1) == puts["due"].text


def test_a_rejected_record_of_the_first_version_can_be_corrected(old: tuple[Path, dict[str, Registration]]) -> None:
    folder, puts = old
    with opened(folder) as owner:
        reject(owner, puts["due"].record_id)
        owner.outbox.put(registration(puts["due"].record_id, 2), supersedes=1)
        deliver(owner, puts["due"].record_id, 2)
        assert state(owner, puts["due"].record_id) is EventState.SUPERSEDED


@pytest.mark.parametrize("witnessed", [True, False])
def test_a_backup_that_somebody_put_in_the_place_of_the_outbox_stops_no_guest(
    old: tuple[Path, dict[str, Registration]], witnessed: bool
) -> None:
    folder, puts = old
    with opened(folder):
        pass
    (kept,) = folder.glob("*.backup")
    shutil.copy(kept, folder / STORE_FILE)
    if not witnessed:
        (folder / "queue.head").unlink()
    with mended(folder) as owner:
        assert owner.mending.view.salvaged != ()
        # A backup holds no key: staff see of each record that waits which one it is
        assert state(owner, puts["due"].record_id) is EventState.QUARANTINED
        assert event(owner, puts["delivered"].record_id).receipt


@pytest.mark.parametrize("harm", ["DROP TRIGGER event_body", "DROP INDEX event_ready", "DROP TABLE tally"])
def test_an_earlier_version_that_lacks_something_is_set_aside_and_salvaged(
    old: tuple[Path, dict[str, Registration]], harm: str
) -> None:
    folder, puts = old
    db = raw(folder)
    db.execute(harm)
    db.close()
    with mended(folder) as owner:
        assert state(owner, puts["due"].record_id) is EventState.READY
        assert verify(owner).faults == ()
