"""AskingReference: digits of the phone or of the confirmation, on a keypad of our own."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Property, QObject, Signal, Slot
from PySide6.QtQml import QmlElement

from kiosk.checkin import events, states
from kiosk.checkin.policy import MAX_REFERENCE_TRIES
from ui.screen.gate import Gate
from ui.screen.uncreatable import QmlUncreatable
from ui.screen.viewmodels.moment import Moment

QML_IMPORT_NAME = "Kiosk.ViewModels"
QML_IMPORT_MAJOR_VERSION = 1

LEAST_DIGITS = 4
MOST_DIGITS = 20


@dataclass(frozen=True, slots=True)
class ReferenceProps:
    asked: bool = False
    tries: int = 0
    heading: str = ""
    lead: str = ""
    again: str = ""
    ok: str = ""
    none: str = ""
    erase: str = ""


def derive(moment: Moment) -> ReferenceProps:
    state, say = moment.shown.state, moment.say
    if not isinstance(state, states.AskingReference):
        return ReferenceProps()
    return ReferenceProps(
        asked=True,
        tries=state.tries,
        heading=say("reference.heading"),
        lead=say("reference.lead"),
        again=say("reference.again", tries=state.tries, most=MAX_REFERENCE_TRIES) if state.tries else "",
        ok=say("reference.ok"),
        none=say("reference.none"),
        erase=say("keypad.erase"),
    )


@QmlElement
@QmlUncreatable("made by ui.screen")
class ReferenceViewModel(QObject):
    changed = Signal()
    typedChanged = Signal()

    def __init__(self, gate: Gate, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._gate = gate
        self._props = ReferenceProps()
        self._typed = ""

    def show(self, moment: Moment) -> None:
        props = derive(moment)
        if (props.asked, props.tries) != (self._props.asked, self._props.tries):
            self._type("")
        if props != self._props:
            self._props = props
            self.changed.emit()

    @Slot(str)
    def press(self, digit: str) -> None:
        if self._props.asked and len(self._typed) < MOST_DIGITS:
            self._type(self._typed + digit)

    @Slot()
    def erase(self) -> None:
        self._type(self._typed[:-1])

    @Slot()
    def find(self) -> None:
        if self._is_complete():
            self._gate.send(events.ReferenceTyped(self._typed))

    @Slot()
    def haveNone(self) -> None:
        self._gate.send(events.Declined())

    def _is_complete(self) -> bool:
        return len(self._typed) >= LEAST_DIGITS

    def _type(self, text: str) -> None:
        if text != self._typed:
            self._typed = text
            self.typedChanged.emit()

    @Property(str, notify=typedChanged, final=True)
    def typed(self) -> str:
        return self._typed

    @Property(bool, notify=typedChanged, final=True)
    def complete(self) -> bool:
        return self._is_complete()

    @Property(str, notify=changed, final=True)
    def heading(self) -> str:
        return self._props.heading

    @Property(str, notify=changed, final=True)
    def lead(self) -> str:
        return self._props.lead

    @Property(str, notify=changed, final=True)
    def again(self) -> str:
        return self._props.again

    @Property(str, notify=changed, final=True)
    def ok(self) -> str:
        return self._props.ok

    @Property(str, notify=changed, final=True)
    def eraseWords(self) -> str:
        return self._props.erase

    @Property(str, notify=changed, final=True)
    def none(self) -> str:
        return self._props.none
