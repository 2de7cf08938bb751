"""What is stuck at the authority holds back nobody else, and nothing for ever."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosk.config import ReportingSection
from kiosk.sandbox.messages import Answer, Request
from kiosk.sandbox.process import SandboxProcess
from offline_queue.delivery.flights import PATIENCE_S
from offline_queue.delivery.talk import LONGEST_MAINTENANCE_S
from offline_queue.states import EventState
from tests.contract.scripted_police import raw, scripted
from tests.contract.sync_kit import Delivery, delivery
from tests.outbox_kit import TurnedClock, event, invented_number, registration, state

pytestmark = pytest.mark.timeout(120)
OUR_FAULT = Answer(500, {})


def put(line: Delivery, count: int) -> list[str]:
    return [line.put(number=invented_number(serial)) for serial in range(count)]


@pytest.mark.parametrize(
    "answer",
    [OUR_FAULT, raw(200, b'{"batchId": "'), Answer(403, {"code": "E403"})],
    ids=["an error", "half an answer", "a refusal"],
)
def test_a_batch_whose_results_cannot_be_read_holds_back_no_other_guest(tmp_path: Path, answer: Answer) -> None:
    with scripted(tmp_path) as (line, police):
        police.answers["GET /v1/batches/"] = lambda request: answer
        (stuck,) = put(line, 1)
        line.until("a poll that fails", lambda: line.owner.line.failures)
        (bad,) = police.batches
        police.answers = {f"GET /v1/batches/{bad}": lambda request: answer}
        line.until_state(EventState.DELIVERED, line.put(number=invented_number(2)))
        assert state(line.owner, stuck) is EventState.INFLIGHT


def test_a_batch_that_is_asked_for_in_vain_lets_the_others_go_first(tmp_path: Path) -> None:
    clock = TurnedClock()
    with scripted(tmp_path, clock=clock) as (line, police):
        line.sync._talk.draw = lambda: 1.0  # the line is held longer than the next poll is away
        police.answers["GET /v1/batches/"] = lambda request: OUR_FAULT
        put(line, 1)
        for failures in range(1, 5):
            line.until("a poll that fails", lambda least=failures: line.owner.line.failures >= least)  # type: ignore[misc]
            clock.mono_off += 6
            line.sync.wake()
        (bad,) = police.batches
        police.answers = {f"GET /v1/batches/{bad}": lambda request: OUR_FAULT}
        other = line.put(number=invented_number(2))
        line.until("it was sent", lambda: event(line.owner, other).http == 202)


def test_a_batch_whose_results_can_never_be_read_is_sent_again_under_another_name(tmp_path: Path) -> None:
    clock = TurnedClock()
    with scripted(tmp_path, clock=clock) as (line, police):
        police.answers["GET /v1/batches/"] = lambda request: OUR_FAULT
        (stuck,) = put(line, 1)
        line.until_held("http 500")
        (bad,) = police.batches
        police.answers = {f"GET /v1/batches/{bad}": lambda request: OUR_FAULT}
        clock.mono_off = PATIENCE_S + 1
        line.sync.try_now()
        line.until_state(EventState.DELIVERED, stuck)
        assert len(police.batches) == 2


@pytest.mark.parametrize(
    "answer",
    [Answer(409, {"code": "E409"}), raw(403, b"<html>blocked</html>")],
    ids=["a conflict", "a firewall's page"],
)
def test_a_record_that_always_makes_the_request_fail_holds_back_no_other_guest(tmp_path: Path, answer: Answer) -> None:
    guilty = registration(number=invented_number(1))

    def refusing(request: Request) -> Answer:
        return answer if guilty.record_id.encode() in request.body else police.good(request)

    with scripted(tmp_path) as (line, police):
        police.answers["POST /v1/batches"] = refusing
        line.owner.outbox.put(guilty)
        line.until("a failure", lambda: line.owner.line.failures)
        line.until_state(EventState.DELIVERED, *put(line, 3))
        assert state(line.owner, guilty.record_id) in (EventState.READY, EventState.INFLIGHT)


def test_a_record_that_can_never_be_asked_about_does_not_go_round_for_ever(tmp_path: Path) -> None:
    with scripted(tmp_path) as (line, police):
        police.answers["GET /v1/batches/"] = lambda request: Answer(200, {**police.good(request).body, "results": []})
        police.answers["GET /v1/records/"] = lambda request: OUR_FAULT
        (stuck,) = put(line, 1)
        line.until("a try that counts", lambda: event(line.owner, stuck).attempts)


def test_an_authority_that_does_not_answer_is_not_asked_for_every_record_of_a_batch(tmp_path: Path) -> None:
    with scripted(tmp_path) as (line, police):
        police.answers["POST /v1/token"] = lambda request: OUR_FAULT
        put(line, 6)  # all of them travel in one batch
        line.until_held("http 500")
        police.answers = {
            "GET /v1/batches/": lambda request: Answer(200, {**police.good(request).body, "results": []}),
            "GET /v1/records/": lambda request: OUR_FAULT,
        }
        line.sync.try_now()
        line.until("a question", lambda: any(request.path.startswith("/v1/records/") for request in police.asked))
        line.until("all are ready again", lambda: line.owner.status().counts[EventState.READY] == 6)
        line.sync.stop()
        assert any(len(results) == 6 for results in police.batches.values())
        assert sum(request.path.startswith("/v1/records/") for request in police.asked) <= len(police.batches)


def test_a_batch_that_is_out_while_the_store_is_replaced_is_no_bug_and_arrives_once(
    line: Delivery, sandbox: SandboxProcess, caplog: pytest.LogCaptureFixture
) -> None:
    guilty = registration(number=invented_number(7))
    sandbox.fault("police_defer", record=guilty.record_id, times=1000)
    line.owner.outbox.put(guilty)
    line.until("taken in", lambda: event(line.owner, guilty.record_id).http == 202)
    line.owner.set_aside("a test")
    assert line.owner.mending.wait(20).waiting == 0
    sandbox.clear_faults()
    line.sync.wake()
    line.until_state(EventState.DELIVERED, guilty.record_id)
    line.until("nothing out", lambda: not line.sync._courier.flights)
    assert "a bug" not in caplog.text
    assert len(sandbox.ledger().accepted(guilty.record_id)) == 1


def test_a_maintenance_window_without_end_is_asked_about_after_hours(tmp_path: Path) -> None:
    for_ever = {"from": "2025-06-01T00:00:00+08:00", "to": "2090-01-01T00:00:00+08:00"}
    clock = TurnedClock()
    with scripted(tmp_path, clock=clock) as (line, police):
        police.answers["GET /v1/limits"] = lambda request: Answer(200, {"maintenance": [for_ever]})
        (record_id,) = put(line, 1)
        line.until_held("maintenance")
        assert not police.batches
        clock.mono_off = LONGEST_MAINTENANCE_S + 200
        line.sync.wake()
        line.until_state(EventState.DELIVERED, record_id)


def test_an_authority_that_allowed_less_for_a_while_gets_whole_batches_again(tmp_path: Path) -> None:
    with scripted(tmp_path) as (line, police):
        endpoint = line.sync._endpoint
        for told, most in ((1, 1), (100, ReportingSection().batch_max)):
            police.answers["GET /v1/limits"] = lambda request, told=told: Answer(200, {"maxRecords": told})  # type: ignore[misc]
            endpoint._token = ""  # type: ignore[attr-defined]  # as at its end: limits come with the next one
            line.until_state(EventState.DELIVERED, *put(line, 1))
            assert endpoint.limits.max_records == most


def test_while_the_line_is_held_every_record_waits_to_be_sent(sandbox: SandboxProcess, tmp_path: Path) -> None:
    with delivery(sandbox, tmp_path, start=False, batch_max=2) as line:
        put(line, 6)
        sandbox.fault("police_outage")
        line.sync.start()
        line.until_held("unreachable")
        line.until("all of them", lambda: line.owner.status().counts[EventState.READY] == 6)


def test_the_wait_that_staff_see_goes_down(sandbox: SandboxProcess, tmp_path: Path) -> None:
    clock = TurnedClock()
    sandbox.fault("police_busy", retry_after_s=500)
    with delivery(sandbox, tmp_path, clock=clock) as line:
        put(line, 1)
        line.until_held("429")
        clock.mono_off = 300
        assert 190 < line.owner.status().line.retry_in_s < 210
        clock.mono_off = 900
        assert line.owner.status().line.retry_in_s == 0


def test_a_record_that_is_weighed_for_hours_holds_up_neither_errands_nor_erasure(
    sandbox: SandboxProcess, tmp_path: Path
) -> None:
    clock = TurnedClock()
    with delivery(sandbox, tmp_path, clock=clock, tables_in=tmp_path) as line:
        line.until_state(EventState.DELIVERED, *put(line, 1))
        line.until("its keys are gone from the log", lambda: not line.sync._log_holds_keys)
        guilty = registration(number=invented_number(7))
        sandbox.fault("police_defer", record=guilty.record_id, times=1000)
        line.owner.outbox.put(guilty)
        line.until_state(EventState.INFLIGHT, guilty.record_id)
        line.until("taken in", lambda: event(line.owner, guilty.record_id).http == 202)
        line.until_state(EventState.DELIVERED, line.put(number=invented_number(8)))
        line.until("the receipt saved", lambda: line.sync._log_holds_keys)
        tables = line.sync._tables
        assert tables is not None
        tables.due_at = line.sync._purge_at = clock.mono()
        clock.mono_off = 400
        line.sync.wake()
        line.until("the errand", lambda: tables.due_at > clock.mono() + 60)
        line.until("the erasure", lambda: line.sync._purge_at > clock.mono() + 60)
        line.until("the log", lambda: not line.sync._log_holds_keys)
        assert state(line.owner, guilty.record_id) is EventState.INFLIGHT


# ---- the hotel's licence ---------------------------------------------------------------------------------------------


def test_a_licence_that_expired_holds_the_line_and_rejects_nobody(sandbox: SandboxProcess, tmp_path: Path) -> None:
    clock = TurnedClock()
    sandbox.fault("police_expire_licence")
    with delivery(sandbox, tmp_path, clock=clock, batch_max=4, start=False) as line:
        records = put(line, 24)
        line.sync.start()
        line.until_held("EAA")
        view = line.owner.line
        assert (view.breaker, view.retry_in_s > 250) == (True, True)
        first = tries(line, records)
        line.put(number=invented_number(99))
        assert tries(line, records) == first, "a guest's record does not end the pause"
        a_pause_later(line, clock)
        line.until("the next pause", lambda: line.owner.status().line.retry_in_s > 250)
        assert line.owner.status().counts[EventState.REJECTED] == 0
        assert tries(line, records) <= 4 * 4 + 1, "one record finds out for all"
        assert not line.sync._courier.flights
        sandbox.clear_faults()  # renewed: nobody has to try each record
        a_pause_later(line, clock)
        line.until_state(EventState.DELIVERED, *records, timeout_s=30)


def test_what_was_refused_before_a_renewal_makes_no_second_pause(sandbox: SandboxProcess, tmp_path: Path) -> None:
    clock = TurnedClock()
    sandbox.fault("police_expire_licence")
    with delivery(sandbox, tmp_path, clock=clock, batch_max=4, start=False) as line:
        records = put(line, 16)
        line.sync.start()
        line.until_held("EAA")
        line.until("all are judged", lambda: refusals(sandbox, records) == 16)
        sandbox.clear_faults()
        a_pause_later(line, clock)
        line.until_state(EventState.DELIVERED, *records, timeout_s=30)


def refusals(sandbox: SandboxProcess, records: list[str]) -> int:
    return sum(item.code == "EAA" and item.record_id in records for item in sandbox.ledger().items)


def a_pause_later(line: Delivery, clock: TurnedClock) -> None:
    clock.mono_off += 400
    clock.wall_off += 400
    line.sync.wake()


def test_a_person_need_not_wait_for_the_pause_once_the_licence_is_renewed(
    line: Delivery, sandbox: SandboxProcess
) -> None:
    sandbox.fault("police_expire_licence")
    (record_id,) = put(line, 1)
    line.until_held("EAA")
    sandbox.clear_faults()
    line.sync.try_now()
    line.until_state(EventState.DELIVERED, record_id)


def test_what_the_licence_does_not_cover_lets_the_others_pass(line: Delivery, sandbox: SandboxProcess) -> None:
    guilty = registration(number=invented_number(7))
    sandbox.fault("police_reject", code="EAA", record=str(guilty.record_id))
    line.owner.outbox.put(guilty)
    line.until_held("EAA")
    other = line.put(number=invented_number(8))
    line.sync.try_now()
    line.until_state(EventState.DELIVERED, other)
    assert state(line.owner, guilty.record_id) is EventState.READY


def tries(line: Delivery, records: list[str]) -> int:
    return sum(event(line.owner, one).attempts for one in records)
