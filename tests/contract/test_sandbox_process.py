"""The sandbox as a child: starts fast, keeps its files to itself, ends with its parent, leaves nothing behind."""

from __future__ import annotations

import json
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from kiosk.config import load
from kiosk.sandbox import command, credential_command
from kiosk.sandbox.control import SandboxUnavailable, ask
from kiosk.sandbox.info import INFO_FILE, SandboxInfo
from kiosk.sandbox.people import PEOPLE
from kiosk.sandbox.pki import ORGANISATION
from kiosk.sandbox.process import SandboxProcess
from tests.sandbox_kit import new_session
from tests.stopwatch import Stopwatch

pytestmark = pytest.mark.timeout(60)
ROOT = Path(__file__).parents[2]


def soon(ready: Callable[[], bool], timeout_s: float = 5.0) -> bool:
    end = time.monotonic() + timeout_s
    while not ready():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def test_starts_answers_and_leaves_nothing_behind() -> None:
    sandbox = SandboxProcess(latency_ms=0)
    with pytest.raises(SandboxUnavailable, match="not started"):
        _ = sandbox.info
    began = time.monotonic()
    sandbox.start()
    assert time.monotonic() - began < 5  # 0.13 s on an idle machine
    info, pid = sandbox.info, sandbox.pid
    assert pid is not None
    assert SandboxInfo.from_json((info.run_dir / INFO_FILE).read_text(encoding="utf-8")) == info
    watch = Stopwatch()
    sandbox.stop()
    assert watch.seconds() < 2
    assert not psutil.pid_exists(pid)
    assert not info.run_dir.exists()
    sandbox.stop()


def test_every_file_is_for_its_owner_only() -> None:
    with SandboxProcess(latency_ms=0) as sandbox:
        run_dir = sandbox.info.run_dir
        assert stat.S_IMODE(run_dir.stat().st_mode) == 0o700
        for path in run_dir.rglob("*"):
            mode = stat.S_IMODE(path.stat().st_mode)
            private = path.suffix in {".key", ".db", ".sock", ".csv", ".json"}
            assert not private or mode & 0o077 == 0, path.name


def test_keys_are_new_in_every_run_and_say_sandbox() -> None:
    from cryptography import x509

    certificates = []
    for _ in range(2):
        with SandboxProcess(latency_ms=0) as sandbox:
            certificates.append(sandbox.info.ca_file.read_bytes())
            for entry in sandbox.info.issuer_keys_dir.glob("*.json"):
                assert json.loads(entry.read_text(encoding="utf-8"))["sandbox"] is True
    assert certificates[0] != certificates[1]
    assert ORGANISATION in x509.load_pem_x509_certificate(certificates[0]).subject.rfc4514_string()


def test_a_given_folder_is_kept_even_with_a_path_too_long_for_a_socket(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30)
    with SandboxProcess(latency_ms=0, run_dir=folder) as sandbox:
        assert sandbox.info.run_dir == folder
        assert sandbox.issue_suishen("lin").startswith(b"https://suishen.sandbox.invalid/code?t=")
    assert (folder / "police.db").exists()
    with pytest.raises(SandboxUnavailable, match="does it run"):
        ask(folder, "clear_faults")


def test_ends_when_its_parent_is_killed() -> None:
    script = (
        "import sys, time\n"
        "from kiosk.sandbox.process import SandboxProcess\n"
        "sandbox = SandboxProcess(latency_ms=0)\n"
        "sandbox.start()\n"
        "print(sandbox.pid, sandbox.info.run_dir, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-P", "-c", script], stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": str(ROOT)}
    )
    assert parent.stdout is not None
    pid, run_dir = parent.stdout.readline().split(maxsplit=1)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    assert soon(lambda: not psutil.pid_exists(int(pid)))
    assert not Path(run_dir.strip()).exists()


def test_a_child_that_dies_is_told_in_words() -> None:
    with SandboxProcess(latency_ms=0) as sandbox:
        assert sandbox.pid is not None
        psutil.Process(sandbox.pid).kill()
        with pytest.raises(SandboxUnavailable, match="does it run"):
            sandbox.issue_suishen("lin")
    assert not sandbox.info.run_dir.exists(), "its keys are removed though it could not do so itself"


def test_an_unknown_person_is_a_mistake_of_the_caller() -> None:
    with SandboxProcess(latency_ms=0) as sandbox, pytest.raises(ValueError, match="no such person"):
        sandbox.issue_suishen("nobody")


def test_latency_is_added_to_each_call_but_not_to_health() -> None:
    with SandboxProcess(latency_ms=150) as sandbox, new_session(sandbox.info) as session:
        hotel = sandbox.info.hotel_url
        session.get(f"{hotel}/v1/health", timeout=5)
        watch = Stopwatch()
        session.get(f"{hotel}/v1/health", timeout=5)
        assert watch.seconds() < 0.15
        began = time.monotonic()
        session.post(f"{hotel}/v1/reservations/search", json={"reference": "1208"}, timeout=5)
        assert time.monotonic() - began >= 0.15


def test_run_in_the_foreground_and_spoil_it_from_another_terminal(tmp_path: Path) -> None:
    arguments = [sys.executable, "-P", "-m", "kiosk", "sandbox", "--dir", str(tmp_path), "--latency-ms", "0"]
    running = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": str(ROOT)})
    try:
        assert soon(lambda: (tmp_path / "control.sock").exists())
        info = SandboxInfo.from_json((tmp_path / INFO_FILE).read_text(encoding="utf-8"))
        assert command.main(["fault", "hotel_error", "status=502", "times=1", "--dir", str(tmp_path)]) == 0
        with new_session(info) as session:
            statuses = [session.get(f"{info.hotel_url}/v1/health", timeout=5).status_code for _ in range(2)]
        assert statuses == [502, 200]
        assert command.main(["clear", "--dir", str(tmp_path)]) == 0
        picture = tmp_path / "lin.png"
        assert credential_command.main(["issue", "suishen", "lin", "--out", str(picture), "--dir", str(tmp_path)]) == 0
        assert picture.read_bytes().startswith(b"\x89PNG")
    finally:
        running.send_signal(signal.SIGINT)
        told, _ = running.communicate(timeout=10)
    assert running.returncode == 0
    assert info.police_url in told
    settings = tmp_path / "config.toml"
    settings.write_text(told[told.index("[gateway]") : told.index("A code to show")], encoding="utf-8")
    config = load(settings)
    assert (config.gateway.url, config.reporting.device_key_file) == (info.gateway_url, info.device_key_file)
    settings.write_text(settings.read_text(encoding="utf-8").replace("# recipient", "recipient"), encoding="utf-8")
    assert load(settings).outbox.recipient_key_file == info.recipients_dir / "x25519.json"
    assert not any(person.name in told or person.id_number in told for person in PEOPLE.values())


@pytest.mark.parametrize("argv", [["fault", "hotel_explode"], ["fault", "hotel_error", "status"]])
def test_a_wrong_fault_on_the_command_line_is_told(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with SandboxProcess(latency_ms=0) as sandbox, pytest.raises(SystemExit) as ended:
        command.main([*argv, "--dir", str(sandbox.info.run_dir)])
    assert ended.value.code == 2
    assert "error" in capsys.readouterr().err
