"""The kiosk's own turn: quiet words about what it is doing."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Property, QObject, Signal
from PySide6.QtQml import QmlElement

from kiosk.checkin import states
from kiosk.checkin.states import State
from ui.screen.uncreatable import QmlUncreatable
from ui.screen.viewmodels.moment import Moment

QML_IMPORT_NAME = "Kiosk.ViewModels"
QML_IMPORT_MAJOR_VERSION = 1


@dataclass(frozen=True, slots=True)
class ProgressProps:
    heading: str = ""
    lead: str = ""
    about_key: bool = False
    """The drawing shows the key instead of the ring."""


def derive(moment: Moment) -> ProgressProps:
    task = _task(moment.shown.state)
    if task is None:
        return ProgressProps()
    lead = "progress.saving_slow" if task == "saving_slow" else f"progress.{task}_lead"
    heading = "progress.saving" if task == "saving_slow" else f"progress.{task}"
    return ProgressProps(moment.say(heading), moment.say(lead), about_key=task == "issuing_key")


def _task(state: State) -> str | None:
    match state:
        case states.Resolving():
            return "resolving"
        case states.LookingUp():
            return "looking_up"
        case states.FetchingPortrait():
            return "fetching_portrait"
        case states.Saving(slow=slow):
            return "saving_slow" if slow else "saving"
        case states.IssuingKey():
            return "issuing_key"
        case _:
            return None


@QmlElement
@QmlUncreatable("made by ui.screen")
class ProgressViewModel(QObject):
    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._props = ProgressProps()

    def show(self, moment: Moment) -> None:
        props = derive(moment)
        if props != self._props:
            self._props = props
            self.changed.emit()

    @Property(str, notify=changed, final=True)
    def heading(self) -> str:
        return self._props.heading

    @Property(str, notify=changed, final=True)
    def lead(self) -> str:
        return self._props.lead

    @Property(bool, notify=changed, final=True)
    def aboutKey(self) -> bool:
        return self._props.about_key
