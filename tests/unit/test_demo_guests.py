"""An invented guest behaves as a real one would when the camera seems not to have noticed."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from kiosk.checkin.flow import Ticket
from kiosk.checkin.shown import Shown
from kiosk.checkin.states import Done, Scanning, State, Welcome
from kiosk.demo import guests
from kiosk.demo.guests import Director, Guest
from kiosk.demo.watch import DemoStuck, Watch
from kiosk.model import RegistrationId


class Room:
    """A kiosk of a few screens, each painted at once, whose camera misses the first ``misses`` codes held up to it."""

    def __init__(self, misses: int) -> None:
        self.watch = Watch()
        self.held_up = 0
        self._misses = misses
        self.show(Welcome(), 1)

    def show(self, state: State, turn: int) -> None:
        self.watch.shown(Shown(Ticket(1, turn), state))
        self.watch.painted(Ticket(1, turn), time.monotonic())

    def show_code(self, payload: bytes, seed: int = 0) -> None:
        self.held_up += 1
        self.show(Scanning(), 2)
        if self.held_up > self._misses:
            self.show(Done(RegistrationId("a record"), "808"), 3)

    def show_face(self, image: Path, seed: int = 0) -> None:
        raise AssertionError("nobody asked for a face")

    def show_nothing(self) -> None:
        pass

    def tap(self, name: str) -> None:
        self.show(Welcome(), 4)

    def can_tap(self, name: str) -> bool:
        return True

    def grab(self, path: Path) -> None:
        raise AssertionError("nobody asked for a picture")


@pytest.mark.timeout(20)
def test_a_guest_holds_the_code_up_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guests, "PATIENCE_S", 0.02)
    room = Room(misses=2)
    visit = Director(room, room, room.watch).play(Guest("suishen", b"code", None))
    assert room.held_up == 3
    assert visit.record_id == "a record"


@pytest.mark.timeout(20)
def test_a_guest_whom_nobody_helps_gives_up_and_says_where(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guests, "PATIENCE_S", 0.02)
    monkeypatch.setattr(guests, "VISIT_S", 0.1)
    room = Room(misses=1_000)
    with pytest.raises(DemoStuck, match="for the next question; the kiosk shows Scanning"):
        Director(room, room, room.watch).play(Guest("suishen", b"code", None))


@pytest.mark.timeout(20)
def test_a_wait_ends_when_what_it_waits_for_comes() -> None:
    watch = Watch()
    arrived = threading.Event()

    def arrive() -> None:
        arrived.set()
        watch.receipted("record", "receipt")

    threading.Timer(0.05, arrive).start()
    assert watch.comes(lambda: bool(watch.receipts), 10)
    assert arrived.is_set()
    assert not watch.comes(lambda: len(watch.receipts) > 1, 0.01)
