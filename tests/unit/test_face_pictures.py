"""Pictures come from strangers: they are measured before they are decoded, and what leaves fits the record."""

from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.face import photos, pictures
from kiosk.face.detect import Face
from kiosk.face.pictures import Picture, Unreadable, decode
from kiosk.picture_header import Header, read_header
from tests.unit import face_scenes as scenes

IMAGE = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)


def encoded(kind: str, image: np.ndarray = IMAGE, *options: int) -> bytes:  # type: ignore[type-arg]
    return bytes(cv2.imencode(kind, image, list(options))[1])


@pytest.mark.parametrize(
    "data",
    [
        encoded(".jpg"),
        encoded(".jpg", IMAGE, cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
        encoded(".png"),
        encoded(".webp", IMAGE, cv2.IMWRITE_WEBP_QUALITY, 50),
        encoded(".webp", IMAGE, cv2.IMWRITE_WEBP_QUALITY, 101),
        encoded(".webp", np.dstack([IMAGE, IMAGE[:, :, 0]])),
    ],
    ids=["jpeg", "progressive", "png", "lossy webp", "lossless webp", "webp with alpha"],
)
def test_the_header_tells_the_size_that_decoding_gives(data: bytes) -> None:
    assert read_header(data) == Header(60, 40)
    picture = decode(data)
    assert isinstance(picture, Picture)
    assert picture.image.shape == (40, 60, 3)
    assert picture.has_colour


def png_that_claims(width: int, height: int, bits: int = 8) -> bytes:
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, bits, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))


def jpeg_that_claims(width: int, height: int) -> bytes:
    data = bytearray(encoded(".jpg"))
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(data)


@pytest.mark.parametrize("data", [png_that_claims(60_000, 60_000), jpeg_that_claims(65_000, 65_000)])
def test_a_few_bytes_that_claim_gigabytes_are_not_decoded(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    def must_not(*_: object) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr(pictures.cv2, "imdecode", must_not)
    assert decode(data) is Unreadable.TOO_LARGE


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", Unreadable.BROKEN),
        (b"GIF89a" + bytes(50), Unreadable.BROKEN),
        (encoded(".bmp"), Unreadable.BROKEN),
        (encoded(".png")[:40], Unreadable.BROKEN),
        (encoded(".jpg")[:100], Unreadable.BROKEN),
        (encoded(".webp")[:24], Unreadable.BROKEN),
        (b"\xff\xd8\xff" + b"\xff" * 50, Unreadable.BROKEN),
        (png_that_claims(0, 0), Unreadable.TOO_SMALL),
        (encoded(".png", IMAGE[:8, :8]), Unreadable.TOO_SMALL),
        (encoded(".png", IMAGE.astype(np.uint16) * 256), Unreadable.NOT_8_BIT),
        (bytes(pictures.MAX_BYTES + 1), Unreadable.TOO_LARGE),
    ],
)
def test_what_cannot_be_used_is_named(data: bytes, why: Unreadable) -> None:
    assert decode(data) is why


@given(st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"RIFF\0\0\0\0WEBP"]), st.binary())
def test_no_bytes_raise(start: bytes, rest: bytes) -> None:
    decode(start + rest)


def test_grey_is_noticed_however_it_is_stored() -> None:
    grey = cv2.cvtColor(scenes.photo("hopper"), cv2.COLOR_BGR2GRAY)
    for data in (encoded(".jpg", grey), encoded(".png", grey), scenes.jpeg(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR))):
        picture = decode(data)
        assert isinstance(picture, Picture)
        assert not picture.has_colour


@pytest.mark.parametrize("image", [scenes.photo("astronaut"), np.tile(IMAGE, (20, 20, 1)), IMAGE[:1, :1]])
def test_a_photo_fits_the_records_budget(image: np.ndarray) -> None:  # type: ignore[type-arg]
    data = photos.jpeg(image)
    assert len(data) <= photos.MAX_BYTES
    height, width = scenes.decoded(data).shape[:2]
    assert width <= photos.WIDTH_PX
    assert height <= photos.HEIGHT_PX


@pytest.mark.parametrize("across", [0.1, 0.5, 0.9])
def test_a_portrait_is_upright_and_does_not_share_the_frames_memory(across: float) -> None:
    frame = scenes.standing("astronaut", across=across)
    face = scenes.engine().detector.find(frame)[0]
    portrait = photos.portrait(frame, face)
    assert portrait.shape[0] / portrait.shape[1] == pytest.approx(4 / 3, rel=0.02)
    assert len(scenes.engine().detector.find(portrait)) == 1
    assert not np.shares_memory(portrait, frame)


def test_a_small_face_gives_a_portrait_that_is_a_copy_too() -> None:
    frame = scenes.standing("astronaut", 60)
    face = Face(np.array([600, 300, 60, 75, *[0.0] * 10, 1], np.float32))
    assert not np.shares_memory(photos.portrait(frame, face), frame)
