"""``./run start`` as an installer meets it: it announces itself, can be tried by hand, and ends when it is told to."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.timeout(90)


@pytest.fixture
def config() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="start-") as folder:  # short: sockets lie below it
        path = Path(folder) / "config.toml"
        path.write_text('[kiosk]\nstate_dir = "state"\n', encoding="utf-8")
        yield path


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-P", "-m", "kiosk", *map(str, arguments)]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_kiosk_ends_when_told_and_leaves_no_process_behind(config: Path, number: signal.Signals) -> None:
    with subprocess.Popen(
        command("start", "--config", config, "--announce"), stdout=subprocess.PIPE, text=True, env=environment()
    ) as kiosk:
        assert kiosk.stdout is not None
        announced = json.loads(kiosk.stdout.readline())
        assert announced["ready_s"] > 0
        time.sleep(1.0)  # idle: Qt waits for events, no Python runs
        kiosk.send_signal(number)
        assert kiosk.wait(15) == 0
    state = config.parent / "state"
    assert "no display: nobody can see this kiosk" in (state / "log" / "kiosk.log").read_text(encoding="utf-8")
    assert not (state / "queue.sock").exists()
    assert not (state / "sandbox.dir").exists()
    assert str(config.parent) not in _command_lines()


def _command_lines() -> str:
    found = [path.read_bytes().replace(b"\0", b" ").decode(errors="replace") for path in _readable()]
    return "\n".join(found)


def _readable() -> Iterator[Path]:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        if os.access(path, os.R_OK) and path.exists():
            yield path


def test_a_visitor_holds_a_code_up_to_the_running_demo(config: Path) -> None:
    with subprocess.Popen(
        command("start", "--config", config, "--announce"), stdout=subprocess.PIPE, text=True, env=environment()
    ) as kiosk:
        assert kiosk.stdout is not None
        json.loads(kiosk.stdout.readline())
        held = subprocess.run(command("hold", "suishen", "lin", "--config", config), env=environment(), timeout=30)
        assert held.returncode == 0
        log = config.parent / "state" / "log" / "visits.jsonl"
        end = time.monotonic() + 20
        while "AskingIdentityConsent" not in log.read_text(encoding="utf-8"):
            assert time.monotonic() < end
            time.sleep(0.05)
        kiosk.terminate()
        assert kiosk.wait(15) == 0


def test_without_a_kiosk_holding_says_what_to_do(config: Path) -> None:
    held = subprocess.run(
        command("hold", "claim169", "zhou", "--config", config),
        env=environment(),
        timeout=30,
        capture_output=True,
        text=True,
    )
    assert held.returncode == 1
    assert "./run start" in held.stderr


def test_a_second_kiosk_on_the_same_folder_says_who_holds_it_and_leaves_the_first_alone(config: Path) -> None:
    with subprocess.Popen(
        command("start", "--config", config, "--announce"), stdout=subprocess.PIPE, text=True, env=environment()
    ) as first:
        assert first.stdout is not None
        json.loads(first.stdout.readline())
        second = subprocess.run(
            command("start", "--config", config), capture_output=True, text=True, env=environment(), timeout=30
        )
        assert second.returncode == 1
        assert f"held by process {first.pid}" in second.stderr
        held = subprocess.run(command("hold", "suishen", "lin", "--config", config), env=environment(), timeout=30)
        assert held.returncode == 0
        first.terminate()
        assert first.wait(15) == 0


def test_a_state_folder_that_cannot_be_made_is_told_in_one_line(config: Path) -> None:
    (config.parent / "state").write_text("")
    ended = subprocess.run(
        command("start", "--config", config), capture_output=True, text=True, env=environment(), timeout=30
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith("start: ")
    assert str(config.parent / "state") in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
