"""What somebody who can write into the stopped kiosk's database changes there is named, by the start or by verify."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest

from offline_queue.database.rows import COLUMNS, event_of
from offline_queue.database.verify import verify
from offline_queue.states import EventState
from offline_queue.store import Store
from tests.outbox_kit import deliver, opened, raw, registration, state
from tests.recovery_kit import MEND_S


def test_a_record_that_was_marked_as_delivered_is_sent_all_the_same(tmp_path: Path) -> None:
    put = registration()
    with opened(tmp_path) as owner:
        owner.outbox.put(put)
    db = raw(tmp_path)
    db.execute("UPDATE event SET state = 'DELIVERED', receipt = 'R-9', settled_at = 1")  # the trigger keeps the tally
    db.close()
    with opened(tmp_path) as owner:
        owner.mending.wait(MEND_S)
        assert state(owner, put.record_id) is EventState.READY
        assert verify(owner).faults == ()


def test_a_record_that_was_taken_out_with_its_tally_comes_back(tmp_path: Path) -> None:
    put = registration()
    with opened(tmp_path) as owner:
        owner.outbox.put(put)
    db = raw(tmp_path)
    db.execute("DELETE FROM event")
    db.close()
    with opened(tmp_path) as owner:
        owner.mending.wait(MEND_S)
        # Its row and its text are gone, or lie about in a free page: either way staff see which record it was
        assert state(owner, put.record_id) in (EventState.READY, EventState.QUARANTINED)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("DELETE FROM event WHERE id = 1", "event 1: the chain knows it, the table does not"),
        ("UPDATE tally SET n = n + 1 WHERE state = 'DELIVERED'", "tally: DELIVERED says 2, there are 1"),
        ("UPDATE event SET receipt = 'R-9' WHERE id = 1", "event 1: receipt is not the one that came"),
        ("UPDATE event SET state = 'PURGED' WHERE id = 1", "event 1: is PURGED, its chain says DELIVERED"),
    ],
)
def test_what_happened_long_ago_is_named_by_a_check(tmp_path: Path, change: str, named: str) -> None:
    with opened(tmp_path) as owner:
        put = registration()
        owner.outbox.put(put)
        deliver(owner, put.record_id)
        owner.call(_grow_old)
    db = raw(tmp_path)
    db.execute(change)
    db.close()
    with opened(tmp_path) as owner:
        assert named in verify(owner).faults


def test_a_row_that_was_made_anew_with_its_hash_is_named(tmp_path: Path) -> None:
    with opened(tmp_path) as owner:
        put = registration()
        owner.outbox.put(put)
        deliver(owner, put.record_id)
    db = raw(tmp_path)
    (trigger,) = db.execute("SELECT sql FROM sqlite_schema WHERE name = 'event_body'").fetchone()
    row = list(db.execute(f"SELECT {COLUMNS} FROM event").fetchone())
    row[3] = "VD"
    forged = event_of(tuple(row)).hashed()
    db.execute("DROP TRIGGER event_body")
    db.execute("UPDATE event SET op = 'VD', row_hash = ?", (forged.row_hash,))
    db.execute(trigger)
    db.close()
    with opened(tmp_path) as owner:
        found = owner.call(lambda store: store.find(UUID(put.record_id), 1))
        assert found is not None
        assert found.intact
        assert "event 1: record, revision, op or hash are not those that were put" in verify(owner).faults


def _grow_old(store: Store) -> None:
    with store.transaction():
        for _ in range(2_100):
            store.remark("REMARK", "", 0.0)
