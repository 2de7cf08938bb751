"""The vision process as the kiosk meets it: a real child, the real decoder and nets, a simulated camera."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest

from kiosk.model import FaceVerification, Reason, Refusal
from kiosk.ports import (
    CodeHintSeen,
    CodeSeen,
    FaceDecided,
    FaceHintSeen,
    Vision,
    VisionDown,
    VisionReport,
    VisionUp,
)
from kiosk.vision_process import VisionProcess
from kiosk.weights import cache
from tests.contract.vision_kit import Room, eventually, room, settings, short_folder
from tests.stopwatch import Stopwatch
from tests.unit.test_decode import picture

pytestmark = pytest.mark.timeout(90)

ASTRONAUT = "demo_face_astronaut"
HOPPER = "demo_face_hopper"


@pytest.fixture(scope="module")
def shared() -> Iterator[Room]:
    with room() as opened:
        yield opened


@pytest.fixture
def seeing(shared: Room) -> Room:
    """The shared process, at rest, nothing before its camera."""
    shared.vision.rest()
    shared.stage.show_nothing()
    shared.vision.wipe()
    while not shared.reports.empty():
        shared.reports.get()
    return shared


@pytest.fixture
def own() -> Iterator[Room]:
    with room() as opened:
        yield opened


def test_satisfies_the_port(seeing: Room) -> None:
    assert isinstance(seeing.vision, Vision)


def test_a_code_is_seen_with_its_exact_bytes_and_the_time_it_was_first_shown(seeing: Room) -> None:
    watch = seeing.watch_codes()
    before = time.monotonic()
    seeing.stage.show_code(b"\x00\xff exact", seed=4)
    seen = seeing.next(CodeSeen)
    assert (seen.watch, seen.payload, seen.decoder) == (watch, b"\x00\xff exact", "zxing-cpp")
    assert before < seen.first_frame_at < time.monotonic()


def test_a_code_is_seen_once_in_each_watch(seeing: Room) -> None:
    seeing.stage.show_code(b"held up for long")
    first = seeing.watch_codes()
    assert seeing.next(CodeSeen).watch == first
    assert seeing.none_within(CodeSeen, 0.7)
    second = seeing.watch_codes()
    assert seeing.next(CodeSeen).watch == second


def test_at_rest_nothing_is_looked_at_and_nothing_shown(seeing: Room) -> None:
    seeing.watch_codes()
    eventually("a frame", lambda: seeing.vision.latest_frame() is not None)
    seeing.vision.rest()
    eventually("the preview gone", lambda: seeing.vision.latest_frame() is None)
    while not seeing.none_within(VisionReport, 0.3):  # type: ignore[arg-type]
        pass  # what was on its way
    seeing.stage.show_code(b"nobody asked")
    assert seeing.none_within(VisionReport, 0.5)  # type: ignore[arg-type]
    assert seeing.vision.latest_frame() is None


def test_the_newest_frame_is_handed_out_without_a_copy(seeing: Room) -> None:
    seeing.watch_codes()
    eventually("a frame", lambda: seeing.vision.latest_frame() is not None)
    first = seeing.vision.latest_frame()
    assert first is not None
    number, pixels = first
    assert len(pixels) == 1280 * 720 * 3
    assert np.ptp(np.frombuffer(pixels, np.uint8)) > 20
    eventually("another frame", lambda: (seeing.vision.latest_frame() or (0,))[0] > number)
    again = seeing.vision.latest_frame()
    assert again is not None
    assert again[1].obj is pixels.obj


def test_the_guest_of_the_portrait_is_verified(seeing: Room) -> None:
    seeing.stage.show_face(cache.path(ASTRONAUT))
    watch = seeing.watch_face(cache.path(ASTRONAUT).read_bytes())
    decided = seeing.next(FaceDecided)
    assert decided.watch == watch
    assert isinstance(decided.outcome, FaceVerification)
    assert cv2.imdecode(np.frombuffer(decided.outcome.live_photo, np.uint8), cv2.IMREAD_COLOR) is not None


def test_somebody_else_is_not(seeing: Room) -> None:
    seeing.stage.show_face(cache.path(HOPPER))
    seeing.watch_face(cache.path(ASTRONAUT).read_bytes())
    assert isinstance(seeing.next(FaceDecided).outcome, Refusal)


def test_a_face_gets_hints_while_it_is_not_as_it_must_be(seeing: Room) -> None:
    seeing.watch_face(cache.path(ASTRONAUT).read_bytes())
    assert seeing.next(FaceHintSeen).hint is Reason.NO_FACE
    seeing.stage.show_face(cache.path(ASTRONAUT), face_px=120)
    assert seeing.next(FaceHintSeen).hint is Reason.FACE_TOO_FAR
    seeing.stage.show_faces([cache.path(ASTRONAUT), cache.path(HOPPER)])
    assert seeing.next(FaceHintSeen).hint is Reason.TWO_FACES


def test_a_wipe_leaves_no_pixel_and_shows_nothing_of_the_last_visit(seeing: Room) -> None:
    seeing.stage.show_face(cache.path(ASTRONAUT))
    seeing.watch_codes()
    eventually("frames", lambda: (seeing.vision.latest_frame() or (0,))[0] > 3)
    assert not seeing.vision._frames.is_zero()
    seeing.vision.wipe()
    assert seeing.vision.latest_frame() is None
    eventually("every pixel zero", seeing.vision._frames.is_zero)
    time.sleep(0.2)
    assert seeing.vision._frames.is_zero()
    assert seeing.vision.latest_frame() is None
    seeing.watch_codes()
    eventually("frames of the next visit", lambda: seeing.vision.latest_frame() is not None)


def test_no_call_blocks(seeing: Room) -> None:
    watch = Stopwatch()
    for _ in range(5):
        seeing.watch_codes()
        seeing.watch_face(b"no picture")
        seeing.vision.rest()
        seeing.vision.wipe()
    assert watch.seconds() < 20 * 0.05


def test_the_process_has_no_screen_library(seeing: Room) -> None:
    assert seeing.vision.pid is not None
    maps = Path(f"/proc/{seeing.vision.pid}/maps").read_text()
    assert "cv2" in maps
    assert "PySide6" not in maps
    assert "libQt" not in maps


def test_a_killed_process_comes_back_and_sees_again(own: Room) -> None:
    first = own.vision.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    own.next(VisionDown)
    own.next(VisionUp)
    assert own.vision.pid not in (None, first)
    own.watch_codes()
    own.stage.show_code(b"after a crash")
    assert own.next(CodeSeen).payload == b"after a crash"


def test_a_hung_process_is_ended_and_replaced(own: Room) -> None:
    hung = own.vision.pid
    assert hung is not None
    os.kill(hung, signal.SIGSTOP)
    own.next(VisionDown)
    own.next(VisionUp)
    assert not psutil.pid_exists(hung)
    own.watch_codes()
    own.stage.show_code(b"after a hang")
    assert own.next(CodeSeen).payload == b"after a hang"


def test_a_pulled_cable_is_told_and_mended_without_a_new_process(own: Room) -> None:
    before = own.vision.pid
    own.watch_codes()
    own.stage.unplug(0.8)
    assert "unplugged" in own.next(VisionDown).reason
    assert own.vision.latest_frame() is None
    own.next(VisionUp)
    assert own.vision.pid == before
    own.watch_codes()
    own.stage.show_code(b"plugged in again")
    assert own.next(CodeSeen).payload == b"plugged in again"


def test_a_camera_that_is_absent_at_the_start_is_used_when_it_comes() -> None:
    with short_folder() as folder:
        opened = Room(settings(folder, driver="video", video_path=folder / "reel", fps=30), folder)
        try:
            opened.start()
            assert "reel" in opened.next(VisionDown).reason
            (folder / "new").mkdir()
            cv2.imwrite(str(folder / "new" / "a.png"), picture(b"from a file", scale=6))
            (folder / "new").rename(folder / "reel")
            opened.next(VisionUp)
            opened.watch_codes()
            assert opened.next(CodeSeen).payload == b"from a file"
        finally:
            opened.vision.close()


def test_a_code_that_resists_is_told_what_would_help() -> None:
    with short_folder() as folder:
        (folder / "reel").mkdir()
        soft = cv2.GaussianBlur(picture(b"out of focus" * 9, scale=8), (0, 0), 6)
        cv2.imwrite(str(folder / "reel" / "a.png"), cv2.copyMakeBorder(soft, 90, 90, 200, 200, cv2.BORDER_REPLICATE))
        opened = Room(settings(folder, driver="video", video_path=folder / "reel", fps=30), folder)
        try:
            opened.start()
            opened.next(VisionUp)
            watch = opened.watch_codes()
            hinted = opened.next(CodeHintSeen)
            assert hinted.watch == watch
            assert hinted.hint is not None
        finally:
            opened.vision.close()


def test_without_models_codes_are_read_and_a_face_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    reference = cache.path(ASTRONAUT).read_bytes()
    monkeypatch.setenv("SUIZHU_CACHE", str(tmp_path))
    with room() as opened:
        assert not opened.vision.face_capable
        opened.watch_face(reference)
        assert opened.next(FaceDecided).outcome == Refusal(Reason.FACE_UNAVAILABLE)
        opened.watch_codes()
        opened.stage.show_code(b"codes all the same")
        assert opened.next(CodeSeen).payload == b"codes all the same"
    assert "no face step" in caplog.text


def test_with_models_a_face_can_be_looked_at(seeing: Room) -> None:
    assert seeing.vision.face_capable


def test_to_close_ends_the_process_soon_and_twice_is_harmless() -> None:
    with room() as opened:
        pid = opened.vision.pid
        assert pid is not None
        watch = Stopwatch()
        opened.vision.close()
        assert watch.seconds() < 2.0
        assert not psutil.pid_exists(pid)
        opened.vision.close()
        assert opened.vision.latest_frame() is None
        assert opened.vision.pid is None
        opened.vision.wipe()
        opened.vision.rest()


def test_to_close_before_the_start_is_harmless(tmp_path: Path) -> None:
    vision = VisionProcess(settings(tmp_path))
    assert vision.latest_frame() is None
    vision.close()


def test_a_machine_that_stood_still_accuses_nobody(tmp_path: Path) -> None:
    vision = VisionProcess(settings(tmp_path))
    vision._looked_at = 100.0
    vision._frames.may_be_silent(100.2)
    assert not vision._hangs(110.0)  # nobody looked for ten seconds: whoever was to be heard may have stood still, too
    assert not vision._hangs(111.0)
    vision._frames.may_be_silent(114.0)
    assert not vision._hangs(112.5)
    vision.close()


def test_a_process_that_is_silent_while_somebody_listens_hangs(tmp_path: Path) -> None:
    vision = VisionProcess(settings(tmp_path))
    vision._looked_at = 100.0
    vision._frames.may_be_silent(100.6)
    assert [vision._hangs(at) for at in (100.5, 101.0)] == [False, True]
    vision._looked_at = 200.0
    vision._frames.may_be_silent(200.2)
    assert [vision._hangs(at) for at in (210.0, 211.0, 212.0, 212.5)] == [False, False, True, True]
    vision.close()


def test_a_listener_that_is_always_late_still_hears_that_a_process_hangs(tmp_path: Path) -> None:
    vision = VisionProcess(settings(tmp_path))
    vision._looked_at = 100.0
    vision._frames.may_be_silent(100.2)
    looks = [vision._hangs(at) for at in (101.8, 103.6, 105.4, 107.2, 109.0, 110.8, 112.6, 114.4, 116.2)]
    assert looks[:5] == [False] * 5
    assert looks[-1]
    vision.close()


def test_a_listener_that_breaks_does_not_blind_the_kiosk(caplog: pytest.LogCaptureFixture) -> None:
    with short_folder() as folder:
        opened = Room(settings(folder), folder)

        def breaks(report: VisionReport) -> None:
            opened.reports.put(report)
            raise ZeroDivisionError

        try:
            opened.vision.start(breaks)
            opened.next(VisionUp)
            opened.watch_codes()
            opened.stage.show_code(b"still told")
            assert opened.next(CodeSeen).payload == b"still told"
        finally:
            opened.vision.close()
    assert "ZeroDivisionError" in caplog.text


ORPHANS = """
import sys, time
from pathlib import Path
from kiosk.vision_process import VisionProcess
from tests.contract.vision_kit import settings

vision = VisionProcess(settings(Path(sys.argv[1])))
vision.start(lambda report: print(vision.pid, flush=True))
time.sleep(60)
"""


def test_the_process_ends_with_a_killed_kiosk() -> None:
    with short_folder() as folder:
        kiosk = subprocess.Popen(
            [sys.executable, "-c", ORPHANS, str(folder)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        assert kiosk.stdout is not None
        child = int(kiosk.stdout.readline())
        assert psutil.pid_exists(child)
        kiosk.kill()
        kiosk.wait()
        kiosk.stdout.close()
        eventually("the end of the child", lambda: not _is_alive(child), 3.0)


def _is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
