"""Which bytes are a portrait: a JPEG or WebP that opens, of a sane size. Painted pictures, no faces."""

from __future__ import annotations

import struct

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.identity import portraits


def picture(width: int, height: int, kind: str = ".jpg", *options: int) -> bytes:
    ramp = np.linspace(0, 255, width * height * 3, dtype=np.uint8).reshape(height, width, 3)
    done, data = cv2.imencode(kind, ramp, list(options))
    assert done
    return data.tobytes()


JPEG = picture(102, 126)


@pytest.mark.parametrize(
    "data",
    [
        JPEG,
        picture(40, 2000),
        picture(60, 75, ".webp", cv2.IMWRITE_WEBP_QUALITY, 40),
        picture(60, 75, ".webp", cv2.IMWRITE_WEBP_QUALITY, 101),
        picture(300, 400, ".jpg", cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
    ],
    ids=["chip photo", "long", "lossy WebP", "lossless WebP", "progressive"],
)
def test_a_portrait_is_usable(data: bytes) -> None:
    assert portraits.usable(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xd8\xff\xd9",
        b"RIFF",
        b"RIFF\x00\x00\x00\x00WEBPVP8 ",
        picture(39, 200),
        picture(200, 2001),
        picture(100, 100, ".png"),
        JPEG[: JPEG.index(b"\xff\xda")],
        JPEG + bytes(portraits.MAX_BYTES),
    ],
    ids=["nothing", "no frame", "cut", "no size", "small", "large", "PNG", "no scan", "heavy"],
)
def test_anything_else_is_not(data: bytes) -> None:
    assert not portraits.usable(data)


def test_a_picture_that_claims_to_be_huge_is_never_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[int] = []
    monkeypatch.setattr(cv2, "imdecode", lambda data, mode: opened.append(len(data)))
    at = JPEG.index(b"\xff\xc0")
    huge = JPEG[: at + 5] + struct.pack(">HH", 65_000, 65_000) + JPEG[at + 9 :]
    assert not portraits.usable(huge)
    assert opened == []


@given(st.binary(max_size=100), st.integers(0, len(JPEG) - 1), st.integers(0, 255))
def test_no_bytes_make_it_raise(tail: bytes, place: int, value: int) -> None:
    spoiled = JPEG[:place] + bytes([value]) + JPEG[place + 1 :]
    for data in (
        tail,
        b"\xff\xd8" + tail,
        b"RIFF0000WEBPVP8X" + tail,
        b"RIFF0000WEBPVP8L" + tail,
        spoiled,
        JPEG[:place],
    ):
        assert portraits.usable(data) in (True, False)
