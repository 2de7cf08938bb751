"""Damage that no error of SQLite names by itself: each once stopped a kiosk, or went unnoticed, in ./run chaos."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from kiosk.errors import OutboxDamaged, OutboxUnavailable
from kiosk.sandbox.police_store import Ledger
from offline_queue.database import chain, wholeness
from offline_queue.database.connection import failed
from offline_queue.database.verify import verify
from offline_queue.states import EventState
from tests.outbox_kit import deliver, opened, raw, registration


def test_a_chain_whose_page_holds_other_types_is_broken_and_no_bug() -> None:
    first = chain.following(None, 0, chain.GENESIS, 1, "3101009999")
    rotten = chain.Entry(2, 1, "READY", 2, b"\xff", b"x" * 32)  # type: ignore[arg-type]
    assert list(chain.broken([first, rotten])) == [2]
    after = chain.Entry(3, 1, "READY", 2, "", b"y" * 32)
    headless = chain.Entry(2, 1, "READY", 2, "", None)  # type: ignore[arg-type]
    assert list(chain.broken([first, headless, after])) == [2, 3]


@pytest.mark.parametrize(
    ("code", "damaged"),
    [
        (sqlite3.SQLITE_CONSTRAINT_UNIQUE, True),
        (sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, True),
        (sqlite3.SQLITE_CONSTRAINT_TRIGGER, False),
        (sqlite3.SQLITE_FULL, False),
    ],
)
def test_what_is_there_twice_was_hidden_by_a_broken_page(code: int, damaged: bool) -> None:
    error = sqlite3.IntegrityError("data_key")
    error.sqlite_errorcode = code
    told = failed(error, "queue.db", "write")
    assert isinstance(told, OutboxUnavailable)
    assert isinstance(told, OutboxDamaged) is damaged


def test_an_unsent_record_that_no_index_names_would_wait_for_ever() -> None:
    wholeness.refuse_lost_rows("queue.db", {EventState.READY: 1}, {EventState.READY: 1})
    with pytest.raises(OutboxDamaged, match="READY"):
        wholeness.refuse_lost_rows("queue.db", {EventState.READY: 1}, {EventState.READY: 0})


def test_a_rotten_trigger_is_set_aside_and_every_record_comes_back(tmp_path: Path) -> None:
    with opened(tmp_path) as owner:
        put = registration()
        owner.outbox.put(put)
    db = raw(tmp_path)
    db.execute("PRAGMA writable_schema = ON")
    db.execute("UPDATE sqlite_schema SET sql = replace(sql, 'NEW.state', 'NEW.stat0') WHERE name = 'tally_insert'")
    db.close()
    with opened(tmp_path) as owner:
        assert owner.mending.wait(60).waiting == 0
        assert owner.outbox.open_text(put.record_id, 1) == put.text
        owner.outbox.put(registration())
        assert verify(owner).faults == ()


def test_the_text_of_a_delivered_record_is_verified_while_staff_may_need_it(tmp_path: Path) -> None:
    with opened(tmp_path) as owner:
        put = registration()
        owner.outbox.put(put)
        deliver(owner, put.record_id)
    db = raw(tmp_path)
    db.execute("UPDATE data_key SET wrapped = randomblob(length(wrapped)) WHERE part = 'text'")
    db.close()
    with opened(tmp_path) as owner:
        assert any("is kept and cannot be opened" in fault for fault in verify(owner).faults)


def test_a_police_endpoint_that_was_killed_does_not_know_what_it_had_not_judged(tmp_path: Path) -> None:
    before = Ledger(tmp_path / "police.db")
    before.store.run("INSERT INTO batch VALUES ('done', '', '', '', 'DONE', 1), ('lost', '', '', '', 'QUEUED', 1)")
    before.close()
    after = Ledger(tmp_path / "police.db")
    assert after.batch("done") is not None
    assert after.batch("lost") is None
    after.close()
