"""Asking a running kiosk about its outbox, over its socket."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

from kiosk.errors import ContractError, OutboxUnavailable
from kiosk.socket_address import fitting
from offline_queue.answering.inquiry import Inquiry, Row

_PATIENCE_S = 10.0
"""A kiosk that says nothing for this time hangs: while it works on an answer it gives signs of life."""


def call(path: Path) -> socket.socket | None:
    """Connect to the kiosk whose socket lies at ``path``; None when none is running. Raises OutboxUnavailable."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.settimeout(_PATIENCE_S)
    try:
        with fitting(path) as name:
            sock.connect(name)
    except (FileNotFoundError, ConnectionRefusedError):
        sock.close()
        return None
    except OSError as exc:
        sock.close()
        raise OutboxUnavailable(
            f"outbox socket {path}: {exc.strerror or exc}; fix: ask as the user that runs the kiosk"
        ) from exc
    return sock


def rows(sock: socket.socket, inquiry: Inquiry, waited: Callable[[float], None] = lambda s: None) -> Iterator[Row]:
    """Ask, and yield the answer row by row; the connection is closed at the end.

    Args:
        sock: From ``call``.
        inquiry: The question.
        waited: Told now and then for how many seconds the kiosk has worked on the answer.

    Raises:
        ContractError: The kiosk refuses the question.
        OutboxUnavailable: The kiosk hung up or hangs.
    """
    try:
        with sock, sock.makefile("rb") as file:
            sock.sendall(inquiry.to_json() + b"\n")
            for line in file:
                told = json.loads(line)
                if "error" in told:
                    raise ContractError(str(told["error"]))
                if "end" in told:
                    return
                if "wait" in told:
                    waited(float(told["wait"]))
                else:
                    yield told["row"]
    except (OSError, ValueError, KeyError, TypeError) as exc:
        why = exc if isinstance(exc, OSError) else "not in the form that was agreed"
        raise OutboxUnavailable(f"outbox: the kiosk did not answer: {why}; try again, then look at its log") from exc
    raise OutboxUnavailable("outbox: the kiosk hung up before the end of its answer; try again, then look at its log")
