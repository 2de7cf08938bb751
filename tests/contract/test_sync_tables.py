"""What the authority says of itself, its code tables and maintenance: followed, and no record is lost over it."""

from __future__ import annotations

import json
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

import pytest

from kiosk.bench.fleet_model import BATCH, LIMITS, RESULTS, TOKEN
from kiosk.errors import OutboxUnavailable
from kiosk.registration import code_tables as validators_tables
from kiosk.sandbox.process import SandboxProcess
from offline_queue.backoff import ERRAND_SPREAD_S
from offline_queue.delivery import code_tables
from offline_queue.delivery.troubles import Later
from offline_queue.owner import STORE_FILE, OutboxOwner
from offline_queue.states import EventState
from tests.contract.sync_kit import Delivery, delivery, duplicates, ledger
from tests.outbox_kit import TurnedClock, event, invented_number, state

pytestmark = pytest.mark.timeout(60)


def kept(folder: Path) -> str:
    return code_tables.read(folder / code_tables.FILE)[0]


def test_the_authoritys_tables_are_kept_for_the_validators(sandbox: SandboxProcess, tmp_path: Path) -> None:
    with delivery(sandbox, tmp_path, tables_in=tmp_path) as line:
        line.until("tables", lambda: line.owner.line.tables)
        assert line.owner.status().line.tables == kept(tmp_path) == "sandbox-1"
    assert stat.S_IMODE((tmp_path / code_tables.FILE).stat().st_mode) == 0o600
    told = validators_tables.load(tmp_path)
    assert told.version == "sandbox-1"
    assert told.rooms is not None
    assert "1208" in told.rooms
    assert None not in (told.countries, told.visas, told.ports, told.documents, told.reasons)
    assert len(told.ethnicities) == 56


def test_a_new_version_is_fetched_and_its_rooms_are_known(sandbox: SandboxProcess, tmp_path: Path) -> None:
    with delivery(sandbox, tmp_path, tables_in=tmp_path) as line:
        line.until("tables", lambda: line.owner.line.tables)
        sandbox.fault("police_new_tables", version="sandbox-7", add_room="7777")
        tables = line.sync._tables
        assert tables is not None
        tables.due_at = 0.0  # the hour is over
        line.sync.wake()
        line.until("the new ones", lambda: line.owner.line.tables == "sandbox-7")
    rooms = validators_tables.load(tmp_path).rooms
    assert rooms is not None
    assert "7777" in rooms


def test_a_record_refused_for_old_tables_goes_again_after_the_update(sandbox: SandboxProcess, tmp_path: Path) -> None:
    with delivery(sandbox, tmp_path, tables_in=tmp_path) as line:
        line.until("tables", lambda: line.owner.line.tables)
        sandbox.fault("police_new_tables", version="sandbox-8")
        soon(line)
        waiting = [line.put(number=invented_number(serial)) for serial in range(1, 4)]
        line.until_state(EventState.DELIVERED, *waiting)
        assert kept(tmp_path) == "sandbox-8"
        assert {event(line.owner, one).attempts for one in waiting} == {0}
        assert len(ledger(sandbox, *waiting)) == 3


def test_it_goes_again_once_only_and_then_waits_for_staff(sandbox: SandboxProcess, tmp_path: Path) -> None:
    with delivery(sandbox, tmp_path, tables_in=tmp_path) as line:
        line.until("tables", lambda: line.owner.line.tables)
        sandbox.fault("police_reject", code="E308")
        soon(line)
        record_id = line.put()
        line.until("it was sent again", lambda: sent_again(line.owner, record_id))
        line.until_state(EventState.REJECTED, record_id)
        line.until("it is looked again", lambda: looked_again(line))
        line.until_state(EventState.REJECTED, record_id)
        assert event(line.owner, record_id).why == "E308 record"
        sandbox.clear_faults()
        other = line.put(number=invented_number(5))
        line.until_state(EventState.DELIVERED, other)
        assert state(line.owner, record_id) is EventState.REJECTED


@pytest.mark.parametrize(
    ("fault", "options"),
    [
        ("police_error", {"status": 404}),
        ("police_error", {"status": 500}),
        ("police_nonsense", {}),
        ("police_truncated", {}),
        ("police_gbk", {}),
        ("police_cut", {}),
    ],
)
def test_tables_that_cannot_be_fetched_hold_back_no_record_and_leave_the_old_ones(
    sandbox: SandboxProcess, tmp_path: Path, fault: str, options: dict[str, int]
) -> None:
    (tmp_path / code_tables.FILE).write_text(json.dumps({"version": "old", "tables": {"rooms": {"1": "1"}}}))
    sandbox.fault(fault, path="/v1/codetables", **options)
    with delivery(sandbox, tmp_path, tables_in=tmp_path) as line:
        line.until("the trouble told", lambda: line.owner.line.doubts)
        line.until_state(EventState.DELIVERED, line.put())
        assert not line.owner.line.breaker
        assert line.owner.line.failures == 0
    assert kept(tmp_path) == "old"


def test_a_broken_file_of_tables_is_fetched_anew(sandbox: SandboxProcess, tmp_path: Path) -> None:
    (tmp_path / code_tables.FILE).write_bytes(b'{"version": "sandbox-1", "tab')
    with delivery(sandbox, tmp_path, tables_in=tmp_path) as line:
        line.until("tables", lambda: line.owner.line.tables)
    assert kept(tmp_path) == "sandbox-1"


def test_maintenance_that_was_announced_is_waited_for_and_charged_to_nobody(
    sandbox: SandboxProcess, tmp_path: Path
) -> None:
    sandbox.fault("police_window", in_s=-1, lasts_s=8)
    with delivery(sandbox, tmp_path) as line:
        record_id = line.put()
        line.until_held("maintenance")
        assert not line.owner.line.breaker
        assert line.owner.line.retry_in_s > 0
        line.put(number=invented_number(2))  # news does not shorten the window
        assert state(line.owner, record_id) is EventState.READY
        line.until_state(EventState.DELIVERED, record_id, timeout_s=30)
        assert event(line.owner, record_id).attempts == duplicates(sandbox, record_id) == 0


def test_a_person_may_try_during_maintenance(sandbox: SandboxProcess, tmp_path: Path) -> None:
    sandbox.fault("police_window", in_s=-1, lasts_s=3000)
    with delivery(sandbox, tmp_path) as line:
        record_id = line.put()
        line.until_held("maintenance")
        line.sync.try_now()
        line.until_held("http 503")
        sandbox.clear_faults()
        line.sync.try_now()
        line.until_state(EventState.DELIVERED, record_id)


def test_maintenance_that_lies_ahead_or_is_over_holds_nothing(sandbox: SandboxProcess, tmp_path: Path) -> None:
    sandbox.fault("police_window", in_s=3000, lasts_s=3000)
    sandbox.fault("police_window", in_s=-3000, lasts_s=60)
    with delivery(sandbox, tmp_path) as line:
        line.until_state(EventState.DELIVERED, line.put())


def test_the_outboxs_chain_goes_with_each_batch_and_the_authority_sees_it_grow(
    line: Delivery, sandbox: SandboxProcess
) -> None:
    for serial in (1, 2):
        line.until_state(EventState.DELIVERED, line.put(number=invented_number(serial)))
    head = line.owner.call(lambda store: store.head)
    told = sandbox.ledger().heads
    assert head is not None
    assert told[-2].seq < told[-1].seq < head.seq
    assert not told[-1].went_back
    known = {entry.seq: entry.hash.hex() for entry in line.owner.call(lambda store: store.chain_after(0, 10_000))}
    assert known[told[-1].seq] == told[-1].hash


@pytest.mark.parametrize("whole", [True, False], ids=["with its witness", "alone"])
def test_a_database_that_is_put_back_is_noticed_here_or_by_the_authority(
    sandbox: SandboxProcess, tmp_path: Path, whole: bool
) -> None:
    box, copy = tmp_path / "box", tmp_path / "copy"
    with delivery(sandbox, box) as line:
        line.until_state(EventState.DELIVERED, line.put(number=invented_number(1)))
    shutil.copytree(box, copy)
    with delivery(sandbox, box) as line:
        line.until_state(EventState.DELIVERED, *(line.put(number=invented_number(serial)) for serial in (2, 3, 4)))
    for file in copy.iterdir() if whole else [copy / STORE_FILE]:
        shutil.copy2(file, box / file.name)
    with delivery(sandbox, box) as line:
        assert (line.owner.generation > 0) is not whole, "a witness knows better"
        line.until_state(EventState.DELIVERED, line.put(number=invented_number(5)))
        assert sandbox.ledger().heads[-1].went_back


def soon(line: Delivery) -> None:
    """A test cannot wait until tables may be fetched again."""
    assert line.sync._tables is not None
    line.sync._tables._fetched_at = -3600.0


def looked_again(line: Delivery) -> bool:
    assert line.sync._tables is not None
    line.sync._tables.due_at = 0.0
    line.sync.wake()
    return not line.sync._tables._doubted


def sent_again(owner: OutboxOwner, record_id: str) -> bool:
    name = f"E308 {event(owner, record_id).id}"
    return owner.call(lambda store: store.fact(name)) == "sandbox-1"


def test_an_errand_that_breaks_holds_no_record_back_and_is_not_run_at_every_turn(
    sandbox: SandboxProcess, tmp_path: Path
) -> None:
    class Broken:
        due_at = 0.0
        runs = 0

        def run(self) -> float:
            self.runs += 1
            raise OutboxUnavailable("outbox queue.db: disk full")

    broken = Broken()
    with delivery(sandbox, tmp_path, start=False) as line:
        line.sync._errands.append(broken)
        line.sync.start()
        line.until("it broke", lambda: broken.runs)
        line.until_state(EventState.DELIVERED, line.put(number=invented_number(1)))
        line.until_state(EventState.DELIVERED, line.put(number=invented_number(2)))
    assert broken.runs == 1


def test_a_busy_authority_is_not_asked_for_a_third_thing_at_once(sandbox: SandboxProcess, tmp_path: Path) -> None:
    sandbox.fault("police_busy", times=1, path="/v1/limits", retry_after_s=2)
    with delivery(sandbox, tmp_path) as line:
        record_id = line.put()
        line.until_held("http 429")
        assert sandbox.ledger().tries(record_id) == ()
        assert event(line.owner, record_id).attempts == 0
        line.until_state(EventState.DELIVERED, record_id)


@dataclass(slots=True)
class Looks:
    """Stands for what is asked beside the records."""

    due_at: float = 0.0
    runs: int = 0

    def run(self) -> float:
        self.runs += 1
        return 1000.0


def test_what_fell_due_in_an_outage_is_not_asked_by_a_whole_city_at_once(
    sandbox: SandboxProcess, tmp_path: Path
) -> None:
    clock, looks = TurnedClock(), Looks()
    with delivery(sandbox, tmp_path, start=False, clock=clock) as line:
        sync, talk = line.sync, line.sync._talk
        sync._errands = [looks]
        talk.failed(Later("unreachable", charged=False))
        looks.due_at = clock.mono() + 10
        clock.mono_off += 7200
        talk.passed()
        sync._run_errand()
        assert looks.runs == 0
        assert looks.due_at == talk.back_at + ERRAND_SPREAD_S * 0.1  # the jitter of this test
        clock.mono_off += ERRAND_SPREAD_S
        sync._run_errand()
        assert looks.runs == 1
        looks.due_at = clock.mono() - 1  # a short failure later puts nothing off
        talk.failed(Later("unreachable", charged=False))
        talk.passed()
        sync._run_errand()
        assert looks.runs == 2


def test_after_a_power_cut_the_records_go_before_what_else_a_city_asks(sandbox: SandboxProcess, tmp_path: Path) -> None:
    clock, looks = TurnedClock(wall_off=-7200), Looks()
    with delivery(sandbox, tmp_path, start=False, clock=clock) as line:
        line.sync._errands = [looks]
        line.sync._begin()
        assert looks.due_at == line.sync._began
        line.put()
        clock.wall_off = 0
        line.sync._begin()
        assert looks.due_at == line.sync._began + ERRAND_SPREAD_S * 0.1


def test_a_kiosk_that_comes_back_asks_what_the_simulated_fleet_asks(
    sandbox: SandboxProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / code_tables.FILE).write_text(json.dumps({"version": "sandbox-1", "tables": {}}), encoding="utf-8")
    with delivery(sandbox, tmp_path, start=False, tables_in=tmp_path) as line:
        asked, endpoint = [], line.sync._endpoint
        call = endpoint._call  # type: ignore[attr-defined]
        monkeypatch.setattr(endpoint, "_call", lambda *what: asked.append(what[1]) or call(*what))
        records = [line.put(number=invented_number(serial)) for serial in range(1, 4)]
        line.sync.start()
        line.until_state(EventState.DELIVERED, *records)
        line.until("a look at the tables", lambda: asked.count("/v1/limits") == 2)
        names = {"/v1/token": TOKEN, "/v1/limits": LIMITS, "/v1/batches": BATCH}
        steps = [names.get(path, RESULTS) for path in asked]
        assert steps == [TOKEN, LIMITS, BATCH, *[RESULTS] * (len(steps) - 4), LIMITS]
