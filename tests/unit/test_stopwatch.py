"""The tests' stopwatch counts what passes while the process runs, and not what passes while it stands still."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from tests import stopwatch
from tests.stopwatch import Stopwatch

TIMED = """
import sys, time
from tests.stopwatch import Stopwatch
watch, began = Stopwatch(), time.monotonic()
print("begun", flush=True)
sys.stdin.readline()
print(watch.seconds(), time.monotonic() - began)
"""


def test_a_wait_counts() -> None:
    watch = Stopwatch()
    time.sleep(0.3)
    assert 0.25 < watch.seconds() < 0.5
    assert watch.seconds() == watch.seconds()


def test_a_stop_right_before_the_end_does_not_count_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopwatch, "TICK_S", 30.0)
    watch = Stopwatch()
    time.sleep(0.3)  # without a tick, as when nothing of the process ran
    assert watch.seconds() < 0.1


@pytest.mark.timeout(20)
def test_a_stop_of_the_whole_process_does_not_count() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", TIMED], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as timed:
        assert timed.stdout is not None
        assert timed.stdout.readline() == "begun\n"
        os.kill(timed.pid, signal.SIGSTOP)
        time.sleep(1.0)
        os.kill(timed.pid, signal.SIGCONT)
        said, _ = timed.communicate("\n")
        counted, passed = map(float, said.split())
    assert passed > 1.0
    assert counted < passed - 0.8
