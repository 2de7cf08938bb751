"""The passphrase of an export: made here and shown once, or typed. Never an argument, a file, a log or a pipe."""

from __future__ import annotations

import getpass
import os
import sys
from pathlib import Path

from kiosk.errors import ContractError, OperationalError
from offline_queue.paper.archive import SHORTEST_PASSPHRASE, new_passphrase

TERMINAL = Path("/dev/tty")


def made() -> str:
    """Return a new passphrase, if there is a terminal to show it on later. Raises OperationalError when not."""
    try:
        os.close(os.open(TERMINAL, os.O_WRONLY | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError as exc:
        raise OperationalError(
            "export: no terminal to show the passphrase on; nothing was written. "
            "Fix: run it on a terminal, or hand a passphrase in with --passphrase-stdin"
        ) from exc
    return new_passphrase()


def show(passphrase: str) -> None:
    """Write it on the terminal itself, past any pipe or file that stdout and stderr lead into."""
    with TERMINAL.open("w", encoding="utf-8") as terminal:
        terminal.write(f"\n    passphrase: {passphrase}\n    Shown once and kept nowhere: write it down now.\n\n")


def typed() -> str:
    """Ask twice on the terminal. Raises ContractError or OperationalError."""
    made()  # getpass would fall back to reading stdin aloud
    first = getpass.getpass(f"passphrase, at least {SHORTEST_PASSPHRASE} signs: ")
    if getpass.getpass("once more: ") != first:
        raise ContractError("export: the two passphrases differ; nothing was written. Fix: try again")
    return checked(first)


def read() -> str:
    """Read one line of stdin. Raises ContractError."""
    return checked(sys.stdin.readline().rstrip("\r\n"))


def checked(passphrase: str) -> str:
    """Return a passphrase that is long enough. Raises ContractError."""
    if len(passphrase) < SHORTEST_PASSPHRASE or len(set(passphrase)) < SHORTEST_PASSPHRASE // 2:
        raise ContractError(
            f"export: the passphrase needs at least {SHORTEST_PASSPHRASE} signs, and not the same ones again and "
            "again; nothing was written. Fix: leave the option out, and one is made"
        )
    return passphrase
