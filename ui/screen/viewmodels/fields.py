"""AskingFields: the one legal field that a source may lack, chosen from the standard's list."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Property, QObject, Signal, Slot
from PySide6.QtQml import QmlElement

from kiosk.checkin import events, states
from ui.screen.gate import Gate
from ui.screen.i18n import ethnicities
from ui.screen.uncreatable import QmlUncreatable
from ui.screen.viewmodels.moment import Moment
from ui.screen.viewmodels.rows import Row, Rows

QML_IMPORT_NAME = "Kiosk.ViewModels"
QML_IMPORT_MAJOR_VERSION = 1


@dataclass(frozen=True, slots=True)
class FieldsProps:
    heading: str = ""
    lead: str = ""
    choices: tuple[Row, ...] = ()


def derive(moment: Moment) -> FieldsProps:
    state = moment.shown.state
    if not isinstance(state, states.AskingFields):
        return FieldsProps()
    choices = tuple((code, name, "") for code, name in ethnicities.rows(moment.language))
    return FieldsProps(moment.say("fields.heading"), moment.say("fields.lead"), choices)


@QmlElement
@QmlUncreatable("made by ui.screen")
class FieldsViewModel(QObject):
    changed = Signal()

    def __init__(self, gate: Gate, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._gate = gate
        self._props = FieldsProps()
        self._choices = Rows(self)

    def show(self, moment: Moment) -> None:
        props = derive(moment)
        if props != self._props:
            self._props = props
            self._choices.replace(props.choices)
            self.changed.emit()

    @Slot(str)
    def choose(self, code: str) -> None:
        self._gate.send(events.FieldsChosen((("ethnicity", code),)))

    @Property(str, notify=changed, final=True)
    def heading(self) -> str:
        return self._props.heading

    @Property(str, notify=changed, final=True)
    def lead(self) -> str:
        return self._props.lead

    @Property(Rows, notify=changed, final=True)
    def choices(self) -> Rows:
        return self._choices
