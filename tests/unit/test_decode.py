"""The bytes of a symbol are exact, whatever they mean, by each of the two decoders."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterator

import base45
import cbor2
import cv2
import numpy as np
import pytest
import segno

from drivers.scanner import decode as decoding
from drivers.scanner.decode import ZBAR, ZXING, Image, decode, to_gray
from drivers.scanner.zbar import zbar_core


def noise(size: int) -> bytes:
    """Bytes that look random and are the same in each run."""
    blocks: Iterator[bytes] = (hashlib.sha256(n.to_bytes(4, "big")).digest() for n in range(size // 32 + 1))
    return b"".join(blocks)[:size]


PAYLOADS = {
    "digits": b"0123456789" * 4,
    "alphanumeric": b"SUIZHU $%*+-./:",
    "url": b"https://suishenma.sh.gov.cn/code?t=8f3a2b",
    "utf8": "随住，办理入住 · 你好".encode(),
    "gb18030": "随住，办理入住 · 你好".encode("gb18030"),
    "shift_jis": "東京都、宿泊".encode("shift_jis"),
    "latin1": bytes(range(256)),
    "nul": b"\0\0\0a\0",
    "random": noise(600),
    "cbor": cbor2.dumps({1: "iss", 4: 1_700_000_000, 169: {4: "测试", 16: noise(80)}}),
    "zlib": zlib.compress(b"the same words again and again " * 40),
    "base45": base45.b45encode(zlib.compress(noise(300))),
    "escapes": b"\\000003abc\\\\ ]Q1 \x1d \x1b$B",
    "claim with photo": noise(1200),
}


def picture(payload: bytes, scale: int = 4) -> Image:
    """Draw the symbol with its quiet zone."""
    symbol = segno.make_qr(payload, error="l", boost_error=False)
    rows = [[0 if dark else 255 for dark in row] for row in symbol.matrix_iter(scale=scale, border=4)]
    return np.array(rows, np.uint8)


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS.keys())
def test_bytes_are_exact(payload: bytes) -> None:
    (found,) = decode(picture(payload))
    assert found.payload == payload
    assert found.decoder == ZXING


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS.keys())
def test_bytes_are_exact_by_the_second_decoder(payload: bytes) -> None:
    core = zbar_core()
    assert core is not None
    assert [found for found, _ in core.read(picture(payload))] == [payload]


def test_the_second_decoder_is_asked_when_the_first_reads_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding.zxingcpp, "read_barcodes", lambda *args, **options: [])
    (found,) = decode(picture(PAYLOADS["gb18030"]))
    assert (found.payload, found.decoder) == (PAYLOADS["gb18030"], ZBAR)


def test_without_libzbar_the_first_decoder_works_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "zbar_core", lambda: None)
    assert decode(np.full((200, 200), 255, np.uint8)) == []
    assert [found.payload for found in decode(picture(b"alone"))] == [b"alone"]


def test_light_on_dark_is_read() -> None:
    assert [found.payload for found in decode(255 - picture(b"dark mode"))] == [b"dark mode"]


def test_colour_and_transparency_are_read() -> None:
    gray = picture(b"any picture")
    transparent = np.dstack([np.zeros_like(gray)] * 3 + [255 - gray])
    assert [found.payload for found in decode(transparent)] == [b"any picture"]
    assert [found.payload for found in decode(cv2.cvtColor(gray, cv2.COLOR_GRAY2BGR))] == [b"any picture"]


def test_two_symbols_in_one_picture_are_both_found() -> None:
    both = np.hstack([picture(b"left"), picture(b"right")])
    assert {found.payload for found in decode(both)} == {b"left", b"right"}


def test_position_is_in_pixels_of_the_picture() -> None:
    frame = np.full((720, 1280), 255, np.uint8)
    symbol = picture(b"where", scale=6)
    frame[300 : 300 + symbol.shape[0], 700 : 700 + symbol.shape[1]] = symbol
    (found,) = decode(frame)
    edge = 6 * 4
    assert np.allclose(found.position[0], (700 + edge, 300 + edge), atol=6)


GRAIN = np.random.default_rng(1).normal(6, 1, (400, 400))
DAMAGES: dict[str, Callable[[Image], Image]] = {
    "out of focus": lambda image: np.asarray(cv2.GaussianBlur(image, (0, 0), 2.0), np.uint8),
    "dark": lambda image: (image * 0.05 + GRAIN[: image.shape[0], : image.shape[1]]).astype(np.uint8),
    "far": lambda image: np.asarray(cv2.resize(image, None, fx=0.32, fy=0.32, interpolation=cv2.INTER_AREA), np.uint8),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_damage_that_a_later_step_mends(damage: Callable[[Image], Image]) -> None:
    image = damage(picture(PAYLOADS["url"]))
    assert decoding.read(image) == []
    assert [found.payload for found in decode(image)] == [PAYLOADS["url"]]


def test_no_code_is_no_error() -> None:
    rng = np.random.default_rng(7)
    texture = cv2.GaussianBlur(rng.integers(0, 256, (720, 1280), np.uint8), (0, 0), 2)
    assert decode(np.asarray(texture, np.uint8)) == []
    assert decode(np.zeros((1, 1), np.uint8)) == []


def test_a_payload_is_not_in_the_repr() -> None:
    (found,) = decode(picture(b"secret words"))
    assert "secret" not in repr(found)


def test_gray_passes_through() -> None:
    gray = picture(b"x")
    assert to_gray(gray) is gray
