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
    assert all(Path(picture).is_file() for picture in result["pictures"])


@pytest.mark.timeout(90)
@pytest.mark.parametrize("told", ["Simulated", "Guest 1", "receipt"])
def test_ctrl_c_ends_it_at_once_and_without_a_word_of_python(tmp_path: Path, told: str) -> None:
    command = [sys.executable, "-m", "kiosk", "demo", "--pictures", str(tmp_path)]
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, start_new_session=True
    ) as demo:
        assert demo.stdout is not None
        assert any(told in line for line in demo.stdout)
        os.killpg(demo.pid, signal.SIGINT)  # as a terminal does: to the kiosk and to its children
        began = time.monotonic()
        rest = demo.stdout.read()
        assert demo.wait(30) == 130
    assert time.monotonic() - began < 10
    assert rest.rstrip().endswith("The demo was ended.")
    assert "Traceback" not in rest
