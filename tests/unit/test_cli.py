"""The commands: each exists, and none answers a user's slip with a traceback."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from kiosk import cli
from kiosk.errors import DeviceUnavailable

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_leads_to_a_function(name: str) -> None:
    assert callable(cli.load(name))


def test_alone_it_lists_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run([]) == 0
    told = capsys.readouterr().out
    assert all(command.help in told for command in cli.COMMANDS.values())


def test_an_unknown_command_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["flwo"]) == cli.USAGE
    assert "'flwo'" in capsys.readouterr().err


def test_an_error_of_ours_is_one_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: list[str]) -> int:
        raise DeviceUnavailable("camera", "unplugged")

    monkeypatch.setattr(cli, "load", lambda name: broken)
    assert cli.run(["scan"]) == 1
    assert capsys.readouterr().err == "suizhu scan: camera: unplugged\n"


@pytest.mark.timeout(60)
def test_a_reader_that_has_seen_enough_is_no_fault() -> None:
    command = [sys.executable, "-P", "-m", "kiosk", "flow"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={"PYTHONPATH": str(ROOT)}
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == cli.READER_GONE


@pytest.mark.timeout(60)
def test_a_terminal_that_knows_no_chinese_is_no_fault() -> None:
    command = [sys.executable, "-P", "-m", "kiosk"]
    spare = {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "ascii"}
    told = subprocess.run(command, capture_output=True, env=spare, check=False, timeout=50)
    assert (told.returncode, told.stderr) == (0, b"")
    assert b"\\u2026" in told.stdout


@pytest.mark.parametrize("argv", [["checkin", "--guests", "0"], ["start", "--runs", "-1"]])
def test_a_bench_measures_at_least_once(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        cli.load("bench")(argv)
    assert left.value.code == cli.USAGE
    assert "1 or more" in capsys.readouterr().err


def test_bench_alone_says_how_to_name_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.load("bench")([]) == 0
    assert capsys.readouterr().out.startswith("usage: ./run bench NAME")


@pytest.mark.parametrize("name", sorted(cli.COMMANDS.keys() - {"bench"}))
def test_help_names_a_command_as_it_is_typed(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        cli.load(name)(["--help"])
    assert left.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: ./run {name}")


def test_a_missing_log_is_told_with_where_logs_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["replay", str(tmp_path / "none.jsonl")]) == 1
    told = capsys.readouterr().err
    assert "none.jsonl: No such file or directory" in told
    assert "log/visits.jsonl" in told
