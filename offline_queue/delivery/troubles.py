"""What an answer means for the line, whatever was asked: no word on a record is in here. Pure; see ``settle``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias, assert_never

from offline_queue.delivery.replies import Answered, Fault, Reply, Unanswered


@dataclass(frozen=True, slots=True)
class Hold:
    """The line's breaker opens."""

    why: str
    retry_after_s: float | None = None
    """Probed no sooner than after this time; None: at the pace of every failure."""


@dataclass(frozen=True, slots=True)
class TakeToken(Hold):
    """Fetch a new token, once, and send the same again; if that is refused, too, the breaker opens."""

    why: str = "token refused twice"


@dataclass(frozen=True, slots=True)
class WrongClock(Hold):
    """The authority refuses our time and told its own: send the same again, once, signed with that; else as above."""


@dataclass(frozen=True, slots=True)
class Later:
    """The line waits. ``charged``: the server did see the records."""

    why: str
    charged: bool
    retry_after_s: float | None = None


LineTrouble: TypeAlias = Hold | Later

LICENCE_EXPIRED = "EAA"
DEVICE_CODES = frozenset({"E103", "E107", LICENCE_EXPIRED})
"""What is wrong with kiosk or hotel, whatever a record says."""
_LATER_STATUS = frozenset({408, 425, 429})


def judge_token(reply: Reply) -> Hold | Later | None:
    """Judge the answer to ``POST /v1/token``; None when it brought one."""
    if isinstance(reply, Answered) and reply.status == 200 and reply.readable:
        return None
    verdict = unanswered(reply) if isinstance(reply, Unanswered) else trouble(reply)
    match verdict:
        case TakeToken():
            return Hold("no token for this device")
        case Later():
            return replace(verdict, charged=False)  # no record was on the way
        case Hold():
            return verdict


def judge_told(reply: Reply) -> LineTrouble | None:
    """Judge the answer to a question that is about no record: None when it was answered, by what 404 says, too."""
    if isinstance(reply, Unanswered):
        return unanswered(reply)
    return None if reply.readable and reply.status in (200, 404) else trouble(reply)


def unanswered(reply: Unanswered) -> Hold | Later:
    """Judge that there was no answer."""
    match reply.fault:
        case Fault.TLS:
            return Hold(f"tls: {reply.detail}" if reply.detail else "tls")
        case Fault.UNREACHABLE:
            return Later("unreachable", charged=False)
        case Fault.TIMEOUT | Fault.CUT | Fault.TOO_LARGE:
            return Later(reply.fault.value, charged=True)
        case _:
            assert_never(reply.fault)


def trouble(reply: Answered) -> LineTrouble:
    """Judge what means the same on every route."""
    why = f"http {reply.status} {reply.code}".strip()
    if reply.code == "E107" and reply.server_time is not None:
        return WrongClock(why)
    if reply.code in DEVICE_CODES:
        return Hold(why)
    if reply.status == 401 or reply.code == "E101":
        return TakeToken()
    if reply.status in _LATER_STATUS or reply.status >= 500:
        return Later(why, charged=True, retry_after_s=reply.retry_after_s)
    if reply.status < 400:
        return Later(f"{why}: {reply.garbled or 'not our protocol, a captive portal?'}", charged=False)
    return Hold(f"{why}: {reply.garbled}" if reply.garbled else why)
