"""A damaged database is read page by page, and what is read is what SQLite would have read."""

from __future__ import annotations

import random
import shutil
import sqlite3
import time
import tracemalloc
from pathlib import Path

import pytest

from offline_queue.database import schema
from offline_queue.recovery.carving import Carved, table_of
from offline_queue.recovery.judging import judge
from offline_queue.recovery.pages import LogHealth, Pages, log_health
from offline_queue.store import Store
from tests.outbox_kit import HOTEL, deliver, new_event, opened, registration
from tests.recovery_kit import Lobby, lobby


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> Lobby:
    return lobby(tmp_path_factory.mktemp("cut"), waiting=15)


def carved(folder: Path) -> Carved:
    pages = Pages(folder / "queue.db", folder / "queue.db-wal")
    found = Carved(pages)
    for index in range(len(pages)):
        found.look(index)
    return found


def test_without_damage_every_row_is_read_as_sqlite_reads_it(cut: Lobby, tmp_path: Path) -> None:
    folder = cut.copy(tmp_path / "kiosk")
    found = carved(folder)
    db = sqlite3.connect(folder / "queue.db")
    for row in db.execute(f"SELECT {', '.join(schema.TABLES['event'])} FROM event"):
        assert tuple(next(found.rows(row[0])).values()) == row
    parts = db.execute(
        "SELECT event, part, sealed, recipient, key_id, wrapped, suite FROM payload JOIN data_key USING (event, part)"
    ).fetchall()
    assert len(parts) > 30
    for event, part, *rest in parts:
        newest = next(found.parts(event, part))
        assert [newest.sealed, newest.recipient, newest.key_id, newest.wrapped, newest.suite] == rest
    assert found.head == db.execute("SELECT seq, hash FROM chain ORDER BY seq DESC LIMIT 1").fetchone()
    assert found.numbers() == [row[0] for row in db.execute("SELECT id FROM event ORDER BY id")]
    assert found.facts == dict(db.execute("SELECT name, value FROM fact"))
    db.close()
    found.pages.close()


def test_a_pointer_that_was_hit_costs_no_row(cut: Lobby, tmp_path: Path) -> None:
    folder = cut.copy(tmp_path / "kiosk")
    sqlite3.connect(folder / "queue.db").close()
    with opened(folder):
        pass  # the log goes into the database
    whole = carved(folder)
    everything = {number: next(whole.rows(number)) for number in whole.numbers()}
    leaves = {spots[0] >> 16 for spots in whole.events.values()}
    whole.pages.close()
    held = (folder / "queue.db").read_bytes()
    for leaf in leaves:
        for offset in (0, 3, 4, 8, 9, 10, 13):
            broken = bytearray(held)
            broken[leaf * 4096 + offset] ^= 4
            (folder / "queue.db").write_bytes(broken)
            found = carved(folder)
            assert {number: next(found.rows(number)) for number in found.numbers()} == everything
            found.pages.close()


def test_a_log_is_judged_before_sqlite_may_touch_it(cut: Lobby, tmp_path: Path) -> None:
    folder = cut.copy(tmp_path / "kiosk")
    database, log = folder / "queue.db", folder / "queue.db-wal"
    held = log.read_bytes()
    frame, frames = 4096 + 24, (len(held) - 32) // (4096 + 24)

    def health(at: int) -> LogHealth:
        broken = bytearray(held)
        broken[at] ^= 1
        log.write_bytes(broken)
        return log_health(database, log)

    assert log_health(database, log) is LogHealth.WHOLE
    assert log_health(database, tmp_path / "none") is LogHealth.WHOLE
    assert health(32 + 5 * frame + 1000) is LogHealth.BROKEN
    assert health(20) is LogHealth.BROKEN  # its head
    assert health(32 + (frames - 1) * frame + 1000) is LogHealth.TORN
    log.write_bytes(held[:-100])
    assert log_health(database, log) in (LogHealth.WHOLE, LogHealth.TORN)


def test_a_frame_of_an_older_generation_is_never_taken_for_new(tmp_path: Path) -> None:
    with opened(tmp_path / "live") as owner:
        for _ in range(8):
            owner.outbox.put(registration())
        older = (tmp_path / "live" / "queue.db-wal").read_bytes()
        owner.call(lambda store: store.truncate_log())
        put = registration()
        owner.outbox.put(put)
        deliver(owner, put.record_id)
        shutil.copytree(tmp_path / "live", tmp_path / "cut")
    log = tmp_path / "cut" / "queue.db-wal"
    held = log.read_bytes()
    assert len(older) > len(held)
    log.write_bytes(held + older[len(held) :])
    found = carved(tmp_path / "cut")
    assert next(found.rows(9))["state"] == "DELIVERED"
    assert not any(next(found.parts(9, "live")).wrapped) if (9, "live") in found.payloads else True
    found.pages.close()
    assert log_health(tmp_path / "cut" / "queue.db", log) is LogHealth.WHOLE


def test_rows_of_other_programs_are_none_of_ours() -> None:
    assert table_of((1, "text", b"sealed", b"hash")) == "payload"
    assert table_of((1, "text", "kiosk:ab", "id", b"w")) == "data_key"
    assert table_of(("a", "b")) == "fact"
    for values in ((), (None,), (1, 2, 3), ("song", 4.5), (b"", b"", b"", b"")):
        assert table_of(values) is None


def test_no_page_however_spoilt_stops_the_reader(cut: Lobby, tmp_path: Path) -> None:
    folder = cut.copy(tmp_path / "kiosk")
    with opened(folder):
        pass
    held = (folder / "queue.db").read_bytes()
    moments = random.Random(3)
    for _ in range(12):
        broken = bytearray(held)
        for _ in range(moments.choice((50, 500, 5000))):
            broken[moments.randrange(len(broken))] = moments.randrange(256)
        for page in range(1, len(broken) // 4096):
            if moments.random() < 0.3:
                broken[page * 4096 : (page + 1) * 4096] = bytes([13]) + moments.randbytes(4095)
        (folder / "queue.db").write_bytes(broken)
        found = carved(folder)
        for number in found.numbers():
            judge(found, number, lambda event, part: None, lambda op: 3600.0)
        found.pages.close()


@pytest.mark.timeout(120)
def test_a_big_outbox_is_salvaged_in_little_memory(tmp_path: Path) -> None:
    count = 4_000
    store = Store(tmp_path / "queue.db", HOTEL, time.time())
    with store.transaction():
        for _ in range(count):
            store.insert(new_event())
    store.close()
    pages = Pages(tmp_path / "queue.db", tmp_path / "none")
    tracemalloc.start()
    try:
        found = Carved(pages)
        for index in range(len(pages)):
            found.look(index)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        pages.close()
    assert len(found.numbers()) == count
    assert held / count < 1_100  # bytes: a third of a million records in 350 MB
