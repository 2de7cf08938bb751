"""What one look for codes reports over a stream of frames, with the clock in the test's hand."""

from __future__ import annotations

from itertools import count

import cv2
import numpy as np
import pytest

from drivers.camera.render import Frame, code_frames, empty_frames
from drivers.scanner import look as looking
from drivers.scanner.look import CodeLook
from drivers.scanner.motion import GLANCE_S, Motion
from kiosk.model import Hint
from kiosk.ports import CodeHintSeen, CodeSeen
from tests.unit.test_hints import held

PHONE = list(code_frames(b"first code", 1))
OTHER = list(code_frames(b"second code", 2))
LOBBY = list(empty_frames())


class Film:
    """Plays frames to one look, 30 a second, and keeps what it reported."""

    def __init__(self) -> None:
        self.look = CodeLook(watch=7)
        self.reports: list[CodeSeen | CodeHintSeen] = []
        self.at = 100.0

    def play(self, frames: list[Frame], seconds: float = 0.5) -> None:
        for number in range(round(seconds * 30)):
            self.reports += self.look.look(frames[number % len(frames)], self.at)
            self.at += 1 / 30

    @property
    def payloads(self) -> list[bytes]:
        return [report.payload for report in self.reports if isinstance(report, CodeSeen)]

    @property
    def hints(self) -> list[Hint | None]:
        return [report.hint for report in self.reports if isinstance(report, CodeHintSeen)]


def test_a_presentation_is_reported_once() -> None:
    film = Film()
    film.play(LOBBY)
    shown_at = film.at
    film.play(PHONE, 2.0)
    film.play(LOBBY)
    film.play(PHONE)
    assert film.reports == [CodeSeen(7, b"first code", "zxing-cpp", shown_at)]


def test_another_code_in_the_same_watch_is_reported_too() -> None:
    film = Film()
    film.play(PHONE, 1.0)
    shown_at = film.at
    film.play(OTHER, 1.0)
    assert film.payloads == [b"first code", b"second code"]
    assert film.reports[-1] == CodeSeen(7, b"second code", "zxing-cpp", shown_at)


def test_a_presentation_begins_when_the_symbol_is_first_seen_not_when_it_is_first_read() -> None:
    film = Film()
    film.play(LOBBY)
    shown_at = film.at
    blurred = [np.asarray(cv2.GaussianBlur(frame, (0, 0), 5), np.uint8) for frame in PHONE]
    film.play(blurred, 0.3)
    film.play(PHONE, 0.1)
    (seen,) = [report for report in film.reports if isinstance(report, CodeSeen)]
    assert seen.first_frame_at == pytest.approx(shown_at)


def test_a_symbol_that_went_away_unread_does_not_count_for_the_next() -> None:
    film = Film()
    film.play([np.asarray(cv2.GaussianBlur(PHONE[0], (0, 0), 5), np.uint8)], 0.3)
    film.play(LOBBY, 1.0)
    shown_at = film.at
    film.play(PHONE, 0.1)
    (seen,) = [report for report in film.reports if isinstance(report, CodeSeen)]
    assert seen.first_frame_at == pytest.approx(shown_at)


def test_a_code_that_resists_gets_a_hint_after_a_moment_and_loses_it_when_read() -> None:
    film = Film()
    film.play([held(0.2)], 0.4)
    assert film.reports == []
    film.play([held(0.2)], 0.6)
    assert film.hints == [Hint.CLOSER]
    film.play(PHONE, 0.2)
    assert film.hints == [Hint.CLOSER, None]
    assert film.payloads == [b"first code"]


def test_a_hint_goes_when_the_phone_goes() -> None:
    film = Film()
    film.play([held(0.2)], 1.0)
    film.play(LOBBY, 1.0)
    assert film.hints == [Hint.CLOSER, None]


def test_a_still_picture_is_only_glanced_at(monkeypatch: pytest.MonkeyPatch) -> None:
    examined = count()
    real = looking.read

    def counted(gray: Frame) -> list[looking.Decoded]:
        next(examined)
        return real(gray)

    monkeypatch.setattr(looking, "read", counted)
    film = Film()
    film.play(LOBBY, 2.0)
    before = next(examined)
    film.play(LOBBY, 10.0)
    assert next(examined) - before - 1 <= 10 / GLANCE_S + 1
    assert film.look.is_calm(film.at)
    film.play(PHONE, 0.1)
    assert film.payloads == [b"first code"]


def test_a_sensors_noise_is_no_motion_and_a_small_code_is() -> None:
    motion = Motion()
    for number in range(60):
        motion.worth_a_look(LOBBY[number % len(LOBBY)], number / 30)
    assert motion.is_calm(2.0)
    small = LOBBY[0].copy()
    small[300:380, 600:680] = np.kron(np.indices((10, 10)).sum(0) % 2, np.ones((8, 8)))[:, :, None] * 255
    assert motion.worth_a_look(small, 2.03)
    assert not motion.is_calm(2.03)


def test_after_it_is_closed_no_picture_is_left() -> None:
    film = Film()
    film.play(PHONE, 0.1)
    gray = film.look._gray
    assert gray is not None
    assert gray.any()
    film.look.close()
    assert not gray.any()
