"""A whole check names what is wrong, keeps no guest waiting, and takes the kiosk's going on for no fault."""

from __future__ import annotations

import contextlib
import hashlib
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kiosk.errors import OutboxDamaged, OutboxUnavailable
from offline_queue import retention
from offline_queue.crypto.suites import GM, INTL
from offline_queue.database import chain, verify
from offline_queue.database.rows import row_hash
from offline_queue.owner import OutboxOwner
from offline_queue.states import EventState
from offline_queue.store import Store
from tests.outbox_kit import HOTEL, claim, deliver, event, new_event, new_id, opened, raw, receipt, registration, settle


@pytest.mark.timeout(120)
def test_no_turn_of_a_check_holds_a_guests_put_for_fifty_milliseconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[float] = []
    with opened(tmp_path) as owner:
        for _ in range(600):
            owner.outbox.put(registration())
        real = owner._do

        def timed(work: Callable[[Store], Any], **more: bool) -> Any:
            began = time.thread_time()  # what the owner thread itself spends: others load the machine, too
            try:
                return real(work, **more)
            finally:
                held.append(time.thread_time() - began)

        monkeypatch.setattr(owner, "_do", timed)
        assert verify.verify(owner).faults == ()
    assert len(held) > 10
    assert max(held) < 0.05


@pytest.mark.timeout(60)
def test_a_kiosk_that_goes_on_meanwhile_is_no_fault(tmp_path: Path) -> None:
    with opened(tmp_path) as owner:
        for _ in range(40):
            owner.outbox.put(registration(photos=False))
        done = threading.Event()

        def work() -> None:
            while not done.is_set():
                owner.outbox.put(registration(photos=False))
                settle(owner, *[(item.event, receipt()) for item in claim(owner, limit=5)])

        busy = threading.Thread(target=work)
        busy.start()
        try:
            reports = [verify.verify(owner) for _ in range(5)]
        finally:
            done.set()
            busy.join()
        assert [report.faults for report in reports] == [()] * 5
        assert reports[-1].changes > reports[0].changes


def with_one_lost(owner: OutboxOwner, index: str, on: str, where: str, lost: int) -> None:
    """Let an index forget an event, as a flipped bit in its page would."""

    def work(store: Store) -> None:
        execute = store._conn.execute
        (sql,) = execute("SELECT sql FROM sqlite_schema WHERE name = ?", (index,)).fetchone()
        execute(f"DROP INDEX {index}")
        execute(
            f"CREATE {'UNIQUE ' if 'UNIQUE' in sql else ''}INDEX {index} ON event ({on}) WHERE {where} id <> {lost}"
        )
        execute("PRAGMA writable_schema = ON")
        execute("UPDATE sqlite_schema SET sql = ? WHERE name = ?", (sql, index))
        execute("PRAGMA writable_schema = RESET")

    owner.call(work)


@pytest.mark.parametrize(
    ("index", "on", "where"),
    [
        ("event_record", "record, revision", ""),
        ("event_ready", "next_at, id", "state = 'READY' AND"),
        ("event_delivered", "settled_at, id", "state = 'DELIVERED' AND"),
        ("event_blocked", "record, revision", "state = 'BLOCKED' AND"),
        ("event_rejected", "id", "state = 'REJECTED' AND"),
    ],
)
def test_an_event_that_an_index_lost_is_named(tmp_path: Path, index: str, on: str, where: str) -> None:
    with opened(tmp_path) as owner:
        delivered, rejected, blocked = new_id(), new_id(), new_id()
        owner.outbox.put(registration(delivered))
        deliver(owner, delivered)
        owner.outbox.put(registration(rejected))
        owner.outbox.put(registration(blocked, 2))
        state = index.removeprefix("event_").upper()
        number = event(owner, rejected).id
        if state == "REJECTED":
            owner.call(lambda store: store._conn.execute("UPDATE event SET state = 'REJECTED' WHERE id = ?", (number,)))
        found = owner.call(lambda store: store._many(f"state = '{state}'" if state != "RECORD" else "id = 1", ()))
        with_one_lost(owner, index, on, where, found[0].id)
        assert f"event {found[0].id}: an index does not find it" in verify.verify(owner).faults


def test_a_store_made_by_something_else_than_the_outbox_is_named(tmp_path: Path) -> None:
    with opened(tmp_path) as owner:
        owner.outbox.put(registration())

        def copied(store: Store) -> None:
            store._conn.execute(
                "INSERT INTO event (record, revision, op, stay, state, next_at, due_at, wall, boot, mono, "
                "content_hash) SELECT randomblob(16), 1, op, stay, state, next_at, due_at, wall, boot, mono, "
                "content_hash FROM event"
            )

        owner.call(copied)
        faults = verify.verify(owner).faults
    assert "event 2: its row is not what was put" in faults
    assert any("its chain says nothing" in fault for fault in faults)


def test_the_pages_are_checked_where_that_may_take_its_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Store, "damage", lambda store: ["page 7 is never used"])
    with opened(tmp_path) as owner:
        assert verify.verify(owner).faults == ()
        assert verify.verify(owner, pages=True).faults == ("database: page 7 is never used",)


def stored(folder: Path, events: int = 3) -> None:
    store = Store(folder / "queue.db", HOTEL, time.time())
    for _ in range(events):
        with store.transaction():
            store.insert(new_event())
    store.close()


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        ("UPDATE chain SET detail = 'x' WHERE seq = 2", "entry 2 of the chain"),
        ("UPDATE chain SET detail = '3101000001' WHERE seq = 1", "entry 1 of the chain"),
        ("DELETE FROM chain WHERE seq = 2", "entry 3 of the chain"),
        ("DROP TRIGGER event_body; UPDATE event SET next_at = 1, mono = mono + 1 WHERE id = 2", "not as they were put"),
        ("DROP TRIGGER event_body; UPDATE event SET row_hash = NULL WHERE id > 1", r"2 event\(s\).*\(2, 3\)"),
        ("INSERT INTO fact VALUES ('chain suites', '[[1, \"gm\"]]')", "entry 1 of the chain"),
        ("INSERT INTO fact VALUES ('chain suites', 'none')", "chain suites"),
    ],
)
def test_what_was_altered_is_refused_when_the_store_opens(tmp_path: Path, harm: str, says: str) -> None:
    stored(tmp_path)
    db = raw(tmp_path)
    trigger = db.execute("SELECT sql FROM sqlite_schema WHERE name = 'event_body'").fetchone()[0]
    db.executescript(harm)
    if "DROP" in harm:
        db.execute(trigger)
    db.close()
    with pytest.raises(OutboxDamaged, match=says):
        Store(tmp_path / "queue.db", HOTEL, time.time())


def test_columns_that_may_change_are_no_damage(tmp_path: Path) -> None:
    stored(tmp_path)
    db = raw(tmp_path)
    db.execute("UPDATE event SET next_at = 1, attempts = 3, why = 'timeout', flag = 'E304', batch = 'b' WHERE id = 2")
    db.close()
    Store(tmp_path / "queue.db", HOTEL, time.time()).close()


def test_a_disk_that_refuses_is_no_damage(tmp_path: Path) -> None:
    store = Store(tmp_path / "queue.db", HOTEL, time.time())
    pages = store._conn.execute("PRAGMA page_count").fetchone()[0]
    store._conn.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(OutboxUnavailable, match="full") as refused, store.transaction():
        store.insert(new_event(sealed=bytes(100_000)))
    assert not isinstance(refused.value, OutboxDamaged)
    store.close()


def test_a_page_that_breaks_while_the_kiosk_runs_is_damage(tmp_path: Path) -> None:
    store = Store(tmp_path / "queue.db", HOTEL, time.time())
    with store.transaction():
        store.insert(new_event())
    store.truncate_log()
    page = int(store._conn.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'event_record'").fetchone()[0])
    store._conn.execute("PRAGMA shrink_memory")  # what is in memory is not read again
    with (tmp_path / "queue.db").open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xff" * 4096)
    with pytest.raises(OutboxDamaged, match="damaged"), store.transaction():
        store.insert(new_event())
    store.close()


def test_a_row_that_breaks_while_the_kiosk_runs_is_never_sent(tmp_path: Path) -> None:
    store = Store(tmp_path / "queue.db", HOTEL, time.time())
    with store.transaction():
        store.insert(new_event())
    assert len(store.ready(time.time() + 1, 300, 5)) == 1
    store._conn.execute("DROP TRIGGER event_body")
    store._conn.execute("UPDATE event SET op = 'VD'")
    with pytest.raises(OutboxDamaged, match="not as they were put"):
        store.ready(time.time() + 1, 300, 5)
    store.close()


# ---- suites ----------------------------------------------------------------------------------------------------------


def test_a_chain_is_hashed_by_the_suite_of_the_settings(tmp_path: Path) -> None:
    store = Store(tmp_path / "queue.db", HOTEL, 1.0, suite=GM)
    (first,) = store.chain_after(0, 9)
    assert first == chain.following(None, 0, chain.GENESIS, 1000, HOTEL, GM)
    assert first.hash != chain.following(None, 0, chain.GENESIS, 1000, HOTEL, INTL).hash
    store.close()


def test_a_site_may_change_over_and_back_and_the_whole_chain_still_holds(tmp_path: Path) -> None:
    for suite in (INTL, GM, GM, INTL):
        store = Store(tmp_path / "queue.db", HOTEL, time.time(), suite=suite)
        with store.transaction():
            store.insert(new_event())
        entries, suites = store.chain_after(0, 99), store.suites
        assert list(chain.broken(entries, None, suites)) == []
        assert list(chain.broken(entries, None, chain.Suites())) == (
            [] if suite == INTL and len(entries) == 2 else _gm(entries)
        )
        store.close()
    assert [(entry.state, entry.detail) for entry in entries if entry.state == chain.SUITE] == [
        (chain.SUITE, GM),
        (chain.SUITE, INTL),
    ]


def _gm(entries: list[chain.Entry]) -> list[int]:
    """Numbers of the entries from the first change over to the change back."""
    turns = [entry.seq for entry in entries if entry.state == chain.SUITE]
    last = turns[1] - 1 if len(turns) > 1 else entries[-1].seq
    return list(range(turns[0], last + 1))


def test_a_change_over_that_fails_is_as_if_it_had_not_begun(tmp_path: Path) -> None:
    stored(tmp_path)
    store = Store(tmp_path / "queue.db", HOTEL, time.time())

    def cut_off() -> None:
        with store.transaction():
            store._turn_to(GM)
            store.remark(chain.SUITE, GM, 1.0)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        cut_off()
    with store.transaction():
        store.insert(new_event())
    store.close()
    Store(tmp_path / "queue.db", HOTEL, time.time()).close()


# ---- rows ------------------------------------------------------------------------------------------------------------


def test_a_row_hash_covers_each_column_that_never_changes(tmp_path: Path) -> None:
    store = Store(tmp_path / "queue.db", HOTEL, time.time())
    with store.transaction():
        store.insert(new_event())
    (one,) = store.in_state(EventState.READY)
    store.close()
    fields: list[Any] = [one.id, one.record_id, one.revision, one.op, one.stay, one.supersedes]
    fields += [one.due_at, one.wall, one.boot, one.mono, one.content_hash, one.given_hash]
    assert one.row_hash == row_hash(*fields)
    others: list[Any] = [2, type(one.record_id)(int=1), 2, "UP", "S-9", 1, 1.0, 1.0, "b", 1.0, b"1", b"2"]
    for at, other in enumerate(others):
        assert row_hash(*fields[:at], other, *fields[at + 1 :]) != one.row_hash


def test_a_sealed_part_that_is_not_what_was_put_is_named_without_its_key(tmp_path: Path) -> None:
    store = Store(tmp_path / "queue.db", HOTEL, time.time())
    with store.transaction():
        store.insert(new_event(sealed=b"what was put"))
    (one,) = store.in_state(EventState.READY)
    assert store.payload_faults(one) == []
    assert store._conn.execute("SELECT hash FROM payload").fetchone() == (hashlib.sha256(b"what was put").digest(),)
    store._conn.execute("UPDATE payload SET sealed = CAST('what was pu7' AS BLOB)")
    assert store.payload_faults(one) == ["text"]
    store.close()


@pytest.mark.parametrize(
    ("state", "part", "harm"),
    [
        (EventState.DELIVERED, "live", "UPDATE data_key SET wrapped = randomblob(60) WHERE part = 'live'"),
        (EventState.DELIVERED, "id", "INSERT INTO payload VALUES (1, 'id', x'00', x'00')"),
        (EventState.PURGED, "text", "UPDATE data_key SET wrapped = randomblob(60) WHERE part = 'text'"),
        (EventState.PURGED, "text", "INSERT INTO payload VALUES (1, 'text', x'00', x'00')"),
    ],
)
def test_what_should_be_erased_and_is_not_is_named(tmp_path: Path, state: EventState, part: str, harm: str) -> None:
    with opened(tmp_path) as owner:
        put = registration()
        owner.outbox.put(put)
        deliver(owner, put.record_id, wall=1000.0)
        if state is EventState.PURGED:
            retention.purge_all(owner, 30)
        assert verify.verify(owner).faults == ()
    with contextlib.closing(raw(tmp_path)) as store:
        store.execute(harm)
    with opened(tmp_path) as owner:
        assert f"event 1: {part} should be erased, and is not" in verify.verify(owner).faults
