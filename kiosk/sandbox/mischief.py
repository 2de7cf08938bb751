"""What a fault does to one request, before and after it is carried out. ``faults.py`` lists the effects."""

from __future__ import annotations

import itertools
import json
import threading
import time
from email.utils import formatdate
from io import BufferedIOBase
from typing import Protocol

from kiosk.sandbox.faults import AFTER, BEFORE, Fault, FaultBoard
from kiosk.sandbox.messages import Answer, Request

PORTAL = b"<!doctype html><title>Hotel Wi-Fi</title><h1>Welcome! Please accept our terms to go online.</h1>"
GOLDEN = 0.618033988749895
"""Steps of this length spread jitter evenly without drawing lots: a failing test fails again."""
TICK_S = 0.05
CHUNK = b" " * 65536

_jitters = itertools.count(1)


class Ended(Exception):
    """The fault has dealt with the request: nothing more is sent, and the connection ends."""


class Conversation(Protocol):
    """The part of a connection that a fault can spoil."""

    closing: threading.Event
    wfile: BufferedIOBase

    def send(self, answer: Answer) -> None: ...

    def send_head(self, status: int, kind: str, length: int, headers: tuple[tuple[str, str], ...] = ()) -> None: ...


def before(talk: Conversation, board: FaultBoard, server: str, request: Request) -> Answer | None:
    """Play what happens before a request is looked at. Return the answer that replaces the work. Raises Ended."""
    for fault in board.take(server, request.path, BEFORE, method=request.method, body=request.body):
        match fault.effect:
            case "latency":
                _hold(talk, fault, _latency_s(fault))
            case "timeout":
                _hold(talk, fault, None)
                raise Ended
            case "cut":
                raise Ended
            case "nonsense":
                talk.send_head(200, "text/html; charset=utf-8", len(PORTAL))
                talk.wfile.write(PORTAL)
                talk.wfile.flush()
                raise Ended
            case _:
                return _refusal(fault)
    return None


def after(talk: Conversation, board: FaultBoard, server: str, request: Request, answer: Answer) -> None:
    """Spoil the reply of a request that was carried out. Raises Ended when nothing is left to send."""
    for fault in board.take(server, request.path, AFTER, method=request.method, body=request.body):
        if fault.effect != "drop":
            _spoil(talk, fault, answer)
        raise Ended


def _spoil(talk: Conversation, fault: Fault, answer: Answer) -> None:
    body, kind = answer.encoded(), "application/json; charset=utf-8"
    match fault.effect:
        case "truncated":
            talk.send_head(answer.status, kind, len(body), answer.headers)
            talk.wfile.write(body[: len(body) // 2])
            talk.wfile.flush()
        case "gbk":
            body = json.dumps({**answer.body, "message": "处理成功"}, ensure_ascii=False).encode("gbk", "replace")
            talk.send_head(answer.status, "application/json; charset=GBK", len(body), answer.headers)
            talk.wfile.write(body)
            talk.wfile.flush()
        case "drip":
            talk.send_head(answer.status, kind, len(body), answer.headers)
            _drip(talk, fault, body)
        case _:
            length = int(fault.number("mb", 100) * 1_000_000)
            talk.send_head(answer.status, kind, length)
            _flood(talk, fault, length)


def _refusal(fault: Fault) -> Answer:
    retry_after = ("Retry-After", _retry_after(fault))
    match fault.effect:
        case "busy":
            return Answer(429, {"code": "E429", "error": "too many requests"}, (retry_after,))
        case "maintenance":
            return Answer(503, {"code": "E503", "error": "maintenance"}, (retry_after,))
        case "capacity":
            status = int(fault.number("status", 503))
            return Answer(status, {"code": f"E{status}", "error": "too many at once"}, (retry_after,))
        case _:
            status = int(fault.number("status", 500))
            return Answer(status, {"code": fault.text("code", f"E{status}"), "error": "refused on demand"})


def _retry_after(fault: Fault) -> str:
    wait_s = fault.number("retry_after_s", 1)
    return formatdate(time.time() + wait_s, usegmt=True) if fault.options.get("http_date") else str(int(wait_s))


def _latency_s(fault: Fault) -> float:
    jitter_ms = fault.number("jitter_ms", 0)
    share = (next(_jitters) * GOLDEN) % 1 if jitter_ms else 0.0
    return (fault.number("ms", 1000) + share * jitter_ms) / 1000


def _hold(talk: Conversation, fault: Fault, wait_s: float | None) -> None:
    """Wait ``wait_s`` seconds, for ever if None, but not longer than the fault or the server lasts."""
    end = None if wait_s is None else time.monotonic() + wait_s
    while not talk.closing.is_set():
        left_s = TICK_S if end is None else min(TICK_S, end - time.monotonic())
        if left_s <= 0 or fault.cleared.wait(left_s):
            return


def _drip(talk: Conversation, fault: Fault, body: bytes) -> None:
    pause_s = 1 / max(fault.number("bytes_per_s", 20), 0.01)
    for byte in body:
        if fault.cleared.is_set() or talk.closing.is_set():
            return
        talk.wfile.write(bytes((byte,)))
        talk.wfile.flush()
        _hold(talk, fault, pause_s)


def _flood(talk: Conversation, fault: Fault, length: int) -> None:
    while length > 0 and not fault.cleared.is_set() and not talk.closing.is_set():
        talk.wfile.write(CHUNK[:length])
        length -= len(CHUNK)
    talk.wfile.flush()
