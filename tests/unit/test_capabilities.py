"""What guests are offered follows from what was found and what is seen."""

from __future__ import annotations

import logging
import time
from pathlib import Path

import pytest

from kiosk.capabilities import offers
from kiosk.checkin.shown import Offers
from kiosk.commissioning.finding import Capability, Finding, Result
from kiosk.commissioning.startup import startup_findings, tell
from kiosk.config import Config, FaceSection, KioskSection

ALL = Offers()


def found(capability: Capability | None, result: Result) -> Finding:
    return Finding("something", result, "meaning", "", capability)


def without(*names: str) -> Offers:
    return Offers(**{name: name not in names for name in ("codes", "face", "online", "keys", "records")})


def test_nothing_found_takes_nothing_away() -> None:
    assert offers([]) == ALL


@pytest.mark.parametrize("result", [Result.FAIL, Result.SKIPPED])
@pytest.mark.parametrize(
    ("capability", "lost"),
    [
        (Capability.CODES, ("codes", "face")),
        (Capability.FACE, ("face",)),
        (Capability.ONLINE, ("online",)),
        (Capability.KEYS, ("keys",)),
        (Capability.RECORDS, ("records",)),
        (None, ()),
    ],
)
def test_a_missing_device_takes_away_its_capability_only(
    capability: Capability | None, lost: tuple[str, ...], result: Result
) -> None:
    assert offers([found(Capability.KEYS, Result.OK), found(capability, result)]) == without(*lost)


def test_what_is_wrong_with_the_outbox_lets_nobody_begin() -> None:
    assert not offers([found(Capability.RECORDS, Result.FAIL)]).begin


def test_a_warning_takes_nothing_away() -> None:
    assert offers([found(capability, Result.WARN) for capability in Capability]) == ALL


def test_what_is_seen_live_comes_and_goes() -> None:
    assert offers([], seeing=False) == without("codes", "face")
    assert offers([], face_capable=False) == without("face")
    assert offers([], online=False) == without("online")


def test_live_sight_does_not_bring_back_what_the_start_did_not_find() -> None:
    assert offers([found(Capability.FACE, Result.FAIL)], seeing=True, face_capable=True) == without("face")


def configured(state_dir: Path, **sections: object) -> Config:
    return Config().model_copy(update={"kiosk": KioskSection(state_dir=state_dir), **sections})


def test_the_start_offers_everything_on_a_sound_machine_and_loses_no_second(tmp_path: Path) -> None:
    began = time.monotonic()
    findings = startup_findings(configured(tmp_path / "var"))
    assert time.monotonic() - began < 5  # far below a second alone, but this machine may be busy
    assert offers(findings) == ALL
    assert not any(one.result is Result.FAIL for one in findings)
    assert not (tmp_path / "var").exists()


def test_a_site_without_faces_offers_none(tmp_path: Path) -> None:
    assert offers(startup_findings(configured(tmp_path, face=FaceSection(policy="never")))) == without("face")


def test_without_models_the_start_goes_on_without_faces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUIZHU_CACHE", str(tmp_path / "empty"))
    findings = startup_findings(configured(tmp_path))
    assert offers(findings) == without("face")
    (models,) = (one for one in findings if one.name == "models")
    assert "yunet" in models.meaning
    assert models.next_step == "./run models install"


def test_the_log_is_told_what_is_not_well_and_what_to_do(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    tell(
        [
            Finding("models", Result.FAIL, "no nets", "./run models install"),
            Finding("disk space", Result.WARN, "0.5 GB free"),
            Finding("clock", Result.OK, "2026-06-01"),
            Finding("face policy", Result.SKIPPED, "never"),
        ]
    )
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("ERROR", "models: no nets. Next: ./run models install"),
        ("WARNING", "disk space: 0.5 GB free. Next: nothing"),
    ]
