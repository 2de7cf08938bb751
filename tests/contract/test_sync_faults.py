"""What a line to an authority does wrong: nothing is lost, nothing counted twice, no record blamed for the line."""

from __future__ import annotations

import logging
import time
from pathlib import Path

import pytest

from kiosk.errors import ConfigError
from kiosk.sandbox import pki
from kiosk.sandbox.process import SandboxProcess
from offline_queue.database.verify import verify
from offline_queue.endpoints import psb_report
from offline_queue.states import EventState
from tests.contract.sync_kit import BATCHES, Delivery, delivery, duplicates, ledger, reporting
from tests.outbox_kit import NAME, NUMBER, event, invented_number, state
from tests.stopwatch import Stopwatch

pytestmark = pytest.mark.timeout(60)


def delivered_once(line: Delivery, record_id: str) -> None:
    line.until_state(EventState.DELIVERED, record_id)
    line.until("the receipt told", lambda: line.receipts)  # after the commit that the state shows
    assert len(ledger(line.sandbox, record_id)) == len(line.receipts) == 1
    assert verify(line.owner).faults == ()


@pytest.mark.parametrize(
    ("fault", "options", "seen_before"),
    [
        ("police_drop", {}, True),
        ("police_truncated", {}, True),
        ("police_gbk", {}, True),
        ("police_drip", {"bytes_per_s": 2}, True),
        ("police_cut", {}, False),
        ("police_nonsense", {}, False),
        ("police_error", {"status": 500}, False),
        ("police_error", {"status": 408}, False),
        ("police_maintenance", {}, False),
        ("police_busy", {}, False),
        ("police_timeout", {}, False),
    ],
)
def test_a_batch_whose_answer_fails_is_sent_again_and_counted_once(
    line: Delivery,
    sandbox: SandboxProcess,
    fault: str,
    options: dict[str, int],
    seen_before: bool,
    caplog: pytest.LogCaptureFixture,
) -> None:
    sandbox.fault(fault, times=1, path=BATCHES, **options)
    watch = Stopwatch()
    record_id = line.put()
    delivered_once(line, record_id)
    assert (duplicates(sandbox, record_id) == 1) is seen_before
    assert watch.seconds() < 6
    assert NAME not in caplog.text
    assert NUMBER not in caplog.text


@pytest.mark.parametrize("fault", ["police_drop", "police_gbk", "police_error", "police_nonsense", "police_cut"])
def test_a_poll_that_fails_leaves_the_record_in_flight(line: Delivery, sandbox: SandboxProcess, fault: str) -> None:
    sandbox.fault(fault, times=2, path=BATCHES + "/")
    record_id = line.put()
    delivered_once(line, record_id)
    assert event(line.owner, record_id).attempts == 0
    assert duplicates(sandbox, record_id) == 0


def test_a_captive_portal_delivers_nothing_and_charges_nobody(line: Delivery, sandbox: SandboxProcess) -> None:
    sandbox.fault("police_nonsense")
    record_id = line.put()
    line.until_held("captive portal")
    assert state(line.owner, record_id) is EventState.READY
    assert event(line.owner, record_id).attempts == 0
    sandbox.clear_faults()
    line.sync.try_now()
    delivered_once(line, record_id)


def test_a_closed_endpoint_charges_nobody_and_everything_arrives_when_it_opens(
    line: Delivery, sandbox: SandboxProcess
) -> None:
    first = line.put(number=invented_number(1))
    line.until_state(EventState.DELIVERED, first)
    sandbox.close_police()
    waiting = [line.put(number=invented_number(serial)) for serial in range(2, 5)]
    line.until("two tries", lambda: line.owner.line.failures >= 2)
    assert line.owner.line.why in ("unreachable", "cut")
    assert not line.owner.line.open
    assert {state(line.owner, one) for one in waiting} <= {EventState.READY, EventState.INFLIGHT}
    sandbox.open_police()
    line.until_state(EventState.DELIVERED, *waiting)
    line.until("an open line", lambda: line.owner.line.open)
    assert {event(line.owner, one).attempts for one in waiting} <= {0, 1}  # 1: was under way when the socket closed


def test_a_token_that_ends_between_batches_costs_nothing(line: Delivery, sandbox: SandboxProcess) -> None:
    first = line.put(number=invented_number(1))
    line.until_state(EventState.DELIVERED, first)
    sandbox.fault("police_expire_token", path=BATCHES)
    second = line.put(number=invented_number(2))
    line.until_state(EventState.DELIVERED, second)
    assert event(line.owner, second).attempts == 0
    assert line.owner.line.failures == 0


def test_a_token_that_ends_between_batch_and_poll_costs_nothing(line: Delivery, sandbox: SandboxProcess) -> None:
    sandbox.fault("police_expire_token", path=BATCHES + "/")
    record_id = line.put()
    delivered_once(line, record_id)
    assert event(line.owner, record_id).attempts == duplicates(sandbox, record_id) == 0


def test_a_token_that_is_refused_twice_opens_the_breaker(line: Delivery, sandbox: SandboxProcess) -> None:
    sandbox.fault("police_expire_token", path=BATCHES, times=2)
    record_id = line.put()
    line.until_held("token refused twice")
    assert line.owner.line.breaker
    delivered_once(line, record_id)
    assert event(line.owner, record_id).attempts == 0


@pytest.mark.parametrize("status", [400, 404, 422])
def test_what_the_tokens_route_answers_never_rejects_a_record(
    line: Delivery, sandbox: SandboxProcess, status: int
) -> None:
    sandbox.fault("police_error", path="/v1/token", status=status, times=1)
    record_id = line.put()
    line.until_held(f"http {status}")
    assert line.owner.line.breaker
    delivered_once(line, record_id)
    assert event(line.owner, record_id).attempts == 0


def test_a_device_that_was_disabled_opens_the_breaker_and_charges_nobody(
    line: Delivery, sandbox: SandboxProcess
) -> None:
    sandbox.fault("police_disable_device")
    record_id = line.put()
    line.until_held("E103")
    assert line.owner.line.breaker
    assert (state(line.owner, record_id), event(line.owner, record_id).attempts) == (EventState.READY, 0)
    sandbox.clear_faults()
    line.sync.try_now()
    delivered_once(line, record_id)


def test_an_unknown_authority_gets_nothing(sandbox: SandboxProcess, tmp_path: Path) -> None:
    sandbox.clear_faults()
    foreign = pki.make(tmp_path / "foreign", "demo-01").ca_file
    with delivery(sandbox, tmp_path / "box", ca_file=foreign) as line:
        record_id = line.put()
        line.until("the breaker", lambda: line.owner.line.breaker)
        assert line.owner.line.why == "tls: self-signed certificate in certificate chain"
        assert (state(line.owner, record_id), event(line.owner, record_id).attempts) == (EventState.READY, 0)
    assert ledger(sandbox, record_id) == []


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ("police_unknown_ca", "tls: unable to get local issuer certificate"),
        ("police_expired_cert", "tls: certificate has expired"),
    ],
)
def test_an_authority_whose_certificate_is_wrong_gets_nothing_until_it_is_right(
    sandbox: SandboxProcess, tmp_path: Path, fault: str, why: str
) -> None:
    sandbox.fault(fault)
    with delivery(sandbox, tmp_path / "box") as line:
        record_id = line.put()
        line.until("the breaker", lambda: line.owner.line.breaker)
        assert line.owner.line.why == why
        assert (state(line.owner, record_id), event(line.owner, record_id).attempts) == (EventState.READY, 0)
        assert ledger(sandbox, record_id) == []
        sandbox.clear_faults()
        line.sync.try_now()
        delivered_once(line, record_id)


def test_a_kiosk_with_a_foreign_certificate_opens_its_breaker(sandbox: SandboxProcess, tmp_path: Path) -> None:
    sandbox.clear_faults()
    foreign = pki.make(tmp_path / "foreign", "demo-01")
    files = {"client_cert_file": foreign.client_cert_file, "client_key_file": foreign.client_key_file}
    with delivery(sandbox, tmp_path / "box", **files) as line:
        record_id = line.put()
        line.until("the breaker", lambda: line.owner.line.breaker)
        assert event(line.owner, record_id).attempts == 0


@pytest.mark.parametrize("http_date", [False, True], ids=["seconds", "date"])
def test_retry_after_is_waited_for_in_both_forms(line: Delivery, sandbox: SandboxProcess, http_date: bool) -> None:
    sandbox.fault("police_busy", times=1, path=BATCHES, retry_after_s=2, http_date=http_date)
    record_id = line.put()
    line.until_held("http 429")
    asked = time.monotonic()
    line.put(number=invented_number(7))  # news does not shorten what the server asked for
    line.until_state(EventState.DELIVERED, record_id)
    assert time.monotonic() - asked > (0.9 if http_date else 1.8)  # a date has whole seconds only


def test_a_person_may_try_at_once(line: Delivery, sandbox: SandboxProcess) -> None:
    sandbox.fault("police_maintenance", times=1, path=BATCHES, retry_after_s=3000)
    record_id = line.put()
    line.until_held("http 503")
    line.sync.try_now()
    line.until_state(EventState.DELIVERED, record_id)


@pytest.mark.parametrize("fault", ["police_partial", "police_wrong_hash"])
def test_a_result_that_is_missing_or_of_another_record_delivers_nothing(
    line: Delivery, sandbox: SandboxProcess, fault: str
) -> None:
    sandbox.fault(fault, times=1)
    record_id = line.put()
    delivered_once(line, record_id)  # it was asked for by its id, not sent again
    assert duplicates(sandbox, record_id) == event(line.owner, record_id).attempts == 0


def test_a_record_that_always_fails_becomes_poison_only_while_others_pass(
    line: Delivery, sandbox: SandboxProcess
) -> None:
    sandbox.fault("police_error", path=BATCHES, status=500)
    record_id = line.put()
    line.until("two charged tries", lambda: event(line.owner, record_id).attempts >= 2)
    assert event(line.owner, record_id).strikes == 0
    sandbox.clear_faults()
    line.sync.try_now()
    delivered_once(line, record_id)


@pytest.mark.parametrize("fault", ["police_timeout", "police_drip"])
def test_stopping_waits_for_no_server(sandbox: SandboxProcess, tmp_path: Path, fault: str) -> None:
    sandbox.clear_faults()
    sandbox.fault(fault, path=BATCHES)
    with delivery(sandbox, tmp_path, timeout_s=30) as line:
        record_id = line.put()
        line.until_state(EventState.INFLIGHT, record_id)
        time.sleep(0.2)
        watch = Stopwatch()
        line.sync.stop()
        assert watch.seconds() < 1
        assert state(line.owner, record_id) in (EventState.READY, EventState.INFLIGHT)
    sandbox.clear_faults()


def test_a_put_waits_for_no_server(line: Delivery, sandbox: SandboxProcess) -> None:
    sandbox.fault("police_timeout", path=BATCHES)
    line.until_state(EventState.INFLIGHT, line.put())
    watch = Stopwatch()
    line.put(number=invented_number(8))
    assert watch.seconds() < 0.5
    sandbox.clear_faults()


def test_nothing_spins_while_a_lot_is_out(sandbox: SandboxProcess, tmp_path: Path) -> None:
    sandbox.clear_faults()
    sandbox.fault("police_defer", times=1000)
    turns: list[float] = []
    with delivery(sandbox, tmp_path, start=False) as line:
        record_id = line.put()  # before the start: the very first turn has a lot out
        turn = line.sync._turn
        line.sync._turn = lambda: turns.append(time.monotonic()) or turn()  # type: ignore[func-returns-value]
        line.sync.start()
        line.until_state(EventState.INFLIGHT, record_id)
        time.sleep(1.0)
        assert len(turns) < 25
    sandbox.clear_faults()


def test_a_reply_without_end_is_not_read_to_its_end(line: Delivery, sandbox: SandboxProcess) -> None:
    sandbox.fault("police_huge", times=1, path=BATCHES, mb=100)
    record_id = line.put()
    line.until_held("reply too large")
    delivered_once(line, record_id)


def test_the_environment_changes_neither_trust_nor_route(
    sandbox: SandboxProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.clear_faults()
    (tmp_path / "empty.pem").touch()
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "empty.pem"))
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with delivery(sandbox, tmp_path / "box") as line:
        delivered_once(line, line.put())


def test_settings_that_cannot_work_are_told_at_once(sandbox: SandboxProcess, tmp_path: Path) -> None:
    for wrong, says in [
        ({"url": sandbox.info.police_url.replace("https", "http")}, "https"),
        ({"ca_file": tmp_path / "none.pem"}, r"ca_file .*none\.pem: no such file"),
        ({"device_key_file": tmp_path / "none.key"}, r"device_key_file .*none\.key"),
        ({"device_key_file": sandbox.info.client_key_file}, "neither an Ed25519 nor an SM2 key"),
    ]:
        with pytest.raises(ConfigError, match=says):
            psb_report.make(reporting(sandbox, **wrong))


def test_what_went_wrong_is_logged_once_not_at_each_try(
    line: Delivery, sandbox: SandboxProcess, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    sandbox.close_police()
    line.put()
    line.until("three tries", lambda: line.owner.line.failures >= 3)
    sandbox.open_police()
    assert caplog.text.count("endpoint: unreachable") == 1


@pytest.mark.parametrize("path", ["/v1/token", "/v1/limits", BATCHES + "/"], ids=["token", "limits", "poll"])
@pytest.mark.parametrize(
    ("fault", "options"),
    [
        ("police_drip", {"bytes_per_s": 2}),
        ("police_huge", {"mb": 100}),
        ("police_truncated", {}),
        ("police_gbk", {}),
        ("police_nonsense", {}),
        ("police_timeout", {}),
        ("police_latency", {"ms": 300, "jitter_ms": 300}),
    ],
    ids=lambda value: str(value) if isinstance(value, str) else "",
)
def test_whatever_a_route_does_once_charges_nobody_and_the_record_arrives_once(
    sandbox: SandboxProcess, tmp_path: Path, fault: str, options: dict[str, int], path: str
) -> None:
    sandbox.fault(fault, times=1, path=path, **options)
    with delivery(sandbox, tmp_path) as line:
        record_id = line.put()
        delivered_once(line, record_id)
        assert event(line.owner, record_id).attempts == duplicates(sandbox, record_id) == 0


@pytest.mark.parametrize("fault", ["police_twice", "police_out_of_order", "police_foreign"])
def test_results_in_disorder_deliver_each_record_once_with_its_own_receipt(
    sandbox: SandboxProcess, tmp_path: Path, fault: str
) -> None:
    sandbox.fault(fault)
    with delivery(sandbox, tmp_path, start=False) as line:
        records = [line.put(number=invented_number(serial)) for serial in range(5)]
        line.sync.start()
        line.until_state(EventState.DELIVERED, *records)
        line.until("the receipts told", lambda: len(line.receipts) == len(records))
        given = {row["record_id"]: row["receipt_no"] for row in ledger(sandbox, *records)}
        assert dict(line.receipts) == given
        assert {event(line.owner, one).attempts for one in records} == {0}


def test_a_police_that_carries_out_few_requests_gets_every_record_once_and_none_is_blamed(
    sandbox: SandboxProcess, tmp_path: Path
) -> None:
    with delivery(sandbox, tmp_path, start=False, batch_max=2) as line:
        records = [line.put(number=invented_number(serial)) for serial in range(1, 9)]
        sandbox.fault("police_slow", s=1, times=1)
        sandbox.fault("police_capacity", per_s=2, status=429, retry_after_s=1)
        line.sync.start()
        line.until("a refusal", lambda: "http 429" in line.owner.line.why)
        sandbox.clear_faults()
        line.until_state(EventState.DELIVERED, *records, timeout_s=40)
        assert sandbox.ledger().order_faults() == ()
        assert all(len(sandbox.ledger().accepted(record)) == 1 for record in records)
