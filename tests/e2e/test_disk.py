"""A disk that fills up and empties again while the kiosk runs: guests are sent to the desk, and served again."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosk.checkin.events import Declined, Finished, StaffApproved, StaffRetried
from kiosk.checkin.states import Done, StaffNeeded, Welcome
from kiosk.model import Reason, StaffDecision
from kiosk.sandbox.process import SandboxProcess
from offline_queue.ballast import FILE
from offline_queue.disk import MB, DiskLevel
from tests.e2e.lobby import Lobby, eventually
from tests.small_disk import may_mount, on_a_small_disk

pytestmark = pytest.mark.timeout(180)


def leaves(lobby: Lobby, left_mb: int) -> None:
    """Let the disk have so much left, besides the ballast that lies there."""
    lobby.kiosk.owner.disk._free = lambda folder: left_mb * MB


def settled_by_staff(lobby: Lobby) -> None:
    lobby.says(Declined())
    lobby.until(StaffNeeded)
    lobby.says(StaffApproved(StaffDecision("clerk", "document_and_person_seen", lobby.kiosk._now())))


def test_guests_are_sent_to_the_desk_while_the_disk_is_short_and_served_again_after(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("kiosk.checkin.presentations.Presentations.LOOK_AGAIN_S", 0.2)
    with SandboxProcess(0) as sandbox, Lobby(sandbox.info) as lobby:
        assert (lobby.config.kiosk.state_dir / FILE).stat().st_size == lobby.config.outbox.ballast_mb * MB
        leaves(lobby, 400)
        eventually("the warning", lambda: lobby.told("disk of the outbox: 400 MB left"))
        assert lobby.now().offers.records, "a warning is for staff, not for guests"
        leaves(lobby, 150)
        eventually("the screen is told", lambda: not lobby.now().offers.records)
        lobby.stage.show_code(sandbox.issue_claim169("zhou"))
        seen = lobby.kiosk.runner._watch[0]
        eventually("the code is looked at", lambda: lobby.kiosk.runner._watch[0] > seen)
        assert isinstance(lobby.now().state, Welcome), "a visit began that could not be kept"
        leaves(lobby, 900)
        eventually("the screen is told", lambda: lobby.now().offers.records)
        lobby.to_face_consent(sandbox.issue_claim169("shen"))
        leaves(lobby, 150)
        eventually("the level", lambda: not lobby.now().offers.records)
        settled_by_staff(lobby)
        lobby.until(Done)  # what was begun is finished


def test_a_record_that_no_disk_takes_gives_no_key_and_staff_retry_when_there_is_room() -> None:
    with SandboxProcess(0) as sandbox, Lobby(sandbox.info) as lobby:
        lobby.to_face_consent(sandbox.issue_claim169("zhou"))
        leaves(lobby, 20)
        eventually("the level", lambda: lobby.kiosk.owner.disk.look().level is DiskLevel.REFUSE)
        settled_by_staff(lobby)
        eventually("staff", lambda: getattr(lobby.now().state, "reason", None) is Reason.SAVE_FAILED)
        assert lobby.kiosk.keys.issued == []
        assert lobby.told("disk_refuse_mb = 50", "Free space")
        leaves(lobby, 900)
        settled = lobby.until(StaffNeeded)
        assert isinstance(settled, StaffNeeded)
        lobby.says(StaffRetried())
        lobby.until(Done)
        assert len(lobby.kiosk.keys.issued) == 1
        lobby.says(Finished())
        lobby.until(Welcome)


def test_a_kiosk_starts_on_a_full_disk_delivers_what_waits_and_serves_again_when_there_is_room(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if not may_mount(disk):
        pytest.skip("no small disk can be mounted here")
    with SandboxProcess(0, tmp_path / "sandbox"):
        told = on_a_small_disk(disk, 64, "tests.e2e.full_disk_start", str(disk), str(tmp_path / "sandbox"))
    assert told == {
        "waits": 1,
        "left": 0,
        "level": "refuse",
        "guests_are_sent_to_the_desk": True,
        "delivered": True,
        "served_again": True,
    }
