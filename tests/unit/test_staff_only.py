"""A kiosk whose disk has no room begins no visit: it says so before the touch, and takes guests again by itself."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from kiosk.capabilities import offers
from kiosk.checkin.events import Consented, ReservationConfirmed
from kiosk.checkin.flow import Ticket
from kiosk.checkin.mail import OffersChanged
from kiosk.checkin.presentations import Presentations
from kiosk.checkin.runner import Runner
from kiosk.checkin.samples import CODE, FACE, consent
from kiosk.checkin.shown import Offers, Shown
from kiosk.checkin.states import (
    AskingFaceConsent,
    AskingIdentityConsent,
    Capturing,
    Done,
    ShowingReservation,
    Welcome,
)
from kiosk.checkin.timeouts import Budgets
from kiosk.ports import FaceDecided
from offline_queue.disk import DiskLevel
from tests.unit.test_runner import Guest, Lobby
from ui.screen.viewmodels import welcome
from ui.screen.viewmodels.moment import House, Moment

pytestmark = pytest.mark.timeout(60)


def moment(can: Offers, language: str = "zh-CN") -> Moment:
    return Moment(Shown(Ticket(0, 0), Welcome(), offers=can), House("店", "Inn", demo=False), language)


@pytest.mark.parametrize(
    ("level", "serves"),
    [(DiskLevel.ROOM, True), (DiskLevel.WARN, True), (DiskLevel.STAFF_ONLY, False), (DiskLevel.REFUSE, False)],
)
def test_guests_are_served_until_staff_only(level: DiskLevel, *, serves: bool) -> None:
    can = offers([], room=level.serves)
    assert (can.begin, welcome.derive(moment(can)).can_start) == (serves, serves)


@pytest.mark.parametrize(("language", "desk"), [("zh-CN", "前台"), ("en", "front desk")])
def test_the_welcome_screen_sends_guests_to_the_desk_and_names_no_disk(language: str, desk: str) -> None:
    props = welcome.derive(moment(Offers(records=False), language))
    assert desk in props.notice
    assert not any(word in props.notice.lower() for word in ("disk", "full", "磁盘", "空间"))
    assert (props.lead, props.present, props.no_code) == ("", "", "")
    assert not props.offers, "nothing is ticked on a kiosk that serves nobody"


@dataclasses.dataclass(slots=True)
class Hotel:
    """A runner whose room a test may take away."""

    guest: Guest
    room: SimpleNamespace

    def has(self, *, room: bool) -> None:
        self.room.there = room
        self.guest.runner.tell(OffersChanged())
        while self.guest.now.offers.records is not room:
            self.guest.now = self.guest.lobby.shown.get(timeout=5)


@pytest.fixture
def hotel(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hotel]:
    monkeypatch.setattr(Presentations, "LOOK_AGAIN_S", 0.05)
    lobby, room = Lobby(), SimpleNamespace(there=True)
    world = dataclasses.replace(lobby.world(), offers=lambda: Offers(records=room.there))
    runner = Runner(world, lobby.shown.put, budgets=Budgets(), warning_s=20.0)
    runner.start()
    yield Hotel(Guest(lobby, runner), room)
    runner.stop()


def test_a_code_held_up_begins_no_visit_until_there_is_room_again(hotel: Hotel) -> None:
    guest = hotel.guest
    hotel.has(room=False)
    before = guest.lobby.watch
    guest.shows(CODE.payload)
    end = time.monotonic() + 20
    while guest.lobby.watch == before:
        assert time.monotonic() < end, "the scanner never looks again"
        time.sleep(0.01)
    assert guest.lobby.shown.empty(), "the screen changed for a guest who cannot be served"
    hotel.has(room=True)
    guest.shows(CODE.payload)
    guest.until(AskingIdentityConsent)


def test_a_visit_under_way_is_finished(hotel: Hotel) -> None:
    guest = hotel.guest
    guest.shows(CODE.payload)
    guest.until(AskingIdentityConsent)
    hotel.has(room=False)
    guest.says(Consented(consent("identity")))
    guest.until(ShowingReservation)
    guest.says(ReservationConfirmed())
    guest.until(AskingFaceConsent)
    guest.says(Consented(consent("face")))
    guest.until(Capturing)
    guest.runner.tell(FaceDecided(guest.lobby.watch, FACE))
    guest.until(Done)
    assert len(guest.lobby.registered) == 1
