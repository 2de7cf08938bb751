"""``python -m kiosk COMMAND``: one table from a command to the function that does it.

A command is ``main(argv: list[str]) -> int`` in its own room, where ``argv`` is what follows the
command and the answer is the exit status. It is imported only when it is asked for, so that
``start`` does not pay for ``bench``.
"""

from __future__ import annotations

import importlib
import io
import os
import sys
from collections.abc import Callable
from typing import NamedTuple, cast

from kiosk.errors import KioskError

Main = Callable[[list[str]], int]

USAGE = 2
INTERRUPTED = 130
READER_GONE = 141
"""As a shell counts a process that SIGPIPE ended."""


class Command(NamedTuple):
    """Where a command lives, as ``module:function``, and its line in the list of commands."""

    target: str
    help: str


COMMANDS = {
    "start": Command("kiosk.start:main", "run the kiosk"),
    "demo": Command("kiosk.demo.command:main", "watch three guests check in on simulated hardware"),
    "hold": Command("kiosk.demo.hold_command:main", "hold an invented guest's phone or face up to a demo kiosk"),
    "check-config": Command("kiosk.commissioning.check_config:main", "name every fault in config.toml"),
    "doctor": Command("kiosk.commissioning.doctor:main", "test devices, models, clock, disk, outbox and endpoints"),
    "scan": Command("drivers.scanner.command:main", "print the codes that pictures hold"),
    "face": Command("kiosk.face.command:main", "compare a reference picture with a probe"),
    "flow": Command("kiosk.checkin.diagram:main", "print the check-in as a diagram"),
    "replay": Command("kiosk.checkin.replay:main", "play a recorded visit through the flow again"),
    "queue": Command("offline_queue.commands.main:main", "what waits for the police: look, retry, export, verify …"),
    "sandbox": Command("kiosk.sandbox.command:main", "play gateway, police endpoint and hotel system on loopback"),
    "models": Command("kiosk.weights.command:main", "install, verify or list the model files"),
    "audit": Command("kiosk.staff.audit_command:main", "verify or show the audit log"),
    "pin": Command("kiosk.staff.pin_command:main", "make an operator's entry for the operators file"),
    "bench": Command("kiosk.bench.command:main", "measure a check-in, the start, the outbox and a fleet"),
    "chaos": Command("kiosk.chaos.command:main", "cut the power, kill both ends, fill the disk: count what is lost"),
    "screens": Command("ui.screen.pictures:main", "render every screen in every language into a folder"),
    "credential": Command("kiosk.sandbox.credential_command:main", "issue a sandbox credential as a QR picture"),
}


OF_RUN = {
    "test": "every test; arguments go to pytest",
    "check": "format, lint, types, imports, QML",
    "fmt": "mend what ruff can mend",
    "lock": "write the lock files anew",
}
"""Commands of the script ./run itself, for developers."""


def listing() -> str:
    """One line per command."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {command.help}" for name, command in COMMANDS.items()]
    own = [f"  {name:<{width}}  {text}" for name, text in OF_RUN.items()]
    return "\n".join(["usage: ./run COMMAND [ARGUMENT …]", "", *lines, "", *own, ""])


def load(name: str) -> Main:
    """Import the function behind a command."""
    module, _, function = COMMANDS[name].target.partition(":")
    return cast(Main, getattr(importlib.import_module(module), function))


def run(argv: list[str]) -> int:
    """Run one command line and return its exit status; never raises ``KioskError``."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # a terminal that knows no Chinese shows an escape, not a traceback
        sys.stdout.reconfigure(errors="backslashreplace")
    if not argv or argv[0] in ("-h", "--help", "help"):
        sys.stdout.write(listing())
        return 0
    name, arguments = argv[0], argv[1:]
    if name not in COMMANDS:
        sys.stderr.write(f"suizhu: unknown command {name!r}; ./run alone lists the commands\n")
        return USAGE
    try:
        status = load(name)(arguments)
        sys.stdout.flush()
        return status
    except KioskError as error:
        sys.stderr.write(f"suizhu {name}: {error}\n")
        return 1
    except BrokenPipeError:  # `| head` has read enough; nothing may be written at the end of the process either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return READER_GONE
    except KeyboardInterrupt:
        return INTERRUPTED
