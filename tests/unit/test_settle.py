"""The answer table, line by line: what each answer of the authority means for a record."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline_queue import settle
from offline_queue.delivery.replies import Answered, Fault, Reply, Result, Unanswered
from offline_queue.delivery.troubles import judge_told
from offline_queue.settle import (
    Again,
    Ask,
    AskEach,
    Delivered,
    Gone,
    Halve,
    Hold,
    Later,
    Rejected,
    Results,
    Sent,
    StillInFlight,
    TakenIn,
    TakeToken,
    WrongClock,
)

BATCH = "b-1"
HASH, OTHER = bytes(range(32)), bytes(32)
SENT = Sent(UUID(int=1), 2, HASH)
GOOD = Result(SENT.record_id, 2, HASH, "ACCEPTED", receipt_no="R-1", received_at="2026-01-01T12:00:00+08:00")
DELIVERED = Delivered("R-1", "2026-01-01T12:00:00+08:00")


def ours(status: int = 200, **more: object) -> Answered:
    return replace(Answered(status, readable=True, batch_id=BATCH), **more)


def refused(status: int, code: str = "") -> Answered:
    return Answered(status, readable=True, code=code)


PORTAL = Answered(200)

EVERY_ROUTE: list[tuple[Reply, object]] = [
    (Unanswered(Fault.TLS), Hold("tls")),
    (Unanswered(Fault.UNREACHABLE), Later("unreachable", charged=False)),
    (Unanswered(Fault.TIMEOUT), Later("timeout", charged=True)),
    (Unanswered(Fault.CUT), Later("cut", charged=True)),
    (Unanswered(Fault.TOO_LARGE), Later("reply too large", charged=True)),
    (Unanswered(Fault.TLS, "certificate has expired"), Hold("tls: certificate has expired")),
    (replace(Answered(401, readable=True, code="E107"), server_time=1.8e9), WrongClock("http 401 E107")),
    (Answered(400, garbled="a web page"), Hold("http 400: a web page")),
    (Answered(422, garbled="a web page"), Hold("http 422: a web page")),
    (Answered(202, garbled="not in UTF-8, GBK?"), Later("http 202: not in UTF-8, GBK?", charged=False)),
    (refused(401), TakeToken()),
    (refused(401, "E101"), TakeToken()),
    (refused(401, "E107"), Hold("http 401 E107")),
    (refused(403), Hold("http 403")),
    (refused(403, "E103"), Hold("http 403 E103")),
    (refused(405), Hold("http 405")),
    (Answered(404), Hold("http 404")),
    (refused(408), Later("http 408", charged=True)),
    (refused(425), Later("http 425", charged=True)),
    (Answered(429, retry_after_s=7.0), Later("http 429", charged=True, retry_after_s=7.0)),
    (refused(500), Later("http 500", charged=True)),
    (Answered(503, readable=True, code="E503", retry_after_s=9.0), Later("http 503 E503", True, 9.0)),
    (refused(599), Later("http 599", charged=True)),
    (PORTAL, Later("http 200: not our protocol, a captive portal?", charged=False)),
    (Answered(204), Later("http 204: not our protocol, a captive portal?", charged=False)),
    (Answered(302), Later("http 302: not our protocol, a captive portal?", charged=False)),
]


@pytest.mark.parametrize(("reply", "verdict"), EVERY_ROUTE)
def test_what_means_the_same_on_every_route(reply: Reply, verdict: object) -> None:
    assert settle.judge_batch(reply, BATCH, 5) == verdict
    assert settle.judge_batch(reply, BATCH, 1) == verdict
    assert settle.judge_poll(reply, BATCH) == verdict
    assert settle.judge_record(reply, None, SENT) == verdict


@pytest.mark.parametrize(
    ("reply", "size", "verdict"),
    [
        (ours(202), 1, TakenIn()),
        (ours(202, batch_id="b-2"), 1, Later("http 202: not our protocol, a captive portal?", charged=False)),
        (ours(202, readable=False), 1, Later("http 202: not our protocol, a captive portal?", charged=False)),
        (ours(200), 1, Later("http 200: not our protocol, a captive portal?", charged=False)),
        (refused(400, "E22"), 1, Rejected("http 400 E22")),
        (refused(413, "E13"), 1, Rejected("http 413 E13")),
        (refused(422), 1, Rejected("http 422")),
        (refused(400), 2, Halve("http 400")),
        (refused(413, "E13"), 50, Halve("http 413 E13")),
        (Answered(413, garbled="a web page"), 2, Halve("http 413")),
        (Answered(413, garbled="a web page"), 1, Rejected("http 413")),
        (refused(422, "E22"), 3, Halve("http 422 E22")),
        (refused(400, "E107"), 1, Hold("http 400 E107")),
        (refused(422, "EAA"), 1, Hold("http 422 EAA")),
        (refused(404, "E404"), 1, Hold("http 404 E404")),
        (refused(409), 1, Later("http 409 in progress", charged=True)),
        (refused(409, "E409"), 1, Later("http 409 in progress", charged=True)),
        (refused(409, "E410"), 3, AskEach("http 409 out of order")),
    ],
)
def test_the_answer_to_a_batch(reply: Reply, size: int, verdict: object) -> None:
    assert settle.judge_batch(reply, BATCH, size) == verdict


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        (ours(state="QUEUED"), Results((), finished=False)),
        (ours(state="PROCESSING", results=(GOOD,)), Results((GOOD,), finished=False)),
        (ours(state="DONE", results=(GOOD,)), Results((GOOD,), finished=True)),
        (ours(state="DONE_WITH_ERRORS"), Results((), finished=True)),
        (ours(state="ASLEEP"), Later("http 200 without a state we know", charged=False)),
        (ours(state="DONE", batch_id="b-2"), Later("http 200: not our protocol, a captive portal?", charged=False)),
        (refused(404, "E404"), Gone()),
        (refused(400), Hold("http 400")),
    ],
)
def test_the_answer_to_a_poll(reply: Reply, verdict: object) -> None:
    assert settle.judge_poll(reply, BATCH) == verdict


@pytest.mark.parametrize(
    ("result", "becomes"),
    [
        (GOOD, DELIVERED),
        (replace(GOOD, duplicate=True), DELIVERED),
        (replace(GOOD, receipt_no=""), Ask("accepted without a receipt number")),
        (replace(GOOD, status="ACCEPTED_WARN", code="E304"), replace(DELIVERED, flag="E304")),
        (replace(GOOD, status="ACCEPTED_WARN"), replace(DELIVERED, flag="WARN")),
        (replace(GOOD, status="ACCEPTED_WARN", receipt_no=""), Ask("accepted without a receipt number")),
        (replace(GOOD, status="DEFERRED"), StillInFlight()),
        (replace(GOOD, status="REJECTED", code="E22", field="guest.name"), Rejected("E22 guest.name")),
        (replace(GOOD, status="REJECTED"), Rejected("no code")),
        (replace(GOOD, status="REJECTED", code="E409"), Rejected("E409")),
        (replace(GOOD, status="REJECTED", code="E410"), Ask("E410 a later revision is known")),
        (replace(GOOD, status="REJECTED", code="E503"), Again("E503")),
        (replace(GOOD, status="REJECTED", code="E429"), Again("E429")),
        (replace(GOOD, status="REJECTED", code="EAA", field="hotelCode"), Again("EAA hotelCode", hotel=True)),
        (replace(GOOD, status="SOMETHING"), Again("result with a status we do not know")),
        (replace(GOOD, content_hash=OTHER), Ask("result does not echo our record")),
        (replace(GOOD, revision=1), Ask("result does not echo our record")),
        (replace(GOOD, record_id=UUID(int=9)), Ask("result does not echo our record")),
        (replace(GOOD, status="REJECTED", code="E22", content_hash=OTHER), Ask("result does not echo our record")),
    ],
)
def test_the_word_on_one_record(result: Result, becomes: object) -> None:
    assert settle.judge_result(SENT, result) == becomes


@pytest.mark.parametrize(
    ("reply", "known", "becomes"),
    [
        (refused(404, "E404"), None, Again("authority does not have it")),
        (ours(), GOOD, DELIVERED),
        (ours(), replace(GOOD, status="ACCEPTED_WARN", code="E304"), replace(DELIVERED, flag="E304")),
        (ours(), replace(GOOD, status=""), Again("authority has not accepted it yet")),
        (ours(), replace(GOOD, status="DEFERRED"), Again("authority has not accepted it yet")),
        (ours(), replace(GOOD, status="REJECTED", code="E301", field="record"), Rejected("E301 record")),
        (ours(), replace(GOOD, status="REJECTED", code="EAA"), Again("EAA")),
        (ours(), replace(GOOD, receipt_no=""), Again("authority gives no receipt number")),
        (ours(), replace(GOOD, revision=1), Again("authority has an earlier revision")),
        (ours(), replace(GOOD, revision=3), Rejected("E410 authority has a later revision")),
        (ours(), replace(GOOD, content_hash=OTHER), Rejected("E409 authority has other content")),
        (ours(), None, Later("http 200: not our protocol, a captive portal?", charged=False)),
        (
            ours(),
            replace(GOOD, record_id=UUID(int=9)),
            Later("http 200: not our protocol, a captive portal?", charged=False),
        ),
    ],
)
def test_what_the_authority_has_of_a_record(reply: Reply, known: Result | None, becomes: object) -> None:
    assert settle.judge_record(reply, known, SENT) == becomes


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        (ours(), None),
        (PORTAL, Later("http 200: not our protocol, a captive portal?", charged=False)),
        (refused(401), Hold("no token for this device")),
        (refused(400), Hold("http 400")),
        (refused(404), Hold("http 404")),
        (refused(401, "E107"), Hold("http 401 E107")),
        (Unanswered(Fault.TIMEOUT), Later("timeout", charged=False)),
        (refused(500), Later("http 500", charged=False)),
        (Answered(429, retry_after_s=3.0), Later("http 429", charged=False, retry_after_s=3.0)),
        (Unanswered(Fault.TLS), Hold("tls")),
    ],
)
def test_the_answer_to_a_token_request_charges_no_record(reply: Reply, verdict: object) -> None:
    assert settle.judge_token(reply) == verdict


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        (ours(), None),
        (refused(404, "E404"), None),
        (Answered(404), Hold("http 404")),
        (PORTAL, Later("http 200: not our protocol, a captive portal?", charged=False)),
        (refused(401), TakeToken()),
        (refused(500), Later("http 500", charged=True)),
        (Unanswered(Fault.UNREACHABLE), Later("unreachable", charged=False)),
    ],
)
def test_the_answer_to_a_question_about_no_record(reply: Reply, verdict: object) -> None:
    assert judge_told(reply) == verdict


@pytest.mark.parametrize(
    ("why", "outdated"),
    [("E308 record", True), ("http 422 E308", True), ("E30 record", False), ("E3080 x", False), ("E22 E308x", False)],
)
def test_only_the_code_for_old_tables_speaks_of_them(why: str, outdated: bool) -> None:
    assert Rejected(why).tables_outdated is outdated


REPLIES = st.one_of(
    st.builds(Unanswered, st.sampled_from(Fault)),
    st.builds(
        Answered,
        st.integers(200, 599),
        readable=st.booleans(),
        batch_id=st.sampled_from(["", BATCH, "b-2"]),
        state=st.sampled_from(["", "QUEUED", "DONE", "X"]),
        code=st.sampled_from(["", "E101", "E103", "E107", "E22", "E410", "E429", "E503"]),
        retry_after_s=st.one_of(st.none(), st.floats(0, 3600)),
    ),
)
RESULTS = st.builds(
    Result,
    st.sampled_from([SENT.record_id, UUID(int=9)]),
    st.integers(1, 3),
    st.sampled_from([HASH, OTHER]),
    st.sampled_from(["ACCEPTED", "ACCEPTED_WARN", "REJECTED", "DEFERRED", "", "X"]),
    st.sampled_from(["", "E22", "E409", "E410", "E429"]),
    receipt_no=st.sampled_from(["", "R-1"]),
)


@given(REPLIES, st.integers(1, 50))
def test_no_answer_to_a_batch_delivers_and_a_company_is_never_rejected(reply: Reply, size: int) -> None:
    verdict = settle.judge_batch(reply, BATCH, size)
    assert not isinstance(verdict, Delivered)
    if isinstance(verdict, Rejected):
        assert size == 1
        assert isinstance(reply, Answered)
        assert reply.status in {400, 413, 422}


@given(REPLIES, st.one_of(st.none(), RESULTS))
def test_delivered_means_a_receipt_that_echoes_the_record(reply: Reply, known: Result | None) -> None:
    verdicts = [settle.judge_record(reply, known, SENT)]
    if known is not None:
        verdicts.append(settle.judge_result(SENT, known))
    for verdict in verdicts:
        if isinstance(verdict, Delivered):
            assert known is not None
            assert (known.record_id, known.revision, known.content_hash) == (SENT.record_id, 2, HASH)
            assert verdict.receipt_no == "R-1"
            assert known.status in ("ACCEPTED", "ACCEPTED_WARN")
