"""The sandbox as a child process that ends with its parent."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import cast

from kiosk.sandbox.control import SandboxUnavailable, ask
from kiosk.sandbox.faults import Option
from kiosk.sandbox.info import SandboxInfo
from kiosk.sandbox.ledger_view import LedgerView

START_S = 20.0
STOP_S = 1.5
_ROOT = Path(__file__).resolve().parents[2]


class SandboxProcess:
    """Starts, asks and ends one sandbox. Everything but ``start`` and ``stop`` may come from any thread."""

    def __init__(
        self,
        latency_ms: float = 50,
        run_dir: Path | None = None,
        *,
        delay_s: float = 0.03,
        ledger_in_memory: bool = False,
        capacity_per_s: float = 0,
    ) -> None:
        """Prepare; nothing runs yet.

        Args:
            latency_ms: What each call to a server takes on top of the work.
            run_dir: Where keys and databases go, kept afterwards; None: a new folder that is removed at the end.
            delay_s: How long a batch lies in the police's queue before it is looked at.
            ledger_in_memory: The police's ledger touches no disk; only ``ledger`` can read it.
            capacity_per_s: More requests to the police in a second are 503 with Retry-After; 0: as many as come.
                It is the fault ``police_capacity``: ``clear_faults`` ends it.
        """
        self._given = run_dir
        self._arguments = ["--latency-ms", str(latency_ms), "--delay-s", str(delay_s)]
        self._arguments += ["--capacity-per-s", str(capacity_per_s)]
        self._arguments += ["--ledger-in-memory"] * ledger_in_memory
        self._child: subprocess.Popen[str] | None = None
        self._info: SandboxInfo | None = None

    @property
    def info(self) -> SandboxInfo:
        """Where the running sandbox is. Raises SandboxUnavailable before ``start``."""
        if self._info is None:
            raise SandboxUnavailable("the sandbox was not started")
        return self._info

    @property
    def pid(self) -> int | None:
        """The child's process id; None when it does not run."""
        return self._child.pid if self._child is not None else None

    def __enter__(self) -> SandboxProcess:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start the child and wait until its servers listen. Raises SandboxUnavailable."""
        command = [sys.executable, "-P", "-m", "kiosk", "sandbox", "--serve", *self._arguments]
        if self._given is not None:
            command += ["--dir", str(self._given.absolute())]
        paths = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
        self._child = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,  # its end tells the child that the parent is gone
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": paths},
            process_group=0,  # Ctrl-C is for the parent, which says when to end
        )
        self._info = self._await_info(self._child)

    def stop(self) -> None:
        """End the child, within 2 s in any case, and remove its folder unless it was given. Safe to call twice."""
        child, self._child = self._child, None
        if child is None:
            return
        if child.stdin is not None:
            child.stdin.close()
        try:
            child.wait(STOP_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        if child.stdout is not None:
            child.stdout.close()
        if self._given is None and self._info is not None:
            shutil.rmtree(self._info.run_dir, ignore_errors=True)

    def issue_suishen(self, person: str) -> bytes:
        """Return a fresh Suishen code; the person (a key of PEOPLE) gets a fresh booking. Raises ValueError."""
        return base64.b64decode(ask(self.info.run_dir, "issue_suishen", person=person))

    def issue_claim169(self, person: str, fault: str | None = None) -> bytes:
        """Return a fresh e-ID QR, spoiled by one of ``credentials.FAULTS``; fresh booking. Raises ValueError."""
        return base64.b64decode(ask(self.info.run_dir, "issue_claim169", person=person, fault=fault))

    def booking(self, person: str) -> dict[str, object] | None:
        """Return the person's present booking in the hotel system's words, None without one. Raises ValueError."""
        return cast("dict[str, object] | None", ask(self.info.run_dir, "booking", person=person))

    def fault(self, kind: str, **options: Option) -> None:
        """Put a fault on the board, see ``faults.py``. Raises ValueError."""
        ask(self.info.run_dir, "fault", kind=kind, options=options)

    def script(self, text: str) -> None:
        """Put a script of faults on the board, see ``fault_script.py``. Raises ValueError."""
        ask(self.info.run_dir, "script", text=text)

    def mix(self, seed: int, scale: float = 1.0) -> None:
        """Put a seeded mixture of faults on the board, its rates times ``scale``; same seed, same faults."""
        ask(self.info.run_dir, "mix", seed=seed, scale=scale)

    def faults(self) -> list[str]:
        """Return the kinds of the faults that are on the board."""
        return cast("list[str]", ask(self.info.run_dir, "faults"))

    def clear_faults(self, kind: str = "") -> None:
        """Take every fault (of this kind) off the board."""
        ask(self.info.run_dir, "clear_faults", kind=kind)

    def installer_code(self) -> str:
        """Return a fresh code with which a new kiosk is activated."""
        return str(ask(self.info.run_dir, "installer_code"))

    def ledger(self) -> LedgerView:
        """Return what the police endpoint has taken in and what became of it."""
        return LedgerView.from_json(ask(self.info.run_dir, "ledger"))

    def close_police(self) -> None:
        """Close the police endpoint's listening socket and its connections."""
        ask(self.info.run_dir, "close_police")

    def open_police(self) -> None:
        """Let the police endpoint listen again, on the same port."""
        ask(self.info.run_dir, "open_police")

    def _await_info(self, child: subprocess.Popen[str]) -> SandboxInfo:
        timer = threading.Timer(START_S, child.kill)
        timer.start()
        try:
            line = child.stdout.readline() if child.stdout is not None else ""
        finally:
            timer.cancel()
        if not line:
            self.stop()
            raise SandboxUnavailable("the sandbox did not start; what it said is on standard error")
        return SandboxInfo.from_json(line)
