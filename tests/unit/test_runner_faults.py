"""The runner when a part of the kiosk breaks, hangs or goes away: a person helps, and the next guest is served."""

from __future__ import annotations

import dataclasses
import gc
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime

import pytest

from kiosk.checkin.events import Back, Consented, HelpAsked, StaffEnded, StaffRetried
from kiosk.checkin.mail import Activity, OffersChanged
from kiosk.checkin.runner import Runner
from kiosk.checkin.samples import CODE, FACE, STAY, consent
from kiosk.checkin.shown import Offers, Shown
from kiosk.checkin.states import (
    AskingFaceConsent,
    AskingIdentityConsent,
    Capturing,
    Done,
    IssuingKey,
    Saving,
    Scanning,
    ShowingReservation,
    StaffNeeded,
    Welcome,
)
from kiosk.checkin.timeouts import Budgets
from kiosk.checkin.world import World
from kiosk.errors import OutboxUnavailable
from kiosk.model import Reason, Registration, RegistrationId, Reservation
from kiosk.ports import FaceDecided, VisionDown, VisionUp
from tests.stopwatch import Stopwatch
from tests.unit.test_runner import Guest, Lobby

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def lobby() -> Lobby:
    return Lobby()


Begin = Callable[..., Guest]


@pytest.fixture
def begin(lobby: Lobby) -> Iterator[Begin]:
    runners: list[Runner] = []

    def make(
        budgets: Budgets | None = None,
        warning_s: float = 20.0,
        publish: Callable[[Shown], None] = lobby.shown.put,
        **parts: object,
    ) -> Guest:
        world: World = dataclasses.replace(lobby.world(), **parts)  # type: ignore[arg-type]
        runner = Runner(world, publish, budgets=budgets or Budgets(), warning_s=warning_s)
        runners.append(runner)
        runner.start()
        return Guest(lobby, runner)

    yield make
    for runner in runners:
        runner.stop()


def breaks(*_: object, **__: object) -> object:
    raise ZeroDivisionError("a bug")


def reason(shown: Shown) -> Reason:
    assert isinstance(shown.state, StaffNeeded)
    return shown.state.reason


def to_capturing(guest: Guest, payload: bytes = CODE.payload) -> None:
    guest.to_face_consent(payload)
    guest.says(Consented(consent("face")))
    guest.until(Capturing)


def test_a_code_that_breaks_a_format_is_refused_and_the_next_is_read(lobby: Lobby, begin: Begin) -> None:
    def recognise(payload: bytes) -> object:
        return breaks() if payload == b"bomb" else lobby.recognise(payload)

    guest = begin(recognise=recognise)
    guest.shows(b"bomb")
    assert guest.until(Scanning).state == Scanning(refused=Reason.CODE_BROKEN, refusals=1)
    guest.shows(CODE.payload)
    guest.until(AskingIdentityConsent)


def test_a_screen_that_breaks_once_is_told_the_next_state(lobby: Lobby, begin: Begin) -> None:
    broken: list[Shown] = []

    def publish(shown: Shown) -> None:
        if isinstance(shown.state, AskingIdentityConsent) and not broken:
            broken.append(shown)
            raise ZeroDivisionError
        lobby.shown.put(shown)

    guest = begin(publish=publish)
    guest.shows(CODE.payload)
    while not broken:
        time.sleep(0.01)
    guest.runner.tell(OffersChanged())
    guest.until(AskingIdentityConsent)


@pytest.mark.parametrize("part", ["watch_face", "rest"])
def test_a_vision_handle_that_breaks_leads_to_a_person(
    lobby: Lobby, begin: Begin, monkeypatch: pytest.MonkeyPatch, part: str, caplog: pytest.LogCaptureFixture
) -> None:
    guest = begin()
    guest.to_face_consent()
    monkeypatch.setattr(lobby, part, breaks)
    guest.says(Consented(consent("face")) if part == "watch_face" else HelpAsked())
    guest.until(StaffNeeded)
    assert "ZeroDivisionError at test_runner_faults.py" in caplog.text
    assert "a bug" not in caplog.text
    guest.says(StaffEnded())
    guest.until(Welcome)


def test_a_record_is_put_although_the_camera_could_not_be_stopped(
    lobby: Lobby, begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    guest = begin()
    to_capturing(guest)
    monkeypatch.setattr(lobby, "rest", breaks)
    guest.runner.tell(FaceDecided(lobby.watch, FACE))
    guest.until(Done)
    assert len(lobby.registered) == 1


def test_an_audit_that_breaks_does_not_hide_the_referral(
    lobby: Lobby, begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    guest = begin()
    guest.to_face_consent()
    monkeypatch.setattr(lobby, "write", breaks)
    guest.says(HelpAsked())
    assert reason(guest.until(StaffNeeded)) is Reason.HELP
    guest.says(Back())
    guest.until(AskingFaceConsent)


def test_any_other_fault_leads_to_a_person_and_the_next_guest_is_served(lobby: Lobby, begin: Begin) -> None:
    faults: list[Exception] = []

    def offers() -> Offers:
        if faults:
            raise faults.pop()
        return Offers()

    guest = begin(offers=offers)
    guest.to_face_consent()
    faults.append(ZeroDivisionError())
    guest.runner.tell(OffersChanged())
    assert reason(guest.until(StaffNeeded)) is Reason.DEVICE_DOWN
    guest.says(StaffEnded())
    guest.until(Welcome)
    to_capturing(guest, b"another code")


def test_encoders_that_hang_for_ever_do_not_stop_the_next_guests_record(lobby: Lobby, begin: Begin) -> None:
    hangs = threading.Event()
    guest = begin(Budgets(key=0.05), keys=_Hanging(hangs))
    try:
        for number in range(6):
            to_capturing(guest, b"code %d" % number)
            guest.runner.tell(FaceDecided(lobby.watch, FACE))
            assert reason(guest.until(StaffNeeded)) is Reason.KEY_FAILED
            guest.says(StaffEnded())
            guest.until(Welcome)
        assert len(lobby.registered) == 6
    finally:
        hangs.set()


class _Hanging:
    def __init__(self, until: threading.Event) -> None:
        self._until = until

    def issue(self, room_no: str, until: datetime, record_id: RegistrationId) -> None:
        self._until.wait(30)


def test_to_stop_does_not_wait_for_a_gateway_that_hangs(lobby: Lobby, begin: Begin) -> None:
    hangs = threading.Event()
    guest = begin(resolve=lambda *_: hangs.wait(30))
    guest.shows(CODE.payload)
    guest.until(AskingIdentityConsent)
    guest.says(Consented(consent("identity")))
    time.sleep(0.1)
    watch = Stopwatch()
    guest.runner.stop()
    assert watch.seconds() < 2
    hangs.set()


def test_to_stop_waits_for_a_put_under_way(lobby: Lobby, begin: Begin) -> None:
    done: list[Registration] = []

    class Slow:
        def put(self, registration: Registration) -> RegistrationId:
            time.sleep(0.4)
            done.append(registration)
            return registration.record_id

    guest = begin(outbox=Slow())
    to_capturing(guest)
    guest.runner.tell(FaceDecided(lobby.watch, FACE))
    guest.until(Saving)
    guest.runner.stop()
    assert len(done) == 1


def test_a_guest_who_taps_and_taps_does_not_keep_a_hung_kiosk_waiting(lobby: Lobby, begin: Begin) -> None:
    hangs = threading.Event()
    guest = begin(Budgets(key=0.3), keys=_Hanging(hangs))
    to_capturing(guest)
    guest.runner.tell(FaceDecided(lobby.watch, FACE))
    guest.until(IssuingKey)
    end = time.monotonic() + 3
    try:
        while not isinstance(guest.now.state, StaffNeeded):
            assert time.monotonic() < end, "the key's time never ended"
            guest.runner.tell(Activity())
            guest.now = lobby.shown.get(timeout=5)
            time.sleep(0.05)
    finally:
        hangs.set()


def test_a_face_is_not_looked_for_with_a_camera_that_is_gone(lobby: Lobby, begin: Begin) -> None:
    seeing = True
    guest = begin(offers=lambda: Offers(codes=seeing, face=seeing))
    guest.to_face_consent()
    seeing = False
    guest.runner.tell(VisionDown("unplugged"))
    guest.says(Consented(consent("face")))
    assert reason(guest.until(StaffNeeded)) is Reason.FACE_UNAVAILABLE
    assert "face" not in lobby.asked


def test_nobody_is_asked_for_a_code_by_a_camera_that_is_gone(lobby: Lobby, begin: Begin) -> None:
    seeing = True
    guest = begin(offers=lambda: Offers(codes=seeing, face=seeing))
    guest.shows(CODE.payload)
    guest.until(AskingIdentityConsent)
    seeing = False
    guest.runner.tell(VisionDown("unplugged"))
    guest.says(Back())
    assert reason(guest.until(StaffNeeded)) is Reason.DEVICE_DOWN
    seeing = True
    guest.runner.tell(VisionUp())
    guest.says(StaffRetried())
    guest.until(Scanning)
    guest.shows(CODE.payload)
    guest.until(AskingIdentityConsent)


def test_nothing_of_a_guest_who_walked_away_is_kept(lobby: Lobby, begin: Begin) -> None:
    guest = begin(Budgets(idle=0.1), warning_s=0.05)
    lobby.stay = None
    guest.runner._world = dataclasses.replace(guest.runner._world, reservations=_Fresh())
    guest.shows(CODE.payload)
    guest.until(AskingIdentityConsent)
    guest.says(Consented(consent("identity")))
    guest.until(ShowingReservation)
    guest.until(Welcome)
    guest.now = dataclasses.replace(guest.now)
    while not lobby.shown.empty():
        lobby.shown.get()
    gc.collect()
    kept = [one for one in gc.get_objects() if isinstance(one, Reservation) and one.stay_id == "FRESH"]
    assert kept == []


class _Fresh:
    """A hotel that makes each reservation anew, so that a test can look for it in memory."""

    def find(self, identity: object, reference: str | None) -> Reservation:
        return dataclasses.replace(STAY, stay_id="".join(("FRE", "SH")))


def test_a_put_that_fails_and_is_ended_leaves_no_built_record(lobby: Lobby, begin: Begin) -> None:
    def full(registration: Registration) -> RegistrationId:
        raise OutboxUnavailable("disk is full")

    guest = begin(outbox=type("Full", (), {"put": staticmethod(full)})())
    to_capturing(guest)
    guest.runner.tell(FaceDecided(lobby.watch, FACE))
    assert reason(guest.until(StaffNeeded)) is Reason.SAVE_FAILED
    assert guest.runner._built
    guest.says(StaffEnded())
    guest.until(Welcome)
    assert not guest.runner._built
