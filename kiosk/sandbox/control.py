"""How a running sandbox is told things: JSON lines over a Unix socket (0600) in its folder.

One request and one answer per connection: ``{"do": "issue_suishen", "person": "lin"}``.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import socket
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kiosk.errors import KioskError, OperationalError
from kiosk.sandbox import fault_script
from kiosk.sandbox.people import PEOPLE, Person
from kiosk.sandbox.world import Sandbox
from kiosk.socket_address import fitting

SOCKET_FILE = "control.sock"
WAIT_S = 15.0
MAX_LINE = 256 * 1024


class SandboxUnavailable(OperationalError):
    """The sandbox does not run, or could not do what it was asked."""


def ask(run_dir: Path, what: str, **arguments: object) -> Any:  # noqa: ANN401 - JSON
    """Ask the sandbox of this folder to do something and return its answer; blocks for at most ``WAIT_S``.

    Raises ValueError for an argument it does not know, SandboxUnavailable otherwise.
    """
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(WAIT_S)
            with fitting(run_dir / SOCKET_FILE) as address:
                line.connect(address)
            line.sendall(json.dumps({"do": what, **arguments}).encode() + b"\n")
            with line.makefile("rb") as stream:
                answer = json.loads(stream.readline())  # of our own sandbox; a ledger may be long
    except (OSError, ValueError) as exc:
        raise SandboxUnavailable(f"sandbox in {run_dir}: no answer ({type(exc).__name__}); does it run?") from exc
    if "error" in answer:
        raise (ValueError if answer["fault"] == "argument" else SandboxUnavailable)(answer["error"])
    return answer["result"]


class ControlServer:
    """Lets other processes ask. ``close`` ends it."""

    def __init__(self, sandbox: Sandbox) -> None:
        """Listen in the sandbox's folder. Raises OSError."""
        self._sandbox = sandbox
        self._path = sandbox.info.run_dir / SOCKET_FILE
        self._path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with fitting(self._path) as address:
            before = os.umask(0o177)
            try:
                self._listener.bind(address)
            finally:
                os.umask(before)
        self._listener.listen(8)
        threading.Thread(target=self._accept, name="control", daemon=True).start()

    def close(self) -> None:
        """Stop listening. Safe to call twice."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._path.unlink(missing_ok=True)

    def _accept(self) -> None:
        while True:
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            with line, contextlib.suppress(OSError):
                line.settimeout(WAIT_S)
                with line.makefile("rb") as stream:
                    request = stream.readline(MAX_LINE)
                line.sendall(json.dumps(self._answer(request)).encode() + b"\n")

    def _answer(self, request: bytes) -> dict[str, object]:
        try:
            return {"result": self._do(json.loads(request))}
        except (ValueError, TypeError, KeyError) as exc:
            return {"error": str(exc), "fault": "argument"}
        except (KioskError, OSError) as exc:
            return {"error": str(exc), "fault": "sandbox"}

    def _do(self, request: Mapping[str, Any]) -> object:
        sandbox = self._sandbox
        match request:
            case {"do": "issue_suishen", "person": person}:
                return base64.b64encode(sandbox.issue_suishen(_person(person))).decode()
            case {"do": "issue_claim169", "person": person, "fault": fault}:
                return base64.b64encode(sandbox.issue_claim169(_person(person), fault)).decode()
            case {"do": "booking", "person": person}:
                return sandbox.booking_of(_person(person))
            case {"do": "installer_code"}:
                return sandbox.installer_code()
            case {"do": "ledger"}:
                return sandbox.ledger().to_json()
            case _:
                return self._trouble(request)

    def _trouble(self, request: Mapping[str, Any]) -> object:
        sandbox = self._sandbox
        match request:
            case {"do": "fault", "kind": kind, "options": options}:
                sandbox.fault(kind, **options)
            case {"do": "script", "text": text}:
                sandbox.script(fault_script.read(text))
            case {"do": "mix", "seed": seed, "scale": scale}:
                sandbox.script(fault_script.mix(int(seed), scale=float(scale)))
            case {"do": "faults"}:
                return sandbox.board.kinds()
            case {"do": "clear_faults", **more}:
                sandbox.clear_faults(str(more.get("kind", "")))
            case {"do": "close_police"}:
                sandbox.close_police()
            case {"do": "open_police"}:
                sandbox.open_police()
            case _:
                raise ValueError("the sandbox knows no such request")
        return None


def _person(key: object) -> Person:
    if not isinstance(key, str) or key not in PEOPLE:
        raise ValueError(f"no such person: {key!r}; one of {', '.join(PEOPLE)}")
    return PEOPLE[key]
