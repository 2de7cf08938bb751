"""Every fault as a client meets it on the wire, and that the endpoint works again once it is cleared."""

from __future__ import annotations

import json
import time
import uuid
from email.utils import parsedate_to_datetime

import pytest
import requests

from kiosk.sandbox.process import SandboxProcess
from tests.sandbox_kit import Device, content_hash, item, new_session, sample_record

pytestmark = pytest.mark.timeout(60)


def health(sandbox: SandboxProcess, timeout_s: float = 5.0) -> requests.Response:
    with new_session(sandbox.info) as session:
        return session.get(f"{sandbox.info.hotel_url}/v1/health", timeout=timeout_s)


# ---- before the request is looked at ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "options", "status", "code"),
    [
        ("hotel_error", {}, 500, "E500"),
        ("hotel_error", {"status": 502}, 502, "E502"),
        ("hotel_busy", {"retry_after_s": 7}, 429, "E429"),
        ("hotel_maintenance", {"retry_after_s": 9}, 503, "E503"),
    ],
)
def test_refusals(sandbox: SandboxProcess, kind: str, options: dict[str, int], status: int, code: str) -> None:
    sandbox.fault(kind, **options)
    answer = health(sandbox)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    if "retry_after_s" in options:
        assert answer.headers["Retry-After"] == str(options["retry_after_s"])
    sandbox.clear_faults()
    assert health(sandbox).status_code == 200


def test_retry_after_comes_as_a_date_too(sandbox: SandboxProcess) -> None:
    sandbox.fault("hotel_busy", retry_after_s=60, http_date=True)
    moment = parsedate_to_datetime(health(sandbox).headers["Retry-After"])
    assert 50 < moment.timestamp() - time.time() < 70


def test_latency_waits_and_then_answers(sandbox: SandboxProcess) -> None:
    sandbox.fault("hotel_latency", ms=200)
    began = time.monotonic()
    assert health(sandbox).status_code == 200
    assert time.monotonic() - began >= 0.2


def test_a_timeout_answers_nobody_and_is_ended_by_clearing(sandbox: SandboxProcess) -> None:
    sandbox.fault("hotel_timeout")
    with pytest.raises(requests.exceptions.ReadTimeout):
        health(sandbox, timeout_s=0.3)
    sandbox.clear_faults()
    assert health(sandbox).status_code == 200


def test_nonsense_is_a_page_with_status_200(sandbox: SandboxProcess) -> None:
    sandbox.fault("hotel_nonsense", times=1)
    answer = health(sandbox)
    assert answer.status_code == 200
    assert answer.text.startswith("<!doctype html>")
    assert health(sandbox).json()["status"] == "OK"


def test_a_cut_does_nothing_and_a_drop_does_everything_but_answer(device: Device, sandbox: SandboxProcess) -> None:
    for kind, known in (("police_cut", 404), ("police_drop", 200)):
        record = sample_record()
        sandbox.fault(kind, path="/v1/batches", times=1)
        with pytest.raises(requests.ConnectionError):
            device.send(item(record))
        end = time.monotonic() + 2
        status = 0
        while status != known and time.monotonic() < end:
            status = device.ask("GET", f"/v1/records/{record['recordId']}").status_code
            time.sleep(0.05)
        assert status == known, kind


def test_an_unknown_ca_meets_new_connections_only(sandbox: SandboxProcess) -> None:
    with new_session(sandbox.info) as old:
        url = f"{sandbox.info.hotel_url}/v1/health"
        assert old.get(url, timeout=5).status_code == 200
        sandbox.fault("hotel_unknown_ca")
        assert old.get(url, timeout=5).status_code == 200
    with pytest.raises(requests.exceptions.SSLError):
        health(sandbox)
    sandbox.clear_faults()
    assert health(sandbox).status_code == 200


# ---- after the request was carried out -------------------------------------------------------------------------------


def test_truncated_json_ends_in_the_middle(sandbox: SandboxProcess) -> None:
    sandbox.fault("hotel_truncated")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        health(sandbox)


def test_gbk_is_no_utf8(sandbox: SandboxProcess) -> None:
    sandbox.fault("hotel_gbk")
    body = health(sandbox).content
    with pytest.raises(UnicodeDecodeError):
        body.decode("utf-8")
    assert json.loads(body.decode("gbk"))["status"] == "OK"


def test_a_drip_keeps_every_read_alive_and_the_whole_waiting(sandbox: SandboxProcess) -> None:
    sandbox.fault("hotel_drip", bytes_per_s=50)
    began = time.monotonic()
    answer = health(sandbox, timeout_s=0.5)
    assert answer.json()["status"] == "OK"
    assert time.monotonic() - began > len(answer.content) / 50 * 0.8


def test_a_huge_reply_has_no_end_worth_reading(sandbox: SandboxProcess) -> None:
    sandbox.fault("hotel_huge", mb=50)
    with new_session(sandbox.info) as session:
        answer = session.get(f"{sandbox.info.hotel_url}/v1/health", timeout=5, stream=True)
        assert int(answer.headers["Content-Length"]) == 50_000_000
        assert len(next(answer.iter_content(1_000_000))) == 1_000_000
        answer.close()
    sandbox.clear_faults()
    assert health(sandbox).status_code == 200


# ---- inside the police endpoint --------------------------------------------------------------------------------------


def test_an_expired_token_is_401_until_a_new_one_is_fetched(sandbox: SandboxProcess, device: Device) -> None:
    sandbox.fault("police_expire_token", path="/v1/batches")
    assert device.ask("GET", "/v1/limits").status_code == 200
    refused = device.send(item(sample_record()))
    assert (refused.status_code, refused.json()["code"]) == (401, "E101")
    device.log_in()
    assert device.report(item(sample_record()))[0]["receiptNo"]


def test_a_server_whose_clock_is_off_says_so(sandbox: SandboxProcess, device: Device) -> None:
    sandbox.fault("police_clock_skew", s=900)
    answer = device.ask("GET", "/v1/limits")
    assert (answer.status_code, answer.json()["code"]) == (401, "E107")
    sandbox.clear_faults()
    assert device.ask("GET", "/v1/limits").status_code == 200


def test_a_disabled_device_is_E103(sandbox: SandboxProcess, device: Device) -> None:
    sandbox.fault("police_disable_device")
    answer = device.ask("POST", "/v1/token", {})
    assert (answer.status_code, answer.json()["code"]) == (403, "E103")


def test_a_stricter_rule_rejects_what_the_schema_allows(sandbox: SandboxProcess, device: Device) -> None:
    sandbox.fault("police_reject", code="E308", times=1)
    sent = item(sample_record())
    (result,) = device.report(sent)
    assert (result["status"], result["code"], result["receiptNo"]) == ("REJECTED", "E308", "")
    (again,) = device.report(sent)
    assert again["status"].startswith("ACCEPTED")


def test_accepted_with_a_warning(sandbox: SandboxProcess, device: Device) -> None:
    sandbox.fault("police_warn", code="E304")
    (result,) = device.report(item(sample_record()))
    assert (result["status"], result["code"]) == ("ACCEPTED_WARN", "E304")
    assert result["receiptNo"]


def test_deferred_then_judged_at_the_next_look(sandbox: SandboxProcess, device: Device) -> None:
    sandbox.fault("police_defer")
    batch_id = str(uuid.uuid4())
    device.send(item(sample_record()), batch_id=batch_id)
    end = time.monotonic() + 5
    seen: list[str] = []
    while seen[-1:] != ["ACCEPTED"] and seen[-1:] != ["ACCEPTED_WARN"]:
        assert time.monotonic() < end, seen
        answer = device.ask("GET", f"/v1/batches/{batch_id}").json()
        seen += [result["status"] for result in answer["results"]]
        if seen[-1:] == ["DEFERRED"]:
            assert answer["status"] == "PROCESSING"
        time.sleep(0.02)
    assert "DEFERRED" in seen


def test_accepted_and_rejected_later(sandbox: SandboxProcess, device: Device) -> None:
    sandbox.fault("police_reject_later", code="E301", times=1)
    sent = item(sample_record())
    (result,) = device.report(sent)
    assert result["status"].startswith("ACCEPTED")
    later = device.ask("GET", f"/v1/records/{result['recordId']}").json()
    assert (later["status"], later["code"], later["receiptNo"]) == ("REJECTED", "E301", "")


def test_a_result_that_does_not_echo_the_hash(sandbox: SandboxProcess, device: Device) -> None:
    sandbox.fault("police_wrong_hash", times=1)
    sent = item(sample_record())
    (result,) = device.report(sent)
    assert result["contentHash"] != content_hash(sent)
    (again,) = device.report(sent)
    assert (again["contentHash"], again["duplicate"]) == (content_hash(sent), True)


def test_a_partial_batch_is_whole_when_asked_again(sandbox: SandboxProcess, device: Device) -> None:
    sandbox.fault("police_partial", times=1)
    batch_id = str(uuid.uuid4())
    device.send(item(sample_record()), item(sample_record()), batch_id=batch_id)
    assert len(device.poll(batch_id)["results"]) == 1
    assert len(device.poll(batch_id)["results"]) == 2


def test_an_unknown_fault_is_a_mistake_of_the_caller(sandbox: SandboxProcess) -> None:
    with pytest.raises(ValueError, match="no such fault"):
        sandbox.fault("police_explode")
