"""A whole kiosk without its screen: real vision process, real nets, real sandbox over TLS, real outbox on disk."""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from drivers.camera.stage import Stage
from kiosk import log as logs
from kiosk.app import Kiosk
from kiosk.checkin import consent
from kiosk.checkin.events import Consented, Event, FieldsChosen, ReservationConfirmed
from kiosk.checkin.shown import Shown
from kiosk.checkin.states import (
    AskingFaceConsent,
    AskingFields,
    AskingIdentityConsent,
    ShowingReservation,
    State,
    Welcome,
)
from kiosk.config import Config
from kiosk.demo.command import demo_config
from kiosk.demo.watch import Watch
from kiosk.embedded import pointed_at
from kiosk.sandbox.info import SandboxInfo
from kiosk.sandbox.process import SandboxProcess
from kiosk.staff.sheet import SheetState
from kiosk.weights import cache

WAIT_S = 30.0


class Lobby:
    """Starts everything, lets a test play the guest, ends everything."""

    def __init__(self, sandbox: SandboxInfo, config: Config | None = None) -> None:
        # A Unix socket's path must be short: pytest's folders are not.
        self._short = tempfile.TemporaryDirectory(prefix="lobby-")
        base = config or demo_config(None, Path(self._short.name))
        self.config = pointed_at(base, sandbox)
        self.watch = Watch()
        self.sheets: list[SheetState] = []
        self.kiosk = self._new_kiosk()
        scene = self.config.camera.scene_socket
        assert scene is not None
        self.stage = Stage(scene)

    def _new_kiosk(self) -> Kiosk:
        return Kiosk(
            self.config,
            self._shown,
            self.sheets.append,
            observe=self.watch.saw,
            receipted=self.watch.receipted,
        )

    def _shown(self, shown: Shown) -> None:
        self.shown(shown)
        self.watch.shown(shown)

    def shown(self, shown: Shown) -> None:
        """Called on the runner's thread for each state, before anybody else hears of it."""

    def __enter__(self) -> Self:
        hooks = sys.excepthook, threading.excepthook  # pytest's: an error in a thread still fails the test
        logs.configure(self.config.kiosk.state_dir, quiet=True)
        sys.excepthook, threading.excepthook = hooks
        self.kiosk.start()
        self.until(Welcome)
        self.watch.wait("the camera", lambda: self.kiosk.offers().codes, WAIT_S)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kiosk.stop()
        logs.unconfigure()
        self._short.cleanup()

    def now(self) -> Shown:
        return self.watch.turns[-1].shown

    def says(self, event: Event) -> None:
        self.kiosk.runner.send(event, self.now().ticket)

    def until(self, kind: type[State], timeout_s: float = WAIT_S) -> State:
        self.watch.wait(kind.__name__, lambda: bool(self.watch.turns) and isinstance(self.now().state, kind), timeout_s)
        return self.now().state

    def agrees(self, purpose: str) -> None:
        self.says(Consented(consent.give(purpose, "zh-CN", self.kiosk._now())))

    def identify(self, code: bytes) -> State:
        """Show a code, agree, and wait for whatever comes after resolving."""
        self.stage.show_code(code)
        self.until(AskingIdentityConsent)
        self.agrees("identity")
        self.watch.wait("an answer", lambda: type(self.now().state).__name__ not in UNDER_WAY, WAIT_S)
        return self.now().state

    def to_face_consent(self, code: bytes) -> None:
        """Go from a code to the face consent."""
        self.identify(code)
        self.until(ShowingReservation)
        self.says(ReservationConfirmed())
        self.watch.wait("a question", lambda: isinstance(self.now().state, AskingFields | AskingFaceConsent), WAIT_S)
        if isinstance(self.now().state, AskingFields):
            self.says(FieldsChosen((("ethnicity", "01"),)))
        self.until(AskingFaceConsent)

    def told(self, *words: str) -> int:
        """Count the lines of kiosk.log that hold all ``words``."""
        lines = (self.config.kiosk.state_dir / "log" / "kiosk.log").read_text(encoding="utf-8").splitlines()
        return sum(all(word in line for word in words) for line in lines)

    def log_text(self) -> str:
        """Everything that was written under the kiosk's state folder as text: log, audit, visits."""
        found = [path.read_text(encoding="utf-8") for path in self.config.kiosk.state_dir.rglob("*.log*")]
        found += [path.read_text(encoding="utf-8") for path in self.config.kiosk.state_dir.rglob("*.jsonl")]
        return "\n".join(found)


UNDER_WAY = {"AskingIdentityConsent", "Resolving", "LookingUp"}
ASTRONAUT = "demo_face_astronaut"
HOPPER = "demo_face_hopper"


def face(name: str) -> Path:
    """Return the verified file of a demo face."""
    return cache.path(name)


def eventually(what: str, ready: object, timeout_s: float = WAIT_S) -> None:
    """Poll ``ready()`` until it is true; fail naming ``what``."""
    end = time.monotonic() + timeout_s
    while not ready():  # type: ignore[operator]
        assert time.monotonic() < end, f"never came: {what}"
        time.sleep(0.02)


class House(Lobby):
    """A lobby whose sandbox the test can order about."""

    def __init__(self, sandbox: SandboxProcess, config: Config | None = None) -> None:
        super().__init__(sandbox.info, config)
        self.sandbox = sandbox
