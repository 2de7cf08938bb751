"""From the outbox to a receipt, against the real endpoint: accepted, rejected, doubted, in what order."""

from __future__ import annotations

import hashlib
import logging
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from kiosk.config import OutboxSection
from kiosk.sandbox.process import SandboxProcess
from offline_queue.database.verify import verify
from offline_queue.delivery import claims
from offline_queue.states import EventState
from tests.contract.sync_kit import Delivery, delivery, duplicates, ledger
from tests.outbox_kit import (
    NAME,
    NUMBER,
    SHANGHAI,
    TurnedClock,
    changed,
    event,
    invented_number,
    new_id,
    registration,
    state,
)

pytestmark = pytest.mark.timeout(60)


def test_a_record_arrives_byte_for_byte_and_its_receipt_comes_back(
    line: Delivery, sandbox: SandboxProcess, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    put = registration()
    line.owner.outbox.put(put)
    line.until_state(EventState.DELIVERED, put.record_id)
    (row,) = ledger(sandbox, put.record_id)
    here = event(line.owner, put.record_id)
    assert (row["text"], row["photos"]) == (put.text.decode(), 2)
    assert row["content_hash"] == hashlib.sha256(put.text).hexdigest() == here.content_hash.hex()
    assert (here.receipt, here.received_at) == (row["receipt_no"], row["received_at"])
    line.until("its receipt is told", lambda: line.receipts)
    assert line.receipts == [(put.record_id, row["receipt_no"])]
    assert NAME not in caplog.text
    assert NUMBER not in caplog.text


def test_the_log_is_emptied_once_nothing_is_on_its_way(line: Delivery, tmp_path: Path) -> None:
    record_id = line.put()
    line.until_state(EventState.DELIVERED, record_id)
    line.until("an empty log", lambda: (tmp_path / "queue.db-wal").stat().st_size == 0)


def test_taken_in_is_not_delivered(line: Delivery, sandbox: SandboxProcess) -> None:
    sandbox.fault("police_defer", times=4)
    record_id = line.put()
    line.until("taken in", lambda: event(line.owner, record_id).http == 202)
    assert state(line.owner, record_id) is EventState.INFLIGHT
    assert line.receipts == []
    line.until_state(EventState.DELIVERED, record_id)
    assert event(line.owner, record_id).attempts == 0
    assert duplicates(sandbox, record_id) == 0


def test_revisions_arrive_in_order_each_with_the_receipt_before(line: Delivery, sandbox: SandboxProcess) -> None:
    record_id, stay = new_id(), "S-order"
    for revision in (3, 2, 1):
        line.owner.outbox.put(registration(record_id, revision, stay=stay))
    line.until("three receipts", lambda: len(line.receipts) == 3)
    assert [row["revision"] for row in ledger(sandbox, record_id)] == [1, 2, 3]
    assert event(line.owner, record_id, 3).attempts == 0


def test_a_rejected_record_parks_only_itself(line: Delivery) -> None:
    sick = line.put(ethnicity="99", number=invented_number(1))
    line.put(record_id=sick, revision=2)
    others = [line.put(number=invented_number(serial)) for serial in range(2, 6)]
    line.until_state(EventState.DELIVERED, *others)
    line.until_state(EventState.REJECTED, sick)
    assert event(line.owner, sick).why == "E24 guest.ethnicity"
    assert state(line.owner, sick, 2) is EventState.BLOCKED
    assert event(line.owner, sick).attempts == 0


def test_a_persons_correction_of_a_rejected_record_arrives(line: Delivery, sandbox: SandboxProcess) -> None:
    put = registration(ethnicity="99")
    line.owner.outbox.put(put)
    line.until_state(EventState.REJECTED, put.record_id)
    line.owner.outbox.put(registration(put.record_id, 2, stay=put.stay_id), supersedes=1)
    line.until("the receipt", lambda: line.receipts)
    assert state(line.owner, put.record_id, 1) is EventState.SUPERSEDED
    assert [row["revision"] for row in ledger(sandbox, put.record_id)] == [2]


def test_accepted_with_a_warning_is_delivered_and_flagged(line: Delivery, sandbox: SandboxProcess) -> None:
    sandbox.fault("police_warn", code="E304", times=1)
    record_id = line.put()
    line.until_state(EventState.DELIVERED, record_id)
    assert event(line.owner, record_id).why == "E304"


def test_a_batch_refused_whole_is_halved_until_the_guilty_is_alone(line: Delivery, sandbox: SandboxProcess) -> None:
    sandbox.close_police()
    before = [line.put(number=invented_number(serial)) for serial in range(10, 13)]
    guilty = line.put(address="长" * 6000)  # more than the endpoint reads of one record
    after = [line.put(number=invented_number(serial)) for serial in range(13, 17)]
    sandbox.open_police()
    line.sync.try_now()
    line.until_state(EventState.DELIVERED, *before, *after)
    line.until_state(EventState.REJECTED, guilty)
    assert event(line.owner, guilty).why == "http 413 E13"
    assert {event(line.owner, one).attempts for one in (*before, *after)} == {0}


def test_other_content_under_a_known_revision_goes_to_a_person(sandbox: SandboxProcess, tmp_path: Path) -> None:
    sandbox.clear_faults()
    put = registration()
    for folder, record, end in (
        ("a", put, EventState.DELIVERED),
        ("b", changed(put, roomNo="907"), EventState.REJECTED),
    ):
        (tmp_path / folder).mkdir()
        with delivery(sandbox, tmp_path / folder) as line:
            line.owner.outbox.put(record)
            line.until_state(end, put.record_id)
    with delivery(sandbox, tmp_path / "b", start=False) as line:
        assert "E409" in str(event(line.owner, put.record_id).why)
    assert len(ledger(sandbox, put.record_id)) == 1


def test_an_older_revision_than_the_authority_has_goes_to_a_person(sandbox: SandboxProcess, tmp_path: Path) -> None:
    sandbox.clear_faults()
    put = registration()
    with delivery(sandbox, tmp_path / "a") as line:
        line.owner.outbox.put(put)
        line.owner.outbox.put(registration(put.record_id, 2, stay=put.stay_id))
        line.until("both", lambda: len(line.receipts) == 2)
    with delivery(sandbox, tmp_path / "b") as line:
        line.owner.outbox.put(put)
        line.until_state(EventState.REJECTED, put.record_id)
        assert event(line.owner, put.record_id).why == "E410 authority has a later revision"
        assert line.receipts == []


def test_a_store_brought_back_from_a_copy_delivers_nothing_twice(sandbox: SandboxProcess, tmp_path: Path) -> None:
    sandbox.clear_faults()
    put = registration()
    for folder in ("first", "again"):
        with delivery(sandbox, tmp_path / folder) as line:
            line.owner.outbox.put(put)
            line.until_state(EventState.DELIVERED, put.record_id)
            line.until("the receipt told", lambda: line.receipts)  # after the commit
            assert [number for _, number in line.receipts] == [
                row["receipt_no"] for row in ledger(sandbox, put.record_id)
            ]
    assert duplicates(sandbox, put.record_id) == 1


def test_a_kiosk_that_ended_while_a_lot_was_out_delivers_it_once(sandbox: SandboxProcess, tmp_path: Path) -> None:
    sandbox.clear_faults()
    sandbox.fault("police_defer", times=1000)
    with delivery(sandbox, tmp_path) as line:
        record_id = line.put()
        line.until("taken in", lambda: event(line.owner, record_id).http == 202)
    sandbox.clear_faults()
    with delivery(sandbox, tmp_path, start=False) as line:
        assert state(line.owner, record_id) is EventState.INFLIGHT
        line.sync.start()
        line.until_state(EventState.DELIVERED, record_id)
    assert len(ledger(sandbox, record_id)) == 1


def test_three_days_of_outage_drain_without_poison(sandbox: SandboxProcess, tmp_path: Path) -> None:
    sandbox.clear_faults()
    clock = TurnedClock(wall_off=-3 * 86_400, mono_off=-3 * 86_400)
    then = datetime.now(SHANGHAI) - timedelta(days=3)
    with delivery(sandbox, tmp_path, start=False, clock=clock) as line:
        waiting = [line.put(number=invented_number(serial), occurred_at=then) for serial in range(300)]
        for _ in range(30):
            stranded = line.owner.call(
                lambda store: claims.claim(
                    store, line.owner.vault, clock.wall(), batch_id=new_id(), limit=50, max_bytes=1 << 30, cap_s=300
                )
            )
            assert len(stranded) == 50
            line.owner.call(lambda store: claims.recover(store, clock.wall()))
        clock.wall_off = clock.mono_off = 0.0
        assert line.owner.status().oldest_unsent_s == pytest.approx(3 * 86_400, abs=60)
        line.sync.start()
        line.until("everything", lambda: line.owner.status().unsent == 0, 30)
        assert len(ledger(sandbox, *waiting)) == 300
        assert verify(line.owner).faults == ()


def test_what_is_past_its_retention_is_purged_by_itself(sandbox: SandboxProcess, tmp_path: Path) -> None:
    sandbox.clear_faults()
    with delivery(sandbox, tmp_path) as line:
        record_id = line.put()
        line.until_state(EventState.DELIVERED, record_id)
    sandbox.fault("police_clock_skew", s=(OutboxSection().retention_days + 1) * 86_400)
    with delivery(sandbox, tmp_path, tables_in=tmp_path) as line:
        line.until_state(EventState.PURGED, record_id)
        assert line.owner.outbox.open_text(record_id, 1) is None
