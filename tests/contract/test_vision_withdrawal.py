"""The vision handle when a guest withdraws, and when its process cannot be had, is sick, or will not die."""

from __future__ import annotations

import pickle
import threading
import time
from pathlib import Path

import psutil
import pytest

from kiosk import vision_child, vision_process
from kiosk.model import Reason
from kiosk.ports import CodeSeen, FaceHintSeen, VisionDown, VisionUp
from kiosk.vision_child import VisionChild
from kiosk.vision_messages import Command, WatchCodes, WatchFace, Wipe
from kiosk.vision_process import VisionProcess
from kiosk.weights import cache
from tests.contract.vision_kit import eventually, room, settings

pytestmark = pytest.mark.timeout(90)

ASTRONAUT = "demo_face_astronaut"
PORTRAIT = b"the portrait of somebody who has withdrawn"


def test_to_rest_leaves_no_pixel_of_the_face_that_was_looked_at() -> None:
    with room() as opened:
        opened.stage.show_face(cache.path(ASTRONAUT), face_px=120)
        opened.watch_face(cache.path(ASTRONAUT).read_bytes())
        assert opened.next(FaceHintSeen).hint is Reason.FACE_TOO_FAR
        assert not opened.vision._frames.is_zero()
        opened.vision.rest()
        assert opened.vision.latest_frame() is None
        eventually("every pixel zero", opened.vision._frames.is_zero)
        time.sleep(0.2)
        assert opened.vision._frames.is_zero()


def test_what_was_asked_of_an_absent_process_is_forgotten_with_the_next_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = threading.Event()

    def cannot(*_: object) -> None:
        started.set()
        raise OSError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(vision_process, "VisionChild", cannot)
    vision = VisionProcess(settings(tmp_path))
    vision.start(lambda report: None)
    try:
        assert started.wait(5)
        vision.watch_face(1, PORTRAIT)
        vision.wipe()
        vision.watch_codes(2)
        assert waiting(vision) == [Wipe(1), WatchCodes(2)]
        vision.watch_face(3, PORTRAIT)
        vision.rest()
        assert not any(isinstance(command, WatchFace) for command in waiting(vision))
    finally:
        vision.close()


def waiting(vision: VisionProcess) -> list[Command]:
    """What a new process would be told, left where it was."""
    found = []
    while not vision._commands.empty():
        found.append(vision._commands.get())
    for command in found:
        vision._commands.put(command)
    return found


def test_a_process_that_talks_nonsense_is_replaced(caplog: pytest.LogCaptureFixture) -> None:
    with room() as opened:
        first = opened.vision.pid
        child = opened.vision._child
        assert child is not None
        take = opened.vision._take
        opened.vision._take = lambda message: (_ for _ in ()).throw(pickle.UnpicklingError("x"))  # type: ignore[method-assign]
        opened.watch_codes()
        opened.stage.show_code(b"lost")
        opened.next(VisionDown)
        opened.vision._take = take  # type: ignore[method-assign]
        opened.next(VisionUp)
        assert opened.vision.pid not in (None, first)
        opened.watch_codes()
        opened.stage.show_code(b"seen")
        while opened.next(CodeSeen).payload != b"seen":
            pass
    assert "UnpicklingError" in caplog.text


def test_a_process_that_will_not_die_is_told_and_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """As one that waits in the kernel for a broken camera."""
    monkeypatch.setattr(vision_child, "REAP_S", 0.2)
    with room() as opened:
        child = opened.vision._child
        assert child is not None
        immortal = psutil.Process(child.pid)
        monkeypatch.setattr(child._process, "kill", lambda: None)
        immortal.suspend()
        try:
            opened.next(VisionDown)
            eventually("another process", lambda: opened.vision.pid not in (None, immortal.pid))
        finally:
            immortal.kill()
            child._process.wait(5)
        opened.next(VisionUp)  # the camera is free again


def test_a_process_that_takes_no_settings_is_ended_and_not_left_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pids: list[int] = []

    def hangs(self: VisionChild, message: object) -> None:
        pids.append(self.pid)
        raise TimeoutError

    monkeypatch.setattr(VisionChild, "send", hangs)
    vision = VisionProcess(settings(tmp_path))
    vision.start(lambda report: None)
    try:
        eventually("a second try", lambda: len(pids) > 1)
        assert not psutil.pid_exists(pids[0]) or psutil.Process(pids[0]).status() == psutil.STATUS_ZOMBIE
    finally:
        vision.close()
