"""The staff sheet on the screen: a PIN that leaves no trace, the reason, what may be decided, and the way out."""

from __future__ import annotations

import pytest

from kiosk.model import Reason
from kiosk.staff.access import ONE_TIME
from kiosk.staff.duty import Duty
from kiosk.staff.resolutions import CODES, offered
from kiosk.staff.sheet import SheetState
from tests.ui.stand import Stand, rect_of
from ui.screen import i18n, touch
from ui.screen.pictures import paint


def show(stand: Stand, sheet: SheetState) -> None:
    stand.screen.show_sheet(sheet)
    stand.wait(lambda: stand.screen._model.sheet.stage == sheet.stage and stand.screen.gate.open)
    paint(stand.window)


def test_a_clerk_finishes_for_the_guest(stand: Stand) -> None:
    stand.scene("referral-declined")
    stand.tap("staffCorner")
    assert stand.told.of("staff_open") == [()]
    show(stand, SheetState("pin"))
    assert not stand.can_tap("resumeButton")
    assert not stand.can_tap("pinOk")
    for digit in "258014":
        stand.tap(f"pinKey_{digit}")
    stand.tap("pinKey_erase")
    stand.tap("pinOk")
    assert stand.told.of("staff_pin") == [("25801",)]
    show(stand, SheetState("unlocked", "", 0, "chen", 60, Reason.FACE_DECLINED, offered(Reason.FACE_DECLINED)))
    assert stand.text("staffReason") == "客人选择人工核验"
    assert stand.text("staffNumber") == "417"
    assert "证件原件" in stand.text("staffTodo")
    assert stand.item("resolution_document_and_person_seen").property("hint") == "代替刷脸，继续登记、发房卡"
    stand.tap("resolution_document_and_person_seen")
    assert stand.told.of("staff_approve") == [("document_and_person_seen",)]
    assert stand.told.sent == []


@pytest.mark.parametrize(
    ("button", "told"),
    [("retryButton", "staff_retry"), ("endVisitButton", "staff_end"), ("closeSheetButton", "staff_close")],
)
def test_the_other_ways_out(stand: Stand, button: str, told: str) -> None:
    stand.scene("staff-sheet")
    stand.tap(button)
    assert len(stand.told.of(told)) == 1


def test_a_decision_is_taken_once(stand: Stand) -> None:
    stand.scene("staff-sheet")
    at = rect_of(stand.item("resolution_document_and_person_seen")).center()
    for _ in range(2):
        touch.press(stand.window, at)
        touch.release(stand.window, at)
    assert len(stand.told.of("staff_approve")) == 1


def test_while_locked_out_no_key_answers(stand: Stand) -> None:
    stand.scene("staff-pin-locked")
    assert "287" in " ".join(stand.texts())
    assert not stand.can_tap("pinKey_1")
    assert not stand.item("pinKey_1").property("available")
    assert stand.can_tap("closeSheetButton")


def test_a_wrong_pin_clears_the_digits_and_new_ones_stay(stand: Stand) -> None:
    stand.scene("staff-pin")
    show(stand, SheetState("pin", "pin.wrong"))
    sheet = stand.screen._model.sheet
    stand.wait(lambda: sheet.digits == 0)
    assert "密码不对" in " ".join(stand.texts())
    stand.tap("pinKey_3")
    stand.screen.show_sheet(SheetState("pin", "pin.wrong"))
    stand.scene("staff-pin-wrong")
    assert sheet.digits == 1


def test_digits_do_not_wait_for_the_next_clerk(stand: Stand) -> None:
    stand.scene("staff-pin")
    sheet = stand.screen._model.sheet
    assert sheet.digits == 4
    show(stand, SheetState())
    assert sheet.digits == 0


def test_with_nobody_waiting_there_is_nothing_to_decide(stand: Stand) -> None:
    stand.scene("staff-sheet-nobody")
    assert stand.text("staffReason") == "现在没有客人等候"
    names = {item.objectName() for item in stand.items(seen=True)}
    assert not names & {"retryButton", "endVisitButton"}
    assert not any(name.startswith("resolution_") for name in names)
    assert stand.can_tap("closeSheetButton")


def test_staff_see_how_the_outbox_stands_and_a_guest_never_does(stand: Stand) -> None:
    stand.scene("staff-sheet-overdue")
    rows = [item.property("text") for item in stand.items(seen=True) if item.objectName() == "duty_bad"]
    assert len(rows) == 5
    assert any("71 小时" in row for row in rows)
    assert any("187 MB" in row for row in rows)
    late = SheetState("unlocked", "", 0, "chen", 60, None, (), Duty(line="waits"))
    show(stand, late)
    stand.wait(lambda: "暂时不通，会自动再试" in stand.texts())
    show(stand, SheetState("pin"))
    assert not any("暂时不通" in text for text in stand.texts())


def test_the_number_is_told_before_the_pin_and_the_reason_only_after_it(stand: Stand) -> None:
    stand.scene("staff-pin")
    assert stand.text("pinNumber") == "417"
    assert not any("客人选择人工核验" in text for text in stand.texts())


def test_every_resolution_becomes_a_button_with_words(stand: Stand) -> None:
    stand.scene("staff-sheet")
    for code in sorted(CODES):
        show(stand, SheetState("unlocked", "", 0, "chen", 60, Reason.PARTY, (code,)))
        assert stand.item(f"resolution_{code}").property("label") == i18n.resolution("zh-CN", code)


def test_the_one_time_pin_is_called_so_in_words(stand: Stand) -> None:
    stand.scene("referral-declined")
    show(stand, SheetState("unlocked", "", 0, ONE_TIME.name, 60, Reason.HELP, ()))
    assert "一次性密码 已登录" in stand.texts()


def test_the_sheet_speaks_the_language_of_the_screen(stand: Stand) -> None:
    stand.scene("referral-declined")
    stand.tap("languageButton")
    show(stand, SheetState("pin"))
    assert "Please enter your staff PIN" in stand.texts()
