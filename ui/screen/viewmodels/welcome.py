"""Welcome: what to do, what works now, how to read it."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Property, QObject, Signal, Slot
from PySide6.QtQml import QmlElement

from kiosk.checkin import events, states
from kiosk.checkin.shown import Offers
from ui.screen.gate import Gate
from ui.screen.tastes import Tastes
from ui.screen.uncreatable import QmlUncreatable
from ui.screen.viewmodels.moment import Moment
from ui.screen.viewmodels.rows import Row, Rows

QML_IMPORT_NAME = "Kiosk.ViewModels"
QML_IMPORT_MAJOR_VERSION = 1


@dataclass(frozen=True, slots=True)
class WelcomeProps:
    heading: str = ""
    lead: str = ""
    start: str = ""
    start_other: str = ""
    can_start: bool = True
    present: str = ""
    no_code: str = ""
    """Who need not try, and where they go instead."""
    elder: str = ""
    elder_hint: str = ""
    offers: tuple[Row, ...] = ()
    """("yes" or "no", what the capability is called, the same in words for assistive technology); none where no guest
    is served at all: a tick would promise what the notice takes back."""
    notice: str = ""
    """What does not work now, and what to do about it; empty when all works."""


def derive(moment: Moment) -> WelcomeProps:
    if not isinstance(moment.shown.state, states.Welcome):
        return WelcomeProps()
    say, offers = moment.say, moment.shown.offers
    elder = "standard" if moment.elder else "elder"
    return WelcomeProps(
        heading=say("welcome.heading"),
        lead=say("welcome.lead") if offers.begin else "",
        start=say("welcome.start"),
        start_other=say("welcome.start_other"),
        can_start=offers.begin,
        present=say("welcome.present") if offers.begin else "",
        no_code=say("welcome.no_code") if offers.begin else "",
        elder=say(f"welcome.{elder}"),
        elder_hint=say(f"welcome.{elder}_hint"),
        offers=tuple(_offer(moment, name, works=works) for name, works in _listed(offers) if offers.records),
        notice=_notice(moment),
    )


def _notice(moment: Moment) -> str:
    offers = _listed(moment.shown.offers)
    if not any(works for _, works in offers):
        return moment.say("welcome.nothing_yet")
    if not moment.shown.offers.records:
        return moment.say("welcome.records_down")
    return next((moment.say(f"welcome.{name}_down") for name, works in offers if not works), "")


def _offer(moment: Moment, name: str, *, works: bool) -> Row:
    label = moment.say(f"welcome.{name}")
    now = moment.say("welcome.now" if works else "welcome.not_now")
    return "yes" if works else "no", label, moment.say("welcome.offer", offer=label, now=now)


def _listed(offers: Offers) -> tuple[tuple[str, bool], ...]:
    """The order is the guest's: without the first the rest does not matter."""
    return ("codes", offers.begin), ("online", offers.online), ("face", offers.face), ("keys", offers.keys)


@QmlElement
@QmlUncreatable("made by ui.screen")
class WelcomeViewModel(QObject):
    changed = Signal()

    def __init__(self, gate: Gate, tastes: Tastes, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._gate, self._tastes = gate, tastes
        self._props = WelcomeProps()
        self._offers = Rows(self)

    def show(self, moment: Moment) -> None:
        props = derive(moment)
        if props != self._props:
            self._props = props
            self._offers.replace(props.offers)
            self.changed.emit()

    @Slot()
    def start(self) -> None:
        self._gate.send(events.Started())

    @Slot()
    def switchElder(self) -> None:
        self._tastes.toggle_elder()

    @Property(str, notify=changed, final=True)
    def heading(self) -> str:
        return self._props.heading

    @Property(str, notify=changed, final=True)
    def lead(self) -> str:
        return self._props.lead

    @Property(str, notify=changed, final=True)
    def startWords(self) -> str:
        return self._props.start

    @Property(str, notify=changed, final=True)
    def startOther(self) -> str:
        return self._props.start_other

    @Property(bool, notify=changed, final=True)
    def canStart(self) -> bool:
        return self._props.can_start

    @Property(str, notify=changed, final=True)
    def present(self) -> str:
        return self._props.present

    @Property(str, notify=changed, final=True)
    def noCode(self) -> str:
        return self._props.no_code

    @Property(str, notify=changed, final=True)
    def elder(self) -> str:
        return self._props.elder

    @Property(str, notify=changed, final=True)
    def elderHint(self) -> str:
        return self._props.elder_hint

    @Property(Rows, notify=changed, final=True)
    def offers(self) -> Rows:
        return self._offers

    @Property(str, notify=changed, final=True)
    def notice(self) -> str:
        return self._props.notice
