"""The sandbox's identity gateway and hotel system over real HTTPS with mutual TLS."""

from __future__ import annotations

import base64
import csv
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from kiosk.sandbox.people import PEOPLE
from kiosk.sandbox.process import SandboxProcess
from tests.sandbox_kit import new_session

pytestmark = pytest.mark.timeout(60)

LIN = PEOPLE["lin"]


@pytest.fixture
def session(sandbox: SandboxProcess) -> Iterator[requests.Session]:
    with new_session(sandbox.info) as opened:
        yield opened


# ---- mutual TLS ------------------------------------------------------------------------------------------------------


def test_health_wants_a_client_certificate_and_nothing_else(sandbox: SandboxProcess, session: requests.Session) -> None:
    info = sandbox.info
    for url in (info.gateway_url, info.police_url, info.hotel_url):
        assert session.get(f"{url}/v1/health", timeout=5).json()["status"] == "OK"
        with requests.Session() as stranger:
            stranger.trust_env = False
            stranger.verify = str(info.ca_file)
            with pytest.raises(requests.ConnectionError, match="certificate"):
                stranger.get(f"{url}/v1/health", timeout=5)


def test_servers_are_not_trusted_without_the_ca_of_the_run(sandbox: SandboxProcess, session: requests.Session) -> None:
    session.verify = True
    with pytest.raises(requests.exceptions.SSLError):
        session.get(f"{sandbox.info.gateway_url}/v1/health", timeout=5)


# ---- the gateway -----------------------------------------------------------------------------------------------------


class Kiosk:
    """The four calls as a kiosk makes them."""

    def __init__(self, sandbox: SandboxProcess, session: requests.Session) -> None:
        self.url, self.session = sandbox.info.gateway_url, session

    def post(self, path: str, **body: object) -> requests.Response:
        return self.session.post(f"{self.url}{path}", json={"machineId": "demo-01", **body}, timeout=5)

    def scan(self, code: bytes, scanned_at: datetime | None = None) -> dict[str, Any]:
        scanned = (scanned_at or datetime.now(UTC)).isoformat()
        told = {"place": "desk", "purpose": "check-in", "organisation": "demo", "consentId": "c-1"}
        answer: dict[str, Any] = self.post("/v1/codes", code=code.decode(), scannedAt=scanned, **told).json()
        return answer

    def identify(self, code: bytes) -> dict[str, Any]:
        token = self.post("/v1/access-tokens", tokenSNO=self.scan(code)["tokenSNO"]).json()
        assert token["expiresIn"] == 60
        answer: dict[str, Any] = self.post("/v1/identities", accessToken=token["accessToken"]).json()
        return answer

    def portrait(self, ticket: str) -> requests.Response:
        return self.post("/v1/portraits", portraitTicket=ticket, consentId="c-2", consentTextSha256="0" * 64)


@pytest.fixture
def kiosk(sandbox: SandboxProcess, session: requests.Session) -> Kiosk:
    return Kiosk(sandbox, session)


def test_a_code_becomes_a_name_a_number_and_after_consent_a_portrait(sandbox: SandboxProcess, kiosk: Kiosk) -> None:
    known = kiosk.identify(sandbox.issue_suishen("lin"))
    assert (known["result"], known["name"], known["idNumber"]) == ("OK", LIN.name, LIN.id_number)
    assert known["householdProvince"] == "31"
    assert "ethnicity" not in known
    jpeg = base64.b64decode(kiosk.portrait(known["portraitTicket"]).json()["portrait"])
    assert jpeg.startswith(b"\xff\xd8\xff")
    assert kiosk.portrait(known["portraitTicket"]).status_code == 401


def test_a_code_is_read_once(sandbox: SandboxProcess, kiosk: Kiosk) -> None:
    code = sandbox.issue_suishen("shen")
    assert kiosk.scan(code)["result"] == "OK"
    assert kiosk.scan(code) == {"result": "USED"}


def test_an_invented_code_is_unknown(kiosk: Kiosk) -> None:
    assert kiosk.scan(b"https://suishen.sandbox.invalid/code?t=nobody") == {"result": "UNKNOWN"}
    assert kiosk.scan(b"https://somewhere.else.invalid/code?t=nobody") == {"result": "UNKNOWN"}


def test_a_code_expires_by_when_it_was_scanned(sandbox: SandboxProcess, kiosk: Kiosk) -> None:
    database = sandbox.info.run_dir / "gateway.db"
    for age_s, scanned_ago_s, expected in ((70, 0, "EXPIRED"), (70, 30, "OK"), (70, 3600, "EXPIRED"), (50, 0, "OK")):
        code = sandbox.issue_suishen("lin")
        with sqlite3.connect(database) as opened:
            opened.execute("UPDATE code SET issued_at = issued_at - ? WHERE used_at IS NULL", (age_s,))
        opened.close()
        answer = kiosk.scan(code, datetime.now(UTC) - timedelta(seconds=scanned_ago_s))
        assert answer["result"] == expected, (age_s, scanned_ago_s)


def test_people_without_portrait_or_permission(sandbox: SandboxProcess, kiosk: Kiosk) -> None:
    assert "portraitTicket" not in kiosk.identify(sandbox.issue_suishen("noportrait"))
    assert "address" not in kiosk.identify(sandbox.issue_suishen("noaddress"))
    assert kiosk.identify(sandbox.issue_suishen("gd"))["householdProvince"] == "44"
    assert kiosk.scan(sandbox.issue_suishen("outside")) == {"result": "OUT_OF_REGION"}
    assert kiosk.identify(sandbox.issue_suishen("marked"))["controlMark"] == "1"


def test_the_gateway_takes_whole_json_by_post_only(kiosk: Kiosk, session: requests.Session) -> None:
    assert kiosk.post("/v1/codes", code="x").status_code == 400
    assert session.get(f"{kiosk.url}/v1/codes", timeout=5).status_code == 405
    assert session.post(f"{kiosk.url}/v1/codes", data=b"[]", timeout=5).status_code == 400
    assert kiosk.post("/v1/access-tokens", tokenSNO="stolen").status_code == 401
    assert kiosk.post("/v1/nothing").status_code == 404


# ---- the hotel system ------------------------------------------------------------------------------------------------


def search(sandbox: SandboxProcess, session: requests.Session, **wanted: str) -> list[dict[str, Any]]:
    answer = session.post(f"{sandbox.info.hotel_url}/v1/reservations/search", json=wanted, timeout=5)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["reservations"]
    return [stay for stay in found if stay["status"] != "CHECKED_OUT"]


def test_a_booking_is_found_by_document_tail_and_confirmation(
    sandbox: SandboxProcess, session: requests.Session
) -> None:
    (stay,) = search(sandbox, session, documentNumber=LIN.id_number)
    assert stay["guests"] == [{"name": LIN.name, "documentNumber": LIN.id_number}]
    assert search(sandbox, session, reference=stay["phone"][-4:]) == [stay]
    assert search(sandbox, session, reference=stay["confirmation"].lower()) == [stay]
    assert search(sandbox, session, reference="0001") == []
    assert search(sandbox, session, documentNumber=PEOPLE["walkin"].id_number) == []
    assert search(sandbox, session, documentNumber=PEOPLE["byphone"].id_number) == []
    assert len(search(sandbox, session, reference="7391")) == 1
    bad = session.post(f"{sandbox.info.hotel_url}/v1/reservations/search", json={"name": LIN.name}, timeout=5)
    assert bad.status_code == 400


def test_each_credential_brings_a_fresh_booking(sandbox: SandboxProcess, session: requests.Session) -> None:
    stays = []
    for issue in (sandbox.issue_suishen, sandbox.issue_claim169, sandbox.issue_suishen):
        issue("lin")
        (stay,) = search(sandbox, session, documentNumber=LIN.id_number)
        assert stay == sandbox.booking("lin")
        stays.append(stay)
    assert len({stay["stayId"] for stay in stays} | {stay["confirmation"] for stay in stays}) == 6
    assert sandbox.booking("walkin") is None


def test_the_csv_keeps_step_with_the_bookings(sandbox: SandboxProcess) -> None:
    for _ in range(3):
        sandbox.issue_suishen("party")
    stay = sandbox.booking("party")
    assert stay is not None
    with sandbox.info.csv_path.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["phone"] == stay["phone"]]
    now = [row for row in rows if row["status"] == "DUE_IN"]
    assert [row["stay_id"] for row in now] == [stay["stayId"]] * 2
    assert [row["name"] for row in now] == [PEOPLE["party"].name, "陆同来"]
    assert [row["document_number"] for row in now] == [PEOPLE["party"].id_number, ""]
    assert {row["party_size"] for row in now} == {"2"}
    assert {row["room_ready"] for row in now} == {"true"}
    assert len(rows) == 4, "the stay before is there as CHECKED_OUT, older ones are not"
