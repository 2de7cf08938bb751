"""Before a face is asked for, no face function sees a frame: counted at the nets, in the loop that takes the frames."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any

import pytest

from drivers.camera.simulated import SimulatedCamera
from drivers.camera.stage import Stage
from kiosk.config import FaceSection
from kiosk.face import verifier
from kiosk.face.detect import Detector
from kiosk.face.match import Matcher
from kiosk.face.pad import Pad
from kiosk.frames import Frames
from kiosk.ports import CodeSeen, FaceDecided
from kiosk.vision import VisionLoop
from kiosk.vision_messages import CameraUp, Message, Quit, Ready, Saw, WatchCodes, WatchFace, Wipe
from kiosk.weights import cache
from tests.contract.vision_kit import short_folder

pytestmark = pytest.mark.timeout(60)


class Watched:
    """A vision loop on a thread, with every face function counted."""

    def __init__(self, kiosk: Connection, stage: Stage) -> None:
        self.kiosk = kiosk
        self.stage = stage
        self.calls: list[str] = []

    def until(self, kind: type[Any]) -> Any:
        """Read what the loop says until a message or report of this kind comes."""
        while True:
            assert self.kiosk.poll(20)
            message: Message = self.kiosk.recv()
            said = message.report if isinstance(message, Saw) else message
            if isinstance(said, kind):
                return said


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    engine = verifier.FaceEngine.load()
    with short_folder() as folder:
        ours, theirs = Pipe()
        opened = Watched(ours, Stage(folder / "scene.sock"))
        for owner in (verifier.FaceEngine, verifier.Attempt, Detector, Matcher, Pad):
            for name in [name for name in vars(owner) if not name.startswith("_") and callable(getattr(owner, name))]:
                _count(monkeypatch, owner, name, opened.calls)
        frames = Frames.create()
        camera = SimulatedCamera(folder / "scene.sock", 60)
        settings = FaceSection()
        loop = VisionLoop(theirs, frames, camera, lambda reference: verifier.Attempt(engine, settings, reference))
        thread = threading.Thread(target=loop.run)
        thread.start()
        try:
            opened.until(Ready)
            opened.until(CameraUp)
            yield opened
        finally:
            ours.send(Quit())
            thread.join()
            frames.close()
            ours.close()
            theirs.close()


def _count(monkeypatch: pytest.MonkeyPatch, owner: type, name: str, calls: list[str]) -> None:
    real = getattr(owner, name)

    def counted(self: Any, *args: Any, **options: Any) -> Any:
        calls.append(f"{owner.__name__}.{name}")
        return real(self, *args, **options)

    if not isinstance(vars(owner)[name], staticmethod):
        monkeypatch.setattr(owner, name, counted)


def test_no_face_function_sees_a_frame_while_codes_are_watched_or_at_rest(watched: Watched) -> None:
    watched.stage.show_face(cache.path("demo_face_astronaut"))
    watched.kiosk.send(WatchCodes(1))
    threading.Event().wait(0.5)
    watched.stage.show_code(b"a code, then a face again")
    watched.until(CodeSeen)
    watched.stage.show_face(cache.path("demo_face_astronaut"))
    threading.Event().wait(0.5)
    watched.kiosk.send(Wipe(1))
    threading.Event().wait(0.3)
    assert watched.calls == []


def test_the_count_would_have_noticed(watched: Watched) -> None:
    watched.stage.show_face(cache.path("demo_face_astronaut"))
    watched.kiosk.send(WatchFace(1, cache.path("demo_face_astronaut").read_bytes()))
    watched.until(FaceDecided)
    assert {"Attempt.look", "FaceEngine.look", "Detector.find", "Pad.score", "Matcher.template"} <= set(watched.calls)
    decided = len(watched.calls)
    threading.Event().wait(0.3)
    assert len(watched.calls) == decided


def test_after_a_face_was_decided_the_next_watch_of_codes_sees_none(watched: Watched) -> None:
    watched.stage.show_face(cache.path("demo_face_astronaut"))
    watched.kiosk.send(WatchFace(1, cache.path("demo_face_astronaut").read_bytes()))
    watched.until(FaceDecided)
    watched.kiosk.send(WatchCodes(2))
    threading.Event().wait(0.2)
    watched.calls.clear()
    threading.Event().wait(0.5)
    assert watched.calls == []
