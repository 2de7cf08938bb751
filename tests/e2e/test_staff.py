"""A clerk at a running kiosk: the PIN, the decision, the lock that falls by itself, and what the audit tells of it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk import audit
from kiosk.checkin.events import Declined
from kiosk.checkin.states import Done, StaffNeeded
from kiosk.demo.command import demo_config
from kiosk.sandbox.process import SandboxProcess
from kiosk.staff import audit_command
from tests.e2e.lobby import House, eventually

pytestmark = pytest.mark.timeout(90)

SEEN = "document_and_person_seen"
UNLOCK_S = 3.0


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    with SandboxProcess(latency_ms=5) as running:
        yield running


@pytest.fixture
def lobby(sandbox: SandboxProcess) -> Iterator[House]:
    with tempfile.TemporaryDirectory(prefix="desk-") as folder:
        config = demo_config(None, Path(folder))
        staff = config.staff.model_copy(update={"unlock_s": UNLOCK_S, "pin_tries": 3})
        with House(sandbox, config.model_copy(update={"staff": staff})) as house:
            house.to_face_consent(sandbox.issue_suishen("shen"))
            house.says(Declined())
            house.until(StaffNeeded)
            yield house


def sheet(lobby: House, stage: str, message: str = "") -> None:
    def shown() -> bool:
        last = lobby.sheets[-1] if lobby.sheets else None
        return last is not None and (last.stage, last.message) == (stage, message)

    eventually(f"{stage} {message}", shown, 10)


def enter(lobby: House, pin: str) -> None:
    lobby.kiosk.staff(lambda opened: opened.enter(pin))


def unlock(lobby: House) -> None:
    lobby.kiosk.open_sheet()
    sheet(lobby, "pin")
    enter(lobby, lobby.kiosk.access.one_time_pin or "")
    sheet(lobby, "unlocked")


def told(lobby: House) -> list[dict[str, object]]:
    entries = [entry for _, entry in audit.read(lobby.config.kiosk.state_dir / "audit.jsonl") if entry is not None]
    return [{"kind": entry.kind, **entry.fields} for entry in entries if entry.kind.startswith(("staff.", "referral."))]


def test_an_unlocked_sheet_locks_by_itself_and_the_guest_still_waits(lobby: House) -> None:
    unlock(lobby)
    sheet(lobby, "closed")
    assert {"kind": "staff.closed", "operator": "one-time-pin", "reason": "face.declined", "why": "timed_out"} in told(
        lobby
    )
    lobby.kiosk.staff(lambda opened: opened.approve(SEEN))
    lobby.kiosk.open_sheet()
    sheet(lobby, "pin")
    assert isinstance(lobby.now().state, StaffNeeded)


def test_who_decided_what_and_why_is_in_the_audit_and_the_guest_goes_on(
    lobby: House, capsys: pytest.CaptureFixture[str]
) -> None:
    unlock(lobby)
    assert SEEN in lobby.sheets[-1].resolutions
    lobby.kiosk.staff(lambda opened: opened.approve(SEEN))
    done = lobby.until(Done)
    assert isinstance(done, Done)
    who = {"operator": "one-time-pin", "reason": "face.declined"}
    opened, *decided = told(lobby)
    assert opened["reason"] == "face.declined"
    assert opened["number"] == lobby.now().referral_no
    assert decided == [
        {"kind": "staff.unlocked", **who, "role": "manager"},
        {"kind": "staff.approved", **who, "code": SEEN},
        {"kind": "staff.closed", **who, "why": "decided"},
        {"kind": "referral.closed", "outcome": "approved", "reason": "face.declined", "record": None},
    ]
    path = lobby.config.kiosk.state_dir / "audit.jsonl"
    assert audit_command.main(["verify", "--file", str(path)]) == 0
    assert audit_command.main(["show", "--file", str(path)]) == 0
    assert "code=document_and_person_seen" in capsys.readouterr().out


def test_wrong_pins_lock_everybody_out_and_are_told(lobby: House) -> None:
    pin = lobby.kiosk.access.one_time_pin or ""
    wrong = f"{(int(pin) + 1) % 10**6:06}"
    lobby.kiosk.open_sheet()
    for _ in range(2):
        enter(lobby, wrong)
    sheet(lobby, "pin", "pin.wrong")
    enter(lobby, wrong)
    sheet(lobby, "pin", "pin.locked")
    enter(lobby, pin)
    sheet(lobby, "closed")  # after its time; the right PIN unlocked nothing
    kinds = [entry["kind"] for entry in told(lobby)]
    assert kinds == ["referral.opened", "staff.pin_wrong", "staff.pin_wrong", "staff.pin_wrong", "staff.pin_locked"]
    assert pin not in lobby.log_text()
    assert wrong not in lobby.log_text()
