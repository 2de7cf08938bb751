"""A file that is not an outbox of this program is refused in clear words and not changed by one byte."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from kiosk.errors import OutboxUnavailable
from offline_queue import migrations
from offline_queue.database import schema
from offline_queue.database.connection import Connection
from tests.outbox_kit import open_owner, opened, raw, registration


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """A folder with an outbox that holds records and that nobody holds."""
    with opened(tmp_path) as owner:
        for _ in range(3):
            owner.outbox.put(registration())
    return tmp_path


def sql(text: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        db = raw(folder)
        db.executescript(text)
        db.close()

    return change


def another_programs(folder: Path) -> None:
    (folder / "queue.db").unlink()
    sql("CREATE TABLE song (title); INSERT INTO song VALUES ('x')")(folder)


def garbage(folder: Path) -> None:
    (folder / "queue.db").write_bytes(random.Random(1).randbytes(9000))


def cut(folder: Path) -> None:
    (folder / "queue.db").write_bytes((folder / "queue.db").read_bytes()[:50])


def torn(folder: Path) -> None:
    path = folder / "queue.db"
    whole = path.read_bytes()
    path.write_bytes(whole[:100] + bytes(4096 - 100) + whole[4096:])


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (sql(f"PRAGMA user_version = {schema.VERSION + 1}"), "newer.*left untouched, start the newer program"),
        (sql("PRAGMA application_id = 7"), "another program's database"),
        (another_programs, "another program's database"),
        (garbage, "not a database"),
        (cut, "not a database"),
        (torn, "queue.db: "),
        (sql("DROP TRIGGER tally_update"), "trigger tally_update"),
        (sql("DROP INDEX event_ready"), "index event_ready"),
        (sql("ALTER TABLE chain RENAME TO chain_2"), "table chain"),
    ],
    ids=["newer", "application", "another program", "garbage", "cut", "torn", "trigger", "index", "table"],
)
def test_it_is_refused_and_left_as_it_was(closed: Path, harm: Callable[[Path], None], says: str) -> None:
    harm(closed)
    before = (closed / "queue.db").read_bytes()
    with pytest.raises(OutboxUnavailable, match=rf"(?s)queue\.db.*{says}" if "queue" not in says else says):
        schema.open_database(closed / "queue.db")
    assert (closed / "queue.db").read_bytes() == before


def test_an_outbox_belongs_to_one_hotel(closed: Path) -> None:
    with pytest.raises(OutboxUnavailable, match=r"belongs to hotel 3101009999.*kiosk\.hotel_code"):
        open_owner(closed, hotel="3101000001")
    with opened(closed) as owner:
        assert owner.status().unsent == 3


def test_what_is_made_is_what_is_inspected(tmp_path: Path) -> None:
    conn = schema.open_database(tmp_path / "queue.db")
    assert schema.inspect(conn) == []
    assert conn.execute("PRAGMA application_id").fetchone() == (migrations.APPLICATION_ID,)
    assert conn.execute("PRAGMA user_version").fetchone() == (schema.VERSION,)
    conn.close()


def test_making_it_is_all_or_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(conn: Connection) -> None:
        conn.execute("CREATE TRIGGER broken")

    monkeypatch.setattr(migrations, "STEPS", (*migrations.STEPS, broken))
    with pytest.raises(OutboxUnavailable):
        schema.open_database(tmp_path / "queue.db")
    monkeypatch.undo()
    conn = schema.open_database(tmp_path / "queue.db")  # nothing half-made stands in the way
    assert schema.inspect(conn) == []
    conn.close()


def test_only_one_connection_can_exist(tmp_path: Path) -> None:
    conn = schema.open_database(tmp_path / "queue.db")
    other = sqlite3.connect(tmp_path / "queue.db", timeout=0)
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("SELECT * FROM event")
    other.close()
    conn.close()


def test_a_table_takes_only_its_kind(tmp_path: Path) -> None:
    conn = schema.open_database(tmp_path / "queue.db")
    with pytest.raises(sqlite3.IntegrityError, match="cannot store TEXT"):
        conn.execute("INSERT INTO chain VALUES (1, 'one', 'READY', 1, '', x'00')")
    conn.close()


def cut_off(folder: Path, change: str) -> Path:
    """A folder as a power cut leaves it when a change was just committed: it lies in the log alone."""
    conn = schema.open_database(folder / "queue.db")
    conn.execute("INSERT INTO fact VALUES ('before', 'it')")
    conn.execute(change)
    conn.execute("INSERT INTO fact VALUES ('after', 'it')")
    cut = folder / "cut"
    cut.mkdir()
    for path in folder.glob("queue.db*"):
        shutil.copy(path, cut)
    conn.close()
    return cut


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (f"PRAGMA user_version = {schema.VERSION + 1}", "newer"),
        ("PRAGMA application_id = 7", "another program's"),
    ],
)
def test_a_newer_header_that_lies_in_the_log_alone_is_respected(tmp_path: Path, change: str, says: str) -> None:
    cut = cut_off(tmp_path, change)
    before = {path.name: path.read_bytes() for path in cut.iterdir()}
    assert before["queue.db-wal"]
    with pytest.raises(OutboxUnavailable, match=says):
        schema.open_database(cut / "queue.db")
    assert {path.name: path.read_bytes() for path in cut.iterdir()} == before


def test_a_log_of_this_version_is_taken_over(tmp_path: Path) -> None:
    cut = cut_off(tmp_path, f"PRAGMA user_version = {schema.VERSION}")
    conn = schema.open_database(cut / "queue.db")
    assert conn.execute("SELECT count(*) FROM fact").fetchone() == (2,)
    conn.close()


@pytest.mark.parametrize("log", [b"", b"no log", bytes(40), b"\x37\x7f\x06\x82" + bytes(60)])
def test_a_log_that_is_none_is_no_header(tmp_path: Path, log: bytes) -> None:
    schema.open_database(tmp_path / "queue.db").close()
    (tmp_path / "queue.db-wal").write_bytes(log)
    schema.open_database(tmp_path / "queue.db").close()
