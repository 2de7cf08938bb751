"""A guest who has a key shows the e-ID once more: the desk looks, no second record reaches the police."""

from __future__ import annotations

import pytest

from kiosk.checkin.events import Declined, Finished, StaffApproved
from kiosk.checkin.states import Done, StaffNeeded, Welcome
from kiosk.model import Reason, StaffDecision
from kiosk.sandbox.process import SandboxProcess
from tests.e2e.lobby import Lobby

pytestmark = pytest.mark.timeout(120)


def test_the_same_stay_is_registered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kiosk.checkin.presentations.Presentations.LEFT_OVER_S", 0.0)
    with SandboxProcess(latency_ms=0) as sandbox, Lobby(sandbox.info) as lobby:
        code = sandbox.issue_claim169("zhou")
        lobby.to_face_consent(code)
        lobby.says(Declined())
        lobby.until(StaffNeeded)
        lobby.says(StaffApproved(StaffDecision("clerk", "document_and_person_seen", lobby.kiosk._now())))
        lobby.until(Done)
        lobby.stage.show_nothing()
        lobby.says(Finished())
        lobby.until(Welcome)
        state = lobby.identify(code)
        assert isinstance(state, StaffNeeded)
        assert state.reason is Reason.ALREADY_IN_HOUSE
        assert sum(lobby.kiosk.owner.status().counts.values()) == 1
        assert len(lobby.kiosk.keys.issued) == 1
