"""The demo, as a new user runs it: its last line is the proof that three guests were reported."""

from __future__ import annotations

import json
import os
import subprocess
import sys
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
