"""One attempt, frame by frame, with the real nets: who is accepted, who is not, and what is left afterwards."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from itertools import chain, repeat
from pathlib import Path

import cv2
import numpy as np
import pytest

from kiosk.config import FaceSection
from kiosk.face.detect import Face, Image
from kiosk.face.engine import FaceEngine, Seen
from kiosk.face.match import Matcher, Template
from kiosk.face.pad import Pad
from kiosk.face.thresholds import PAD_FRAMES, Thresholds
from kiosk.face.verifier import Attempt, FaceHint, Looked, is_one_person, is_same_place, median
from kiosk.model import FaceVerification, Reason, Refusal
from kiosk.weights import cache
from tests.unit import face_scenes as scenes

FPS = 30.0
ROOT = Path(__file__).parents[2]
SETTINGS = FaceSection()


def play(attempt: Attempt, frames: Iterable[Image], limit: int = 1_000) -> tuple[Looked, list[Reason | None]]:
    """Show frames at 30 a second until the attempt ends; return its end and the hints before it."""
    hints: list[Reason | None] = []
    looked: Looked = FaceHint(None)
    for number, frame in zip(range(limit), frames, strict=False):
        looked = attempt.look(frame, number / FPS)
        if not isinstance(looked, FaceHint):
            break
        hints.append(looked.reason)
    return looked, hints


def standing(who: str, face_px: float = scenes.NEAR_PX) -> list[Image]:
    return [scenes.standing(who, face_px, seed=seed) for seed in range(PAD_FRAMES)]


def attempt(reference: bytes, settings: FaceSection = SETTINGS, engine: FaceEngine | None = None) -> Attempt:
    return Attempt(engine or scenes.engine(), settings, reference)


@pytest.mark.parametrize("who", ["astronaut", "hopper"])
@pytest.mark.parametrize("small", [False, True], ids=["portrait", "60x75"])
def test_the_person_on_the_reference_is_accepted_after_half_a_second(who: str, small: bool) -> None:
    looked, hints = play(attempt(scenes.chip(who) if small else scenes.file(who)), standing(who))
    assert isinstance(looked, FaceVerification)
    assert hints == [None] * (PAD_FRAMES - 1)
    assert 0.6 <= looked.similarity <= 1.0
    assert 0.9 <= looked.pad_score <= 1.0
    assert (looked.similarity_threshold, looked.pad_threshold) == (0.42, 0.55)
    for photo in (looked.live_photo, looked.reference_photo):
        assert len(photo) <= 12_000
        assert len(scenes.engine().detector.find(scenes.decoded(photo))) == 1
    assert looked.live_photo[:20].hex() not in repr(looked)


def test_the_record_can_say_which_nets_decided() -> None:
    looked, _ = play(attempt(scenes.file("hopper")), standing("hopper"))
    assert isinstance(looked, FaceVerification)
    for name in ("yunet", "sface", "minifasnet_v2", "minifasnet_v1se"):
        assert f"{name}-{cache.models()[name].sha256[:8]}" in looked.model_version


@pytest.mark.parametrize(("guest", "other"), [("astronaut", "hopper"), ("hopper", "astronaut")])
def test_somebody_else_is_not(guest: str, other: str) -> None:
    assert play(attempt(scenes.file(other)), standing(guest))[0] == Refusal(Reason.NOT_MATCHED)


def test_a_print_of_the_right_person_is_not() -> None:
    frames = repeat(scenes.held_up("hopper", 160))
    assert play(attempt(scenes.file("hopper")), frames)[0] == Refusal(Reason.NOT_LIVE)


def test_a_stricter_site_turns_away_what_the_default_accepts() -> None:
    strict = FaceSection(similarity_threshold=0.99)
    looked, _ = play(attempt(scenes.chip("hopper"), strict), standing("hopper"))
    assert looked == Refusal(Reason.FACE_DOUBTFUL)


@pytest.mark.parametrize("reference", [b"", b"no picture", scenes.jpeg(scenes.lobby()), scenes.jpeg(scenes.two())])
def test_a_reference_without_one_face_ends_it_at_the_first_look(reference: bytes) -> None:
    looked, hints = play(attempt(reference), standing("hopper"))
    assert looked == Refusal(Reason.NO_PORTRAIT)
    assert hints == []


def test_a_grey_portrait_is_a_portrait() -> None:
    grey = cv2.cvtColor(scenes.photo("hopper"), cv2.COLOR_BGR2GRAY)
    data = bytes(cv2.imencode(".jpg", grey)[1])
    assert isinstance(play(attempt(data), standing("hopper"))[0], FaceVerification)


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (scenes.lobby(), Reason.NO_FACE),
        (scenes.two(), Reason.TWO_FACES),
        (scenes.standing("hopper", 120), Reason.FACE_TOO_FAR),
    ],
    ids=["nobody", "two", "120 px"],
)
def test_what_stays_wrong_ends_in_its_own_word_when_the_time_is_up(frame: Image, reason: Reason) -> None:
    looked, hints = play(attempt(scenes.file("hopper"), FaceSection(attempt_s=3)), repeat(frame))
    assert looked == Refusal(reason)
    assert set(hints) == {reason}
    assert len(hints) == 3 * FPS


def test_a_camera_too_slow_for_enough_frames_ends_in_doubt() -> None:
    slow = attempt(scenes.file("hopper"), FaceSection(attempt_s=3))
    assert slow.look(scenes.standing("hopper"), 0.0) == FaceHint(None)
    assert slow.look(scenes.standing("hopper"), 3.0) == Refusal(Reason.FACE_DOUBTFUL)


def test_an_end_stays_the_end() -> None:
    ended = attempt(scenes.file("hopper"))
    first, _ = play(ended, standing("hopper"))
    assert ended.look(scenes.standing("astronaut"), 99.0) is first


@pytest.mark.parametrize("between", [scenes.lobby(), scenes.two(), scenes.standing("hopper", across=0.68)])
def test_a_face_that_was_lost_joined_or_jumped_begins_again(between: Image) -> None:
    good = standing("hopper")
    looked, hints = play(attempt(scenes.file("hopper")), chain(good[:14], [between], good))
    assert isinstance(looked, FaceVerification)
    assert len(hints) == 14 + 1 + 14


def test_a_blurred_frame_in_between_only_does_not_count() -> None:
    good = standing("hopper")
    soft = np.asarray(cv2.GaussianBlur(good[0], (0, 0), 7), np.uint8)
    looked, hints = play(attempt(scenes.file("hopper")), chain(good[:10], [soft], good[10:]))
    assert isinstance(looked, FaceVerification)
    assert hints == [None] * 10 + [Reason.FACE_BLURRED] + [None] * 4


@pytest.mark.parametrize("place", [0, 3, 6])
def test_of_the_frames_of_each_half_the_best_is_compared_wherever_it_comes(place: int) -> None:
    sharp = scenes.standing("hopper")
    frames = [np.asarray(cv2.GaussianBlur(sharp, (0, 0), 1.2), np.uint8)] * 7
    frames[place] = sharp
    open_attempt = attempt(scenes.file("hopper"))
    assert play(open_attempt, frames)[1] == [None] * 7
    seen = scenes.engine().look(sharp)
    assert isinstance(seen, Seen)
    (best,) = open_attempt._best
    assert np.array_equal(best.aligned, seen.aligned)


def test_two_people_in_one_place_are_not_one_guest() -> None:
    matcher = scenes.engine().matcher
    faces = [scenes.engine().look(scenes.standing(who)) for who in ("astronaut", "hopper")]
    templates = [matcher.template(seen.aligned) for seen in faces if not isinstance(seen, Reason)]
    assert not is_one_person(templates, Thresholds())
    assert is_one_person([templates[0], templates[0].copy()], Thresholds())


def test_a_swap_in_the_middle_is_not_accepted_for_either() -> None:
    """Same place, same size: only likeness can tell."""
    mixed = [*standing("hopper")[:7], *standing("astronaut")[:8]]
    for who in ("hopper", "astronaut"):
        looked, _ = play(attempt(scenes.file(who)), mixed)
        assert not isinstance(looked, FaceVerification)


class NoNumberPad(Pad):
    """A net whose output overflowed in one frame."""

    def __init__(self, real: Pad) -> None:
        self._real = real
        self._frames = 0

    def score(self, image: Image, face: Face) -> float:
        self._frames += 1
        return float("nan") if self._frames == 3 else self._real.score(image, face)


class NoNumberMatcher(Matcher):
    def __init__(self, real: Matcher) -> None:
        self._real = real

    def align(self, image: Image, face: Face) -> Image:
        return self._real.align(image, face)

    def template(self, aligned: Image) -> Template:
        return np.full(128, np.nan, np.float32)


def test_scores_that_are_no_numbers_are_never_accepted() -> None:
    real = scenes.engine()
    for broken in (
        FaceEngine(real.detector, real.matcher, NoNumberPad(real.pad), "broken"),
        FaceEngine(real.detector, NoNumberMatcher(real.matcher), real.pad, "broken"),
    ):
        looked, _ = play(attempt(scenes.file("hopper"), engine=broken), standing("hopper"))
        assert looked == Refusal(Reason.FACE_DOUBTFUL)


def test_a_median_with_a_hole_is_no_number() -> None:
    assert median([0.2, 0.9, 0.4]) == 0.4
    assert np.isnan(median([0.9, float("nan"), 0.9]))


def test_closing_overwrites_template_and_cuts() -> None:
    open_attempt = attempt(scenes.file("hopper"))
    play(open_attempt, standing("hopper")[:10])
    reference = open_attempt._reference
    cuts = [image for best in open_attempt._best for image in (best.aligned, best.photo)]
    assert reference is not None
    assert reference.template.any()
    assert len(cuts) == 4
    assert all(cut.any() for cut in cuts)
    open_attempt.close()
    open_attempt.close()
    assert not reference.template.any()
    assert not any(cut.any() for cut in cuts)
    with pytest.raises(RuntimeError, match="closed"):
        open_attempt.look(scenes.lobby(), 1.0)


def test_the_end_itself_overwrites_them_too() -> None:
    open_attempt = attempt(scenes.file("astronaut"))
    reference = open_attempt._reference
    play(open_attempt, standing("hopper"))
    assert reference is not None
    assert not reference.template.any()
    assert open_attempt._best == []


def test_the_frame_itself_is_not_kept() -> None:
    open_attempt = attempt(scenes.file("hopper"))
    frame = scenes.standing("hopper")
    open_attempt.look(frame, 0.0)
    for best in open_attempt._best:
        assert not np.shares_memory(best.aligned, frame)
        assert not np.shares_memory(best.photo, frame)


@pytest.mark.timeout(90)
def test_nothing_of_a_face_is_written_to_disk() -> None:
    code = """
import os, sys
writes = []
def watch(event, arguments):
    if event == "open" and (arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        writes.append(arguments[0])
from tests.unit import face_scenes as scenes
from tests.unit.test_face_attempt import attempt, play, standing
frames, reference = standing("hopper"), scenes.file("hopper")
scenes.engine()
sys.addaudithook(watch)
ended = attempt(reference)
print(type(play(ended, frames)[0]).__name__)
ended.close()
assert not writes, writes
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert (done.returncode, done.stdout.strip()) == (0, "FaceVerification"), done.stderr


def face(x: float, width: float) -> Face:
    return Face(np.array([x, 100, width, width, *[0.0] * 10, 1], np.float32))


def test_a_face_can_sway_but_not_jump() -> None:
    assert is_same_place(face(100, 200), face(150, 210))
    assert not is_same_place(face(100, 200), face(300, 200))
    assert not is_same_place(face(100, 200), face(100, 300))
    assert not is_same_place(face(100, 200), face(100, 120))
