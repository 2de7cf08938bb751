"""A kiosk whose clock is wrong, or jumps by days: what is sent, told, waited for and erased goes by better clocks."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from kiosk.sandbox.process import SandboxProcess
from offline_queue.delivery import receipts_list
from offline_queue.due import Due
from offline_queue.states import EventState
from tests.contract.sync_kit import BATCHES, Delivery, delivery, ledger
from tests.outbox_kit import SHANGHAI, TurnedClock, event, invented_number, state

pytestmark = pytest.mark.timeout(60)
DAY = 86_400.0


@pytest.mark.parametrize("off_s", [900.0, -900.0, 3 * DAY, -3 * DAY], ids=["ahead", "behind", "3d ahead", "3d behind"])
def test_a_wrong_clock_delays_no_report_and_staff_see_how_wrong_it_is(
    sandbox: SandboxProcess, tmp_path: Path, off_s: float
) -> None:
    clock = TurnedClock(wall_off=off_s)
    with delivery(sandbox, tmp_path, clock=clock) as line:
        record_id = line.put()
        line.until_state(EventState.DELIVERED, record_id)
        assert event(line.owner, record_id).attempts == line.owner.line.failures == 0
        line.until("the offset told", lambda: line.owner.line.clock_off_s is not None)
        assert line.owner.status().line.clock_off_s == pytest.approx(off_s, abs=15)


def test_a_clock_that_jumps_between_two_records_costs_no_second_try(sandbox: SandboxProcess, tmp_path: Path) -> None:
    clock = TurnedClock()
    with delivery(sandbox, tmp_path, clock=clock) as line:
        for serial, jump_s in enumerate((0.0, 3 * DAY, -3 * DAY, 0.0), 1):
            clock.wall_off = jump_s
            record_id = line.put(number=invented_number(serial))
            line.until_state(EventState.DELIVERED, record_id)
            assert event(line.owner, record_id).attempts == line.owner.line.failures == 0


@pytest.mark.parametrize("jump_s", [3 * DAY, -3 * DAY], ids=["ahead", "back"])
def test_a_record_that_waits_for_its_next_try_is_tried_although_the_clock_jumped(
    sandbox: SandboxProcess, tmp_path: Path, jump_s: float
) -> None:
    sandbox.fault("police_error", status=500, path=BATCHES, times=2)
    clock = TurnedClock()
    with delivery(sandbox, tmp_path, clock=clock) as line:
        record_id = line.put()
        line.until("a failed try", lambda: event(line.owner, record_id).attempts > 0)
        clock.wall_off = jump_s
        line.sync.try_now()
        line.until_state(EventState.DELIVERED, record_id)


@pytest.mark.parametrize("jump_s", [3 * DAY, -3 * DAY], ids=["ahead", "back"])
def test_a_clock_that_jumps_makes_no_record_overdue_and_hides_none(
    sandbox: SandboxProcess, tmp_path: Path, jump_s: float
) -> None:
    clock = TurnedClock()
    with delivery(sandbox, tmp_path, start=False, clock=clock) as line:
        line.put()
        clock.wall_off = jump_s
        assert line.owner.status().due is Due.GREEN
        assert line.owner.status().oldest_unsent_s == pytest.approx(0, abs=15)
        clock.wall_off, clock.mono_off = jump_s, 50 * 60.0
        assert line.owner.status().due is Due.RED
        clock.mono_off = 61 * 60.0
        assert line.owner.status().due is Due.ALARM


def test_a_clock_set_right_between_two_guests_does_not_hide_the_first_ones_hour(
    sandbox: SandboxProcess, tmp_path: Path
) -> None:
    clock = TurnedClock(wall_off=3 * DAY)
    with delivery(sandbox, tmp_path, start=False, clock=clock) as line:
        line.put(number=invented_number(1), occurred_at=datetime.fromtimestamp(clock.wall(), SHANGHAI))
        clock.wall_off, clock.mono_off = 50 * 60.0, 50 * 60.0
        line.put(number=invented_number(2), occurred_at=datetime.fromtimestamp(clock.wall(), SHANGHAI))
        assert line.owner.status().due is Due.RED
        assert line.owner.status().oldest_unsent_s == pytest.approx(50 * 60, abs=15)


@pytest.mark.parametrize("back_s", [3 * DAY, 20.0], ids=["days", "a little"])
def test_a_clock_that_is_behind_after_a_restart_hides_no_record(
    sandbox: SandboxProcess, tmp_path: Path, back_s: float
) -> None:
    with delivery(sandbox, tmp_path, start=False) as line:
        line.put()
    with delivery(sandbox, tmp_path, start=False, clock=OtherBoot(wall_off=-back_s)) as line:
        assert line.owner.status().due is (Due.ALARM if back_s > 60 else Due.GREEN)


class OtherBoot(TurnedClock):
    def boot(self) -> str:
        return "another"


@pytest.mark.parametrize("off_s", [3 * DAY, -3 * DAY, 20.0], ids=["ahead", "behind", "a little"])
def test_the_laws_hour_runs_by_the_authoritys_clock_once_it_is_known(
    sandbox: SandboxProcess, tmp_path: Path, off_s: float
) -> None:
    clock = TurnedClock(wall_off=off_s)
    with delivery(sandbox, tmp_path, clock=clock) as line:
        line.until_state(EventState.DELIVERED, line.put(number=invented_number(1)))
        line.until("the time", lambda: line.owner.authority_time is not None)
        assert line.owner.skew_s() == pytest.approx(off_s if abs(off_s) > 60 else 0.0, abs=15)
        sandbox.close_police()
        line.put(number=invented_number(2))  # its time is the true one
        assert line.owner.status().due is Due.GREEN
        clock.mono_off = 61 * 60.0
        assert line.owner.status().due is Due.ALARM


def test_a_clock_far_ahead_erases_nothing_early(sandbox: SandboxProcess, tmp_path: Path) -> None:
    clock = TurnedClock()
    with delivery(sandbox, tmp_path, clock=clock, tables_in=tmp_path) as line:
        record_id = line.put()
        line.until_state(EventState.DELIVERED, record_id)
    clock.wall_off = 400 * DAY
    with delivery(sandbox, tmp_path, clock=clock, tables_in=tmp_path) as line:
        line.until("the purge looked", lambda: line.sync._purge_at > clock.mono() + 60)
        line.until("the offset told", lambda: line.owner.line.clock_off_s is not None)
        assert line.owner.line.clock_off_s == pytest.approx(400 * DAY, abs=15)
        assert state(line.owner, record_id) is EventState.DELIVERED


def test_nothing_is_erased_before_anybody_told_the_time(sandbox: SandboxProcess, tmp_path: Path) -> None:
    with delivery(sandbox, tmp_path) as line:
        record_id = line.put()
        line.until_state(EventState.DELIVERED, record_id)
    sandbox.close_police()
    clock = TurnedClock(wall_off=400 * DAY)
    with delivery(sandbox, tmp_path, clock=clock, start=False) as line:
        turns: list[float] = []
        turn = line.sync._turn
        line.sync._turn = lambda: turns.append(0.0) or turn()  # type: ignore[func-returns-value]
        line.sync.start()
        line.until("a turn", lambda: len(turns) > 0)
        line.sync.stop()
        assert state(line.owner, record_id) is EventState.DELIVERED


def test_a_receipt_is_of_the_authoritys_day(sandbox: SandboxProcess, tmp_path: Path) -> None:
    clock = TurnedClock(wall_off=3 * DAY)
    with delivery(sandbox, tmp_path, clock=clock) as line:
        record_id = line.put()
        line.until_state(EventState.DELIVERED, record_id)
        (row,) = ledger(sandbox, record_id)
        here = event(line.owner, record_id)
        assert here.settled_at is not None
        assert receipts_list.today(here.settled_at).isoformat() == receipts_list.day_of(row["received_at"])


def test_a_clock_that_is_refused_with_the_right_time_opens_the_breaker(line: Delivery, sandbox: SandboxProcess) -> None:
    sandbox.fault("police_error", status=401, code="E107", path="/v1/token")
    record_id = line.put()
    line.until_held("E107")
    assert line.owner.line.breaker
    assert (state(line.owner, record_id), event(line.owner, record_id).attempts) == (EventState.READY, 0)
    sandbox.clear_faults()
    line.sync.try_now()
    line.until_state(EventState.DELIVERED, record_id)


def test_a_token_that_is_about_to_end_is_renewed_before_a_batch_travels_twice(
    sandbox: SandboxProcess, tmp_path: Path
) -> None:
    clock = TurnedClock()
    with delivery(sandbox, tmp_path, clock=clock) as line:
        line.until_state(EventState.DELIVERED, line.put(number=invented_number(1)))
        clock.mono_off = 3599.0  # the sandbox's tokens last an hour
        first = line.sync._endpoint._token  # type: ignore[attr-defined]
        line.until_state(EventState.DELIVERED, line.put(number=invented_number(2)))
        assert line.sync._endpoint._token != first  # type: ignore[attr-defined]
