"""What a site's settings and the start's findings change for a guest, through the whole wiring."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.checkin.events import ReservationConfirmed
from kiosk.checkin.states import AskingIdentityConsent, ShowingReservation, StaffNeeded, Welcome
from kiosk.config import Config
from kiosk.demo.command import demo_config
from kiosk.model import Reason
from kiosk.sandbox.process import SandboxProcess
from tests.e2e.lobby import House, eventually
from tests.stopwatch import Stopwatch

pytestmark = pytest.mark.timeout(90)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    with SandboxProcess(latency_ms=5) as running:
        yield running


@pytest.fixture
def config() -> Iterator[Config]:
    with tempfile.TemporaryDirectory(prefix="site-") as folder:
        yield demo_config(None, Path(folder))


def test_what_the_start_did_not_find_is_not_offered_and_a_person_looks(sandbox: SandboxProcess, config: Config) -> None:
    never = config.model_copy(update={"face": config.face.model_copy(update={"policy": "never"})})
    with House(sandbox, never) as house:
        assert not house.now().offers.face
        house.identify(sandbox.issue_suishen("shen"))
        house.until(ShowingReservation)
        house.says(ReservationConfirmed())
        state = house.until(StaffNeeded)
        assert isinstance(state, StaffNeeded)
        assert state.reason is Reason.FACE_UNAVAILABLE


def test_a_gateway_that_does_not_answer_is_said_before_the_touch(sandbox: SandboxProcess, config: Config) -> None:
    with House(sandbox, config) as house:
        assert house.now().offers.online
        eventually("the first answer", lambda: house.told("identity gateway answers"))
        house.kiosk._online_changed(online=False)
        eventually("not online", lambda: not house.now().offers.online)
        house.kiosk._online_changed(online=True)
        eventually("online", lambda: house.now().offers.online)


def test_an_empty_lobby_ends_with_staff_after_attempts_as_long_as_the_settings_say(
    sandbox: SandboxProcess, config: Config
) -> None:
    hasty = config.face.model_copy(update={"attempt_s": 3.0})
    with House(sandbox, config.model_copy(update={"face": hasty})) as house:
        house.to_face_consent(sandbox.issue_suishen("lin"))
        house.stage.show_nothing()
        watch = Stopwatch()
        house.agrees("face")
        state = house.until(StaffNeeded, 60)
        assert isinstance(state, StaffNeeded)
        assert state.reason is Reason.NO_FACE
        assert house.told("FaceRefused", "face.none")
        assert watch.seconds() < 25  # of the usual settings it is 36 s


def test_a_guest_who_walks_away_is_warned_and_forgotten_after_the_times_of_the_settings(
    sandbox: SandboxProcess, config: Config
) -> None:
    hasty = config.screen.model_copy(update={"idle_s": 1.0, "idle_warning_s": 5.0})
    with House(sandbox, config.model_copy(update={"screen": hasty})) as house:
        house.stage.show_code(sandbox.issue_claim169("zhou"))
        house.until(AskingIdentityConsent)
        eventually("the warning", lambda: house.now().idle_warning_s is not None, 20)
        house.until(Welcome, 20)
