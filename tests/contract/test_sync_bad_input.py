"""Answers that no authority should give: each has a name, opens the breaker or waits, and no record is lost by it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from kiosk.sandbox import pki
from kiosk.sandbox.messages import Answer, Request
from offline_queue.database.verify import verify
from offline_queue.states import EventState
from tests.contract.scripted_police import Raw, ScriptedPolice, raw, scripted
from tests.contract.sync_kit import Delivery
from tests.outbox_kit import NAME, event, invented_number, state

pytestmark = pytest.mark.timeout(60)

PAGE = "<html><head><title>酒店Wi-Fi</title></head><body>请登录</body></html>".encode()
ROUTES = ["POST /v1/token", "POST /v1/batches", "GET /v1/batches/"]


def whole(line: Delivery, *records: str) -> None:
    """Once the endpoint is good again everything arrives, and the store is in order."""
    line.sync.try_now()
    line.until_state(EventState.DELIVERED, *records)
    assert verify(line.owner).faults == ()


def cut_short(police: ScriptedPolice) -> Callable[[Request], Answer]:
    return lambda request: raw(police.good(request).status, police.good(request).encoded()[:-5])


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (200, PAGE, "a web page, a captive portal?"),
        (202, PAGE, "a web page, a captive portal?"),
        (200, '{"batchId": "处理成功'.encode("gbk"), "not in UTF-8, GBK?"),
        (200, b'{"batchId": "b-1", "status": "DONE", "resu', "broken or cut short"),
        (200, b"[" * 100_000, "broken or cut short"),
        (200, b"[1, 2]", "JSON, but not our protocol"),
        (200, b"", "broken or cut short"),
        (200, b'{"hello": "world"}', "captive portal"),
    ],
    ids=["page", "page202", "gbk", "cut", "deep", "list", "empty", "other"],
)
def test_an_answer_that_is_none_of_the_protocols_is_named_and_delivers_nothing(
    tmp_path: Path, route: str, status: int, body: bytes, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    with scripted(tmp_path) as (line, police):
        police.answers[route] = lambda request: raw(status, body)
        record_id = line.put()
        line.until_held(says)
        assert not line.receipts
        assert state(line.owner, record_id) in (EventState.READY, EventState.INFLIGHT)
        assert event(line.owner, record_id).attempts == 0
        police.answers.clear()
        whole(line, record_id)
    assert "酒店" not in caplog.text
    assert NAME not in caplog.text


@pytest.mark.parametrize("route", ROUTES)
def test_an_answer_that_was_cut_short_by_a_proxy_is_asked_for_again(tmp_path: Path, route: str) -> None:
    with scripted(tmp_path) as (line, police):
        police.answers[route] = cut_short(police)
        record_id = line.put()
        line.until_held("broken or cut short")
        assert not line.receipts
        police.answers.clear()
        whole(line, record_id)


@pytest.mark.parametrize("status", [400, 422])
def test_a_proxys_page_rejects_no_record_but_opens_the_breaker(tmp_path: Path, status: int) -> None:
    with scripted(tmp_path) as (line, police):
        police.answers["POST /v1/batches"] = lambda request: raw(status, PAGE)
        record_id = line.put()
        line.until_held(f"http {status}: a web page")
        assert line.owner.line.breaker
        assert (state(line.owner, record_id), event(line.owner, record_id).attempts) == (EventState.READY, 0)
        police.answers.clear()
        whole(line, record_id)


@pytest.mark.parametrize("receipt", ["", None, 7, "在逃人员 请报警", "R-1\n", "R" * 65, ["R-1"]])
def test_a_receipt_without_its_form_is_asked_for_and_delivers_nothing(tmp_path: Path, receipt: object) -> None:
    with scripted(tmp_path) as (line, police):

        def spoiled(request: Request) -> Answer:
            told = dict(police.good(request).body)
            results = told["results"]
            assert isinstance(results, list)
            return Answer(200, told | {"results": [one | {"receiptNo": receipt} for one in results]})

        police.answers["GET /v1/batches/"] = spoiled
        police.answers["GET /v1/records/"] = lambda request: Answer(404, {"code": "E404"})
        record_id = line.put()
        line.until("a charged try", lambda: event(line.owner, record_id).attempts >= 1)
        assert not line.receipts
        police.answers.clear()
        whole(line, record_id)
        assert "在逃" not in repr(event(line.owner, record_id))


def test_the_receipt_of_another_record_is_noticed_and_asked_for(tmp_path: Path) -> None:
    with scripted(tmp_path) as (line, police):
        first = line.put(number=invented_number(1))
        line.until_state(EventState.DELIVERED, first)

        def others(request: Request) -> Answer:
            told = dict(police.good(request).body)
            results = told["results"]
            assert isinstance(results, list)
            return Answer(200, told | {"results": [one | {"receiptNo": f"R-{first[:8]}-1"} for one in results]})

        police.answers["GET /v1/batches/"] = others
        second = line.put(number=invented_number(2))
        line.until_state(EventState.DELIVERED, second)
        assert event(line.owner, second).receipt == f"R-{second[:8]}-1"
        assert any(request.path == f"/v1/records/{second}" for request in police.asked)


@pytest.mark.parametrize(
    "change",
    [
        {"recordId": "00000000-0000-4000-8000-000000000000"},
        {"contentHash": "00" * 32},
        {"revision": 2},
        {"revision": -1},
    ],
    ids=["record", "content", "revision", "negative"],
)
def test_a_result_about_something_else_delivers_nothing_and_the_record_is_asked_for(
    tmp_path: Path, change: dict[str, object]
) -> None:
    with scripted(tmp_path) as (line, police):

        def other(request: Request) -> Answer:
            told = dict(police.good(request).body)
            results = told["results"]
            assert isinstance(results, list)
            return Answer(200, told | {"results": [one | change for one in results]})

        police.answers["GET /v1/batches/"] = other
        record_id = line.put()
        line.until_state(EventState.DELIVERED, record_id)
        assert any(request.path == f"/v1/records/{record_id}" for request in police.asked)
        assert len(police.batches) == 1  # asked for, not sent twice


def test_of_several_results_on_one_record_the_one_that_echoes_it_counts(tmp_path: Path) -> None:
    with scripted(tmp_path) as (line, police):

        def confused(request: Request) -> Answer:
            told = dict(police.good(request).body)
            results = told["results"]
            assert isinstance(results, list)
            wrong = [one | {"contentHash": "00" * 32, "status": "REJECTED", "code": "E22"} for one in results]
            return Answer(200, told | {"results": [*wrong, *results, *wrong]})

        police.answers["GET /v1/batches/"] = confused
        line.until_state(EventState.DELIVERED, line.put())
        assert not any(request.path.startswith("/v1/records/") for request in police.asked)


def test_a_poll_that_tells_of_another_batch_is_no_answer(tmp_path: Path) -> None:
    with scripted(tmp_path) as (line, police):
        police.answers["GET /v1/batches/"] = lambda request: Answer(
            200, {"batchId": "another", "status": "DONE", "results": []}
        )
        record_id = line.put()
        line.until_held("captive portal")
        assert state(line.owner, record_id) is EventState.INFLIGHT
        police.answers.clear()
        whole(line, record_id)


@pytest.mark.parametrize(
    "told",
    [
        {"maxRecords": 0, "maxBodyBytes": -5, "schemaVersion": 7, "maintenance": "always"},
        {"maxRecords": True, "maxBodyBytes": "4", "schemaVersion": "x" * 99, "maintenance": [1, {"from": "now"}]},
        {"maintenance": [{"from": "2020-01-01T00:00:00", "to": "2090-01-01T00:00:00"}]},  # no time zone
        {"maintenance": [{"from": "2027-01-01T00:00:00+08:00", "to": "2026-01-01T00:00:00+08:00"}]},
    ],
)
def test_limits_that_make_no_sense_stop_nothing(tmp_path: Path, told: dict[str, object]) -> None:
    with scripted(tmp_path) as (line, police):
        police.answers["GET /v1/limits"] = lambda request: Answer(200, told)
        line.until_state(EventState.DELIVERED, line.put())


def test_a_maintenance_window_of_decades_is_probed_after_hours(tmp_path: Path) -> None:
    for_ever = {"from": "2025-06-01T00:00:00+08:00", "to": "2090-01-01T00:00:00+08:00"}
    with scripted(tmp_path) as (line, police):
        police.answers["GET /v1/limits"] = lambda request: Answer(200, {"maintenance": [for_ever]})
        record_id = line.put()
        line.until_held("maintenance")
        assert 0 < line.owner.line.retry_in_s < 7 * 3600
        line.sync.try_now()
        line.until_state(EventState.DELIVERED, record_id)


@pytest.mark.parametrize("time", ["soon", "9999-12-31T00:00:00+08:00", "1970-01-01T00:00:00+00:00", 7, None])
def test_a_server_time_that_is_none_is_not_believed(tmp_path: Path, time: object) -> None:
    with scripted(tmp_path) as (line, police):
        police.answers["POST /v1/token"] = lambda request: Answer(200, {"token": "t", "serverTime": time})
        line.until_state(EventState.DELIVERED, line.put())
        assert line.owner.line.clock_off_s is None


def test_a_clock_that_is_refused_again_with_the_servers_own_time_opens_the_breaker(tmp_path: Path) -> None:
    with scripted(tmp_path) as (line, police):
        skewed = {"code": "E107", "serverTime": "2027-06-01T12:00:00+08:00"}
        police.answers["POST /v1/batches"] = lambda request: Answer(401, skewed)
        record_id = line.put()
        line.until_held("E107")
        assert line.owner.line.breaker
        stamps = [request.headers["X-Timestamp"] for request in police.asked if request.path == "/v1/batches"]
        assert abs(int(stamps[1]) - 1811822400) < 60  # the second try bore the server's time
        assert (state(line.owner, record_id), event(line.owner, record_id).attempts) == (EventState.READY, 0)
        police.answers.clear()
        whole(line, record_id)


def test_an_expired_certificate_of_the_authority_is_named_and_nothing_is_sent(tmp_path: Path) -> None:
    keys = pki.make(tmp_path / "keys", "demo-01")
    with scripted(tmp_path, keys=replace(keys, server_cert_file=keys.expired_cert_file)) as (line, police):
        record_id = line.put()
        line.until_held("tls: certificate has expired")
        assert line.owner.line.breaker
        assert (state(line.owner, record_id), event(line.owner, record_id).attempts) == (EventState.READY, 0)
        assert police.asked == []


@pytest.mark.parametrize(("life_days", "says"), [(-1, "expired"), (30, "unknown ca")], ids=["expired", "foreign"])
def test_a_client_certificate_that_the_authority_refuses_is_named(tmp_path: Path, life_days: int, says: str) -> None:
    authority, key = pki.DeviceAuthority.new(), ec.generate_private_key(ec.SECP256R1())
    signed = (authority.certificate, authority.key)
    made = pki._certificate("demo-01", key.public_key(), *signed, server=False, life=timedelta(days=life_days))
    certificate = made.public_bytes(Encoding.PEM).decode()
    keys = pki.make(tmp_path / "keys", "demo-01")
    (tmp_path / "client.pem").write_text(certificate)
    pki.write_private_key(tmp_path / "client.key", key)
    (tmp_path / "both.pem").write_text(keys.ca_file.read_text() + (authority.pem if says == "expired" else ""))
    files = {"client_cert_file": tmp_path / "client.pem", "client_key_file": tmp_path / "client.key"}
    with scripted(tmp_path, keys=keys, trusts=tmp_path / "both.pem", **files) as (line, police):
        record_id = line.put()
        line.until_held("tls: ")
        assert says in line.owner.line.why
        assert line.owner.line.breaker
        assert (state(line.owner, record_id), event(line.owner, record_id).attempts) == (EventState.READY, 0)
        assert police.asked == []


def test_raw_answers_are_just_the_bytes() -> None:
    assert Raw(200, {"a": 1}, (), b"x").encoded() == b"x"
