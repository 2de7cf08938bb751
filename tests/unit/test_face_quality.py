"""Each fault of a frame has its own word for the guest."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from kiosk.face import quality
from kiosk.face.detect import Face, Image
from kiosk.face.engine import Seen
from kiosk.model import Reason
from tests.unit import face_scenes as scenes

LEVEL = np.array([[-30.0, 0.0], [30.0, 0.0], [0.0, 30.0], [-22.0, 55.0], [22.0, 55.0]])


def look(frame: Image, *, centred: bool = True) -> Seen | Reason:
    return scenes.engine().look(frame, centred=centred)


def blurred(frame: Image, sigma: float) -> Image:
    return np.asarray(cv2.GaussianBlur(frame, (0, 0), sigma), np.uint8)


@pytest.mark.parametrize("who", ["astronaut", "hopper"])
@pytest.mark.parametrize("face_px", [160, 200, 240, 280])
def test_a_guest_at_arms_length_is_good(who: str, face_px: int) -> None:
    assert isinstance(look(scenes.standing(who, face_px)), Seen)


@pytest.mark.parametrize("who", ["astronaut", "hopper"])
@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda who: scenes.lobby(), Reason.NO_FACE),
        (lambda who: scenes.two(), Reason.TWO_FACES),
        (lambda who: scenes.standing(who, 120), Reason.FACE_TOO_FAR),
        (lambda who: scenes.standing(who, 360), Reason.FACE_TOO_NEAR),
        (lambda who: scenes.standing(who, across=0.2), Reason.FACE_OFF_CENTRE),
        (lambda who: (scenes.standing(who) * 0.12).astype(np.uint8), Reason.FACE_DARK),
        (lambda who: np.clip(scenes.standing(who) * 2.0, 0, 255).astype(np.uint8), Reason.FACE_BRIGHT),
        (lambda who: blurred(scenes.standing(who), 7), Reason.FACE_BLURRED),
    ],
    ids=["nobody", "two", "far", "near", "aside", "dark", "bright", "blurred"],
)
def test_a_fault_has_its_word(who: str, make: object, reason: Reason) -> None:
    assert callable(make)
    assert look(make(who)) is reason


def test_a_picture_that_nobody_aimed_may_have_its_face_aside() -> None:
    assert isinstance(look(scenes.standing("astronaut", across=0.2), centred=False), Seen)


def test_a_dim_face_of_any_skin_is_not_called_dark() -> None:
    for share in (0.3, 0.5):
        assert isinstance(look((scenes.standing("hopper") * share).astype(np.uint8)), Seen)


def face(points: np.ndarray, width: float = 100.0) -> Face:  # type: ignore[type-arg]
    return Face(np.array([0, 0, width, width * 1.2, *points.ravel(), 1], np.float32))


def test_a_level_face_is_not_turned() -> None:
    assert not quality.is_turned(face(LEVEL))


@pytest.mark.parametrize("degrees", [-25, 25])
def test_a_tilted_head_is_turned(degrees: float) -> None:
    angle = np.radians(degrees)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    assert quality.is_turned(face(LEVEL @ rotation.T))
    roll, yaw, pitch = quality.pose(face(LEVEL @ rotation.T))
    assert roll == pytest.approx(degrees, abs=0.1)
    assert yaw == pytest.approx(0, abs=1e-3)
    assert pitch == pytest.approx(30 / 55, abs=1e-3)


@pytest.mark.parametrize("nose", [(15.0, 30.0), (-15.0, 30.0), (0.0, 15.0), (0.0, 44.0), (np.nan, 30.0)])
def test_a_head_turned_aside_up_or_down_is_turned(nose: tuple[float, float]) -> None:
    points = LEVEL.copy()
    points[2] = nose
    assert quality.is_turned(face(points))


def test_points_on_one_spot_are_turned() -> None:
    assert quality.is_turned(face(np.zeros((5, 2))))


def test_a_small_face_further_back_does_not_disturb() -> None:
    near, back, beside = face(LEVEL, 240.0), face(LEVEL, 60.0), face(LEVEL, 90.0)
    assert quality.one_face([near, back]) is near
    assert quality.one_face([near, beside]) is Reason.TWO_FACES


def test_sharp_and_frontal_ranks_first() -> None:
    seen = look(scenes.standing("astronaut"))
    soft = look(blurred(scenes.standing("astronaut"), 3))
    assert isinstance(seen, Seen)
    assert isinstance(soft, Seen)
    assert quality.rank(seen.face, seen.aligned) > quality.rank(soft.face, soft.aligned)
    points = LEVEL.copy()
    points[2] += (12, 0)
    assert quality.rank(face(LEVEL), seen.aligned) > quality.rank(face(points), seen.aligned)
