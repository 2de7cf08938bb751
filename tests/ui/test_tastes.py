"""Language, large type and contrast belong to the guest: kept through the visit, forgotten after it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QTimer

from kiosk.checkin.states import AskingReference, Scanning, ShowingReservation, Welcome
from kiosk.config import Config, ScreenSection
from tests.ui.stand import Stand
from ui.screen.showcase import CASE


def test_the_language_may_change_in_the_middle_of_a_visit(stand: Stand) -> None:
    stand.show(ShowingReservation(CASE))
    assert stand.text("heading") == "这是您的预订吗？"
    stand.tap("languageButton")
    assert stand.text("heading") == "Is this your booking?"
    assert stand.item("languageButton").property("label") == "中文"
    stand.show(Scanning())
    assert stand.text("heading") == "Please show your code"
    assert stand.told.sent == []


def test_the_contrast_key_says_what_a_touch_leads_to(stand: Stand) -> None:
    stand.show(Welcome(), visit=1)
    label = stand.item("contrastButton")
    assert label.property("label") == "高对比度"
    stand.tap("contrastButton")
    assert label.property("label") == "标准颜色"
    stand.tap("contrastButton")
    assert label.property("label") == "高对比度"


def test_what_was_typed_survives_a_change_of_language(stand: Stand) -> None:
    stand.show(AskingReference(CASE))
    for digit in "48":
        stand.tap(f"keypad_{digit}")
    stand.tap("languageButton")
    assert stand.text("typedReference") == "48"
    assert not stand.can_tap("keypadOk")
    for digit in "21":
        stand.tap(f"keypad_{digit}")
    stand.tap("keypadOk")
    [event] = stand.told.events
    assert event.text == "4821"


def test_a_second_try_begins_empty(stand: Stand) -> None:
    stand.scene("reference")
    assert stand.text("typedReference") == "4821"
    stand.scene("reference-again")
    assert stand.text("typedReference") == ""
    assert "1/3" in " ".join(stand.texts())


def test_the_next_guest_meets_the_house_s_own_screen(stand: Stand) -> None:
    stand.show(Welcome(), visit=1)
    for name in ("elderButton", "languageButton", "contrastButton"):
        stand.tap(name)
    stand.show(Scanning(), visit=1)
    assert stand.text("heading") == "Please show your code"
    assert stand.window.color().name() == "#000000"
    stand.show(Welcome(), visit=2)
    assert stand.text("heading") == "您好，欢迎入住"
    assert stand.window.color().name() == "#f7f4ee"
    assert stand.told.of("elder_mode") == [("True",), ("False",)]


def test_somebody_who_only_changed_the_language_and_left_is_forgotten_too(make_stand: Callable[..., Stand]) -> None:
    stand = make_stand(Config(screen=ScreenSection(idle_s=20)))
    stand.show(Welcome())
    stand.tap("languageButton")
    tastes = stand.screen._tastes
    assert tastes._idle.isActive()
    assert tastes._idle.interval() == 20_000
    tastes._idle.setInterval(1)
    stand.wait(lambda: tastes.language == "zh-CN")
    stand.wait(lambda: stand.text("heading") == "您好，欢迎入住")


def test_a_house_with_one_language_has_no_key_for_it(make_stand: Callable[..., Stand]) -> None:
    stand = make_stand(Config(screen=ScreenSection(languages=("en",))))
    stand.show(Welcome())
    assert stand.text("heading") == "Welcome"
    assert not any(item.objectName() == "languageButton" for item in stand.items(seen=True))


def test_a_closed_screen_waits_for_nothing_any_more(stand: Stand) -> None:
    """A timer that runs on would be ended by whichever thread happens to collect the screen, which Qt forbids."""
    stand.show_welcome()
    stand.tap("languageButton")
    timers = stand.screen._root.findChildren(QTimer)
    assert any(timer.isActive() for timer in timers)
    stand.close()
    assert not any(timer.isActive() for timer in timers)
