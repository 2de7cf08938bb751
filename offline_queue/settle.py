"""The answer table: what each answer of the authority means for a record. Pure.

    result with our recordId, revision and contentHash   as its status says
    202 with our batchId                                 in flight, poll
    any other 2xx or 3xx                                 again later (a captive portal)
    400 413 422                                          rejected; of a batch: halve it until the guilty is alone
    400 422 that is no JSON                              the line's breaker: a proxy's word is not the authority's
    401                                                  one token refresh, then the line's breaker
    401 E107 with serverTime                             once more, signed with that time, then the line's breaker
    EAA, of a record or a batch                          again later, and the line's breaker: the hotel's licence
    403 404 on a route, TLS, clock, device               the line's breaker; no attempt is charged
    404 for a batch or a record                          not there: ready again
    409 in progress · out of order                       later · ask what the authority has
    no result, a result or receipt of another record     ask what the authority has
    408 425 429 5xx, time-out                            later
    no connection                                        later; no attempt is charged

Nothing here drops a record: it is delivered by a receipt that echoes it, or waits, or waits for a person.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias, assert_never
from uuid import UUID

from offline_queue.delivery.replies import Answered, Reply, Result, Unanswered
from offline_queue.delivery.troubles import DEVICE_CODES, LICENCE_EXPIRED, LineTrouble, trouble, unanswered
from offline_queue.delivery.troubles import Hold as Hold
from offline_queue.delivery.troubles import Later as Later
from offline_queue.delivery.troubles import TakeToken as TakeToken
from offline_queue.delivery.troubles import WrongClock as WrongClock
from offline_queue.delivery.troubles import judge_token as judge_token

# ---- what a record becomes -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sent:
    """What a result must echo."""

    record_id: UUID
    revision: int
    content_hash: bytes


@dataclass(frozen=True, slots=True)
class Delivered:
    receipt_no: str
    received_at: str
    flag: str = ""
    """Code of ACCEPTED_WARN: delivered, and shown to staff."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """The authority refused these bytes. Never tried again by itself, but once where only its code tables changed."""

    why: str

    @property
    def tables_outdated(self) -> bool:
        """E308: the codes are those of older tables than the authority's."""
        return TABLES_OUTDATED in self.why.split()


@dataclass(frozen=True, slots=True)
class Again:
    """Ready again."""

    why: str
    charged: bool = True
    """The try counts towards poison."""
    behind: bool = False
    """It goes behind what waits: should it be this record that the line fails for, the others pass."""
    hotel: bool = False
    """The authority refuses the hotel, not the record: none of the others would pass either."""


@dataclass(frozen=True, slots=True)
class StillInFlight:
    """Keep polling."""


@dataclass(frozen=True, slots=True)
class Ask:
    """The two sides disagree: ask ``GET /v1/records/{id}`` what the authority has."""

    why: str


Settlement: TypeAlias = Delivered | Rejected | Again | StillInFlight | Ask

# ---- what a request becomes ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TakenIn:
    """202 with our batchId: not acceptance, poll."""


@dataclass(frozen=True, slots=True)
class Halve:
    """The batch was refused whole."""

    why: str


@dataclass(frozen=True, slots=True)
class AskEach:
    """Out of order: ask for every record of the batch."""

    why: str


@dataclass(frozen=True, slots=True)
class Results:
    results: tuple[Result, ...]
    finished: bool
    """No more results will come: what is missing goes again."""


@dataclass(frozen=True, slots=True)
class Gone:
    """The authority does not know the batch (any more)."""


BatchVerdict: TypeAlias = TakenIn | Halve | Rejected | AskEach | LineTrouble
PollVerdict: TypeAlias = Results | Gone | LineTrouble
RecordVerdict: TypeAlias = Delivered | Rejected | Again | LineTrouble

_FINISHED = frozenset({"DONE", "DONE_WITH_ERRORS"})
_AT_WORK = frozenset({"QUEUED", "PROCESSING"})
_LATER_CODES = frozenset({"E429", "E503"})
TABLES_OUTDATED = "E308"


def judge_batch(reply: Reply, batch_id: str, size: int) -> BatchVerdict:
    """Judge the answer to ``POST /v1/batches`` with ``size`` records."""
    match reply:
        case Unanswered():
            return unanswered(reply)
        case Answered(status=202) if reply.readable and reply.batch_id == batch_id:
            return TakenIn()
        case Answered(status=400 | 413 | 422) if _is_the_authoritys(reply):
            why = f"http {reply.status} {reply.code}".strip()
            return Rejected(why) if size == 1 else Halve(why)
        case Answered(status=409) if reply.code == "E410":
            return AskEach("http 409 out of order")
        case Answered(status=409):
            return Later("http 409 in progress", charged=True, retry_after_s=reply.retry_after_s)
        case Answered():
            return trouble(reply)
        case _:
            assert_never(reply)


def judge_poll(reply: Reply, batch_id: str) -> PollVerdict:
    """Judge the answer to ``GET /v1/batches/{id}``."""
    match reply:
        case Unanswered():
            return unanswered(reply)
        case Answered(status=200) if reply.readable and reply.batch_id == batch_id:
            if reply.state in _FINISHED or reply.state in _AT_WORK:
                return Results(reply.results, finished=reply.state in _FINISHED)
            return Later("http 200 without a state we know", charged=False)
        case Answered(status=404) if reply.readable:
            return Gone()
        case Answered():
            return trouble(reply)
        case _:
            assert_never(reply)


def judge_result(sent: Sent, result: Result) -> Settlement:
    """Judge the authority's word on one record we sent."""
    if not echoes(sent, result):
        return Ask("result does not echo our record")
    match result.status:
        case "ACCEPTED" | "ACCEPTED_WARN" if not result.receipt_no:
            return Ask("accepted without a receipt number")
        case "ACCEPTED" | "ACCEPTED_WARN":
            return Delivered(result.receipt_no, result.received_at, _flag(result))
        case "DEFERRED":
            return StillInFlight()
        case "REJECTED" if result.code == "E410":
            return Ask("E410 a later revision is known")
        case "REJECTED" if result.code in _LATER_CODES:
            return Again(result.code)
        case "REJECTED" if result.code == LICENCE_EXPIRED:
            return Again(_refusal(result), hotel=True)
        case "REJECTED":
            return Rejected(_refusal(result))
        case _:
            return Again("result with a status we do not know")


def echoes(sent: Sent, result: Result) -> bool:
    """Say whether a result is about exactly what we sent."""
    told = (result.record_id, result.revision, result.content_hash)
    return told == (sent.record_id, sent.revision, sent.content_hash)


def judge_record(reply: Reply, known: Result | None, sent: Sent) -> RecordVerdict:
    """Judge the answer to ``GET /v1/records/{id}``, asked after doubt. ``known``: what its body says."""
    match reply:
        case Unanswered():
            return unanswered(reply)
        case Answered(status=404) if reply.readable:
            return Again("authority does not have it")
        case Answered(status=200) if known is not None and known.record_id == sent.record_id:
            return _compare(known, sent)
        case Answered():
            return trouble(reply)
        case _:
            assert_never(reply)


def _compare(known: Result, sent: Sent) -> Delivered | Rejected | Again:
    if known.revision < sent.revision:
        return Again("authority has an earlier revision")
    if known.revision > sent.revision:
        return Rejected("E410 authority has a later revision")
    if known.content_hash != sent.content_hash:
        return Rejected("E409 authority has other content")
    if known.status == "REJECTED" and known.code == LICENCE_EXPIRED:
        return Again(_refusal(known))  # of an earlier try; it says nothing of the licence now
    if known.status == "REJECTED":
        return Rejected(_refusal(known))
    if known.status not in ("ACCEPTED", "ACCEPTED_WARN"):
        return Again("authority has not accepted it yet")
    if not known.receipt_no:
        return Again("authority gives no receipt number")
    return Delivered(known.receipt_no, known.received_at, _flag(known))


def _refusal(result: Result) -> str:
    return f"{result.code or 'no code'} {result.field}".strip()


def _flag(result: Result) -> str:
    return (result.code or "WARN") if result.status == "ACCEPTED_WARN" else ""


def _is_the_authoritys(reply: Answered) -> bool:
    """Say whether a refusal speaks of the records. A proxy answers 400 to a certificate it dislikes, with a page;
    its 413, though, is about the size whoever says it.
    """
    return reply.code not in DEVICE_CODES and (reply.readable or reply.status == 413)
