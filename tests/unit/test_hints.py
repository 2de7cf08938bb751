"""A hint names what was measured on the frame; where nothing explains the failure there is none."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from drivers.camera import render
from drivers.camera.phone import phone
from drivers.camera.render import Frame, empty_frames
from drivers.scanner.decode import read, to_gray
from drivers.scanner.finders import find_eyes
from drivers.scanner.hints import hint_for
from kiosk.model import Hint
from tests.unit.test_decode import noise


def held(scale: float = 0.8, pitch: float = 0.0, yaw: float = 0.0) -> Frame:
    """A phone in the middle of the lobby: smaller by ``scale``, turned by so many degrees."""
    flat = np.asarray(
        cv2.resize(phone(noise(300), 1), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8
    )
    place = render._placed(flat.shape, 0.0, math.radians(pitch), math.radians(yaw), np.zeros(2))
    return render._held_up(flat, place, 0.6)


def judged(frame: Frame) -> Hint | None:
    gray = to_gray(render._noisy(frame, 1))
    eyes = find_eyes(gray)
    return hint_for(gray, eyes) if len(eyes) >= 2 else None


@pytest.mark.parametrize(
    ("frame", "hint"),
    [
        ((held() * 0.06).astype(np.uint8), Hint.BRIGHTER),
        ((held() * 0.2).astype(np.uint8), Hint.BRIGHTER),
        ((140 + held() * 0.45).astype(np.uint8), Hint.DARKER),
        ((190 + held() * 0.25).astype(np.uint8), Hint.DARKER),
        (held(scale=0.2), Hint.CLOSER),
        (held(pitch=60), Hint.FLATTER),
        (held(pitch=68), Hint.FLATTER),
        (held(yaw=56), Hint.FLATTER),
        (np.asarray(cv2.GaussianBlur(held(), (0, 0), 4), np.uint8), Hint.HOLD_STILL),
        (np.asarray(cv2.GaussianBlur(held(), (0, 0), 3.5), np.uint8), Hint.HOLD_STILL),
    ],
    ids=[
        "very dark",
        "dark",
        "glare",
        "strong glare",
        "far",
        "slant",
        "more slant",
        "sideways",
        "blurred",
        "less blurred",
    ],
)
def test_a_hint_for_what_was_measured(frame: Frame, hint: Hint) -> None:
    assert judged(frame) is hint


def test_a_good_picture_needs_no_hint() -> None:
    for frame in (held(1.0), held(0.6), held(pitch=20, yaw=20)):
        assert judged(frame) is None


def test_a_thumb_on_the_code_is_nothing_that_was_measured() -> None:
    frame = held()
    frame[300:420, 500:800] = 40
    assert read(to_gray(frame)) == []
    assert judged(frame) is None


def test_eyes_that_fly_over_the_picture_are_asked_to_hold_still() -> None:
    gray = to_gray(held())
    assert hint_for(gray, find_eyes(gray), speed_px_s=900) is Hint.HOLD_STILL


def test_no_eyes_no_hint() -> None:
    assert hint_for(to_gray(held()), ()) is None


@pytest.mark.parametrize("module", [2, 4, 8])
def test_the_three_eyes_are_found_where_they_are(module: int) -> None:
    symbol = np.kron(SYMBOL, np.ones((module, module), np.uint8)) * 200 + 30
    frame = np.full((720, 1280), 230, np.uint8)
    frame[100 : 100 + symbol.shape[0], 300 : 300 + symbol.shape[1]] = symbol
    near, far = 3.5 * module, (SYMBOL.shape[0] - 3.5) * module
    expected = {(300 + near, 100 + near), (300 + far, 100 + near), (300 + near, 100 + far)}
    eyes = find_eyes(frame)
    assert len(eyes) == 3
    for eye in eyes:
        assert min(math.dist((eye.x, eye.y), place) for place in expected) < module
        assert eye.module_px == pytest.approx(module, rel=0.15)


def test_there_are_no_eyes_in_a_lobby_or_in_a_texture() -> None:
    rng = np.random.default_rng(3)
    cloth = cv2.GaussianBlur(rng.integers(0, 256, (720, 1280), np.uint8), (0, 0), 2)
    stretched = np.asarray(cv2.normalize(cloth, None, 0, 255, cv2.NORM_MINMAX), np.uint8)  # type: ignore[call-overload]
    assert [find_eyes(gray) for gray in (stretched, *map(to_gray, empty_frames()))] == [()] * 4
    assert find_eyes(np.zeros((720, 1280), np.uint8)) == ()


def _symbol() -> Frame:
    import segno

    code = segno.make_qr(noise(100), error="l", boost_error=False)
    return np.array([[0 if dark else 1 for dark in row] for row in code.matrix], np.uint8)


SYMBOL = _symbol()
