"""``./run check-config``: all faults for people and for programs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kiosk.commissioning.check_config import main

FAULTY = '[screen]\nidle_s = 5\n[face]\npad_threshold = 0.1\n[gateway]\nclient_key_file = "-----BEGIN hunter2"\n'


def test_a_sound_file_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "kiosk.toml"
    file.write_text("[screen]\nidle_s = 90\n")
    assert main([str(file)]) == 0
    assert capsys.readouterr().out == f"{file}: sound, mode demo\n"
    assert main(["--config", str(file)]) == 0
    assert capsys.readouterr().out == f"{file}: sound, mode demo\n", "as every other command takes it"


def test_faults_are_told_with_line_range_and_fix(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "kiosk.toml"
    file.write_text(FAULTY)
    assert main([str(file)]) == 1
    out = capsys.readouterr().out
    assert "line 2: screen.idle_s = 5\n      allowed  20 to 600\n      fix      write 20 or more\n" in out
    assert "line 4: face.pad_threshold = 0.1\n      allowed  0.5 to 1.0\n" in out
    assert "hunter2" not in out


def test_the_last_line_is_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "kiosk.toml"
    file.write_text(FAULTY)
    assert main([str(file), "--json"]) == 1
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["ok"] is False
    assert [fault["key"] for fault in told["faults"]][:2] == ["screen.idle_s", "face.pad_threshold"]
    assert told["faults"][0] == {
        "key": "screen.idle_s",
        "value": "5",
        "allowed": "20 to 600",
        "fix": "write 20 or more",
        "line": 2,
    }


def test_a_sound_file_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "kiosk.toml").touch()
    assert main([str(tmp_path / "kiosk.toml"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {"ok": True, "faults": []}


def test_config_toml_of_this_folder_is_taken_when_none_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.toml").touch()
    assert main([]) == 0
    assert capsys.readouterr().out == "config.toml: sound, mode demo\n"


def test_the_config_toml_beside_run_is_taken_where_the_folder_has_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([]) == 0
    assert capsys.readouterr().out == f"{Path(__file__).parents[2] / 'config.toml'}: sound, mode demo\n"


def test_a_file_that_is_not_there_is_named_with_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "none.toml")]) == 1
    told = capsys.readouterr().out.splitlines()
    assert told[:3] == [f"{tmp_path / 'none.toml'}: 1 fault", "", "  the file as a whole"]
    assert "fix" in told[3]
