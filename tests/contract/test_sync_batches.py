"""Batches that fail, in every way but the good one: the guilty record is found, the others pass, none is lost."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from kiosk.config import OutboxSection
from kiosk.sandbox.messages import Answer, Request
from kiosk.sandbox.process import SandboxProcess
from offline_queue.database.verify import verify
from offline_queue.delivery.flights import PATIENCE_S
from offline_queue.states import EventState
from tests.contract.scripted_police import scripted
from tests.contract.sync_kit import BATCHES, delivery, duplicates
from tests.outbox_kit import TurnedClock, event, invented_number, new_id, registration, state

pytestmark = pytest.mark.timeout(90)


def test_a_hundred_records_travel_in_one_batch_and_never_more(sandbox: SandboxProcess, tmp_path: Path) -> None:
    with delivery(sandbox, tmp_path, start=False, batch_max=100) as line:
        waiting = [line.put(number=invented_number(serial), photos=False) for serial in range(130)]
        line.sync.start()
        line.until("everything", lambda: line.owner.status().unsent == 0, 30)
        sizes = [batch.size for batch in sandbox.ledger().batches if batch.size > 1]
        assert sizes[-2:] == [100, 30]
        assert {event(line.owner, one).attempts for one in waiting} == {0}


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_batch_refused_whole_is_halved_until_the_guilty_record_stands_alone(
    sandbox: SandboxProcess, tmp_path: Path, status: int
) -> None:
    with delivery(sandbox, tmp_path, start=False) as line:
        records = [line.put(number=invented_number(serial)) for serial in range(9)]
        guilty = records[4]
        sandbox.fault("police_error", status=status, code="E22", method="POST", path=BATCHES, record=guilty)
        line.sync.start()
        line.until_state(EventState.REJECTED, guilty)
        line.until_state(EventState.DELIVERED, *(one for one in records if one != guilty))
        assert event(line.owner, guilty).why == f"http {status} E22"
        assert {event(line.owner, one).attempts for one in records} == {0}
        tries = Counter(item.record_id for item in sandbox.ledger().items if item.record_id in records)
        assert all(count == 1 for count in tries.values())
        assert verify(line.owner).faults == ()


def test_a_record_that_fails_while_others_pass_waits_for_staff_and_its_room_mate_arrives(
    sandbox: SandboxProcess, tmp_path: Path
) -> None:
    with delivery(sandbox, tmp_path, settings=OutboxSection(poison_attempts=3)) as line:
        poison = new_id()
        sandbox.fault("police_error", status=500, method="POST", path=BATCHES, record=poison)
        line.owner.outbox.put(registration(poison))
        others = []
        while state(line.owner, poison) is not EventState.REJECTED:
            others.append(line.put(number=invented_number(len(others))))
            line.sync.try_now()
            line.until_state(EventState.DELIVERED, others[-1], timeout_s=20)
            assert len(others) < 60
        assert "poison after" in str(event(line.owner, poison).why)
        assert {state(line.owner, one) for one in others} == {EventState.DELIVERED}


@pytest.mark.parametrize(("code", "asked"), [("E409", False), ("E410", True)], ids=["in progress", "out of order"])
def test_a_conflict_is_waited_for_or_asked_about_but_rejects_nobody(tmp_path: Path, code: str, asked: bool) -> None:
    with scripted(tmp_path) as (line, police):
        police.answers["POST /v1/batches"] = lambda request: Answer(409, {"code": code})
        record_id = line.put()
        line.until("an answer", lambda: any(request.method == "POST" for request in police.asked[2:]))
        line.until("its end", lambda: state(line.owner, record_id) is EventState.READY)
        police.answers.clear()
        line.sync.try_now()
        line.until_state(EventState.DELIVERED, record_id)
        assert any(request.path.startswith("/v1/records/") for request in police.asked) is asked


@pytest.mark.parametrize("company", [1, 3], ids=["alone", "in company"])
def test_only_a_record_that_failed_alone_waits_on_its_own_account(
    sandbox: SandboxProcess, tmp_path: Path, company: int
) -> None:
    with delivery(sandbox, tmp_path, start=False, backoff_base_s=60, backoff_cap_s=300) as line:
        records = [line.put(number=invented_number(serial)) for serial in range(company)]
        sandbox.fault("police_error", status=500, path=BATCHES)
        line.sync.start()
        line.until("a failed try", lambda: all(event(line.owner, one).attempts for one in records))
        waits_s = [event(line.owner, one).next_at - line.owner.clock.wall() for one in records]
        assert all((wait_s > 0) is (company == 1) for wait_s in waits_s)


def test_a_later_revision_bears_the_receipt_of_the_one_before(tmp_path: Path) -> None:
    with scripted(tmp_path) as (line, police):
        record_id = line.put()
        line.owner.outbox.put(registration(record_id, 2))
        line.until("both", lambda: len(line.receipts) == 2)
        sent = [request.json()["items"] for request in police.asked if request.path == BATCHES]
        assert [items[0].get("prevReceipt") for items in sent] == [None, f"R-{record_id[:8]}-1"]


def test_a_batch_that_the_authority_lost_is_sent_again(tmp_path: Path) -> None:
    with scripted(tmp_path) as (line, police):
        police.answers["GET /v1/batches/"] = lambda request: Answer(404, {"code": "E404"})
        record_id = line.put()
        line.until("a second batch", lambda: len(police.batches) > 1)
        police.answers.clear()
        line.sync.try_now()
        line.until_state(EventState.DELIVERED, record_id)


def test_a_batch_that_is_never_finished_is_asked_for_record_by_record(tmp_path: Path) -> None:
    clock = TurnedClock()
    with scripted(tmp_path, clock=clock) as (line, police):

        def at_work(request: Request) -> Answer:
            return Answer(200, {**police.good(request).body, "status": "PROCESSING", "results": []})

        police.answers["GET /v1/batches/"] = at_work
        record_id = line.put()
        line.until("taken in", lambda: event(line.owner, record_id).http == 202)
        assert state(line.owner, record_id) is EventState.INFLIGHT
        clock.mono_off = PATIENCE_S + 1
        line.sync.try_now()
        line.until_state(EventState.DELIVERED, record_id)
        assert len(police.batches) == 1


def test_a_reply_that_was_lost_after_the_commit_is_no_second_report(sandbox: SandboxProcess, tmp_path: Path) -> None:
    sandbox.fault("police_drop", method="POST", path=BATCHES, times=3)
    with delivery(sandbox, tmp_path) as line:
        records = [line.put(number=invented_number(serial)) for serial in range(4)]
        line.until_state(EventState.DELIVERED, *records, timeout_s=30)
        assert sum(duplicates(sandbox, one) for one in records) > 0
        assert all(len(sandbox.ledger().accepted(one)) == 1 for one in records)
        assert sandbox.ledger().order_faults() == ()
