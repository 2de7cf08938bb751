"""A touch counts once, for the question that was on the screen, and only where a finger could reach."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QPointF

from kiosk.checkin.events import (
    Back,
    Consented,
    Declined,
    FieldsChosen,
    Finished,
    HelpAsked,
    ReservationConfirmed,
    Started,
)
from kiosk.checkin.flow import Ticket
from kiosk.checkin.shown import Shown
from kiosk.checkin.states import (
    AskingFaceConsent,
    AskingFields,
    AskingIdentityConsent,
    Capturing,
    Done,
    IssuingKey,
    Saving,
    Scanning,
    ShowingReservation,
    State,
    Welcome,
)
from kiosk.demo.guests import QUESTIONS
from kiosk.model import Reason
from tests.stopwatch import Stopwatch
from tests.ui.stand import Stand, rect_of
from ui.screen import gate, touch
from ui.screen.glass import Glass
from ui.screen.pictures import paint, settle
from ui.screen.showcase import CASE, RECORD


@pytest.mark.parametrize(
    ("scene", "button", "event"),
    [
        ("welcome", "startButton", Started()),
        ("scan", "backButton", Back()),
        ("scan", "helpButton", HelpAsked()),
        ("consent-identity", "declineButton", Declined()),
        ("reservation", "confirmButton", ReservationConfirmed()),
        ("reservation", "notMineButton", Declined()),
        ("fields", "ethnicityRow_01", FieldsChosen((("ethnicity", "01"),))),
        ("consent-face", "faceStaffButton", Declined()),
        ("capture", "otherWayButton", Back()),
        ("referral-declined", "resumeButton", Back()),
        ("reference", "noBookingButton", Declined()),
        ("done", "finishButton", Finished()),
    ],
)
def test_a_touch_says_what_the_button_says(stand: Stand, scene: str, button: str, event: object) -> None:
    shown = stand.scene(scene).shown
    stand.tap(button)
    assert stand.told.sent == [(event, shown.ticket)]


@pytest.mark.parametrize(("scene", "button"), [("consent-identity", "agreeButton"), ("consent-face", "faceYesButton")])
def test_agreeing_is_to_the_text_and_the_language_on_the_screen(stand: Stand, scene: str, button: str) -> None:
    stand.scene(scene)
    stand.tap("languageButton")
    stand.tap(button)
    [event] = stand.told.events
    assert isinstance(event, Consented)
    assert event.consent.language == "en"
    assert event.consent.purpose == scene.removeprefix("consent-")


def test_everything_the_demo_touches_can_be_touched(stand: Stand) -> None:
    places = {AskingIdentityConsent: "consent-identity", ShowingReservation: "reservation", AskingFields: "fields"}
    asked = [(places[state], names) for state, names in QUESTIONS.items()]
    staff = [
        ("referral-declined", ("staffCorner",)),
        ("staff-pin", (*(f"pinKey_{digit}" for digit in range(10)), "pinOk")),
        ("staff-sheet", ("resolution_document_and_person_seen",)),
    ]
    for scene, names in (*asked, *staff):
        stand.scene(scene)
        assert all(stand.can_tap(name) for name in names), (scene, names)


def double_tap(stand: Stand, name: str, *, between: Callable[[], object] = lambda: None) -> None:
    at = rect_of(stand.item(name)).center()
    for half in (0, 1):
        touch.press(stand.window, at + QPointF(12 * half, 12 * half))
        touch.release(stand.window, at + QPointF(12 * half, 12 * half))
        if half == 0:
            between()


def change(stand: Stand, state: State) -> None:
    """Let a state arrive, and do not wait for the gate."""
    ticket = Ticket(0, stand.screen.gate.ticket.turn + 1)
    stand.screen.show(Shown(ticket, state))
    settle(lambda: stand.screen.gate.ticket == ticket)
    paint(stand.window)


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the gate stay shut for longer than a busy machine needs to paint."""
    monkeypatch.setattr(gate, "SETTLE_MS", 1500)
    monkeypatch.setattr(gate, "REPEAT_S", 3.0)


@pytest.mark.usefixtures("unhurried")
def test_the_second_half_of_a_double_tap_answers_nothing(stand: Stand) -> None:
    stand.scene("reservation")
    double_tap(stand, "confirmButton")
    assert stand.told.events == [ReservationConfirmed()]


@pytest.mark.usefixtures("unhurried")
def test_nor_does_it_answer_the_question_that_came_between(stand: Stand) -> None:
    """Both buttons lie in the same place: "agree" to the identity, and at once the face."""
    stand.scene("consent-identity")
    double_tap(stand, "declineButton", between=lambda: change(stand, AskingFaceConsent(CASE)))
    assert stand.told.events == [Declined()]
    assert not stand.can_tap("faceStaffButton")
    assert stand.can_tap("faceYesButton")
    stand.wait(lambda: stand.can_tap("faceStaffButton"))


def test_a_guest_who_answers_quickly_does_not_wait(stand: Stand) -> None:
    stand.scene("reservation")
    stand.tap("confirmButton")
    change(stand, AskingFaceConsent(CASE))
    assert stand.can_tap("faceYesButton")
    touch.tap(stand.window, "faceYesButton")
    assert len(stand.told.sent) == 2


@pytest.mark.usefixtures("unhurried")
def test_a_finger_on_its_way_down_when_the_screen_changed_meant_the_screen_before(stand: Stand) -> None:
    stand.scene("welcome")
    change(stand, AskingIdentityConsent(CASE))
    assert not stand.can_tap("agreeButton")
    at = rect_of(stand.item("agreeButton")).center()
    touch.press(stand.window, at)
    stand.wait(lambda: stand.screen.gate.open)
    touch.release(stand.window, at)
    assert stand.told.sent == []
    stand.tap("agreeButton")
    assert len(stand.told.sent) == 1


@pytest.mark.usefixtures("unhurried")
def test_the_kiosk_s_own_turns_between_do_not_hide_that_the_screen_changed(stand: Stand) -> None:
    stand.scene("capture")
    change(stand, Saving(CASE))
    change(stand, IssuingKey(CASE, RECORD))
    change(stand, Done(RECORD, "0808"))
    assert not stand.can_tap("finishButton")
    stand.wait(lambda: stand.can_tap("finishButton"))


def test_after_the_kiosk_s_own_turn_a_question_can_be_answered_at_once(stand: Stand) -> None:
    stand.scene("resolving")
    change(stand, ShowingReservation(CASE))
    assert stand.can_tap("confirmButton")


def test_a_hint_does_not_close_the_gate(stand: Stand) -> None:
    stand.show(Capturing(CASE))
    stand.screen.show(Shown(Ticket(1, 1), Capturing(CASE, hint=Reason.FACE_TOO_FAR)))
    settle(lambda: touch.find(stand.window, "hintNotice") is not None)
    assert stand.can_tap("otherWayButton")


def test_a_finger_that_leaves_the_button_changed_its_mind(stand: Stand) -> None:
    stand.scene("reservation")
    touch.press(stand.window, rect_of(stand.item("confirmButton")).center())
    touch.release(stand.window, QPointF(stand.window.width() / 2, 40))
    assert stand.told.sent == []


def test_nothing_under_the_idle_warning_can_be_touched(stand: Stand) -> None:
    stand.scene("reservation")
    at = rect_of(stand.item("confirmButton")).center()
    stand.scene("idle-warning")
    assert not stand.can_tap("confirmButton")
    with pytest.raises(LookupError):
        touch.tap(stand.window, "confirmButton")
    touch.press(stand.window, at)
    touch.release(stand.window, at)
    assert stand.told.sent == []


def test_still_here_extends_as_often_as_wanted(stand: Stand) -> None:
    for _ in range(3):
        stand.scene("idle-warning")
        assert "17" in " ".join(stand.texts())
        stand.tap("stillHereButton")
    assert len(stand.told.of("still_here")) == 3
    stand.scene("reservation")
    assert not any(item.objectName() == "stillHereButton" for item in stand.items(seen=True))
    assert stand.can_tap("confirmButton")


def test_what_does_not_work_now_is_said_before_the_touch_and_cannot_be_touched(stand: Stand) -> None:
    stand.scene("welcome-no-camera")
    assert not stand.can_tap("startButton")
    assert "扫码暂时不能用" in " ".join(stand.texts())
    assert "出示" not in " ".join(text for text in stand.texts() if "扫码" not in text)
    stand.scene("welcome-offline")
    assert stand.can_tap("startButton")
    assert "网络暂时不通" in " ".join(stand.texts())


def test_a_kiosk_that_has_just_started_asks_for_a_moment(stand: Stand) -> None:
    stand.show(Welcome(), visit=0, codes=False, face=False, online=False, keys=False)
    assert "本机正在准备，请稍候，也可以到前台办理" in stand.texts()
    assert not stand.can_tap("startButton")


def test_any_touch_shows_that_somebody_is_here_once_a_second(stand: Stand) -> None:
    stand.scene("consent-identity")
    watch = Stopwatch()
    for at in (QPointF(540, 300), QPointF(540, 900), QPointF(540, 500)):
        touch.press(stand.window, at)
        touch.release(stand.window, at)
    assert watch.seconds() < 1
    assert len(stand.told.of("activity")) == 1
    assert stand.told.sent == []


def test_a_row_that_is_scrolled_out_of_sight_cannot_be_touched(stand: Stand) -> None:
    stand.scene("fields")
    assert stand.can_tap("ethnicityRow_01")
    assert not stand.can_tap("ethnicityRow_56")
    stand.item("ethnicityList").setProperty("contentY", 10_000)
    stand.item("ethnicityList").setProperty("contentY", stand.item("ethnicityList").property("contentHeight") - 600)
    paint(stand.window)
    assert not stand.can_tap("ethnicityRow_01")
    stand.tap("ethnicityRow_56")
    assert stand.told.events == [FieldsChosen((("ethnicity", "56"),))]


def test_dragging_the_list_chooses_nothing(stand: Stand) -> None:
    from PySide6.QtTest import QTest

    stand.scene("fields")
    at = rect_of(stand.item("ethnicityRow_11")).center()
    touch.press(stand.window, at)
    for step in range(1, 12):
        sequence = QTest.touchEvent(stand.window, touch.finger(), autoCommit=False)
        sequence.move(0, (at - QPointF(0, 20 * step)).toPoint(), stand.window)
        sequence.commit(processEvents=False)
        paint(stand.window)
    touch.release(stand.window, at - QPointF(0, 220))
    assert stand.told.sent == []
    assert stand.item("ethnicityList").property("contentY") > 50


@pytest.mark.timeout(60)
def test_the_glass_is_touched_and_seen_from_another_thread(stand: Stand, tmp_path: Path) -> None:
    painted: list[tuple[Ticket, float]] = []
    glass = Glass(stand.screen, lambda ticket, at: painted.append((ticket, at)))
    done = threading.Event()
    errors: list[Exception] = []

    def script() -> None:
        try:
            glass.tap("startButton")
            glass.grab(tmp_path / "welcome.png")
            assert not glass.can_tap("confirmButton")
        except Exception as error:
            errors.append(error)
        done.set()

    ticket = Ticket(3, 1)
    stand.screen.show(Shown(ticket, Welcome()))
    thread = threading.Thread(target=script)
    thread.start()
    stand.wait(done.is_set)
    thread.join()
    assert not errors
    assert stand.told.sent == [(Started(), ticket)]
    assert (tmp_path / "welcome.png").stat().st_size > 10_000
    assert [each for each, _ in painted] == [ticket]


def test_a_screen_counts_as_painted_only_once_it_can_be_touched(stand: Stand) -> None:
    told: list[tuple[Ticket, bool]] = []
    glass = Glass(stand.screen, lambda ticket, at: told.append((ticket, stand.screen.gate.open)))
    shown = stand.show(ShowingReservation(CASE))
    stand.wait(lambda: bool(told))
    again = stand.show(Scanning())
    same = Ticket(1, again.ticket.turn + 1)
    stand.screen.show(Shown(same, Scanning()))
    stand.wait(lambda: len(told) == 3)
    assert told == [(shown.ticket, True), (again.ticket, True), (same, True)]
    glass.deleteLater()


def test_a_control_that_is_not_there_is_told_by_name(make_stand: Callable[..., Stand]) -> None:
    stand = make_stand()
    stand.scene("welcome")
    with pytest.raises(LookupError, match="finishButton"):
        touch.tap(stand.window, "finishButton")
