"""What a screen reader meets: every control has a role and words, a heading says what is asked, notes speak up."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QAccessible, QAccessibleActionInterface

from kiosk.checkin.events import ReservationConfirmed
from tests.ui.stand import SCENES, Stand, is_touch

Role = QAccessible.Role


@pytest.mark.parametrize("name", SCENES)
def test_every_control_has_a_role_and_a_name(stand: Stand, name: str) -> None:
    stand.scene(name, touched=False)
    spoken = stand.spoken()
    buttons = [each.name for each in spoken if each.role == Role.Button]
    labels = [str(item.property("label")) for item in stand.items(seen=True) if is_touch(item)]
    assert all(any(sign.isalnum() for sign in words) for words in buttons)
    assert sorted(buttons) == sorted(labels)
    assert len(buttons) >= (1 if name in ("idle-warning", "staff-sheet-nobody", "staff-sheet-overdue") else 2)


@pytest.mark.parametrize("name", [name for name in SCENES if not name.startswith("staff")])
def test_every_guest_screen_has_one_heading(stand: Stand, name: str) -> None:
    stand.scene(name, touched=False)
    headings = [each.name for each in stand.spoken() if each.role == Role.Heading]
    assert len([words for words in headings if words]) == 1


@pytest.mark.parametrize("name", ["idle-warning", "staff-pin", "staff-sheet"])
def test_what_is_covered_is_not_there_for_a_screen_reader_either(stand: Stand, name: str) -> None:
    stand.scene(name, touched=False)
    said = {each.name for each in stand.spoken()}
    assert not said & {"这是您的预订吗？", "豪华大床房", "是我的预订", "请到前台继续办理", "返回", "帮助"}


def test_a_hint_speaks_up(stand: Stand) -> None:
    stand.scene("capture-hint")
    assert [each.name for each in stand.spoken() if each.role == Role.AlertMessage and each.name] == ["请靠近一些"]


def test_what_works_now_is_said_in_words(stand: Stand) -> None:
    stand.scene("welcome-offline")
    said = [each.name for each in stand.spoken()]
    assert "扫码：现在可以" in said
    assert "联网核验：暂时不能" in said


def test_a_switch_that_presses_buttons_passes_the_same_gate(stand: Stand) -> None:
    shown = stand.scene("reservation").shown
    button = QAccessible.queryAccessibleInterface(stand.item("confirmButton"))
    actions = button.actionInterface()
    for _ in range(2):
        actions.doAction(QAccessibleActionInterface.pressAction())
    assert stand.told.sent == [(ReservationConfirmed(), shown.ticket)]
