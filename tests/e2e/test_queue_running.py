"""``./run queue`` beside a whole kiosk: it answers while guests check in, and hands out what the authority refused."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import pyzipper

from kiosk import audit
from kiosk.sandbox.process import SandboxProcess
from offline_queue.commands import passphrase
from offline_queue.commands.main import main
from offline_queue.states import EventState
from tests.e2e.lobby import Lobby, eventually
from tests.outbox_kit import NAME, registration, state

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def lobby() -> Iterator[Lobby]:
    with SandboxProcess(latency_ms=0) as sandbox, Lobby(sandbox.info) as running:
        yield running


@pytest.fixture
def refused(lobby: Lobby) -> str:
    """A record that the authority rejected: staff must see it, and it waits."""
    record = lobby.kiosk.owner.outbox.put(registration(ethnicity="99"))
    eventually("the refusal", lambda: state(lobby.kiosk.owner, record) is EventState.REJECTED)
    return record


@pytest.fixture
def config(lobby: Lobby, tmp_path: Path) -> Path:
    made = tmp_path / "config.toml"
    made.write_text(f'[kiosk]\nstate_dir = "{lobby.config.kiosk.state_dir}"\n')
    return made


def asked(config: Path, capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert main([*words, "--json", "--config", str(config)]) == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return document


def test_a_running_kiosk_answers_every_verb(
    lobby: Lobby, refused: str, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = asked(config, capsys, "status")
    assert status["counts"]["REJECTED"] >= 1
    assert status["line"]["open"] is True
    assert refused in [row["record"] for row in asked(config, capsys, "list", "--waiting")["rows"]]
    assert asked(config, capsys, "show", refused)["rows"][0]["name"] == "林*安"
    assert asked(config, capsys, "verify")["whole"] is True
    assert asked(config, capsys, "purge", "--dry-run")["records"] == 0
    assert asked(config, capsys, "purge", "--report")["days"] == []
    assert asked(config, capsys, "salvage")["waiting"] == 0
    assert asked(config, capsys, "rotate-keys")["rewrapped"] >= 1
    assert asked(config, capsys, "retry", refused)["rows"][0]["state"] == "READY"
    eventually("the refusal again", lambda: state(lobby.kiosk.owner, refused) is EventState.REJECTED)


def test_a_running_kiosk_writes_into_its_own_audit_who_took_what_waits(
    lobby: Lobby, refused: str, config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    terminal = tmp_path / "terminal"
    terminal.touch()
    monkeypatch.setattr(passphrase, "TERMINAL", terminal)
    with tempfile.TemporaryDirectory() as usb:
        told = asked(config, capsys, "export", usb, "--operator", "li.na", "--reason", "officer at the desk")
        secret = terminal.read_text().split("passphrase: ")[1].split()[0]
        with pyzipper.AESZipFile(told["file"]) as archive:
            archive.setpassword(secret.encode())
            assert json.loads(archive.read(f"records/{refused}-r1.json"))["guest"]["name"] == NAME
    entries = audit.read(lobby.config.kiosk.state_dir / audit.AUDIT_FILE)
    found = [one for _, one in entries if one is not None and one.kind == "queue.export"]
    assert [one.fields["export"] for one in found] == [told["export"]]
    assert audit.verify(lobby.config.kiosk.state_dir / audit.AUDIT_FILE).broken_at is None
    assert NAME not in lobby.log_text()
