"""StaffNeeded: a number to say at the desk, and what happens next."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Property, QObject, Signal, Slot
from PySide6.QtQml import QmlElement

from kiosk.checkin import events, states
from ui.screen import i18n
from ui.screen.gate import Gate
from ui.screen.uncreatable import QmlUncreatable
from ui.screen.viewmodels.moment import Moment

QML_IMPORT_NAME = "Kiosk.ViewModels"
QML_IMPORT_MAJOR_VERSION = 1


@dataclass(frozen=True, slots=True)
class ReferralProps:
    heading: str = ""
    next: str = ""
    number_words: str = ""
    number: str = ""
    say_it: str = ""
    kept: str = ""
    back: str = ""
    staff: str = ""


def derive(moment: Moment) -> ReferralProps:
    state, say = moment.shown.state, moment.say
    if not isinstance(state, states.StaffNeeded):
        return ReferralProps()
    return ReferralProps(
        heading=say("referral.heading"),
        next=i18n.referral(moment.language, state.reason),
        number_words=say("referral.number"),
        number=moment.shown.referral_no,
        say_it=say("referral.say"),
        kept=say("referral.kept") if state.case is not None else "",
        back=say("referral.back") if state.resume is not None else "",
        staff=say("referral.staff"),
    )


@QmlElement
@QmlUncreatable("made by ui.screen")
class ReferralViewModel(QObject):
    changed = Signal()

    def __init__(self, gate: Gate, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._gate = gate
        self._props = ReferralProps()

    def show(self, moment: Moment) -> None:
        props = derive(moment)
        if props != self._props:
            self._props = props
            self.changed.emit()

    @Slot()
    def goBack(self) -> None:
        self._gate.send(events.Back())

    @Slot()
    def openStaffSheet(self) -> None:
        self._gate.hands.staff_open()

    @Property(str, notify=changed, final=True)
    def heading(self) -> str:
        return self._props.heading

    @Property(str, notify=changed, final=True)
    def next(self) -> str:
        return self._props.next

    @Property(str, notify=changed, final=True)
    def numberWords(self) -> str:
        return self._props.number_words

    @Property(str, notify=changed, final=True)
    def number(self) -> str:
        return self._props.number

    @Property(str, notify=changed, final=True)
    def sayIt(self) -> str:
        return self._props.say_it

    @Property(str, notify=changed, final=True)
    def kept(self) -> str:
        return self._props.kept

    @Property(str, notify=changed, final=True)
    def back(self) -> str:
        return self._props.back

    @Property(str, notify=changed, final=True)
    def staff(self) -> str:
        return self._props.staff
