"""Each section of ./run chaos in small: the same code, fewer cases."""

from __future__ import annotations

import json
import time

import pytest

from kiosk.chaos import broken_disk, clocks, command, copies, flips, kills, powercuts, rivals
from kiosk.chaos.findings import Findings

pytestmark = pytest.mark.timeout(240)
NO_END = float("inf")
FINISH_S = 120.0
SEED = 20261


def told(findings: Findings) -> str:
    return "\n".join(findings.lines())


def test_an_acknowledged_record_survives_every_power_cut() -> None:
    outcome = powercuts.cut_play(SEED, 0, time.monotonic() + 15)
    assert outcome.cuts >= 5
    assert outcome.faults == []
    assert outcome.books.acknowledged > 0
    assert outcome.books.clean


@pytest.mark.parametrize("name", powercuts.CONTROLS)
def test_an_outbox_that_is_broken_on_purpose_is_found_out(name: str) -> None:
    assert powercuts.control(SEED, name)


def test_power_cuts_are_counted_and_told() -> None:
    findings = powercuts.run(SEED, cuts=5, until=time.monotonic(), processes=0)
    assert findings.controls == dict.fromkeys(powercuts.CONTROLS, True)  # they are cut first, whatever the time


def test_a_disk_that_refuses_loses_nothing_that_was_acknowledged() -> None:
    findings = broken_disk.run(SEED, cases=12, until=time.monotonic() + 40)
    assert findings.passed, told(findings)
    assert findings.figures["broken_disk_refusals"]


def test_rotten_bytes_are_noticed_and_the_next_guest_is_served() -> None:
    findings = flips.run(SEED, cases=20, until=time.monotonic() + 30)
    assert findings.passed, told(findings)


def test_a_lost_database_comes_back_from_the_second_copy() -> None:
    findings = copies.run(SEED, cases=12, until=time.monotonic() + 30)
    assert findings.passed, told(findings)


def test_a_clock_that_jumps_three_days_delivers_everything_once() -> None:
    findings = clocks.run(SEED, jumps=3, until=time.monotonic() + 30, finish_s=FINISH_S)
    assert findings.passed, told(findings)
    assert findings.books.acknowledged


def test_killing_both_ends_on_a_failing_line_loses_and_doubles_nothing() -> None:
    findings = kills.run(SEED, kills=5, until=time.monotonic() + 30, finish_s=FINISH_S)
    assert findings.passed, told(findings)
    assert findings.books.acknowledged


def test_a_second_process_is_refused_by_name() -> None:
    findings = rivals.run(SEED, tries=2, until=NO_END)
    assert findings.passed, told(findings)


def test_the_command_says_what_it_did_in_the_keys_that_were_agreed(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--only", "second-process", "--seed", "5", "--seconds", "20", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out.splitlines()[-1])
    agreed = {"power_cuts", "acknowledged", "lost", "duplicates", "order_violations", "controls"}
    assert agreed <= answer.keys()
    assert answer["seed"] == 5
    assert answer["sections"]["second-process"]["passed"]


def test_a_section_that_breaks_off_fails_the_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(order: object) -> Findings:
        raise ValueError("no disk")

    monkeypatch.setattr(command, "SECTIONS", (command.Section("flips", 1.0, broken),))
    assert command.main(["--seconds", "1"]) == 1
    assert "broke off" in capsys.readouterr().out


def test_one_case_can_only_be_asked_of_one_section() -> None:
    with pytest.raises(SystemExit):
        command.main(["--case", "3"])
