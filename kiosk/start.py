"""``./run start``: a kiosk, its screen on the main thread and, in the demo, its sandbox beside it."""

from __future__ import annotations

import argparse
import json
import logging
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from kiosk import log as logs
from kiosk.app import Kiosk
from kiosk.checkin.flow import Ticket
from kiosk.checkin.mail import Activity, Stretched
from kiosk.checkin.shown import Shown
from kiosk.config import Config, load, usual_file
from kiosk.embedded import leave_pointer, needs_sandbox, pointed_at, remove_pointer
from kiosk.errors import KioskError, where
from kiosk.ports import VisionReport
from kiosk.sandbox.process import SandboxProcess
from kiosk.staff.sheet import StaffSheet
from ui.screen.app import Screen
from ui.screen.glass import Glass
from ui.screen.hands import Hands

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Observers:
    """Whoever wants to watch: the demo and the benches. All are called from threads of the kiosk."""

    shown: Callable[[Shown], None] = field(default=lambda shown: None)
    painted: Callable[[Ticket, float], None] = field(default=lambda ticket, at: None)
    saw: Callable[[VisionReport], None] = field(default=lambda report: None)
    receipted: Callable[[str, str], None] = field(default=lambda record_id, receipt_no: None)
    left: Callable[[], None] = field(default=lambda: None)
    """The screen was closed, by its window or by a signal."""


class LiveKiosk:
    """One run of a kiosk with its screen. ``run`` blocks the main thread until the window closes or a signal comes."""

    def __init__(self, config: Config, observers: Observers | None = None) -> None:
        self.config = config
        self._observers = observers or Observers()
        self.sandbox: SandboxProcess | None = None
        self.kiosk: Kiosk | None = None
        self.error: Exception | None = None
        self.ready = threading.Event()
        self.screen = Screen(config, self._hands(), self._preview)
        self.glass = Glass(self.screen, self._observers.painted)
        self._left = threading.Event()

    def run(self, script: Callable[[LiveKiosk], None] | None = None) -> int:
        """Show the screen, start the kiosk behind it, play ``script`` on its own thread. Return the exit status."""
        worker = threading.Thread(target=self._live, args=(script,), name="running")
        with _signals(self.screen.quit):
            worker.start()
            try:
                status = self.screen.exec()
            finally:
                self._left.set()
                self.glass.leave()
                self._observers.left()
                worker.join()
                self.screen.close()
        return 1 if self.error else status

    def _live(self, script: Callable[[LiveKiosk], None] | None) -> None:
        try:
            self._open()
            if script is not None:
                script(self)
                self.screen.quit()
            else:
                self._left.wait()
        except Exception as error:  # told once, at the end, in one line
            self.error = error
            self.screen.quit()
        finally:
            self._close()

    def _open(self) -> None:
        if needs_sandbox(self.config):
            self.sandbox = SandboxProcess(latency_ms=self.config.sandbox.latency_ms)
            self.sandbox.start()
            self.config = pointed_at(self.config, self.sandbox.info)
        self.kiosk = Kiosk(
            self.config,
            self._show,
            self.screen.show_sheet,
            observe=self._observers.saw,
            receipted=self._observers.receipted,
        )
        self.kiosk.start()
        if self.sandbox is not None:  # only now: until here the state folder may be another kiosk's
            leave_pointer(self.config.kiosk.state_dir, self.sandbox.info.run_dir)
        self.ready.set()

    def _close(self) -> None:
        if self.kiosk is not None:
            self.kiosk.stop()
        if self.sandbox is not None:
            if self.ready.is_set():
                remove_pointer(self.config.kiosk.state_dir)
            self.sandbox.stop()

    def _show(self, shown: Shown) -> None:
        self._observers.shown(shown)  # before the screen can say that it is painted
        self.screen.show(shown)

    def _preview(self) -> tuple[int, memoryview] | None:
        return self.kiosk.vision.latest_frame() if self.kiosk is not None and self.ready.is_set() else None

    def _hands(self) -> Hands:
        """What the screen may do; before the kiosk is ready, a touch does nothing."""

        def when_ready(call: Callable[[Kiosk], None]) -> None:
            if self.ready.is_set() and self.kiosk is not None:
                call(self.kiosk)

        def staff(call: Callable[[StaffSheet], None]) -> None:
            when_ready(lambda kiosk: kiosk.staff(call))

        screen = self.config.screen
        return Hands(
            send=lambda event, ticket: when_ready(lambda kiosk: kiosk.runner.send(event, ticket)),
            still_here=lambda: when_ready(lambda kiosk: kiosk.runner.tell(Activity())),
            activity=lambda: when_ready(lambda kiosk: kiosk.runner.tell(Activity())),
            staff_open=lambda: when_ready(Kiosk.open_sheet),
            staff_pin=lambda pin: staff(lambda sheet: sheet.enter(pin)),
            staff_approve=lambda code: staff(lambda sheet: sheet.approve(code)),
            staff_retry=lambda: staff(StaffSheet.retry),
            staff_end=lambda: staff(StaffSheet.end),
            staff_close=lambda: staff(StaffSheet.close),
            new_consent=lambda purpose, language: self._kiosk().new_consent(purpose, language),
            elder_mode=lambda on: when_ready(
                lambda kiosk: kiosk.runner.tell(Stretched(screen.elder_idle_s / screen.idle_s if on else 1.0))
            ),
        )

    def _kiosk(self) -> Kiosk:
        if self.kiosk is None:
            raise RuntimeError("the screen asked for a consent before the kiosk was ready")
        return self.kiosk


def main(argv: list[str]) -> int:
    """Start the kiosk that config.toml describes."""
    parser = argparse.ArgumentParser(prog="./run start", description="Start the kiosk with its screen.")
    parser.add_argument("--config", type=Path, default=usual_file())
    parser.add_argument("--announce", action="store_true", help="print one JSON line when the kiosk is ready")
    arguments = parser.parse_args(argv)
    began = time.monotonic()
    config = load(arguments.config)
    try:
        logs.configure(config.kiosk.state_dir)
    except OSError as error:
        sys.stderr.write(f"start: {_in_words(error)}\n")
        return 1
    running = LiveKiosk(config)
    if running.screen.offscreen:
        log.warning("no display: nobody can see this kiosk. Next: start it where DISPLAY or WAYLAND_DISPLAY names one")
    if arguments.announce:
        threading.Thread(target=_announce, args=(running,), daemon=True).start()

    status = running.run()
    if running.error is not None:
        sys.stderr.write(f"start: {_in_words(running.error)}\n")
        log.error("stopped after %.0f s: %s", time.monotonic() - began, where(running.error))
    return status


def _in_words(error: Exception) -> str:
    match error:
        case KioskError():
            return str(error)
        case OSError():
            return f"{error.filename or 'the system'}: {error.strerror}; ./run doctor says more"
        case _:
            return f"{where(error)}: a fault of the program; log/kiosk.log says more"


@contextmanager
def _signals(leave: Callable[[], None]) -> Iterator[None]:
    """Call ``leave`` on SIGTERM and SIGINT, on a thread of its own.

    While Qt waits for events no Python runs, so a handler in Python would wait, too: the wake-up socket, which the
    interpreter's C handler writes to at once, does not.
    """
    ear, mouth = socket.socketpair()
    mouth.settimeout(0)
    before = [(number, signal.signal(number, lambda *_: None)) for number in (signal.SIGTERM, signal.SIGINT)]
    signal.set_wakeup_fd(mouth.fileno(), warn_on_full_buffer=False)

    def listen() -> None:
        if ear.recv(1):
            leave()

    listener = threading.Thread(target=listen, name="signals")
    listener.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(-1)
        for number, handler in before:
            signal.signal(number, handler)
        mouth.close()
        listener.join()
        ear.close()


def _announce(running: LiveKiosk) -> None:
    """Print when the first frame was painted and when the kiosk was ready, in seconds since the process began."""
    began = psutil.Process().create_time()
    running.ready.wait()
    ready = time.time() - began
    first = running.screen.started
    painted = ready - (time.monotonic() - first) if first is not None else ready
    sys.stdout.write(json.dumps({"first_frame_s": round(painted, 3), "ready_s": round(ready, 3)}) + "\n")
    sys.stdout.flush()
