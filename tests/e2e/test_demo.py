"""The demo, as a new user runs it: its last line is the proof that three guests were reported."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest


@pytest.mark.timeout(240)
def test_three_guests_go_from_a_code_to_a_police_receipt(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "kiosk", "demo", "--json", "--pictures", str(tmp_path)]
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    ended = subprocess.run(command, capture_output=True, text=True, timeout=200, env=environment, check=False)
    assert ended.returncode == 0, ended.stderr[-3000:]
    result = json.loads(ended.stdout.splitlines()[-1])
    assert set(result) == {"outcome", "receipts", "guests", "machine_ms", "queue", "pictures"}
    assert result["outcome"] == "delivered"
    assert [guest["credential"] for guest in result["guests"]] == ["suishen", "claim169", "suishen+staff"]
    assert len({receipt["receiptNo"] for receipt in result["receipts"]}) == 3
    assert all(sum(guest["steps_ms"].values()) > 0 for guest in result["guests"])
    assert result["machine_ms"] == sorted(guest["machine_ms"] for guest in result["guests"])[1]
    assert result["queue"] == {"DELIVERED": 3}
    told = ended.stderr.splitlines()
    assert_the_timeline_tells_it(told)
    *_, declined = result["guests"]
    assert "StaffNeeded" in declined["steps_ms"]
    assert "Capturing" not in declined["steps_ms"]
    pictures = [Path(picture) for picture in result["pictures"]]
    assert pictures[0] == tmp_path / "contact-sheet.png"
    taken = {picture.stem.split("-", 1)[1] for picture in pictures[1:]}
    assert taken >= {"welcome", "staff_sheet", "done"}  # a capture asks nothing: its picture may come too late
    assert all(picture.is_file() for picture in pictures)


def assert_the_timeline_tells_it(told: list[str]) -> None:
    """What is simulated, each step's time, and that two records waited for the endpoint while its socket was closed."""

    def at(words: str) -> list[int]:
        return [number for number, line in enumerate(told) if words in line]

    assert at("Reference and probe come from one photo")
    assert len(at("AskingIdentityConsent")) == len(at("machine time")) == 3
    (closed,), (opened,), receipts = at("socket is closed"), at("socket is open again"), at("receipt ")
    assert receipts[0] < closed
    assert opened < receipts[1] < receipts[2]
    waited = told[opened - 1]
    assert "outbox holds" in waited
    assert "1 DELIVERED" in waited


def demo(pictures: Path, environment: dict[str, str]) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "kiosk", "demo", "--pictures", str(pictures)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, start_new_session=True
    )


@pytest.mark.timeout(90)
@pytest.mark.parametrize("told", ["Simulated", "Guest 1", "receipt"])
def test_ctrl_c_ends_it_at_once_and_without_a_word_of_python(tmp_path: Path, told: str) -> None:
    with demo(tmp_path, {**os.environ, "QT_QPA_PLATFORM": "offscreen"}) as running:
        assert running.stdout is not None
        assert any(told in line for line in running.stdout)
        os.killpg(running.pid, signal.SIGINT)  # as a terminal does: to the whole group
        began = time.monotonic()
        rest = running.stdout.read()
        assert running.wait(30) == 130
    assert time.monotonic() - began < 10
    assert rest.rstrip().endswith("The demo was ended.")
    assert "Traceback" not in rest


@pytest.mark.timeout(90)
def test_a_display_that_cannot_be_opened_costs_the_window_only(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "QT_QPA_PLATFORM"}
    with demo(tmp_path, environment | {"DISPLAY": ":nobody", "WAYLAND_DISPLAY": ""}) as running:
        assert running.stdout is not None
        said = running.stdout.read()
        assert running.wait(30) == 0, said
    told = [line for line in said.splitlines() if "Guest 1" in line or "without a window" in line]
    assert ["without a window" in line for line in told] == [True, False]
