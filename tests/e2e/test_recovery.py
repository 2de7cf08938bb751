"""A kiosk whose database is damaged in the middle of its work: each record reaches the authority once, in order."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.sandbox.process import SandboxProcess
from offline_queue.database.verify import verify
from offline_queue.states import EventState
from tests.contract.sync_kit import Delivery, delivery, ledger
from tests.outbox_kit import event, invented_number, registration
from tests.recovery_kit import COPIED, MEND_S

pytestmark = pytest.mark.timeout(120)
LONG_S = 60.0


@pytest.fixture(scope="module")
def running() -> Iterator[SandboxProcess]:
    with SandboxProcess(latency_ms=0) as process:
        yield process


@pytest.fixture
def sandbox(running: SandboxProcess) -> Iterator[SandboxProcess]:
    yield running
    running.clear_faults()
    running.open_police()


def put(line: Delivery, serial: int) -> str:
    return line.put(number=invented_number(serial))


def all_arrived_once(line: Delivery, sandbox: SandboxProcess, records: list[str], revisions: int = 1) -> None:
    line.until_state(EventState.DELIVERED, *records, timeout_s=LONG_S)
    rows = ledger(sandbox, *records)
    assert len(rows) == len(records) * revisions
    receipts = {row["record_id"]: row["receipt_no"] for row in rows if row["revision"] == 1}
    assert {record: event(line.owner, record).receipt for record in records} == receipts
    line.owner.mending.wait(MEND_S)
    assert verify(line.owner).faults == ()


def test_a_database_taken_away_under_a_delivering_kiosk_costs_no_record_and_doubles_none(
    sandbox: SandboxProcess, tmp_path: Path
) -> None:
    with delivery(sandbox, tmp_path) as line:
        done = [put(line, serial) for serial in range(10, 14)]
        line.until_state(EventState.DELIVERED, *done)
        sandbox.fault("police_defer", times=200)
        flying = [put(line, serial) for serial in range(14, 18)]
        line.until_state(EventState.INFLIGHT, *flying)
        (tmp_path / "queue.db").rename(tmp_path / "taken away")
        during = put(line, 18)
        sandbox.clear_faults()
        line.owner.mending.wait(MEND_S)
        all_arrived_once(line, sandbox, [*done, *flying, during])


def test_a_later_revision_never_overtakes_the_one_in_the_damaged_file(sandbox: SandboxProcess, tmp_path: Path) -> None:
    first = registration(number=invented_number(20))
    with delivery(sandbox, tmp_path, start=False) as line:
        line.owner.outbox.put(first)
    path = tmp_path / "queue.db"
    held = path.read_bytes()
    path.write_bytes(held[:100] + bytes(3996) + held[4096:])
    with delivery(sandbox, tmp_path) as line:
        line.owner.outbox.put(registration(first.record_id, 2, stay=first.stay_id, number=invented_number(20)))
        line.until("both", lambda: len(ledger(sandbox, first.record_id)) == 2, LONG_S)
        all_arrived_once(line, sandbox, [first.record_id], revisions=2)
        seen = ledger(sandbox, first.record_id)
        assert [row["revision"] for row in seen] == [1, 2]


def test_a_lost_disk_of_the_database_is_made_good_by_the_second_copy_and_delivered(
    sandbox: SandboxProcess, tmp_path: Path
) -> None:
    sandbox.close_police()
    with delivery(sandbox, tmp_path, start=False, settings=COPIED) as line:
        waiting = [put(line, serial) for serial in range(30, 36)]
    sandbox.open_police()
    moments = random.Random(4)
    (tmp_path / "queue.db").write_bytes(moments.randbytes(50_000))
    with delivery(sandbox, tmp_path, settings=COPIED) as line:
        during = put(line, 36)
        line.owner.mending.wait(MEND_S)
        all_arrived_once(line, sandbox, [*waiting, during])
