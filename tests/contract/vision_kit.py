"""A vision process with a simulated camera, and a list of what it reported, for tests."""

from __future__ import annotations

import queue
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from drivers.camera.stage import Stage
from kiosk.config import Config
from kiosk.ports import VisionReport, VisionUp
from kiosk.vision_process import VisionProcess

Report = TypeVar("Report")

WAIT_S = 20.0


class Room:
    """What a kiosk has of its vision process."""

    def __init__(self, config: Config, folder: Path) -> None:
        self.vision = VisionProcess(config)
        self.stage = Stage(folder / "scene.sock")
        self.reports: queue.Queue[VisionReport] = queue.Queue()
        self.watch = 0

    def start(self) -> None:
        self.vision.start(self.reports.put)

    def next(self, kind: type[Report], timeout_s: float = WAIT_S) -> Report:
        """Wait for a report of one kind; others are dropped, and so is what an earlier watch tells late."""
        end = time.monotonic() + timeout_s
        while True:
            report = self.reports.get(timeout=max(0.01, end - time.monotonic()))
            if isinstance(report, kind) and getattr(report, "watch", self.watch) >= self.watch:
                return report

    def none_within(self, kind: type[object], seconds: float) -> bool:
        """Say whether no report of this kind came."""
        try:
            self.next(kind, seconds)
        except queue.Empty:
            return True
        return False

    def watch_codes(self) -> int:
        self.watch += 1
        self.vision.watch_codes(self.watch)
        return self.watch

    def watch_face(self, reference: bytes) -> int:
        self.watch += 1
        self.vision.watch_face(self.watch, reference)
        return self.watch


def settings(folder: Path, **camera: object) -> Config:
    """Return settings whose state is in ``folder``, which must have a short name."""
    config = Config()
    return config.model_copy(
        update={
            "kiosk": config.kiosk.model_copy(update={"state_dir": folder}),
            "camera": config.camera.model_copy(update=camera),
        }
    )


@contextmanager
def short_folder() -> Iterator[Path]:
    """A folder whose name is short enough for a Unix socket."""
    with tempfile.TemporaryDirectory(prefix="eye-") as name:
        yield Path(name)


@contextmanager
def room(**camera: object) -> Iterator[Room]:
    """Start a vision process; wait until it sees."""
    with short_folder() as folder:
        opened = Room(settings(folder, **camera), folder)
        try:
            opened.start()
            opened.next(VisionUp)
            yield opened
        finally:
            opened.vision.close()


def eventually(what: str, ready: object, timeout_s: float = WAIT_S) -> None:
    """Poll ``ready()`` until it is true."""
    end = time.monotonic() + timeout_s
    while not ready():  # type: ignore[operator]
        assert time.monotonic() < end, f"never came: {what}"
        time.sleep(0.01)
