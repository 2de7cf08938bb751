"""The staff sheet: a PIN, then the reason and what a clerk may decide."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Property, QObject, Signal, Slot
from PySide6.QtQml import QmlElement

from ui.screen import i18n
from ui.screen.gate import Gate
from ui.screen.uncreatable import QmlUncreatable
from ui.screen.viewmodels.duty import told
from ui.screen.viewmodels.rows import Row, Rows

if TYPE_CHECKING:
    from kiosk.staff.sheet import SheetState

QML_IMPORT_NAME = "Kiosk.ViewModels"
QML_IMPORT_MAJOR_VERSION = 1

MOST_DIGITS = 12
ONE_TIME_PIN = "one-time-pin"
"""The operator of a kiosk that has no operators file yet, as the audit names it."""


@dataclass(frozen=True, slots=True)
class SheetProps:
    stage: str = "closed"
    title: str = ""
    lead: str = ""
    message: str = ""
    locked: bool = False
    ok: str = ""
    erase: str = ""
    close: str = ""
    operator: str = ""
    locks_in: str = ""
    number_words: str = ""
    number: str = ""
    """What the guest says at the desk; empty when nobody waits."""
    reason_words: str = ""
    reason: str = ""
    todo: str = ""
    resolutions: tuple[Row, ...] = ()
    """(code, decision, what the kiosk does then)"""
    duty: tuple[Row, ...] = ()
    """("good", "warn" or "bad", what it is, how it stands)"""
    retry: str = ""
    retry_means: str = ""
    end: str = ""
    end_means: str = ""


def derive(sheet: SheetState, language: str, number: str) -> SheetProps:
    """Return the sheet of a visit whose guest was given ``number``; an empty one when nobody was."""
    if sheet.stage == "pin":
        return _asking_pin(sheet, language, number)
    return _unlocked(sheet, language, number) if sheet.stage == "unlocked" else SheetProps()


def _asking_pin(sheet: SheetState, language: str, number: str) -> SheetProps:
    message = i18n.say(language, f"sheet.{sheet.message}", seconds=sheet.wait_s) if sheet.message else ""
    return SheetProps(
        stage="pin",
        title=i18n.say(language, "sheet.title"),
        lead=i18n.say(language, "sheet.pin"),
        message=message,
        locked=sheet.wait_s > 0,
        ok=i18n.say(language, "sheet.ok"),
        erase=i18n.say(language, "keypad.erase"),
        close=i18n.say(language, "sheet.close"),
        number_words=i18n.say(language, "sheet.number") if number else "",
        number=number,
    )


def _unlocked(sheet: SheetState, language: str, number: str) -> SheetProps:
    def say(key: str, **values: object) -> str:
        return i18n.say(language, f"sheet.{key}", **values)

    opened = SheetProps(
        stage="unlocked",
        title=say("title"),
        operator=say("operator", operator=_called(sheet.operator, language)),
        locks_in=say("locks_in", seconds=sheet.locks_in_s),
        reason=say("nobody"),
        todo=say("nobody_todo"),
        close=say("lock_now"),
    )
    if sheet.reason is None:
        return replace(opened, duty=told(sheet.duty, language))
    return replace(
        opened,
        number_words=say("number") if number else "",
        number=number,
        reason_words=say("reason"),
        reason=i18n.say(language, f"staff.{sheet.reason.value}"),
        todo=i18n.todo(language, sheet.reason),
        resolutions=tuple(
            (code, i18n.resolution(language, code), i18n.meaning(language, code)) for code in sheet.resolutions
        ),
        retry=say("retry"),
        retry_means=say("retry_means"),
        end=say("end"),
        end_means=say("end_means"),
    )


def _called(operator: str, language: str) -> str:
    return i18n.say(language, "sheet.one_time_pin") if operator == ONE_TIME_PIN else operator


@QmlElement
@QmlUncreatable("made by ui.screen")
class SheetViewModel(QObject):
    changed = Signal()
    pinChanged = Signal()

    def __init__(self, gate: Gate, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._gate = gate
        self._props = SheetProps()
        self._resolutions = Rows(self)
        self._duty = Rows(self)
        self._pin = ""

    def show(self, sheet: SheetState, language: str, number: str) -> None:
        props = derive(sheet, language, number)
        if props != self._props:
            if props.stage != self._props.stage or props.message:
                self._type("")
            self._props = props
            self._resolutions.replace(props.resolutions)
            self._duty.replace(props.duty)
            self.changed.emit()

    @Slot(str)
    def press(self, digit: str) -> None:
        if self._props.stage == "pin" and not self._props.locked and len(self._pin) < MOST_DIGITS:
            self._type(self._pin + digit)

    @Slot()
    def erase(self) -> None:
        self._type(self._pin[:-1])

    @Slot()
    def enter(self) -> None:
        """Hand the PIN over; nothing of it stays here."""
        if self._pin and self._gate.pass_once():
            pin = self._pin
            self._type("")
            self._gate.hands.staff_pin(pin)

    @Slot(str)
    def approve(self, code: str) -> None:
        if self._gate.pass_once():
            self._gate.hands.staff_approve(code)

    @Slot()
    def retry(self) -> None:
        if self._gate.pass_once():
            self._gate.hands.staff_retry()

    @Slot()
    def endVisit(self) -> None:
        if self._gate.pass_once():
            self._gate.hands.staff_end()

    @Slot()
    def close(self) -> None:
        if self._gate.pass_once():
            self._gate.hands.staff_close()

    def _type(self, pin: str) -> None:
        if pin != self._pin:
            self._pin = pin
            self.pinChanged.emit()

    @Property(int, notify=pinChanged, final=True)
    def digits(self) -> int:
        """How many digits are typed; the digits themselves never reach the scene."""
        return len(self._pin)

    @Property(str, notify=changed, final=True)
    def stage(self) -> str:
        return self._props.stage

    @Property(str, notify=changed, final=True)
    def title(self) -> str:
        return self._props.title

    @Property(str, notify=changed, final=True)
    def lead(self) -> str:
        return self._props.lead

    @Property(str, notify=changed, final=True)
    def message(self) -> str:
        return self._props.message

    @Property(bool, notify=changed, final=True)
    def locked(self) -> bool:
        return self._props.locked

    @Property(str, notify=changed, final=True)
    def ok(self) -> str:
        return self._props.ok

    @Property(str, notify=changed, final=True)
    def eraseWords(self) -> str:
        return self._props.erase

    @Property(str, notify=changed, final=True)
    def closeWords(self) -> str:
        return self._props.close

    @Property(str, notify=changed, final=True)
    def operator(self) -> str:
        return self._props.operator

    @Property(str, notify=changed, final=True)
    def locksIn(self) -> str:
        return self._props.locks_in

    @Property(str, notify=changed, final=True)
    def reasonWords(self) -> str:
        return self._props.reason_words

    @Property(str, notify=changed, final=True)
    def reason(self) -> str:
        return self._props.reason

    @Property(str, notify=changed, final=True)
    def numberWords(self) -> str:
        return self._props.number_words

    @Property(str, notify=changed, final=True)
    def number(self) -> str:
        return self._props.number

    @Property(str, notify=changed, final=True)
    def todo(self) -> str:
        return self._props.todo

    @Property(Rows, notify=changed, final=True)
    def resolutions(self) -> Rows:
        return self._resolutions

    @Property(Rows, notify=changed, final=True)
    def duty(self) -> Rows:
        return self._duty

    @Property(str, notify=changed, final=True)
    def retryWords(self) -> str:
        return self._props.retry

    @Property(str, notify=changed, final=True)
    def retryMeans(self) -> str:
        return self._props.retry_means

    @Property(str, notify=changed, final=True)
    def endMeans(self) -> str:
        return self._props.end_means

    @Property(str, notify=changed, final=True)
    def endWords(self) -> str:
        return self._props.end
