"""Faults of whole servers, by the clock and of the answers about records, as a client meets them; and the ledger."""

from __future__ import annotations

import base64
import json
import time
import uuid
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from kiosk.embedded import leave_pointer
from kiosk.sandbox import command
from kiosk.sandbox.control import SandboxUnavailable
from kiosk.sandbox.people import PEOPLE
from kiosk.sandbox.police_auth import iso
from kiosk.sandbox.police_wire import receipts_statement
from kiosk.sandbox.process import SandboxProcess
from tests.sandbox_kit import Device, content_hash, item, new_session, overseas_record, sample_record

pytestmark = pytest.mark.timeout(60)


def soon(ready: Callable[[], bool], timeout_s: float = 10.0) -> bool:
    end = time.monotonic() + timeout_s
    while not ready():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def answers(device: Device) -> bool:
    try:
        return device.ask("GET", "/v1/limits").status_code == 200
    except requests.ConnectionError:
        return False


# ---- the server as a whole -------------------------------------------------------------------------------------------


def test_an_outage_closes_the_port_at_once_until_it_is_cleared(sandbox: SandboxProcess, device: Device) -> None:
    sandbox.fault("police_outage")
    assert not answers(device)
    sandbox.clear_faults()
    assert answers(device)


def test_an_outage_may_come_later_and_ends_by_itself(sandbox: SandboxProcess, device: Device) -> None:
    began = time.monotonic()
    sandbox.fault("police_outage", at_s=0.5, for_s=4)
    assert soon(lambda: not answers(device))
    assert time.monotonic() - began >= 0.5
    assert soon(lambda: answers(device))
    assert time.monotonic() - began >= 4.5


def test_an_outage_that_was_cleared_before_it_came_never_comes(sandbox: SandboxProcess, device: Device) -> None:
    sandbox.fault("police_outage", at_s=0.2)
    sandbox.clear_faults()
    time.sleep(0.4)
    assert answers(device)


def test_a_certificate_that_expired_meets_new_connections(sandbox: SandboxProcess) -> None:
    sandbox.fault("hotel_expired_cert")
    url = f"{sandbox.info.hotel_url}/v1/health"
    with (
        new_session(sandbox.info) as session,
        pytest.raises(requests.exceptions.SSLError, match="certificate has expired"),
    ):
        session.get(url, timeout=5)
    sandbox.clear_faults()
    with new_session(sandbox.info) as session:
        assert session.get(url, timeout=5).status_code == 200


def test_more_requests_than_the_capacity_are_refused_with_retry_after(sandbox: SandboxProcess, device: Device) -> None:
    sandbox.fault("police_capacity", per_s=2, retry_after_s=3)
    codes = [device.ask("GET", "/v1/limits") for _ in range(4)]
    refused = [answer for answer in codes if answer.status_code == 503]
    assert refused
    assert {answer.headers["Retry-After"] for answer in refused} == {"3"}
    sandbox.clear_faults()
    sandbox.fault("police_capacity", per_s=0, status=429, http_date=True)
    assert (device.ask("GET", "/v1/limits").status_code, device.ask("GET", "/v1/limits").json()["code"]) == (
        429,
        "E429",
    )


def test_a_maintenance_window_is_announced_then_held(sandbox: SandboxProcess, device: Device) -> None:
    sandbox.fault("police_window", in_s=1, lasts_s=600)
    (window,) = device.ask("GET", "/v1/limits").json()["maintenance"]
    begins, ends = (datetime.fromisoformat(window[name]).timestamp() for name in ("from", "to"))
    assert abs(begins - time.time()) < 15
    assert 599 <= ends - begins <= 601
    assert soon(lambda: device.ask("GET", "/v1/receipts?date=2000-01-01").status_code == 503)
    refused = device.ask("GET", "/v1/receipts?date=2000-01-01")
    assert refused.json()["code"] == "E503"
    assert 500 < int(refused.headers["Retry-After"]) <= 601
    assert device.ask("GET", "/v1/limits").status_code == 200
    device.log_in()


def test_a_maintenance_window_ends_by_itself(sandbox: SandboxProcess, device: Device) -> None:
    sandbox.fault("police_window", in_s=0, lasts_s=3)
    assert soon(lambda: device.ask("GET", "/v1/receipts?date=2000-01-01").status_code == 200)


def test_new_code_tables_refuse_a_device_until_it_has_fetched_them(sandbox: SandboxProcess, device: Device) -> None:
    sandbox.fault("police_new_tables", version="sandbox-7", add_room="8888", drop_room="1208")
    sent = item(sample_record(guest__roomNo="8888"))
    (outdated,) = device.report(sent)
    assert (outdated["status"], outdated["code"]) == ("REJECTED", "E308")
    assert device.ask("GET", "/v1/limits").json()["schemaVersion"] == "sandbox-7"
    rooms = device.ask("GET", "/v1/codetables/rooms").json()
    codes = {entry["code"] for entry in rooms["entries"]}
    assert (rooms["version"], "8888" in codes, "1208" in codes) == ("sandbox-7", True, False)
    (again,) = device.report(sent)
    assert again["status"].startswith("ACCEPTED")
    assert device.report(item(sample_record(guest__roomNo="1208")))[0]["code"] == "ENOROOM"
    sandbox.clear_faults()
    assert device.report(item(sample_record(guest__roomNo="1208")))[0]["receiptNo"]


def test_a_licence_that_expired_refuses_every_record(sandbox: SandboxProcess, device: Device) -> None:
    sandbox.fault("police_expire_licence")
    assert device.report(item(sample_record()))[0]["code"] == "EAA"


def test_a_slow_police_still_judges(sandbox: SandboxProcess, device: Device) -> None:
    sandbox.fault("police_slow", s=0.5, times=1)
    began = time.monotonic()
    assert device.report(item(sample_record()))[0]["receiptNo"]
    assert time.monotonic() - began >= 0.5


# ---- one record ------------------------------------------------------------------------------------------------------


def test_a_fault_meets_the_record_that_it_is_meant_for(sandbox: SandboxProcess, device: Device) -> None:
    spared, meant = sample_record(PEOPLE["zhou"]), sample_record(PEOPLE["shen"])
    sandbox.fault("police_reject", code="E307", record=meant["recordId"])
    results = device.report(item(spared), item(meant))
    assert [result["code"] for result in results] == [results[0]["code"], "E307"]
    assert results[0]["receiptNo"]


def test_a_batch_is_refused_whole_for_the_record_in_it(sandbox: SandboxProcess, device: Device) -> None:
    spared, guilty = sample_record(PEOPLE["zhou"]), sample_record(PEOPLE["shen"])
    sandbox.fault("police_error", status=422, code="E22", record=guilty["recordId"], method="POST")
    assert device.send(item(spared), item(guilty)).status_code == 422
    assert device.send(item(spared)).status_code == 202
    assert device.send(item(guilty)).json()["code"] == "E22"


def test_an_operation_can_be_refused_by_itself(sandbox: SandboxProcess, device: Device) -> None:
    sandbox.fault("police_reject", code="EAA", op="JI")
    results = device.report(item(sample_record(PEOPLE["qian"])), item(overseas_record()))
    assert [result["code"] for result in results] == [results[0]["code"], "EAA"]
    sandbox.clear_faults()
    assert device.report(item(overseas_record()))[0]["receiptNo"]


def test_a_record_that_the_police_forget_is_404(sandbox: SandboxProcess, device: Device) -> None:
    (result,) = device.report(item(sample_record()))
    sandbox.fault("police_forget", record=result["recordId"])
    assert device.ask("GET", f"/v1/records/{result['recordId']}").status_code == 404
    sandbox.clear_faults()
    assert device.ask("GET", f"/v1/records/{result['recordId']}").json()["receiptNo"] == result["receiptNo"]


# ---- answers about records -------------------------------------------------------------------------------------------


def reported(device: Device) -> tuple[list[str], list[dict[str, Any]]]:
    """Report three and return what was sent, and the results as they were told."""
    sent = [item(sample_record(PEOPLE[key])) for key in ("lin", "zhou", "shen")]
    return [content_hash(one) for one in sent], device.report(*sent)


def test_results_are_told_twice_or_in_another_order(sandbox: SandboxProcess, device: Device) -> None:
    sandbox.fault("police_twice")
    sent, results = reported(device)
    assert [result["contentHash"] for result in results] == [one for one in sent for _ in range(2)]
    sandbox.clear_faults()
    sandbox.fault("police_out_of_order")
    sent, results = reported(device)
    told = [result["contentHash"] for result in results]
    assert told != sent
    assert sorted(told) == sorted(sent)


def test_a_result_of_a_record_that_was_never_sent(sandbox: SandboxProcess, device: Device) -> None:
    sandbox.fault("police_foreign")
    sent, results = reported(device)
    assert len(results) == 4
    assert device.ask("GET", f"/v1/records/{results[0]['recordId']}").status_code == 404
    assert [result["contentHash"] for result in results[1:]] == sent


def test_two_records_bear_each_others_receipt(sandbox: SandboxProcess, device: Device) -> None:
    sandbox.fault("police_swapped")
    _, results = reported(device)
    true = [device.ask("GET", f"/v1/records/{result['recordId']}").json()["receiptNo"] for result in results]
    told = [result["receiptNo"] for result in results]
    assert all(one != other for one, other in zip(told, true, strict=True))
    assert sorted(told) == sorted(true)


# ---- the daily list --------------------------------------------------------------------------------------------------


def daily(device: Device, sandbox: SandboxProcess) -> tuple[dict[str, Any], bool]:
    """Return today's list, and whether its signature holds."""
    listed: dict[str, Any] = device.ask("GET", f"/v1/receipts?date={iso(time.time())[:10]}").json()
    key = load_pem_public_key(sandbox.info.receipt_key_file.read_bytes())
    assert isinstance(key, Ed25519PublicKey)
    statement = receipts_statement(listed["date"], listed["count"], listed["head"])
    try:
        key.verify(base64.b64decode(listed["signature"]), statement)
    except InvalidSignature:
        return listed, False
    return listed, True


def test_a_list_lacks_a_record_has_one_too_many_or_another_hash(sandbox: SandboxProcess, device: Device) -> None:
    (result,) = device.report(item(sample_record()))
    whole, signed = daily(device, sandbox)
    assert signed
    sandbox.fault("police_list_omits", record=result["recordId"])
    assert result["receiptNo"] not in {entry["receiptNo"] for entry in daily(device, sandbox)[0]["receipts"]}
    sandbox.clear_faults()
    sandbox.fault("police_list_adds")
    listed, signed = daily(device, sandbox)
    assert (listed["count"], signed) == (whole["count"] + 1, True)
    sandbox.clear_faults()
    sandbox.fault("police_list_other_hash")
    assert daily(device, sandbox)[0]["receipts"][-1]["contentHash"] != result["contentHash"]
    sandbox.clear_faults()
    assert daily(device, sandbox)[0] == whole


def test_a_list_whose_chain_or_signature_does_not_hold(sandbox: SandboxProcess, device: Device) -> None:
    device.report(item(sample_record()))
    whole, _ = daily(device, sandbox)
    sandbox.fault("police_list_unchained")
    listed, signed = daily(device, sandbox)
    assert (listed["receipts"][0]["chain"] != whole["receipts"][0]["chain"], signed) == (True, True)
    sandbox.clear_faults()
    sandbox.fault("police_list_unsigned")
    assert daily(device, sandbox)[1] is False


# ---- by the seed -----------------------------------------------------------------------------------------------------


def outcomes(seed: int) -> list[str]:
    """What 60 requests meet, one after the other, in a mixture of this seed."""
    with SandboxProcess(latency_ms=0) as sandbox:
        sandbox.mix(seed, scale=4)
        return [outcome(sandbox) for _ in range(60)]


def outcome(sandbox: SandboxProcess) -> str:
    with new_session(sandbox.info) as session:
        try:
            answer = session.get(f"{sandbox.info.police_url}/v1/health", timeout=10)
            return f"{answer.status_code} {answer.headers['Content-Type']}"
        except requests.RequestException as error:
            return type(error).__name__


def test_the_same_seed_plays_the_same_faults_again() -> None:
    first = outcomes(5)
    assert len(set(first)) > 4
    assert outcomes(5) == first
    assert outcomes(6) != first


# ---- the ledger ------------------------------------------------------------------------------------------------------


def test_the_ledger_tells_what_came_and_what_became_of_it(sandbox: SandboxProcess, device: Device) -> None:
    good, bad = sample_record(PEOPLE["gd"]), sample_record(guest__name="4")
    device.report(item(good))
    device.report(item(good), item(bad))
    ledger = sandbox.ledger()
    (record,) = ledger.accepted(good["recordId"])
    assert (record.revision, record.op, record.stay_id) == (1, "CI", good["stayId"])
    assert record.content_hash == content_hash(item(good))
    assert [one.duplicate for one in ledger.tries(good["recordId"])] == [False, True]
    assert [(one.status, one.code) for one in ledger.tries(bad["recordId"])] == [("REJECTED", "E22")]
    assert ledger.accepted(bad["recordId"]) == ()
    assert [batch.size for batch in ledger.batches[-2:]] == [1, 2]
    assert not any(person.name in repr(ledger) or person.id_number in repr(ledger) for person in PEOPLE.values())


def test_a_chain_that_goes_back_is_noticed(sandbox: SandboxProcess, device: Device) -> None:
    def report(seq: int, link: str) -> None:
        name = str(uuid.uuid4())
        body = {"batchId": name, "items": [item(sample_record())], "chainHead": {"seq": seq, "hash": link * 64}}
        assert device.ask("POST", "/v1/batches", body, headers={"Idempotency-Key": name}).status_code == 202

    known = len(sandbox.ledger().heads)
    for seq, link in [(10, "a"), (10, "a"), (12, "b"), (11, "c"), (12, "b"), (12, "d")]:
        report(seq, link)
    heads = sandbox.ledger().heads[known:]
    assert [head.went_back for head in heads] == [False, False, False, True, False, True]
    for wrong in ({"seq": -1, "hash": "a" * 64}, {"seq": 1, "hash": "x"}, {"seq": True, "hash": "a" * 64}, 7):
        body = {"batchId": "wrong", "items": [item(sample_record())], "chainHead": wrong}
        assert device.ask("POST", "/v1/batches", body, headers={"Idempotency-Key": "wrong"}).status_code == 400


def test_a_ledger_in_memory_touches_no_disk_and_waits_for_nobody() -> None:
    with SandboxProcess(latency_ms=0, delay_s=0, ledger_in_memory=True, capacity_per_s=500) as sandbox:
        device = Device(sandbox.info)
        with device.session:
            device.log_in()
            assert device.report(item(sample_record()))[0]["receiptNo"]
        assert len(sandbox.ledger().records) == 1
        assert not list(sandbox.info.run_dir.glob("police.db*"))
        assert sandbox.faults() == ["police_capacity"]


# ---- from the command line -------------------------------------------------------------------------------------------


def test_an_installer_plays_faults_and_reads_the_ledger_from_the_command_line(
    sandbox: SandboxProcess, device: Device, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--dir", str(sandbox.info.run_dir)]
    script = tmp_path / "bad-hour.txt"
    script.write_text("police_cut path=/v1/nowhere\nhotel_latency ms=1 at_s=5 # later\n", encoding="utf-8")
    assert command.main(["script", str(script), *where]) == 0
    assert command.main(["mix", "7", "--scale", "0", *where]) == 0
    assert command.main(["clear", "police_cut", *where]) == 0
    capsys.readouterr()
    assert command.main(["faults", *where]) == 0
    listed = capsys.readouterr().out.split()
    assert (listed[0], "police_twice" in listed, "police_cut" in listed) == ("hotel_latency", True, False)
    assert command.main(["clear", *where]) == 0
    device.report(item(sample_record()))
    assert command.main(["ledger", "--json", *where]) == 0
    assert len(json.loads(capsys.readouterr().out)["records"]) == len(sandbox.ledger().records)
    assert command.main(["ledger", *where]) == 0
    assert "accepted" in capsys.readouterr().out
    assert command.main(["kinds"]) == 0
    assert "outage" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        command.main(["script", str(tmp_path / "absent.txt"), *where])
    script.write_text("police_cut\npolice_explode\n", encoding="utf-8")
    with pytest.raises(SystemExit):
        command.main(["script", str(script), *where])
    assert sandbox.faults() == [], "a script with a mistake in it plays nothing"


def test_without_a_folder_the_sandbox_of_the_demo_kiosk_is_asked(
    sandbox: SandboxProcess, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = tmp_path / "config.toml"
    settings.write_text('[kiosk]\nstate_dir = "var"\n', encoding="utf-8")
    with pytest.raises(SandboxUnavailable, match=r"\./run start.*--dir DIR"):
        command.main(["faults", "--config", str(settings)])
    leave_pointer(tmp_path / "var", sandbox.info.run_dir)
    assert command.main(["faults", "--config", str(settings)]) == 0
    assert capsys.readouterr().out == "none\n"
