"""Done: the room, where the key lies, and how to leave nothing behind."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Property, QObject, Signal, Slot
from PySide6.QtQml import QmlElement

from kiosk.checkin import events, states
from ui.screen.gate import Gate
from ui.screen.uncreatable import QmlUncreatable
from ui.screen.viewmodels.moment import Moment

QML_IMPORT_NAME = "Kiosk.ViewModels"
QML_IMPORT_MAJOR_VERSION = 1


@dataclass(frozen=True, slots=True)
class DoneProps:
    heading: str = ""
    wish: str = ""
    by_hand: bool = False
    """No key lies in the slot: the drawing shows the card alone."""
    room: str = ""
    room_no: str = ""
    key: str = ""
    wipe: str = ""
    finish: str = ""


def derive(moment: Moment) -> DoneProps:
    state, say = moment.shown.state, moment.say
    if not isinstance(state, states.Done):
        return DoneProps()
    return DoneProps(
        heading=say("done.heading"),
        wish=say("done.wish"),
        by_hand=state.by_hand,
        room=say("done.room"),
        room_no=state.room_no,
        key=say("done.by_hand" if state.by_hand else "done.take_key"),
        wipe=say("done.wipe"),
        finish=say("done.finish"),
    )


@QmlElement
@QmlUncreatable("made by ui.screen")
class DoneViewModel(QObject):
    changed = Signal()

    def __init__(self, gate: Gate, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._gate = gate
        self._props = DoneProps()

    def show(self, moment: Moment) -> None:
        props = derive(moment)
        if props != self._props:
            self._props = props
            self.changed.emit()

    @Slot()
    def finish(self) -> None:
        self._gate.send(events.Finished())

    @Property(str, notify=changed, final=True)
    def heading(self) -> str:
        return self._props.heading

    @Property(str, notify=changed, final=True)
    def wish(self) -> str:
        return self._props.wish

    @Property(bool, notify=changed, final=True)
    def byHand(self) -> bool:
        return self._props.by_hand

    @Property(str, notify=changed, final=True)
    def room(self) -> str:
        return self._props.room

    @Property(str, notify=changed, final=True)
    def roomNo(self) -> str:
        return self._props.room_no

    @Property(str, notify=changed, final=True)
    def key(self) -> str:
        return self._props.key

    @Property(str, notify=changed, final=True)
    def wipe(self) -> str:
        return self._props.wipe

    @Property(str, notify=changed, final=True)
    def finishWords(self) -> str:
        return self._props.finish
