"""Drawn frames stand in for a lobby only if the real decoder and the real detector take them for one."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from drivers.camera import FRAME_SHAPE
from drivers.camera.render import FACE_PX, LOOP, Frame, Sitter, code_frames, empty_frames, face_frames
from drivers.camera.simulated import sitter
from drivers.scanner.decode import read, to_gray
from kiosk.weights import cache
from tests.unit.test_decode import PAYLOADS, noise


@pytest.mark.parametrize("size", [20, 300, 600, 1200, 2100])
@pytest.mark.parametrize("seed", range(4))
def test_every_frame_of_a_phone_is_read_at_the_first_step(size: int, seed: int) -> None:
    frames = list(code_frames(noise(size), seed))
    assert len(frames) == LOOP
    for frame in frames:
        assert frame.shape == FRAME_SHAPE
        assert [found.payload for found in read(to_gray(frame))] == [noise(size)]


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS.keys())
def test_any_payload_survives_the_phone(payload: bytes) -> None:
    frame = next(code_frames(payload, seed=9))
    assert [found.payload for found in read(to_gray(frame))] == [payload]


def test_the_same_seed_gives_the_same_frames_and_another_seed_others() -> None:
    one, same, other = (next(code_frames(b"x", seed)) for seed in (5, 5, 6))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_the_phone_is_seen_at_a_slant_with_noise() -> None:
    first, second, *_ = code_frames(b"x", 1)
    (code,) = read(to_gray(first))
    (x0, y0), (x1, y1), *_ = code.position
    assert (x0, y0) != (x1, y1)
    assert y0 != y1
    assert np.any(first != second)


def test_an_empty_lobby_holds_neither_code_nor_face() -> None:
    for frame in empty_frames(3):
        assert read(to_gray(frame)) == []
        assert boxes(frame) == []


@pytest.fixture(scope="module")
def people() -> dict[str, Sitter]:
    return {name: sitter(cache.path(f"demo_face_{name}")) for name in ("astronaut", "hopper")}


@pytest.mark.parametrize("name", ["astronaut", "hopper"])
@pytest.mark.parametrize("face_px", [120, 200, FACE_PX])
def test_a_face_has_the_size_that_was_asked_for(people: dict[str, Sitter], name: str, face_px: int) -> None:
    for frame in list(face_frames([people[name]], face_px, seed=2))[::4]:
        ((x, _, width, _),) = boxes(frame)
        assert abs(width - face_px) < 0.1 * face_px
        assert abs(x + width / 2 - 640) < 40


def test_two_people_are_two_faces(people: dict[str, Sitter]) -> None:
    frame = next(face_frames([people["astronaut"], people["hopper"]], 200, seed=2))
    left, right = sorted(boxes(frame))
    assert left[0] < 640 < right[0]


def boxes(frame: Frame) -> list[tuple[float, ...]]:
    detector = cv2.FaceDetectorYN.create(str(cache.path("yunet")), "", (320, 180), 0.6)
    _, faces = detector.detect(cv2.resize(frame, (320, 180), interpolation=cv2.INTER_AREA))
    return [] if faces is None else [tuple(float(value) * 4 for value in face[:4]) for face in faces]
