"""Scanning: where to hold the phone, and what would help the reader."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Property, QObject, Signal
from PySide6.QtQml import QmlElement

from kiosk.checkin import states
from ui.screen.preview import Frames
from ui.screen.uncreatable import QmlUncreatable
from ui.screen.viewmodels.moment import Moment

QML_IMPORT_NAME = "Kiosk.ViewModels"
QML_IMPORT_MAJOR_VERSION = 1


@dataclass(frozen=True, slots=True)
class ScanProps:
    heading: str = ""
    lead: str = ""
    caption: str = ""
    no_code: str = ""
    hint: str = ""
    refused: str = ""


def derive(moment: Moment) -> ScanProps:
    state, say = moment.shown.state, moment.say
    if not isinstance(state, states.Scanning):
        return ScanProps()
    return ScanProps(
        heading=say("scan.heading"),
        lead=say("scan.lead"),
        caption=say("scan.seen_by_you"),
        no_code=say("scan.no_code"),
        hint=say(state.hint.value) if state.hint is not None else "",
        refused=say(state.refused.value) if state.refused is not None else "",
    )


@QmlElement
@QmlUncreatable("made by ui.screen")
class ScanViewModel(QObject):
    changed = Signal()

    def __init__(self, frames: Frames, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._frames = frames
        self._props = ScanProps()

    def show(self, moment: Moment) -> None:
        props = derive(moment)
        if props != self._props:
            self._props = props
            self.changed.emit()

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
    def caption(self) -> str:
        return self._props.caption

    @Property(str, notify=changed, final=True)
    def noCode(self) -> str:
        return self._props.no_code

    @Property(str, notify=changed, final=True)
    def hint(self) -> str:
        return self._props.hint

    @Property(str, notify=changed, final=True)
    def refused(self) -> str:
        return self._props.refused
