"""The sandbox's police endpoint over real HTTPS with mutual TLS: what becomes of a record, and who may report."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import time
import uuid
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from kiosk.sandbox.people import PEOPLE
from kiosk.sandbox.police_auth import iso
from kiosk.sandbox.police_store import GENESIS, receipt_line
from kiosk.sandbox.police_wire import receipts_statement
from kiosk.sandbox.process import SandboxProcess
from tests.outbox_kit import invented_number
from tests.sandbox_kit import JPEG, Device, content_hash, item, sample_record

pytestmark = pytest.mark.timeout(60)


def test_a_batch_is_taken_in_then_judged_then_receipted(device: Device) -> None:
    sent = [item(sample_record(PEOPLE[key])) for key in ("zhou", "shen")]
    batch_id = str(uuid.uuid4())
    taken = device.send(*sent, batch_id=batch_id)
    assert taken.status_code == 202
    assert (taken.json()["batchId"], taken.json()["accepted"]) == (batch_id, 2)
    done = device.poll(batch_id)
    assert done["status"] == "DONE"
    for result, what in zip(done["results"], sent, strict=True):
        assert (result["status"], result["contentHash"]) == ("ACCEPTED", content_hash(what))
        assert len(result["receiptNo"]) == 36
        assert not result["duplicate"]
        assert datetime.fromisoformat(result["receivedAt"]).utcoffset() == timedelta(hours=8)
        assert device.ask("GET", f"/v1/records/{result['recordId']}").json() == result


def test_photos_travel_with_the_record(device: Device) -> None:
    name = hashlib.sha256(JPEG).hexdigest()
    whole = sample_record(PEOPLE["qian"], photos=[{"kind": "id", "sha256": name}], photoAbsentReason=None)
    (result,) = device.report(item(whole, (JPEG,)))
    assert result["status"] == "ACCEPTED"
    lacking = sample_record(PEOPLE["gd"], photos=[{"kind": "id", "sha256": name}], photoAbsentReason=None)
    (result,) = device.report(item(lacking))
    assert (result["status"], result["code"], result["field"]) == ("REJECTED", "E301", "photos")


def test_the_same_bytes_again_bring_the_same_receipt(device: Device) -> None:
    sent = item(sample_record(PEOPLE["balance"]))
    (first,) = device.report(sent)
    (again,) = device.report(sent)
    assert again == {**first, "duplicate": True}


def test_other_bytes_of_the_same_revision_are_E409(device: Device) -> None:
    record = sample_record(PEOPLE["notready"])
    (first,) = device.report(item(record))
    (other,) = device.report(item({**record, "salt": "ff" * 16}))
    assert (other["status"], other["code"], other["receiptNo"]) == ("REJECTED", "E409", "")
    assert device.ask("GET", f"/v1/records/{record['recordId']}").json()["receiptNo"] == first["receiptNo"]


def test_revisions_come_in_order_or_are_E410(device: Device) -> None:
    record = sample_record(PEOPLE["party"])
    third = item({**record, "revision": 3, "op": "UP"})
    assert device.report(item(record))[0]["status"] == "ACCEPTED"
    assert device.report(third)[0]["code"] == "E410"
    assert device.report(item({**record, "revision": 2, "op": "UP"}))[0]["status"] == "ACCEPTED"
    assert device.report(third)[0]["status"] == "ACCEPTED"
    (late,) = device.report(item(record))
    assert (late["status"], late["code"]) == ("REJECTED", "E410")


def test_a_revision_that_stands_for_others_does_not_wait_for_them(device: Device) -> None:
    record = sample_record(replace(PEOPLE["party"], id_number=invented_number(7)))  # each guest here is one test's own
    third = item({**record, "recordId": str(uuid.uuid4()), "revision": 3, "op": "UP", "photos": []})
    for wrong in (0, 3, True, "1"):
        assert device.send({**third, "photos": {}, "supersedes": wrong}).status_code == 400
    assert device.report({**third, "photos": {}})[0]["code"] == "E410"
    assert device.report({**third, "photos": {}, "supersedes": 2})[0]["code"] == "E410"
    assert device.report({**third, "photos": {}, "supersedes": 1})[0]["status"].startswith("ACCEPTED")


def test_a_rejected_record_is_corrected_by_its_next_revision(device: Device) -> None:
    record = sample_record(PEOPLE["namediffers"], guest__roomNo="9999")
    (rejected,) = device.report(item(record))
    assert (rejected["status"], rejected["code"], rejected["field"]) == ("REJECTED", "ENOROOM", "guest.roomNo")
    assert device.ask("GET", f"/v1/records/{record['recordId']}").json()["status"] == "REJECTED"
    mended = {**record, "revision": 2, "guest": {**record["guest"], "roomNo": "1003"}}
    assert device.report(item(mended))[0]["status"] == "ACCEPTED"


def test_one_bad_record_does_not_hold_back_the_others(device: Device) -> None:
    good, bad = item(sample_record(PEOPLE["byphone"])), item(sample_record(guest__name="4"))
    taken = device.send(good, bad)
    done = device.poll(taken.json()["batchId"])
    assert done["status"] == "DONE_WITH_ERRORS"
    assert [(result["status"], result["code"]) for result in done["results"]] == [("ACCEPTED", ""), ("REJECTED", "E22")]


def test_twice_in_a_stay_is_refused_and_in_two_stays_is_a_warning(sandbox: SandboxProcess, device: Device) -> None:
    sandbox.issue_suishen("inhouse")
    stay = sandbox.booking("inhouse")
    assert stay is not None
    here = {"stay_id": str(stay["stayId"]), "guest__partySize": 2}
    assert device.report(item(sample_record(PEOPLE["inhouse"], **here)))[0]["status"] == "ACCEPTED"
    assert device.report(item(sample_record(PEOPLE["inhouse"], **here)))[0]["code"] == "E2B"
    (warned,) = device.report(item(sample_record(PEOPLE["inhouse"])))
    assert (warned["status"], warned["code"]) == ("ACCEPTED_WARN", "E304")
    assert len(warned["receiptNo"]) == 36


def test_a_guest_who_left_is_not_in_house(sandbox: SandboxProcess, device: Device) -> None:
    for _ in range(2):
        sandbox.issue_suishen("marked")
        stay = sandbox.booking("marked")
        assert stay is not None
        (result,) = device.report(item(sample_record(PEOPLE["marked"], stay_id=str(stay["stayId"]))))
        assert result["status"] == "ACCEPTED"


def test_more_guests_than_the_party_is_E306(device: Device) -> None:
    stay = f"S{uuid.uuid4().hex}"
    assert device.report(item(sample_record(PEOPLE["noportrait"], stay_id=stay)))[0]["status"] == "ACCEPTED"
    assert device.report(item(sample_record(PEOPLE["noaddress"], stay_id=stay)))[0]["code"] == "E306"


def test_validate_says_what_would_come_and_keeps_nothing(device: Device) -> None:
    record = sample_record(PEOPLE["outside"])
    body = {"batchId": "dry", "items": [item(record), item(sample_record(guest__ethnicity="99"))]}
    answer = device.ask("POST", "/v1/validate", body).json()
    assert [(r["status"], r["code"], r["receiptNo"]) for r in answer["results"]] == [
        ("ACCEPTED", "", ""),
        ("REJECTED", "E24", ""),
    ]
    gone = device.ask("GET", f"/v1/records/{record['recordId']}")
    assert (gone.status_code, gone.json()["code"]) == (404, "E404")


def test_a_batch_id_belongs_to_one_body(device: Device) -> None:
    sent, batch_id = item(sample_record(PEOPLE["walkin"])), str(uuid.uuid4())
    first = device.send(sent, batch_id=batch_id)
    assert device.send(sent, batch_id=batch_id).json() == first.json()
    assert device.send(item(sample_record()), batch_id=batch_id).status_code == 409
    body = {"batchId": batch_id, "items": [sent]}
    assert device.ask("POST", "/v1/batches", body, headers={"Idempotency-Key": "other"}).status_code == 400
    assert device.ask("GET", "/v1/batches/unknown").status_code == 404


def test_limits_hold_and_tables_are_served(device: Device) -> None:
    limits = device.ask("GET", "/v1/limits").json()
    assert (limits["maxRecords"], limits["maxPhotoBytes"]) == (100, 30720)
    too_many = device.send(*[item(sample_record()) for _ in range(101)])
    assert (too_many.status_code, too_many.json()["code"]) == (413, "E13")
    too_large = device.send({**item(sample_record()), "photos": {"0" * 64: "A" * limits["maxBodyBytes"]}})
    assert (too_large.status_code, too_large.json()["code"]) == (413, "E13")
    names = {entry["code"]: entry["name"] for entry in device.ask("GET", "/v1/codetables/ethnicity").json()["entries"]}
    assert (names["01"], names["56"], len(names)) == ("汉", "基诺", 56)
    assert device.ask("GET", "/v1/codetables/secrets").status_code == 404
    assert device.ask("GET", "/v1/nothing").status_code == 404


def test_receipts_of_the_day_are_chained_and_signed(sandbox: SandboxProcess, device: Device) -> None:
    (result,) = device.report(item(sample_record(PEOPLE["lin"])))
    day = iso(time.time())[:10]
    listed = device.ask("GET", f"/v1/receipts?date={day}").json()
    chain = GENESIS
    for entry in listed["receipts"]:
        line = receipt_line(*(entry[n] for n in ("recordId", "revision", "contentHash", "receiptNo", "receivedAt")))
        chain = hashlib.sha256(f"{chain}|{line}".encode()).hexdigest()
        assert entry["chain"] == chain
    assert listed["head"] == chain
    assert listed["receipts"][-1]["receiptNo"] == result["receiptNo"]
    key = load_pem_public_key(sandbox.info.receipt_key_file.read_bytes())
    assert isinstance(key, Ed25519PublicKey)
    key.verify(base64.b64decode(listed["signature"]), receipts_statement(day, listed["count"], chain))
    assert device.ask("GET", "/v1/receipts?date=2000-01-01").json()["receipts"] == []
    assert device.ask("GET", "/v1/receipts?date=today").status_code == 400


# ---- who may report --------------------------------------------------------------------------------------------------


def test_without_a_token_or_with_anothers_signature_nobody_reports(device: Device) -> None:
    device.token = ""
    assert (device.ask("GET", "/v1/limits").status_code, device.ask("GET", "/v1/limits").json()["code"]) == (
        401,
        "E101",
    )
    device.log_in()
    plain = device.session.get(
        f"{device.url}/v1/limits", headers={"Authorization": f"Bearer {device.token}"}, timeout=5
    )
    assert (plain.status_code, plain.json()["code"]) == (403, "E103")
    signed = device.signer.headers("GET", "/v1/limits", b"", time.time())
    bearer = {"Authorization": f"Bearer {device.token}"}
    elsewhere = device.session.get(f"{device.url}/v1/receipts", headers=signed | bearer, timeout=5)
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (401, "E101")


def test_a_nonce_is_good_once(device: Device) -> None:
    headers = device.signer.headers("GET", "/v1/limits", b"", time.time()) | {"Authorization": f"Bearer {device.token}"}
    answers = [device.session.get(f"{device.url}/v1/limits", headers=headers, timeout=5) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 401]


def test_a_body_that_was_changed_on_the_way_is_refused(device: Device) -> None:
    signed = device.signer.headers("POST", "/v1/token", b"{}", time.time())
    answer = device.session.post(f"{device.url}/v1/token", data=b"{ }", headers=signed, timeout=5)
    assert (answer.status_code, answer.json()["code"]) == (401, "E101")


@pytest.mark.parametrize("skew_s", [-400, 400])
def test_a_wrong_clock_is_E107_with_the_servers_time(device: Device, skew_s: int) -> None:
    answer = device.ask("GET", "/v1/limits", now=time.time() + skew_s)
    assert answer.json()["code"] == "E107"
    assert abs(datetime.fromisoformat(answer.json()["serverTime"]).timestamp() - time.time()) < 5


# ---- closed and open again -------------------------------------------------------------------------------------------


def test_a_closed_police_endpoint_is_gone_and_comes_back_on_the_same_port(
    sandbox: SandboxProcess, device: Device
) -> None:
    port = urlsplit(sandbox.info.police_url).port
    assert port is not None
    sandbox.close_police()
    with pytest.raises(requests.ConnectionError):
        device.ask("GET", "/v1/limits")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=2)
    sandbox.open_police()
    assert device.ask("GET", "/v1/limits").status_code == 200
    sent = item(sample_record(PEOPLE["minor"], guest__guardianName="童监护", guest__guardianPhone="19900000001"))
    assert json.loads(sent["record"])["guest"]["guardianName"] == "童监护"
    assert device.report(sent)[0]["status"] == "ACCEPTED"
