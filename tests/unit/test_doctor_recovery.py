"""The doctor tells an installer of a damaged outbox that is not back yet, and of a second copy that lags."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosk.commissioning.checks import outbox
from kiosk.commissioning.finding import Result
from kiosk.config import Config
from offline_queue.owner import STORE_FILE
from offline_queue.recovery import mending
from tests import outbox_kit

pytestmark = pytest.mark.timeout(30)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    with outbox_kit.opened(tmp_path / "state") as owner:
        owner.outbox.put(outbox_kit.registration())
    made = Config()
    return made.model_copy(update={"kiosk": made.kiosk.model_copy(update={"state_dir": tmp_path / "state"})})


def told(config: Config) -> dict[str, tuple[Result, str]]:
    return {finding.name: (finding.result, finding.next_step) for finding in outbox.findings(config)}


def test_what_is_set_aside_and_not_back_names_the_command_that_brings_it(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "outbox recovery" not in told(config)
    with (config.kiosk.state_dir / STORE_FILE).open("r+b") as file:
        file.write(b"no database any more")
    monkeypatch.setattr(mending, "salvage", lambda site, damaged, stopping: None)
    assert told(config)["outbox recovery"] == (Result.WARN, "./run queue salvage")


def test_a_second_copy_that_lags_is_told_with_its_reason(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = {"on": True, "behind": True, "why": ""}
    monkeypatch.setattr(outbox, "_ask", lambda config: ([{"counts": {}, "copy": copy}], []))
    assert "second copy" not in told(config), "it is only being brought up to date"
    copy["why"] = "no space"
    result, next_step = told(config)["second copy"]
    assert result is Result.WARN
    assert "outbox.second_copy_dir" in next_step
