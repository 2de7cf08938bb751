"""Frames as a lobby's camera would take them: a phone held up, a face, or nobody. Pure and seeded.

The same arguments give the same frames. Each function yields one short loop of frames whose end joins
its beginning, so that a still scene costs a copy a frame and no drawing.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.camera.phone import phone
from kiosk.frames import HEIGHT_PX, WIDTH_PX

Frame = NDArray[np.uint8]
Matrix = NDArray[np.float64]

LOOP = 10
"""Frames in a loop of somebody who holds still as well as people can."""
EMPTY_LOOP = 3
FACE_PX = 245
"""Width of a face, as a detector boxes it, of a guest who stands where the kiosk asks."""

_FOCAL_PX = 1400.0
_NOISE_LEVELS = 2.5
_NOISE_MARGIN_PX = 64
_CANVAS_MARGIN_PX = 40


@dataclass(frozen=True, slots=True)
class Box:
    """Where the face is in a photo, in pixels of the photo."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Sitter:
    """A photo (BGR) and the face in it."""

    photo: Frame
    box: Box


def empty_frames(seed: int = 0) -> Iterator[Frame]:
    """Yield the lobby with nobody in it."""
    for number in range(EMPTY_LOOP):
        yield _noisy(lobby(), seed + number)


def code_frames(payload: bytes, seed: int = 0) -> Iterator[Frame]:
    """Yield a hand-held phone that shows ``payload``. Raises ValueError when no symbol can hold it."""
    rng = np.random.default_rng(seed)
    flat = phone(payload, seed)
    turn, pitch, yaw = (math.radians(value) for value in rng.uniform(-1, 1, 3) * (5.0, 5.0, 7.0))
    centre = rng.uniform(-1, 1, 2) * (120, 14)
    blur = rng.uniform(0.5, 0.8)
    for number, sway in enumerate(_sways(rng)):
        place = _placed(flat.shape, turn + sway[2] * 0.006, pitch, yaw, centre + sway[:2] * 2.0)
        yield _noisy(_held_up(flat, place, blur), seed + number)


def face_frames(sitters: list[Sitter], face_px: int, seed: int = 0) -> Iterator[Frame]:
    """Yield one guest in the middle, or several side by side, each with a face ``face_px`` wide."""
    rng = np.random.default_rng(seed)
    canvas = _canvas(sitters, face_px)
    margin = _CANVAS_MARGIN_PX
    centre = (WIDTH_PX / 2, HEIGHT_PX / 2)
    for number, sway in enumerate(_sways(rng)):
        turned = cv2.getRotationMatrix2D(centre, float(sway[2]) * 0.5, 1.0 + float(sway[0]) * 0.004)
        move = np.asarray(turned, np.float64)
        move[:, 2] += sway[:2] * 3.0 - margin
        frame = cv2.warpAffine(canvas, move, (WIDTH_PX, HEIGHT_PX), flags=cv2.INTER_LINEAR)
        yield _noisy(np.asarray(frame, np.uint8), seed + number)


@functools.cache
def lobby() -> Frame:
    """Draw the room behind the guest: out of focus, warm, without an edge that looks like a frame."""
    small = np.zeros((HEIGHT_PX // 8, WIDTH_PX // 8, 3), np.uint8)
    small[:] = np.linspace((126, 142, 156), (92, 104, 118), small.shape[0])[:, None]
    for x, y, radius, colour in (
        (22, 18, 9, (150, 196, 226)),
        (128, 14, 11, (160, 204, 232)),
        (84, 70, 20, (82, 96, 112)),
        (150, 62, 16, (96, 84, 74)),
        (8, 66, 14, (74, 92, 82)),
    ):
        cv2.circle(small, (x, y), radius, colour, -1)
    soft = cv2.GaussianBlur(small, (0, 0), 7)
    return np.asarray(cv2.resize(soft, (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_CUBIC), np.uint8)


def _sways(rng: np.random.Generator) -> Iterator[NDArray[np.float64]]:
    """Yield offsets within -1..1 in three directions: a closed path of slow and quick parts."""
    phases = rng.uniform(0, 2 * math.pi, (2, 3))
    for number in range(LOOP):
        angle = 2 * math.pi * number / LOOP
        yield 0.7 * np.sin(angle + phases[0]) + 0.3 * np.sin(2 * angle + phases[1])


def _placed(shape: tuple[int, ...], turn: float, pitch: float, yaw: float, centre: NDArray[np.float64]) -> Matrix:
    """Return the homography of a flat thing turned in space (radians), its middle off the frame's by ``centre``."""
    height, width = shape[:2]
    corners = np.array([[-width, -height], [width, -height], [width, height], [-width, height]], float) / 2
    space = np.column_stack([corners, np.zeros(4)]) @ _rotation(turn, pitch, yaw).T
    seen = space[:, :2] * (_FOCAL_PX / (_FOCAL_PX + space[:, 2:])) + centre + np.array([WIDTH_PX / 2, HEIGHT_PX / 2])
    flat = corners + np.array([width / 2, height / 2])
    return np.asarray(cv2.getPerspectiveTransform(flat.astype(np.float32), seen.astype(np.float32)), np.float64)


def _rotation(turn: float, pitch: float, yaw: float) -> Matrix:
    (ct, st), (cp, sp), (cy, sy) = ((math.cos(a), math.sin(a)) for a in (turn, pitch, yaw))
    about_z = np.array([[ct, -st, 0], [st, ct, 0], [0, 0, 1]])
    about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    return np.asarray(about_z @ about_x @ about_y, np.float64)


def _held_up(flat: Frame, place: Matrix, blur: float) -> Frame:
    """Draw the phone into the lobby; only the columns that it covers are worked on."""
    height, width = flat.shape[:2]
    corners = np.array([[[0, 0], [width, 0], [width, height], [0, height]]], np.float32)
    xs = cv2.perspectiveTransform(corners, place)[0, :, 0]
    left, right = max(0, int(xs.min()) - 8), min(WIDTH_PX, int(xs.max()) + 8)
    shifted = np.array([[1, 0, -left], [0, 1, 0], [0, 0, 1]], float) @ place
    frame = lobby().copy()
    part = frame[:, left:right].copy()
    size = (right - left, HEIGHT_PX)
    cv2.warpPerspective(flat, shifted, size, part, cv2.INTER_LINEAR, cv2.BORDER_TRANSPARENT)
    frame[:, left:right] = cv2.GaussianBlur(part, (0, 0), blur)
    return frame


def _canvas(sitters: list[Sitter], face_px: int) -> Frame:
    """Draw the guests where they stand, a little larger than a frame: each in a column of their own."""
    margin = _CANVAS_MARGIN_PX
    height, width = HEIGHT_PX + 2 * margin, WIDTH_PX + 2 * margin
    columns = np.linspace(0, width, len(sitters) + 1).astype(int)
    parts = [
        _standing(sitter, face_px, (int(right - left), height))
        for sitter, left, right in zip(sitters, columns, columns[1:], strict=False)
    ]
    return np.ascontiguousarray(np.hstack(parts))


def _standing(sitter: Sitter, face_px: int, size: tuple[int, int]) -> Frame:
    """Draw one guest, face in the middle, before what is behind them in the photo, out of focus.

    The passive attack detection judges the whole scene around a face: a photo's hard edge or a strip of another
    room beside it is what it was trained to refuse.
    """
    box, (width, height) = sitter.box, size
    scale = face_px / box.width
    top, below = height * 0.47 - scale * (box.y + box.height / 2), height - scale * sitter.photo.shape[0]
    top = min(0.0, max(top, below)) if below < 0 else below
    move = np.array([[scale, 0, width / 2 - scale * (box.x + box.width / 2)], [0, scale, top]])
    photo = cv2.warpAffine(sitter.photo, move, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    behind = _out_of_focus(np.asarray(photo, np.uint8))
    weight = _soft_edges(sitter.photo.shape, move, size)[:, :, None]
    return np.asarray(np.clip(behind + (photo - behind) * weight, 0, 255), np.uint8)


def _out_of_focus(image: Frame) -> NDArray[np.float32]:
    """Blur by 25 px, on an eighth of the size because nobody can tell."""
    small = cv2.resize(image, (image.shape[1] // 8, image.shape[0] // 8), interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(small.astype(np.float32), (0, 0), 25 / 8)
    return np.asarray(cv2.resize(soft, (image.shape[1], image.shape[0]), interpolation=cv2.INTER_CUBIC), np.float32)


def _soft_edges(shape: tuple[int, ...], move: Matrix, size: tuple[int, int]) -> NDArray[np.float32]:
    """Return how much of the photo shows at each pixel of the canvas: 1 inside, falling to 0 at its edges."""
    inside = cv2.warpAffine(np.ones(shape[:2], np.float32), move, size, flags=cv2.INTER_LINEAR)
    solid = cv2.erode(inside, np.ones((3, 3), np.uint8), iterations=24, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.GaussianBlur(solid, (0, 0), 10, borderType=cv2.BORDER_REPLICATE), np.float32)


@functools.cache
def _noise_field() -> NDArray[np.int8]:
    shape = (HEIGHT_PX + _NOISE_MARGIN_PX, WIDTH_PX + _NOISE_MARGIN_PX, 3)
    grain = np.random.default_rng(2026).standard_normal(shape, np.float32) * _NOISE_LEVELS
    return np.asarray(np.rint(grain), np.int8)


def _noisy(frame: Frame, seed: int) -> Frame:
    """Add a sensor's noise: another part of one field for each frame."""
    down, right = np.random.default_rng(seed).integers(0, _NOISE_MARGIN_PX, 2)
    noise = _noise_field()[down : down + HEIGHT_PX, right : right + WIDTH_PX]
    return np.asarray(cv2.add(frame, noise, dtype=cv2.CV_8U), np.uint8)
