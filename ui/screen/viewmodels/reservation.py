"""ShowingReservation: is this yours? The name is masked, the room number is not said yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from PySide6.QtCore import Property, QObject, Signal, Slot
from PySide6.QtQml import QmlElement

from kiosk.checkin import events, states
from kiosk.redaction import mask_name as masked
from ui.screen.gate import Gate
from ui.screen.uncreatable import QmlUncreatable
from ui.screen.viewmodels.moment import Moment
from ui.screen.viewmodels.rows import Row, Rows

QML_IMPORT_NAME = "Kiosk.ViewModels"
QML_IMPORT_MAJOR_VERSION = 1


@dataclass(frozen=True, slots=True)
class ReservationProps:
    heading: str = ""
    facts: tuple[Row, ...] = ()
    confirm: str = ""
    not_mine: str = ""


def derive(moment: Moment) -> ReservationProps:
    state, say = moment.shown.state, moment.say
    if not isinstance(state, states.ShowingReservation) or state.case.reservation is None:
        return ReservationProps()
    stay, identity = state.case.reservation, state.case.identity
    count = (stay.departure - stay.arrival).days
    nights = say("reservation.one_night") if count == 1 else say("reservation.nights", nights=count)
    return ReservationProps(
        heading=say("reservation.heading"),
        facts=(
            ("guest", say("reservation.guest"), masked(identity.name if identity is not None else "")),
            ("room_type", say("reservation.room_type"), stay.room_type),
            ("arrival", say("reservation.arrival"), _day(moment, stay.arrival)),
            ("departure", say("reservation.departure"), f"{_day(moment, stay.departure)} · {nights}"),
        ),
        confirm=say("reservation.confirm"),
        not_mine=say("reservation.not_mine"),
    )


def _day(moment: Moment, day: date) -> str:
    return moment.say("reservation.date", month=moment.say(f"month.{day.month}"), day=day.day)


@QmlElement
@QmlUncreatable("made by ui.screen")
class ReservationViewModel(QObject):
    changed = Signal()

    def __init__(self, gate: Gate, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._gate = gate
        self._props = ReservationProps()
        self._facts = Rows(self)

    def show(self, moment: Moment) -> None:
        props = derive(moment)
        if props != self._props:
            self._props = props
            self._facts.replace(props.facts)
            self.changed.emit()

    @Slot()
    def confirm(self) -> None:
        self._gate.send(events.ReservationConfirmed())

    @Slot()
    def notMine(self) -> None:
        self._gate.send(events.Declined())

    @Property(str, notify=changed, final=True)
    def heading(self) -> str:
        return self._props.heading

    @Property(Rows, notify=changed, final=True)
    def facts(self) -> Rows:
        return self._facts

    @Property(str, notify=changed, final=True)
    def confirmWords(self) -> str:
        return self._props.confirm

    @Property(str, notify=changed, final=True)
    def notMineWords(self) -> str:
        return self._props.not_mine
