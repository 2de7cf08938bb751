"""Both consents: exactly the versioned text, and two equal answers."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Property, QObject, Signal, Slot
from PySide6.QtQml import QmlElement

from kiosk.checkin import consent, events, states
from kiosk.checkin.states import State
from ui.screen.gate import Gate
from ui.screen.uncreatable import QmlUncreatable
from ui.screen.viewmodels.moment import Moment
from ui.screen.viewmodels.rows import Row, Rows

QML_IMPORT_NAME = "Kiosk.ViewModels"
QML_IMPORT_MAJOR_VERSION = 1


@dataclass(frozen=True, slots=True)
class ConsentProps:
    purpose: str = ""
    """``identity`` or ``face``; empty when nothing is asked."""
    language: str = ""
    """Of the text that is shown: the consent names it."""
    heading: str = ""
    title: str = ""
    paragraphs: tuple[Row, ...] = ()
    more: str = ""
    agree: str = ""
    agree_hint: str = ""
    decline: str = ""
    decline_hint: str = ""


def derive(moment: Moment) -> ConsentProps:
    purpose = _purpose(moment.shown.state)
    if purpose is None:
        return ConsentProps()
    text, say = consent.text(purpose, moment.language), moment.say
    return ConsentProps(
        purpose=purpose,
        language=moment.language,
        heading=say(f"consent.{purpose}.heading"),
        title=text.title,
        paragraphs=tuple((str(at), paragraph, "") for at, paragraph in enumerate(text.paragraphs)),
        more=say("consent.more"),
        agree=say(f"consent.{purpose}.agree"),
        agree_hint=say(f"consent.{purpose}.agree_hint"),
        decline=say(f"consent.{purpose}.decline"),
        decline_hint=say(f"consent.{purpose}.decline_hint"),
    )


def _purpose(state: State) -> str | None:
    match state:
        case states.AskingIdentityConsent():
            return "identity"
        case states.AskingFaceConsent():
            return "face"
        case _:
            return None


@QmlElement
@QmlUncreatable("made by ui.screen")
class ConsentViewModel(QObject):
    changed = Signal()

    def __init__(self, gate: Gate, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._gate = gate
        self._props = ConsentProps()
        self._paragraphs = Rows(self)

    def show(self, moment: Moment) -> None:
        props = derive(moment)
        if props != self._props:
            self._props = props
            self._paragraphs.replace(props.paragraphs)
            self.changed.emit()

    @Slot()
    def agree(self) -> None:
        """Consent to the text that is on the screen, in its language."""
        if self._props.purpose and self._gate.pass_once():
            given = self._gate.hands.new_consent(self._props.purpose, self._props.language)
            self._gate.answer(events.Consented(given))

    @Slot()
    def decline(self) -> None:
        self._gate.send(events.Declined())

    @Property(bool, notify=changed, final=True)
    def aboutFace(self) -> bool:
        return self._props.purpose == "face"

    @Property(str, notify=changed, final=True)
    def heading(self) -> str:
        return self._props.heading

    @Property(str, notify=changed, final=True)
    def title(self) -> str:
        return self._props.title

    @Property(Rows, notify=changed, final=True)
    def paragraphs(self) -> Rows:
        return self._paragraphs

    @Property(str, notify=changed, final=True)
    def more(self) -> str:
        return self._props.more

    @Property(str, notify=changed, final=True)
    def agreeWords(self) -> str:
        return self._props.agree

    @Property(str, notify=changed, final=True)
    def agreeHint(self) -> str:
        return self._props.agree_hint

    @Property(str, notify=changed, final=True)
    def declineWords(self) -> str:
        return self._props.decline

    @Property(str, notify=changed, final=True)
    def declineHint(self) -> str:
        return self._props.decline_hint
