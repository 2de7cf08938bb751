"""After a visit nothing of the guest is left: not in a text, an accessible name, a pixel or the clipboard."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtGui import QGuiApplication, QImage

from kiosk.checkin.states import Capturing, Done, ShowingReservation, StaffNeeded, Welcome
from kiosk.model import Reason
from tests.ui.stand import Stand
from ui.screen.showcase import CASE, GUEST, RECORD, STAY
from ui.screen.viewmodels.reservation import masked

OF_THE_GUEST = (
    "林*例",
    GUEST.name,
    GUEST.id_number,
    "0808",
    "豪华大床房",
    "6 月 1 日",
    "417",
    "4821",
    STAY.confirmation,
)


def heard(stand: Stand) -> list[str]:
    """Every name, description and value that assistive technology finds."""
    return [words for each in stand.spoken() for words in (each.name, each.description, each.value)]


def leave(stand: Stand) -> None:
    stand.show(Welcome(), visit=2)
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    QCoreApplication.processEvents()


def test_after_a_visit_no_word_of_the_guest_is_left(stand: Stand) -> None:
    met = set()
    for name in ("reservation", "reference", "referral-declined", "done"):
        stand.scene(name, visit=1)
        met |= {text for text in (*stand.texts(), *heard(stand)) if any(words in text for words in OF_THE_GUEST)}
    assert len(met) >= 6, "the test must see the guest's words while they are shown"
    leave(stand)
    left = [text for text in (*stand.texts(), *heard(stand)) if any(words in text for words in OF_THE_GUEST)]
    assert left == []
    assert stand.window.title() == "随住示范酒店"
    assert QGuiApplication.clipboard().text() == ""


def test_no_screen_shows_a_whole_name_a_document_number_or_a_code(stand: Stand) -> None:
    for state in (ShowingReservation(CASE), StaffNeeded(Reason.NOT_MATCHED, CASE), Done(RECORD, "0808")):
        stand.show(state)
        everything = "\n".join((*stand.texts(), *heard(stand)))
        for secret in (
            GUEST.name,
            GUEST.id_number,
            GUEST.id_number[-4:],
            CASE.code.payload.decode(),
            STAY.confirmation,
        ):
            assert secret not in everything


def test_the_room_is_not_told_before_the_key(stand: Stand) -> None:
    stand.show(ShowingReservation(CASE))
    assert not any(STAY.room_no in text for text in stand.texts())


def test_a_room_number_and_a_name_are_never_spoken(stand: Stand) -> None:
    stand.show(Done(RECORD, "0808"))
    assert any("0808" in text for text in stand.texts())
    assert "您的房号" in heard(stand)
    assert not any("0808" in text for text in heard(stand))
    stand.show(ShowingReservation(CASE))
    assert "豪华大床房" in heard(stand)
    assert not any("林" in text for text in heard(stand))


def test_the_digits_of_a_pin_never_reach_the_scene(stand: Stand) -> None:
    stand.scene("staff-pin")
    before = sorted((*stand.texts(), *heard(stand)))
    for digit in "7913":
        stand.tap(f"pinKey_{digit}")
    assert sorted((*stand.texts(), *heard(stand))) == before
    stand.tap("pinOk")
    assert stand.told.of("staff_pin") == [("25807913",)]
    assert stand.screen._model.sheet.digits == 0


def test_no_pixel_of_the_guest_is_left(stand: Stand) -> None:
    """A face is painted in a colour that nothing else has; after the visit no pixel has it."""
    stand.frame = (1, memoryview(bytes((200, 30, 250)) * (1280 * 720)))
    stand.show(Capturing(CASE))
    assert _has_magenta(stand.window.grabWindow())
    stand.show(StaffNeeded(Reason.HELP, CASE, None, None))
    assert not _has_magenta(stand.window.grabWindow())
    leave(stand)
    assert not _has_magenta(stand.window.grabWindow())
    assert not any(item.metaObject().className().startswith("Preview") for item in stand.items())


def _has_magenta(image: QImage) -> bool:
    plain = image.convertToFormat(QImage.Format.Format_RGB32)  # named, so that it outlives the view on its pixels
    pixels = np.frombuffer(plain.constBits(), np.uint8).reshape(plain.height(), plain.width(), 4).astype(np.int16)
    return bool((np.abs(pixels[:, :, :3] - (200, 30, 250)).max(axis=2) < 12).any())


def test_a_name_is_masked_so_that_only_its_bearer_knows_it() -> None:
    assert masked("林示例") == "林*例"
    assert masked("林示") == "林*"
    assert masked("林") == "*"
    assert masked("") == "*"
    assert masked("示例·买买提") == "示*提"
