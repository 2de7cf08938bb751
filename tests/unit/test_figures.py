"""The figures that demo and bench print are what they are called."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from kiosk.bench import checkin, command, machine
from kiosk.checkin.flow import Ticket
from kiosk.checkin.samples import CODE, RECORD
from kiosk.checkin.shown import Shown
from kiosk.checkin.states import AskingIdentityConsent, Done, Resolving, State, Welcome
from kiosk.cli import run
from kiosk.demo.command import Story, Teller, _tell
from kiosk.demo.guests import Director, Guest, Visit
from kiosk.demo.pictures import Album
from kiosk.demo.watch import Turn, Watch
from kiosk.errors import OperationalError
from kiosk.model import Case
from kiosk.ports import CodeSeen


def turn(state: State, at: float, painted: float | None = None, touched: float | None = None) -> Turn:
    return Turn(Shown(Ticket(1, 0), state), at, painted, touched)


def test_machine_time_runs_from_the_first_frame_of_the_code_to_the_key_less_the_waits_for_a_touch() -> None:
    watch = Watch()
    watch.turns = [
        turn(Welcome(), 0.0, 0.1),
        turn(AskingIdentityConsent(Case(CODE)), 10.2, painted=10.3, touched=14.3),
        turn(Resolving(Case(CODE)), 14.4, painted=14.5),
        turn(Done(RECORD, "0808"), 15.0, painted=15.1),
    ]
    watch.codes = [CodeSeen(1, b"an earlier guest's", "zxing", 1.0), CodeSeen(2, CODE.payload, "zxing", 10.0)]
    director = Director(None, None, watch)  # type: ignore[arg-type]
    visit = director._measure(Guest("suishen", CODE.payload, None), 1, 1, watch.turns[-1])
    assert visit.machine_ms == pytest.approx(1000)
    assert visit.steps_ms == pytest.approx({"reading": 200, "AskingIdentityConsent": 200, "Resolving": 600})
    assert sum(visit.steps_ms.values()) == pytest.approx(visit.machine_ms)
    assert visit.record_id == RECORD


def test_the_bench_tells_median_percentile_and_each_step() -> None:
    visits = [Visit("suishen", {"reading": ms / 10, "Saving": 2.0}, ms, f"r-{ms}") for ms in range(1, 101)]
    told = checkin.summary([*visits])
    assert told["guests"] == 100
    assert told["machine_ms_p50"] == 50.5
    assert told["machine_ms_p95"] == pytest.approx(95.5, abs=1)
    assert told["step_ms"] == {"reading": 5.0, "Saving": 2.0}
    assert told["sandbox_latency_ms"] == 50.0


@pytest.mark.parametrize(("argv", "status"), [([], 0), (["nothing-like-it"], 2)])
def test_the_benches_are_listed(argv: list[str], status: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(argv) == status
    told = capsys.readouterr()
    assert all(name in told.out + told.err for name in command.BENCHES)


BUSY_CHILD = "held = bytearray(b'x' * 200_000_000)\nprint(flush=True)\nwhile True: pass"


@pytest.mark.timeout(60)
def test_memory_and_cpu_are_those_of_the_whole_family() -> None:
    alone = sum(machine.memory_mb(os.getpid()).values())
    with subprocess.Popen([sys.executable, "-c", BUSY_CHILD], stdout=subprocess.PIPE) as child:
        try:
            assert child.stdout is not None
            child.stdout.readline()
            together = sum(machine.memory_mb(os.getpid()).values())
            watched = psutil.Process(child.pid)
            used, began = sum(watched.cpu_times()[:2]), time.monotonic()
            busy = machine.cpu_share(os.getpid(), 0.5)
            share = 100 * (sum(watched.cpu_times()[:2]) - used) / (time.monotonic() - began)
        finally:
            child.kill()
    assert 195 < together - alone < 260
    assert busy == pytest.approx(share, rel=0.3, abs=10)  # nearly all of it is the child's


def visits() -> list[Visit]:
    return [Visit(kind, {"reading": 5.0}, ms, f"r-{ms:.0f}") for kind, ms in (("a", 300.0), ("b", 100.0), ("c", 200.0))]


def outcome(
    story: Story, error: Exception | None, folder: Path, capsys: pytest.CaptureFixture[str]
) -> tuple[int, dict[str, object]]:
    status = _tell(story, error, Teller(to_error=True), Album(folder), as_json=True)
    return status, json.loads(capsys.readouterr().out.splitlines()[-1])


def test_the_demo_ends_with_what_was_delivered(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    receipts: list[dict[str, object]] = [{"recordId": f"r-{n}", "receiptNo": f"n-{n}"} for n in (300, 100, 200)]
    story = Story(visits(), receipts, {"DELIVERED": 3})
    status, told = outcome(story, None, tmp_path, capsys)
    assert status == 0
    assert told == {
        "outcome": "delivered",
        "receipts": receipts,
        "guests": [{"credential": v.credential, "steps_ms": v.steps_ms, "machine_ms": v.machine_ms} for v in visits()],
        "machine_ms": 200.0,
        "queue": {"DELIVERED": 3},
        "pictures": [],
    }


def test_a_demo_that_lacks_a_receipt_a_guest_or_its_end_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    receipts: list[dict[str, object]] = [{"recordId": f"r-{n}", "receiptNo": f"n-{n}"} for n in (300, 100, 200)]
    stuck = OperationalError("waited 30 s")
    for story, error in (
        (Story(visits(), receipts[:2]), None),
        (Story(visits()[:2], receipts[:2]), None),
        (Story(visits(), receipts), stuck),
    ):
        status, told = outcome(story, error, tmp_path, capsys)
        assert (status, told["outcome"]) == (1, "failed")


@pytest.mark.parametrize(("argv", "status"), [(["--help"], 0), (["no-such-command"], 2), (["flow"], 0)])
def test_exit_statuses_of_the_table_of_commands(
    argv: list[str], status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(argv) == status
