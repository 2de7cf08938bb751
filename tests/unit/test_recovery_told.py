"""What a technician lost by copying or deleting files is said aloud, and by how much; what can be noticed is."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kiosk.errors import OutboxDamaged
from offline_queue.commands import salvage
from offline_queue.database.verify import verify
from offline_queue.recovery import quarantine
from offline_queue.states import EventState
from offline_queue.store import Store
from tests.outbox_kit import claim, deliver, event, new_id, opened, raw, registration, reject, state
from tests.recovery_kit import COPIED, MEND_S, left, lobby, mended, nothing_is_lost


def index_holds(execute: Callable[..., Any], index: str, on: str, where: str) -> None:
    """Let an index hold other rows than it says, as after a flipped bit in its page."""
    (sql,) = execute("SELECT sql FROM sqlite_schema WHERE name = ?", (index,)).fetchone()
    execute(f"DROP INDEX {index}")
    execute(f"CREATE INDEX {index} ON event ({on}) WHERE {where}")
    execute("PRAGMA writable_schema = ON")
    execute("UPDATE sqlite_schema SET sql = ? WHERE name = ?", (sql, index))
    execute("PRAGMA writable_schema = RESET")


def test_a_log_that_was_thrown_away_is_told_with_how_much_was_in_it(tmp_path: Path) -> None:
    made = lobby(tmp_path)
    (made.folder / "queue.db-wal").unlink()
    with mended(made.folder) as owner:
        (outcome,) = owner.mending.view.salvaged
        lost, _ = left(owner, made)
    assert (outcome.missing > len(lost) > 0, outcome.lost) == (True, 0)
    (told,) = (json.loads(path.read_bytes()) for path in (made.folder / quarantine.FOLDER).glob("*/report.json"))
    assert told["missing"] == outcome.missing
    row: dict[str, object] = {
        "salvaged": [told],
        "rebuilt": None,
        "reports": [],
        "waiting": 0,
        "why": "",
        "quarantine": "q",
    }
    sentences = salvage.sentences(row)
    assert f"{outcome.missing} changes of state MISSING" in sentences[0]
    assert "compare the hotel's list of arrivals" in sentences[-1]


def test_nothing_is_called_missing_where_nothing_is(tmp_path: Path) -> None:
    made = lobby(tmp_path, closed=True)
    held = (made.folder / "queue.db").read_bytes()
    (made.folder / "queue.db").write_bytes(held[:100] + bytes(4096 - 100) + held[4096:])
    with mended(made.folder) as owner:
        (outcome,) = owner.mending.view.salvaged
        assert (outcome.missing, left(owner, made)) == (0, ([], []))


def test_an_open_database_whose_name_another_file_took_lacks_nothing(tmp_path: Path) -> None:
    with opened(tmp_path) as owner:
        owner.outbox.put(registration())
        shutil.copy(tmp_path / "queue.db", tmp_path / "older")
        owner.outbox.put(registration())
        (tmp_path / "older").rename(tmp_path / "queue.db")
        owner.outbox.put(registration())
        assert [one.missing for one in owner.mending.wait(MEND_S).salvaged] == [0, 0]


def test_an_outbox_that_is_gone_beside_its_key_is_told_and_a_first_start_is_not(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with opened(tmp_path) as owner:
        owner.outbox.put(registration())
    assert caplog.records == []
    for path in tmp_path.iterdir():
        if path.name != "queue.key":
            path.unlink()
    with opened(tmp_path) as owner:
        owner.outbox.put(registration())
    (told,) = caplog.records
    assert (told.levelno, "gone without a trace" in told.getMessage()) == (logging.ERROR, True)


def test_a_witness_that_is_gone_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with opened(tmp_path) as owner:
        owner.outbox.put(registration())
    (tmp_path / "queue.head").unlink()
    with opened(tmp_path):
        pass
    assert [(one.levelno, "newest copy is unknown" in one.getMessage()) for one in caplog.records] == [
        (logging.WARNING, True)
    ]


def test_an_older_copy_whose_witness_was_put_back_too_is_noticed_by_the_second_copy(tmp_path: Path) -> None:
    made = lobby(tmp_path, closed=True, settings=COPIED)
    for name in ("queue.db", "queue.head"):
        shutil.copy(made.folder / name, tmp_path / name)
    with opened(made.folder, settings=COPIED) as owner:
        put = registration()
        owner.outbox.put(put)
    for name in ("queue.db", "queue.head"):
        shutil.copy(tmp_path / name, made.folder / name)
    with mended(made.folder, settings=COPIED) as owner:
        assert state(owner, put.record_id) is EventState.READY
        nothing_is_lost(owner, made)


def test_a_correction_that_was_put_meanwhile_goes_when_its_delivered_record_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = registration()
    with opened(tmp_path) as owner:
        owner.outbox.put(put)
        deliver(owner, put.record_id)
    held = (tmp_path / "queue.db").read_bytes()
    (tmp_path / "queue.db").write_bytes(held[:100] + bytes(4096 - 100) + held[4096:])
    with monkeypatch.context() as held_up:
        held_up.setattr("offline_queue.recovery.mending.Mending.start", lambda self: None)
        with opened(tmp_path) as owner:
            owner.outbox.put(registration(put.record_id, 2))
            assert state(owner, put.record_id, 2) is EventState.BLOCKED
    with mended(tmp_path) as owner:
        assert state(owner, put.record_id, 1) is EventState.DELIVERED
        assert state(owner, put.record_id, 2) is EventState.READY


def test_an_unsent_record_that_its_index_lost_is_noticed_at_the_start_and_comes_back(tmp_path: Path) -> None:
    put = registration()
    with opened(tmp_path) as owner:
        owner.outbox.put(put)
    db = raw(tmp_path)
    index_holds(db.execute, "event_ready", "next_at, id", "0")
    db.close()
    with mended(tmp_path) as owner:
        assert len(owner.mending.view.salvaged) == 1
        assert state(owner, put.record_id) is EventState.READY
        assert verify(owner).faults == ()


def test_a_record_is_not_sent_because_an_index_says_so(tmp_path: Path) -> None:
    put = registration()
    with opened(tmp_path) as owner:
        owner.outbox.put(put)
        reject(owner, put.record_id)
        owner.call(lambda store: index_holds(store._conn.execute, "event_ready", "next_at, id", "state = 'REJECTED'"))
        with pytest.raises(OutboxDamaged, match="disagree"):
            claim(owner)
        assert owner.mending.wait(MEND_S).waiting == 0
        assert state(owner, put.record_id) is EventState.REJECTED


def test_an_entry_is_checked_at_the_start_two_thousand_changes_later(tmp_path: Path) -> None:
    put = new_id()
    with opened(tmp_path) as owner:
        owner.outbox.put(registration(put))

        def many(store: Store) -> None:
            with store.transaction():
                for _ in range(1_990):
                    store.remark("REMARK", "", 0.0)

        owner.call(many)
        number = event(owner, put).id
    db = raw(tmp_path)
    db.execute("UPDATE chain SET at_ms = at_ms + 1 WHERE event = ?", (number,))
    db.close()
    with opened(tmp_path) as owner:
        assert owner.mending.wait(MEND_S).salvaged != ()
        assert state(owner, put) is EventState.READY


def test_a_second_copy_without_the_keys_for_it_leaves_nothing_that_verify_complains_of_for_ever(tmp_path: Path) -> None:
    made = lobby(tmp_path, closed=True, settings=COPIED)
    for path in made.folder.iterdir():
        if path.is_file() and path.name != "queue.key":
            path.unlink()
    with mended(made.folder, settings=COPIED) as owner:
        lost, sealed = left(owner, made)
        assert (lost, sealed != []) == ([], True)  # all are there, and staff see which cannot be opened
        assert verify(owner).faults == ()
        for one in made.puts:
            before, known = made.states[one.record_id, one.revision], event(owner, one.record_id, one.revision)
            assert known.receipt == made.receipts[one.record_id, one.revision]
            if before is EventState.DELIVERED:
                assert (known.state, known.why) == (EventState.PURGED, "damaged")
