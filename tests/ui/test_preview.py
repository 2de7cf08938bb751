"""The live picture: a mirror, cropped to its place, that stops and forgets when it is hidden."""

from __future__ import annotations

import gc

import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication, QEvent

from kiosk.checkin.states import Capturing, Scanning, Welcome
from kiosk.frames import HEIGHT_PX, WIDTH_PX
from tests.ui.stand import Stand, rect_of
from ui.screen.preview import Preview, crop
from ui.screen.showcase import CASE


def halves() -> memoryview:
    """A frame that is red where the camera's left is, and blue on its right. BGR."""
    frame = np.zeros((HEIGHT_PX, WIDTH_PX, 3), np.uint8)
    frame[:, : WIDTH_PX // 2] = (0, 0, 255)
    frame[:, WIDTH_PX // 2 :] = (255, 0, 0)
    return memoryview(frame.tobytes())


@pytest.mark.parametrize(("width", "height"), [(800, 450), (693, 806), (300, 900), (1600, 300)])
def test_the_crop_has_the_proportions_of_its_place_and_lies_in_the_frame(width: float, height: float) -> None:
    part = crop(width, height)
    assert part.width() / part.height() == pytest.approx(width / height)
    assert part.left() >= 0
    assert part.top() >= 0
    assert part.right() <= WIDTH_PX
    assert part.bottom() <= HEIGHT_PX
    assert part.center().x() == pytest.approx(WIDTH_PX / 2)


def test_the_guest_sees_a_mirror(stand: Stand) -> None:
    stand.frame = (1, halves())
    stand.show(Capturing(CASE))
    image = stand.window.grabWindow()
    oval = next(item for item in stand.items(seen=True) if item.metaObject().className().startswith("Preview"))
    place = rect_of(oval)
    left = image.pixelColor(round(place.left() + 30), round(place.center().y()))
    right = image.pixelColor(round(place.right() - 30), round(place.center().y()))
    assert (left.red(), left.blue()) == (0, 255)
    assert (right.red(), right.blue()) == (255, 0)


def test_a_new_frame_is_painted_and_an_old_one_is_not_painted_again(stand: Stand) -> None:
    stand.frame = (1, halves())
    stand.show(Scanning())
    frames: list[None] = []

    def swapped() -> None:
        frames.append(None)

    stand.window.frameSwapped.connect(swapped)
    stand.rest(0.3)
    assert frames == []
    stand.frame = (2, halves())
    stand.wait(lambda: len(frames) == 1)


def test_without_a_camera_there_is_an_empty_place_and_no_error(stand: Stand) -> None:
    stand.frame = None
    stand.show(Scanning())
    assert stand.item("heading").isVisible()


def test_nobody_looks_at_frames_while_the_camera_rests(stand: Stand) -> None:
    stand.show(Scanning())
    looked: list[None] = []
    stand.screen._frames._source = lambda: looked.append(None)  # what is asked for, not what is drawn
    stand.wait(lambda: bool(looked))
    stand.show(Welcome(), visit=2)
    looked.clear()
    stand.rest(0.3)
    assert looked == []


def test_all_guests_share_one_picture(stand: Stand) -> None:
    """What QML makes of a class in Python is never freed: a picture for each guest would fill the memory in a year."""

    def pictures() -> int:
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        gc.collect()
        return sum(isinstance(one, Preview) for one in gc.get_objects())

    stand.show(Scanning())
    before = pictures()
    for visit in range(3):
        stand.look(Scanning(), visit=visit)
        stand.look(Capturing(CASE), visit=visit)
        stand.look(Welcome(), visit=visit + 1)
    assert pictures() == before


def test_between_two_looks_the_picture_is_in_no_window_and_its_clock_rests(stand: Stand) -> None:
    stand.frame = (1, halves())
    stand.show(Scanning())
    picture = next(item for item in stand.items(seen=True) if isinstance(item, Preview))
    assert picture._timer.isActive()
    stand.show(Welcome(), visit=2)
    assert picture.window() is None
    assert not picture._timer.isActive()
    stand.show(Capturing(CASE), visit=2)
    assert picture.window() is stand.window
    assert picture._timer.isActive()
