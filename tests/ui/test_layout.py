"""Every screen, in every language and every way to read it: nothing is cut, covered, too small or out of reach."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import pytest

from kiosk.checkin.states import Capturing, Done, Scanning, ShowingReservation, StaffNeeded, State
from kiosk.config import Config, KioskSection, ScreenSection
from kiosk.model import Hint, Reason
from kiosk.staff.resolutions import offered
from kiosk.staff.sheet import SheetState
from tests.ui.layout import faults
from tests.ui.stand import SCENES, Stand, rect_of
from ui.screen import i18n
from ui.screen.pictures import paint
from ui.screen.showcase import CASE, RECORD, STAY

WAYS = {"standard": (), "elder": ("elderButton",), "elder, high contrast": ("elderButton", "contrastButton")}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_screen_is_whole(make_stand: Callable[..., Stand], language: str, way: str) -> None:
    languages = ("zh-CN", "en") if language == "zh-CN" else ("en", "zh-CN")
    stand = make_stand(Config(screen=ScreenSection(languages=languages)))
    stand.read(WAYS[way])
    found = {}
    for name in SCENES:
        stand.scene(name, touched=False)
        if wrong := faults(stand):
            found[name] = wrong
    assert not found


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_reason_and_hint_has_room_in_large_type(make_stand: Callable[..., Stand], language: str) -> None:
    languages = ("zh-CN", "en") if language == "zh-CN" else ("en", "zh-CN")
    stand = make_stand(Config(screen=ScreenSection(languages=languages)))
    stand.read(("elderButton",))
    found = {}
    for state in _every_word():
        stand.look(state, number="417")
        if wrong := faults(stand):
            found[repr(state)] = wrong
    assert not found


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_the_staff_sheet_has_room_for_every_reason(make_stand: Callable[..., Stand], language: str, way: str) -> None:
    languages = ("zh-CN", "en") if language == "zh-CN" else ("en", "zh-CN")
    stand = make_stand(Config(screen=ScreenSection(languages=languages)))
    stand.read(WAYS[way])
    stand.scene("staff-sheet", touched=False)
    found = {}

    def told(reason: Reason) -> bool:
        return stand.text("staffReason") == i18n.say(language, f"staff.{reason.value}")

    for reason in Reason:
        stand.screen.show_sheet(SheetState("unlocked", "", 0, "chen", 60, reason, offered(reason)))
        stand.wait(partial(told, reason))
        paint(stand.window)
        if wrong := faults(stand):
            found[reason.value] = wrong
    assert not found


@pytest.mark.parametrize("way", WAYS)
def test_a_list_that_goes_on_shows_half_a_row_of_it(stand: Stand, way: str) -> None:
    stand.read(WAYS[way])
    stand.scene("fields", touched=False)
    end = rect_of(stand.item("ethnicityList")).bottom()
    rows = [rect_of(item) for item in stand.items() if item.objectName().startswith("ethnicityRow_")]
    [*_, cut] = sorted((row for row in rows if row.top() < end), key=lambda row: row.top())
    assert 0.3 < (end - cut.top()) / cut.height() < 0.7


def _every_word() -> Iterator[State]:
    back = Scanning()
    for reason in Reason:
        yield StaffNeeded(reason, CASE, None, back)
        if reason.value.startswith("code."):
            yield Scanning(refused=reason, hint=Hint.FLATTER)
        if reason.value.startswith("face."):
            yield Capturing(CASE, 1, hint=reason, refused=Reason.NOT_LIVE)
    for hint in Hint:
        yield Scanning(hint=hint)


def test_the_longest_names_that_a_house_may_have_fit(make_stand: Callable[..., Stand]) -> None:
    house = KioskSection(
        hotel_name_zh="上海随住示范国际大酒店" * 2 + "行政会议中心分店", hotel_name_en="The Suizhu " * 5
    )
    stand = make_stand(Config(kiosk=house))
    stand.read(("elderButton",))
    stay = replace(STAY, room_type="豪华江景行政双床套房（含双早，连住三晚可延迟至十四点退房）")
    for language in ("zh-CN", "en"):
        stand.show(ShowingReservation(replace(CASE, reservation=stay)), visit=0)
        assert not faults(stand), language
        stand.show(Done(RECORD, "A-1208B"), visit=0)
        assert not faults(stand), language
        stand.tap("languageButton")


def test_a_layout_that_is_wrong_is_found(stand: Stand) -> None:
    stand.scene("referral-declined")
    words, button, back = stand.item("referralNext"), stand.item("resumeButton"), stand.item("backButton")
    words.setY(words.y() + rect_of(stand.item("referralNumber")).top() - rect_of(words).top())
    button.setHeight(12 * stand.mm)
    back.setY(-1500)
    wrong = "\n".join(faults(stand))
    for fault in (
        "over each other: “好的，前台同事会看一下您的证件” and “417”",
        "resumeButton: 235.5 x 12.0 mm",
        "backButton is above the lower 60 %",
    ):
        assert fault in wrong, wrong


@pytest.mark.parametrize("diagonal_inch", [21.5, 32.0])
def test_a_millimetre_is_a_millimetre_on_every_panel(make_stand: Callable[..., Stand], diagonal_inch: float) -> None:
    width, height = (1080, 1920) if diagonal_inch < 30 else (2160, 3840)
    stand = make_stand(Config(screen=ScreenSection(width_px=width, height_px=height, diagonal_inch=diagonal_inch)))
    stand.scene("reservation")
    height_mm = rect_of(stand.item("notMineButton")).height() / stand.mm
    assert 23.5 <= height_mm <= 26


def test_both_answers_to_a_face_consent_weigh_the_same(stand: Stand) -> None:
    stand.scene("consent-face")
    face, staff = stand.item("faceYesButton"), stand.item("faceStaffButton")
    assert (face.width(), face.height()) == (staff.width(), staff.height())
    assert rect_of(face).top() == rect_of(staff).top()
    image = stand.window.grabWindow()
    for name in ("left edge", "ground"):
        inset = 1 if name == "left edge" else 30
        colours = {
            image.pixelColor(round(rect_of(it).left()) + inset, round(rect_of(it).center().y())).name()
            for it in (face, staff)
        }
        assert len(colours) == 1


def test_the_foot_never_moves(stand: Stand) -> None:
    places = set()
    for name in ("scan", "consent-face", "reservation", "capture", "fields", "reference"):
        stand.scene(name, touched=False)
        places.add(tuple(rect_of(stand.item(key)).getRect() for key in ("backButton", "helpButton", "languageButton")))
    assert len(places) == 1


def test_every_screen_of_the_demo_says_that_it_is_one(stand: Stand) -> None:
    for name in SCENES:
        stand.scene(name, touched=False)
        assert "演示" in stand.text("demoBanner"), name


def test_a_real_kiosk_has_no_banner(make_stand: Callable[..., Stand]) -> None:
    config = Config()
    stand = make_stand(config.model_copy(update={"kiosk": config.kiosk.model_copy(update={"mode": "production"})}))
    stand.scene("scan")
    assert not any(item.objectName() == "demoBanner" for item in stand.items(seen=True))


def test_the_room_number_is_twenty_millimetres_high(stand: Stand) -> None:
    from PySide6.QtGui import QFontMetricsF

    stand.scene("done")
    font = stand.item("roomNumber").property("font")
    assert QFontMetricsF(font).capHeight() / stand.mm >= 19.9


def test_two_pictures_of_one_screen_are_the_same(stand: Stand) -> None:
    stand.scene("done")
    assert stand.window.grabWindow() == stand.window.grabWindow()
