"""How an invented guest behaves: looks at the painted screen, touches it, holds things up to the camera."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Protocol

from kiosk.checkin.states import (
    AskingFaceConsent,
    AskingFields,
    AskingIdentityConsent,
    Capturing,
    Done,
    FetchingPortrait,
    Scanning,
    ShowingReservation,
    StaffNeeded,
    State,
    Welcome,
)
from kiosk.demo.watch import DemoStuck, Turn, Watch


class Glass(Protocol):
    """The screen as a hand and an eye have it. Both calls may come from any thread and block until done."""

    def tap(self, name: str) -> None:
        """Touch the control with this objectName. Raises LookupError when it cannot be touched."""
        ...

    def can_tap(self, name: str) -> bool:
        """Say whether the control takes touches now."""
        ...

    def grab(self, path: Path) -> None:
        """Save what the screen shows as a PNG."""
        ...


class Lens(Protocol):
    """What can be held up to the camera."""

    def show_code(self, payload: bytes, seed: int = 0) -> None: ...

    def show_face(self, image: Path, seed: int = 0) -> None: ...

    def show_nothing(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Guest:
    """One invented guest. ``face`` None: declines the face and is finished by staff with ``pin``."""

    credential: str
    code: bytes = field(repr=False)
    face: Path | None
    pin: str = field(default="", repr=False)


@dataclass(slots=True)
class Visit:
    """What came of one guest's visit."""

    credential: str
    steps_ms: dict[str, float]
    machine_ms: float
    record_id: str


QUESTIONS: dict[type[State], tuple[str, ...]] = {
    AskingIdentityConsent: ("agreeButton",),
    ShowingReservation: ("confirmButton",),
    AskingFields: ("ethnicityRow_01",),
}
ANSWERED = (AskingIdentityConsent, ShowingReservation, AskingFields, AskingFaceConsent, StaffNeeded, Done)
SEES = (Welcome, Scanning, Capturing)
"""Screens behind which the camera looks for something."""
VISIT_S = 90.0
PATIENCE_S = 8.0
"""A guest whom the camera seems not to have noticed holds things up to it again after this time."""
PREVIEW_S = 0.2
"""How soon after the capture's screen its preview shows a frame."""


class Director:
    """Plays guests one after the other and measures what the kiosk, not the guest, takes."""

    def __init__(
        self,
        glass: Glass,
        lens: Lens,
        watch: Watch,
        picture: Callable[[str], None] = lambda name: None,
        pause_s: float = 0.0,
    ) -> None:
        """``pause_s``: how long a guest looks at each screen before touching it; it counts for the guest."""
        self._glass = glass
        self._lens = lens
        self._watch = watch
        self._picture = picture
        self._pause_s = pause_s
        self._hold_up: Callable[[], None] = lambda: None

    def play(self, guest: Guest, *, begin_touching: bool = False) -> Visit:
        """Take one guest from the welcome screen to the key. Raises DemoStuck."""
        self._watch.wait_painted((Welcome,))
        if begin_touching:
            self._picture("welcome")
            self._touch(self._watch.turns[-1], "startButton")
            self._watch.wait_painted((Scanning,))
            self._picture("scanning")
        began = len(self._watch.turns)
        seen = len(self._watch.codes)
        self._hold(lambda: self._lens.show_code(guest.code, seed=began))
        end = time.monotonic() + VISIT_S
        while True:
            turn = self._next(began, end)
            if isinstance(turn.shown.state, Done):
                break
            self._act(guest, turn)
        self._picture("done")
        visit = self._measure(guest, began, seen, turn)
        self._hold(self._lens.show_nothing)
        self._touch(turn, "finishButton")
        self._watch.wait_painted((Welcome,))
        return visit

    def _next(self, began: int, end: float) -> Turn:
        """Wait for the next screen that asks something, and is painted."""
        watch = self._watch

        def asks() -> bool:
            turn = watch.turns[-1]
            fresh = len(watch.turns) > began and turn.touched_at is None and turn.painted_at is not None
            return fresh and isinstance(turn.shown.state, ANSWERED)

        while not watch.comes(asks, PATIENCE_S):
            if time.monotonic() > end:
                raise watch.stuck("the next question", VISIT_S)
            if isinstance(watch.turns[-1].shown.state, SEES):
                self._hold_up()
        return watch.turns[-1]

    def _hold(self, hold_up: Callable[[], None]) -> None:
        self._hold_up = hold_up
        hold_up()

    def _act(self, guest: Guest, turn: Turn) -> None:
        state = turn.shown.state
        self._picture(type(state).__name__)
        if isinstance(state, AskingFaceConsent):
            if guest.face is None:
                self._touch(turn, "faceStaffButton")
                return
            face, seed = guest.face, turn.shown.ticket.visit
            self._hold(lambda: self._lens.show_face(face, seed))
            self._touch(turn, "faceYesButton")
            self._picture_of_the_capture()
        elif isinstance(state, StaffNeeded):
            if not guest.pin or state.reason.value != "face.declined":
                raise DemoStuck(f"staff are needed: {state.reason}")
            self._let_staff_finish(guest.pin, turn)
        else:
            self._touch(turn, *QUESTIONS[type(state)])

    def _picture_of_the_capture(self) -> None:
        """The capture asks nothing and is soon over: look while it lasts."""
        watch = self._watch

        def begun() -> bool:
            turn = watch.turns[-1]
            waiting = isinstance(turn.shown.state, AskingFaceConsent | FetchingPortrait)
            return not waiting and (turn.painted_at is not None or not isinstance(turn.shown.state, Capturing))

        watch.wait("the capture", begun, VISIT_S)
        time.sleep(PREVIEW_S)
        if isinstance(watch.turns[-1].shown.state, Capturing):
            self._picture("Capturing")

    def _let_staff_finish(self, pin: str, turn: Turn) -> None:
        self._glass.tap("staffCorner")
        self._settle(f"pinKey_{pin[0]}")
        for digit in pin:
            self._glass.tap(f"pinKey_{digit}")
        self._picture("staff_pin")
        self._glass.tap("pinOk")
        self._settle("resolution_document_and_person_seen")
        self._picture("staff_sheet")
        self._touch(turn, "resolution_document_and_person_seen")

    def _settle(self, name: str, timeout_s: float = 10.0) -> None:
        """Wait until a control can be touched: the sheet opens after the PIN was checked."""
        end = time.monotonic() + timeout_s
        while not self._glass.can_tap(name):
            if time.monotonic() > end:
                raise DemoStuck(f"the control {name} never came")
            time.sleep(0.02)

    def _touch(self, turn: Turn, *names: str) -> None:
        time.sleep(self._pause_s)
        for name in names:
            turn.touched_at = time.monotonic()
            self._glass.tap(name)

    def _measure(self, guest: Guest, began: int, seen: int, done: Turn) -> Visit:
        """Wall time from the first frame that shows the code to the key, less the waits for a touch."""
        codes = self._watch.codes[seen:]
        first = codes[0].first_frame_at if codes else self._watch.turns[began].at
        turns = [turn for turn in self._watch.turns[began:] if turn.at <= done.at]
        waits = sum(turn.touched_at - turn.painted_at for turn in turns if turn.touched_at and turn.painted_at)
        steps: dict[str, float] = {"reading": round((turns[0].at - first) * 1000, 1)}
        for turn, following in pairwise(turns):
            wait = (turn.touched_at - turn.painted_at) if turn.touched_at and turn.painted_at else 0.0
            name = type(turn.shown.state).__name__
            steps[name] = round(steps.get(name, 0.0) + (following.at - turn.at - wait) * 1000, 1)
        machine = (done.at - first - waits) * 1000
        state = done.shown.state
        record = state.record_id if isinstance(state, Done) else ""
        return Visit(guest.credential, steps, round(machine, 1), record)
