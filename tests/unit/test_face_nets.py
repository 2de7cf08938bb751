"""What the real nets say of the two demo faces: found, alike or not, alive or not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kiosk.face import pad
from kiosk.face.detect import Face, Image
from kiosk.face.engine import Reference
from kiosk.face.match import Template, similarity, unit
from kiosk.face.thresholds import Thresholds
from kiosk.model import Reason
from tests.unit import face_scenes as scenes

FACES = ("astronaut", "hopper")
LIMITS = Thresholds()


def template(image: Image) -> Template:
    engine = scenes.engine()
    return engine.matcher.template(engine.matcher.align(image, engine.detector.find(image)[0]))


def reference(data: bytes) -> Reference:
    found = scenes.engine().reference(data)
    assert isinstance(found, Reference)
    return found


@pytest.mark.parametrize("who", FACES)
@pytest.mark.parametrize("face_px", [60, 120, 240, 300])
def test_a_face_is_found_where_it_stands(who: str, face_px: int) -> None:
    found = scenes.engine().detector.find(scenes.standing(who, face_px))
    assert len(found) == 1
    assert found[0].width == pytest.approx(face_px, rel=0.2)
    assert found[0].middle[0] == pytest.approx(640, abs=0.1 * face_px)
    eyes = found[0].points[:2]
    assert eyes[0, 0] < eyes[1, 0]


def test_nobody_is_nobody_and_two_are_two() -> None:
    assert scenes.engine().detector.find(scenes.lobby()) == []
    found = scenes.engine().detector.find(scenes.two())
    assert len(found) == 2
    assert found[0].width >= found[1].width


@pytest.mark.parametrize("who", FACES)
@pytest.mark.parametrize(
    "altered",
    [
        lambda image: scenes.decoded(scenes.jpeg(image, 30)),
        lambda image: cv2.GaussianBlur(image, (0, 0), 2),
        lambda image: (image * 0.5).astype(np.uint8),
        lambda image: np.ascontiguousarray(image[:, ::-1]),
        lambda image: cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA),
    ],
    ids=["jpeg 30", "blur", "dim", "mirrored", "half size"],
)
def test_one_person_is_alike_through_what_cameras_do(who: str, altered: object) -> None:
    assert callable(altered)
    frame = altered(scenes.standing(who))
    assert similarity(template(frame), reference(scenes.file(who)).template) >= 0.7


@pytest.mark.parametrize("who", FACES)
@pytest.mark.parametrize("size", [(60, 75), (96, 120), (240, 300)])
def test_a_chips_portrait_is_enough_for_its_owner(who: str, size: tuple[int, int]) -> None:
    found = reference(scenes.chip(who, *size))
    assert similarity(template(scenes.standing(who)), found.template) >= 0.6
    assert scenes.decoded(found.photo).shape[1] == min(size[0], 240)


def test_two_people_are_not_alike() -> None:
    for one, other in (FACES, FACES[::-1]):
        for data in (scenes.file(other), scenes.chip(other)):
            assert similarity(template(scenes.standing(one)), reference(data).template) < LIMITS.doubt


def test_a_template_has_length_1_and_memory_of_its_own() -> None:
    first, second = template(scenes.photo("astronaut")), template(scenes.photo("hopper"))
    assert np.linalg.norm(first) == pytest.approx(1, abs=1e-5)
    assert similarity(first, second) < 0.33
    assert similarity(first, first) == pytest.approx(1, abs=1e-5)


def test_no_direction_is_alike_to_nothing() -> None:
    nothing = unit(np.zeros(128, np.float32))
    assert np.isnan(similarity(nothing, nothing))


@pytest.mark.parametrize(
    "data",
    [b"", b"no picture", scenes.jpeg(scenes.lobby()), scenes.jpeg(scenes.two()), scenes.file("hopper")[:3000]],
    ids=["nothing", "text", "a room", "two people", "cut off"],
)
def test_a_reference_must_be_a_picture_of_one_face(data: bytes) -> None:
    assert scenes.engine().reference(data) is Reason.NO_PORTRAIT


def test_a_portrait_cut_at_the_ears_will_do() -> None:
    x, y, width, height = (int(value) for value in scenes.BOXES["hopper"])
    tight = scenes.photo("hopper")[y : y + height, x : x + width]
    found = reference(scenes.jpeg(tight))
    assert similarity(found.template, reference(scenes.file("hopper")).template) >= 0.6


def test_a_reference_that_shows_the_whole_person_will_do() -> None:
    found = reference(scenes.jpeg(scenes.standing("hopper", 36), 98))
    assert similarity(found.template, reference(scenes.file("hopper")).template) >= LIMITS.similarity


def test_a_face_and_its_mirror_image_have_one_template() -> None:
    engine = scenes.engine()
    aligned = engine.matcher.align(scenes.photo("hopper"), engine.detector.find(scenes.photo("hopper"))[0])
    mirrored = np.ascontiguousarray(aligned[:, ::-1])
    assert similarity(engine.matcher.template(aligned), engine.matcher.template(mirrored)) > 0.999


def test_wiping_a_reference_overwrites_its_template() -> None:
    found = reference(scenes.file("hopper"))
    found.wipe()
    assert not found.template.any()


@pytest.mark.parametrize("who", FACES)
def test_the_photos_themselves_count_as_bona_fide(who: str) -> None:
    image = scenes.photo(who)
    assert scenes.engine().pad.score(image, scenes.engine().detector.find(image)[0]) >= 0.9


@pytest.mark.parametrize("who", FACES)
def test_a_guest_near_the_camera_counts_as_bona_fide(who: str) -> None:
    frames = [scenes.standing(who, seed=seed) for seed in range(5)]
    scores = [scenes.engine().pad.score(frame, scenes.engine().detector.find(frame)[0]) for frame in frames]
    assert np.median(scores) >= 0.9


@pytest.mark.parametrize("who", FACES)
def test_a_print_with_its_edges_in_sight_does_not(who: str) -> None:
    frame = scenes.held_up(who, 160)
    assert scenes.engine().pad.score(frame, scenes.engine().detector.find(frame)[0]) < LIMITS.pad


def test_the_nets_take_colours_as_they_come() -> None:
    frame = scenes.photo("astronaut")
    face = scenes.engine().detector.find(frame)[0]
    swapped = np.ascontiguousarray(frame[:, :, ::-1])
    assert scenes.engine().pad.score(frame, face) - scenes.engine().pad.score(swapped, face) > 0.3


@example(588.0, 0.0, 663.1055272558103, 663.1055272558103, 2.7)
@given(st.floats(-300, 1280), st.floats(-300, 720), st.floats(1, 900), st.floats(1, 900), st.sampled_from([2.7, 4.0]))
def test_a_cut_lies_inside_the_frame_and_keeps_the_faces_shape(
    x: float, y: float, width: float, height: float, context: float
) -> None:
    face = Face(np.array([x, y, width, height, *[0.0] * 10, 1], np.float32))
    part = pad.cut(face, context, (720, 1280, 3))
    assert 0 <= part.left < part.right <= 1280
    assert 0 <= part.top < part.bottom <= 720
    wide, high = part.right - part.left, part.bottom - part.top
    factor = min(context, pad.room(face, (720, 1280)))
    rounding = 2.001  # a pixel at either end, and what 32-bit numbers lose
    assert wide == pytest.approx(width * factor, abs=rounding)
    assert high == pytest.approx(height * factor, abs=rounding)


def test_a_whole_context_is_centred_on_the_face() -> None:
    face = Face(np.array([600, 340, 80, 90, *[0.0] * 10, 1], np.float32))
    part = pad.cut(face, 4.0, (720, 1280, 3))
    assert (part.left + part.right) / 2 == pytest.approx(640, abs=1)
    assert (part.top + part.bottom) / 2 == pytest.approx(385, abs=1)
