"""What is the same on every screen: brand, steps, foot bar, the idle warning, which screen is up."""

from __future__ import annotations

import time
from dataclasses import dataclass

from PySide6.QtCore import Property, QObject, Signal, Slot
from PySide6.QtQml import QmlElement

from kiosk.checkin import events, states
from kiosk.checkin.states import State
from kiosk.model import Case
from ui.screen import i18n
from ui.screen.gate import Gate
from ui.screen.tastes import Tastes
from ui.screen.uncreatable import QmlUncreatable
from ui.screen.viewmodels.moment import Moment

QML_IMPORT_NAME = "Kiosk.ViewModels"
QML_IMPORT_MAJOR_VERSION = 1

STEPS = 5
FEEL_EVERY_S = 1.0

SCREENS: dict[type[object], tuple[str, int]] = {
    states.Welcome: ("welcome", 0),
    states.Scanning: ("scan", 1),
    states.AskingIdentityConsent: ("consent", 2),
    states.Resolving: ("progress", 2),
    states.LookingUp: ("progress", 3),
    states.AskingReference: ("reference", 3),
    states.ShowingReservation: ("reservation", 3),
    states.AskingFields: ("fields", 3),
    states.AskingFaceConsent: ("consent", 4),
    states.FetchingPortrait: ("progress", 4),
    states.Capturing: ("capture", 4),
    states.Saving: ("progress", 5),
    states.IssuingKey: ("progress", 5),
    states.Done: ("done", 5),
    states.StaffNeeded: ("referral", 0),
}
"""Each state's screen, and its step of the way."""

NO_WAY_BACK = states.Welcome | states.Saving | states.IssuingKey | states.Done
NO_CALL = states.Saving | states.IssuingKey | states.StaffNeeded
"""A record under way ends by itself; at a referral somebody is coming already."""


@dataclass(frozen=True, slots=True)
class FrameProps:
    screen: str = "welcome"
    demo: bool = False
    hotel: str = ""
    banner: str = ""
    step: int = 0
    step_name: str = ""
    back: str = ""
    help: str = ""
    language: str = ""
    contrast: str = ""
    idle_heading: str = ""
    idle_lead: str = ""
    idle_left: str = ""
    """Seconds, in digits."""
    idle_stay: str = ""
    idle_stay_other: str = ""


def derive(moment: Moment) -> FrameProps:
    """Return the frame; an empty word means that the thing is not offered now."""
    state, say = moment.shown.state, moment.say
    screen, step = SCREENS[type(state)]
    if isinstance(state, states.StaffNeeded):
        step = _step_of(state.case)
    left = moment.shown.idle_warning_s
    return FrameProps(
        screen=screen,
        demo=moment.house.demo,
        hotel=moment.house.name(moment.language),
        banner=say("demo.banner") if moment.house.demo else "",
        step=step,
        step_name=say(f"step.{step}") if step else "",
        back=say("foot.back") if _leads_back(state) else "",
        help=say("foot.help") if not isinstance(state, NO_CALL) else "",
        language=i18n.LANGUAGE_NAMES[_other(moment)] if len(moment.house.languages) > 1 else "",
        contrast=say("foot.contrast_off" if moment.high_contrast else "foot.contrast"),
        idle_heading=say("idle.heading") if left is not None else "",
        idle_lead=say("idle.lead", seconds=left) if left is not None else "",
        idle_left=str(left) if left is not None else "",
        idle_stay=say("idle.stay") if left is not None else "",
        idle_stay_other=say("idle.stay_other") if left is not None else "",
    )


def _leads_back(state: State) -> bool:
    if isinstance(state, states.StaffNeeded):
        return state.resume is not None
    return not isinstance(state, NO_WAY_BACK)


def _other(moment: Moment) -> str:
    """Return the language that the foot bar's key switches to."""
    known = moment.house.languages
    return known[(known.index(moment.language) + 1) % len(known)] if moment.language in known else known[0]


def _step_of(case: Case | None) -> int:
    """Return how far a visit had come when staff were called."""
    if case is None:
        return 1
    if case.identity is None:
        return 2
    if not case.confirmed:
        return 3
    return 5 if case.verification is not None else 4


@QmlElement
@QmlUncreatable("made by ui.screen")
class FrameViewModel(QObject):
    changed = Signal()
    gateChanged = Signal()

    def __init__(self, gate: Gate, tastes: Tastes, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._gate, self._tastes = gate, tastes
        self._props = FrameProps()
        self._felt_at = -FEEL_EVERY_S
        gate.changed.connect(self.gateChanged)

    def show(self, moment: Moment) -> None:
        props = derive(moment)
        if props != self._props:
            self._props = props
            self.changed.emit()

    @Slot()
    def goBack(self) -> None:
        self._gate.send(events.Back())

    @Slot()
    def callHelp(self) -> None:
        self._gate.send(events.HelpAsked())

    @Slot()
    def switchLanguage(self) -> None:
        self._tastes.next_language()

    @Slot()
    def switchContrast(self) -> None:
        self._tastes.toggle_contrast()

    @Slot()
    def stay(self) -> None:
        self._gate.hands.still_here()

    @Slot(float, float)
    def feel(self, x: float, y: float) -> None:
        """A finger came down on the screen, wherever: somebody is here."""
        self._gate.finger(x, y)
        now = time.monotonic()
        if now - self._felt_at >= FEEL_EVERY_S:
            self._felt_at = now
            self._gate.hands.activity()

    @Slot()
    def openStaffSheet(self) -> None:
        self._gate.hands.staff_open()

    @Property(bool, notify=gateChanged, final=True)
    def ready(self) -> bool:
        return self._gate.open

    @Property(str, notify=changed, final=True)
    def screen(self) -> str:
        return self._props.screen

    @Property(bool, notify=changed, final=True)
    def demo(self) -> bool:
        return self._props.demo

    @Property(str, notify=changed, final=True)
    def hotel(self) -> str:
        return self._props.hotel

    @Property(str, notify=changed, final=True)
    def banner(self) -> str:
        return self._props.banner

    @Property(int, notify=changed, final=True)
    def step(self) -> int:
        return self._props.step

    @Property(int, notify=changed, final=True)
    def steps(self) -> int:
        return STEPS

    @Property(str, notify=changed, final=True)
    def stepName(self) -> str:
        return self._props.step_name

    @Property(str, notify=changed, final=True)
    def back(self) -> str:
        return self._props.back

    @Property(str, notify=changed, final=True)
    def help(self) -> str:
        return self._props.help

    @Property(str, notify=changed, final=True)
    def language(self) -> str:
        return self._props.language

    @Property(str, notify=changed, final=True)
    def contrast(self) -> str:
        return self._props.contrast

    @Property(str, notify=changed, final=True)
    def idleHeading(self) -> str:
        return self._props.idle_heading

    @Property(str, notify=changed, final=True)
    def idleLead(self) -> str:
        return self._props.idle_lead

    @Property(str, notify=changed, final=True)
    def idleLeft(self) -> str:
        return self._props.idle_left

    @Property(str, notify=changed, final=True)
    def idleStay(self) -> str:
        return self._props.idle_stay

    @Property(str, notify=changed, final=True)
    def idleStayOther(self) -> str:
        return self._props.idle_stay_other
