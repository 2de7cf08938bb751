"""Capturing: the guest in the oval, what helps, which attempt this is."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Property, QObject, Signal, Slot
from PySide6.QtQml import QmlElement

from kiosk.checkin import events, states
from kiosk.checkin.policy import MAX_CAPTURE_ATTEMPTS
from ui.screen.gate import Gate
from ui.screen.preview import Frames
from ui.screen.uncreatable import QmlUncreatable
from ui.screen.viewmodels.moment import Moment

QML_IMPORT_NAME = "Kiosk.ViewModels"
QML_IMPORT_MAJOR_VERSION = 1


@dataclass(frozen=True, slots=True)
class CaptureProps:
    heading: str = ""
    lead: str = ""
    hint: str = ""
    """What to do now; empty when the frames are good."""
    refused: str = ""
    """Why the attempt before this one failed."""
    attempt: str = ""
    staff: str = ""


def derive(moment: Moment) -> CaptureProps:
    state, say = moment.shown.state, moment.say
    if not isinstance(state, states.Capturing):
        return CaptureProps()
    return CaptureProps(
        heading=say("capture.heading"),
        lead=say("capture.lead"),
        hint=say(state.hint.value) if state.hint is not None else "",
        refused=say(state.refused.value) if state.refused is not None else "",
        attempt=say("capture.attempt", attempt=state.attempts + 1, most=MAX_CAPTURE_ATTEMPTS),
        staff=say("capture.staff"),
    )


@QmlElement
@QmlUncreatable("made by ui.screen")
class CaptureViewModel(QObject):
    changed = Signal()

    def __init__(self, gate: Gate, frames: Frames, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._gate, self._frames = gate, frames
        self._props = CaptureProps()

    def show(self, moment: Moment) -> None:
        props = derive(moment)
        if props != self._props:
            self._props = props
            self.changed.emit()

    @Slot()
    def withdraw(self) -> None:
        """Back to the choice between face and staff; the flow drops what the consent allowed."""
        self._gate.send(events.Back())

    @Property(Frames, notify=changed, final=True)
    def frames(self) -> Frames:
        return self._frames

    @Property(str, notify=changed, final=True)
    def heading(self) -> str:
        return self._props.heading

    @Property(str, notify=changed, final=True)
    def lead(self) -> str:
        return self._props.lead

    @Property(str, notify=changed, final=True)
    def hint(self) -> str:
        return self._props.hint

    @Property(str, notify=changed, final=True)
    def refused(self) -> str:
        return self._props.refused

    @Property(str, notify=changed, final=True)
    def attempt(self) -> str:
        return self._props.attempt

    @Property(str, notify=changed, final=True)
    def staff(self) -> str:
        return self._props.staff
