"""Both ends as processes of their own, with the failing line between them, and what each promised."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit
from uuid import UUID

from kiosk.chaos.authority import Revision, Taken
from kiosk.chaos.drawing import drawn
from kiosk.chaos.kiosk_child import Life
from kiosk.chaos.proxy import LOOPBACK, FaultProxy
from kiosk.sandbox.process import SandboxProcess

_ROOT = Path(__file__).resolve().parents[2]
_TICK_S = 0.05
_HURRY: dict[str, object] = {
    "poll_s": 0.1,
    "timeout_s": 1.5,
    "backoff_base_s": 0.2,
    "backoff_cap_s": 5.0,
    "first_try_spread_s": 0.0,
}
_ACCEPTED = frozenset({"ACCEPTED", "ACCEPTED_WARN"})


@dataclass(slots=True)
class Promises:
    """What the kiosk process said, in all its lives. Written by one reader at a time."""

    acknowledged: dict[Revision, bytes] = field(default_factory=dict)
    receipts: list[tuple[str, str]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    waiting: int | None = None
    """Undelivered records, as it last said; None: it did not say so yet in this life."""
    line: str = ""

    def hear(self, line: str) -> None:
        """Take in one line."""
        said = json.loads(line)
        if "put" in said:
            record, revision, content = said["put"]
            self.acknowledged[UUID(record), revision] = bytes.fromhex(content)
        elif "receipt" in said:
            self.receipts.append(tuple(said["receipt"]))
        elif "refused" in said:
            self.refused.append(said["refused"])
        else:
            self.waiting, self.line = said["waiting"], said["line"]


class Stage:
    """A police process, a proxy and a kiosk process. One thread; ``close`` ends everything that it started."""

    def __init__(
        self,
        folder: Path,
        seed: str,
        *,
        pause_s: float = 0.03,
        jumps_s: tuple[float, ...] = (),
        jump_every_s: float = 1.0,
    ) -> None:
        """Start police and proxy. Raises SandboxUnavailable, OSError."""
        self._folder = folder
        self.promises = Promises()
        self.proxy = FaultProxy(drawn(seed, "line"))
        self._police = SandboxProcess(latency_ms=0, run_dir=folder / "police")
        self._kiosk: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        try:
            self.start_police()
            self._life = Life(str(folder / "kiosk"), seed, 0, pause_s, self._reporting(), jumps_s, jump_every_s)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Stage:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()

    @property
    def kiosk_folder(self) -> Path:
        return Path(self._life.folder)

    def start_kiosk(self) -> None:
        """Begin the next life of the kiosk."""
        self._life = replace(self._life, number=self._life.number + 1)
        self.promises.waiting = None
        paths = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
        with (self._folder / "kiosk.log").open("ab") as log:
            self._kiosk = subprocess.Popen(
                [sys.executable, "-P", "-m", "kiosk.chaos.kiosk_child", json.dumps(asdict(self._life))],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={**os.environ, "PYTHONPATH": paths},
                process_group=0,
            )
        self._reader = threading.Thread(target=self._read, args=(self._kiosk,), name="promises")
        self._reader.start()

    def kill_kiosk(self) -> None:
        """kill -9, then hear what it still had said."""
        if self._kiosk is not None:
            self._kiosk.kill()
            self._end_kiosk(10.0)

    def start_police(self) -> None:
        self._police.start()
        self.proxy.port_beyond = urlsplit(self._police.info.police_url).port

    def kill_police(self) -> None:
        """kill -9; the proxy closes whoever comes."""
        self.proxy.port_beyond = None
        if self._police.pid is not None:
            os.kill(self._police.pid, signal.SIGKILL)
        self._police.stop()

    def settle(self, until_s: float) -> bool:
        """Let everything finish: no faults, no new guests. False when records still wait after ``until_s``."""
        self.proxy.calm = True
        assert self._kiosk is not None and self._kiosk.stdin is not None  # noqa: S101, PT018 - started before
        self._kiosk.stdin.write("quiet\n")
        self._kiosk.stdin.flush()
        end = time.monotonic() + until_s
        while self.promises.waiting != 0 and time.monotonic() < end and self._kiosk.poll() is None:
            time.sleep(_TICK_S)
        return self.promises.waiting == 0

    def end_kiosk(self) -> None:
        """End it as the service manager does, and wait."""
        if self._kiosk is not None:
            self._end_kiosk(30.0)

    def ledger(self) -> list[Taken]:
        """What the authority took in for good, in its order; the same bytes again count only if it took them twice."""
        return [
            Taken(UUID(item.record_id), item.revision, bytes.fromhex(item.content_hash), item.receipt_no)
            for item in self._police.ledger().items
            if item.status in _ACCEPTED and not item.duplicate
        ]

    def close(self) -> None:
        """End kiosk, police and proxy. Safe to call twice."""
        self.kill_kiosk()
        self._police.stop()
        self.proxy.close()

    def log(self) -> str:
        """The last lines that the kiosk wrote for support."""
        path = self._folder / "kiosk.log"
        return "\n".join(path.read_text(encoding="utf-8").splitlines()[-5:]) if path.exists() else ""

    def _end_kiosk(self, wait_s: float) -> None:
        kiosk, self._kiosk = self._kiosk, None
        assert kiosk is not None and kiosk.stdin is not None and kiosk.stdout is not None  # noqa: S101, PT018
        kiosk.stdin.close()
        try:
            kiosk.wait(wait_s)
        except subprocess.TimeoutExpired:
            kiosk.kill()
            kiosk.wait()
        if self._reader is not None:
            self._reader.join()
        kiosk.stdout.close()

    def _read(self, kiosk: subprocess.Popen[str]) -> None:
        assert kiosk.stdout is not None  # noqa: S101 - a pipe was asked for
        for line in kiosk.stdout:
            self.promises.hear(line)

    def _reporting(self) -> dict[str, object]:
        info = self._police.info
        files: dict[str, object] = {
            "url": f"https://{LOOPBACK}:{self.proxy.port}",
            "ca_file": str(info.ca_file),
            "client_cert_file": str(info.client_cert_file),
            "client_key_file": str(info.client_key_file),
            "device_key_file": str(info.device_key_file),
        }
        return files | _HURRY
