"""Camera frames with the two demo faces in them, and the nets that look at them, loaded once."""

from __future__ import annotations

import functools

import cv2
import numpy as np

from kiosk.face.detect import Image
from kiosk.face.engine import FaceEngine
from kiosk.weights import cache

WIDTH, HEIGHT = 1280, 720
NEAR_PX = 240
"""Width of the face of a guest who stands where the kiosk asks."""
BOXES = {"astronaut": (179.0, 62.0, 90.0, 113.0), "hopper": (171.0, 109.0, 187.0, 223.0)}
"""Where the face is in each photo: x, y, width, height."""


@functools.cache
def engine() -> FaceEngine:
    return FaceEngine.load()


def file(who: str) -> bytes:
    return cache.path(f"demo_face_{who}").read_bytes()


@functools.cache
def photo(who: str) -> Image:
    return decoded(file(who))


def decoded(data: bytes) -> Image:
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return np.asarray(image, np.uint8)


@functools.lru_cache(maxsize=64)
def standing(who: str, face_px: float = NEAR_PX, across: float = 0.5, seed: int | None = None) -> Image:
    """A guest who fills the frame: no edge of the photo is seen but by stretching its last pixels."""
    return _draw(who, face_px, across, seed, cv2.BORDER_REPLICATE)


def held_up(who: str, face_px: float) -> Image:
    """A print of the photo, its edges in sight."""
    return _draw(who, face_px, 0.5, None, cv2.BORDER_CONSTANT)


def _draw(who: str, face_px: float, across: float, seed: int | None, border: int) -> Image:
    x, y, width, height = BOXES[who]
    source = photo(who)
    scale = face_px / width
    down = HEIGHT * 0.45 - scale * (y + height / 2)
    if border == cv2.BORDER_REPLICATE and scale * source.shape[0] > HEIGHT:
        down = min(0.0, max(down, HEIGHT - scale * source.shape[0]))
    move = np.array([[scale, 0, WIDTH * across - scale * (x + width / 2)], [0, scale, down]])
    frame = cv2.warpAffine(
        source, move, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR, borderMode=border, borderValue=(90, 100, 110)
    )
    if seed is None:
        return np.asarray(frame, np.uint8)
    noise = np.random.default_rng(seed).integers(-4, 5, frame.shape)
    return np.asarray(np.clip(frame.astype(np.int16) + noise, 0, 255), np.uint8)


def two(seed: int | None = None) -> Image:
    """Both before one camera."""
    left, right = standing("astronaut", 200, 0.25, seed), standing("hopper", 200, 0.75, seed)
    return np.concatenate([left[:, : WIDTH // 2], right[:, WIDTH // 2 :]], axis=1)


def lobby(seed: int = 0) -> Image:
    """Nobody."""
    soft = np.random.default_rng(seed).integers(60, 190, (9, 16, 3), np.uint8)
    return np.asarray(cv2.resize(soft, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), np.uint8)


def jpeg(image: Image, quality: int = 90) -> bytes:
    return bytes(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1])


def chip(who: str, width: int = 60, height: int = 75) -> bytes:
    """A portrait as an e-ID code carries it: about 1 KB of WebP."""
    x, y, box_width, box_height = BOXES[who]
    wide = box_width * 1.6
    high = wide * height / width
    left, top = max(0, int(x + box_width / 2 - wide / 2)), max(0, int(y + box_height / 2 - high / 2))
    cut = photo(who)[top : top + int(high), left : left + int(wide)]
    small = cv2.resize(cut, (width, height), interpolation=cv2.INTER_AREA)
    return bytes(cv2.imencode(".webp", small, [cv2.IMWRITE_WEBP_QUALITY, 60])[1])
