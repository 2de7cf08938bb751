"""What tests need to talk to the sandbox: a sample record, a session with mutual TLS, a signing device."""

from __future__ import annotations

import base64
import hashlib
import json
import time
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import requests

from kiosk.sandbox.info import DEVICE_ID, SandboxInfo
from kiosk.sandbox.people import PEOPLE, Person
from offline_queue.endpoints.signing import RequestSigner

SHANGHAI = ZoneInfo("Asia/Shanghai")
JPEG = b"\xff\xd8\xff\xe0 not a picture, but it begins and ends like one \xff\xd9"
WAIT_S = 10.0
BEGAN = datetime.now(UTC).astimezone(SHANGHAI).replace(microsecond=0)
"""When the tests were collected. Test files take such a moment, too, and a later record would lie in their future."""


def sample_record(person: Person = PEOPLE["lin"], *, stay_id: str = "", **changes: Any) -> dict[str, Any]:
    """Return a record that keeps every rule. ``changes``: top-level keys, or ``guest__name`` for a key of the guest."""
    now = BEGAN
    record: dict[str, Any] = {
        "recordId": str(uuid.uuid4()),
        "revision": 1,
        "salt": "00112233445566778899aabbccddeeff",
        "op": "CI",
        "stayId": stay_id or f"S{uuid.uuid4().hex[:12]}",
        "hotelCode": "3101009999",
        "kioskId": "demo-01",
        "occurredAt": now.isoformat(),
        "capturedOffline": False,
        "guest": {
            "guestCode": "3101009999" + "0" * 11 + "1",
            "policeStation": "310100990000",
            "occupantIndex": 1,
            "partySize": 1,
            "name": person.name,
            "sex": person.sex,
            "ethnicity": "01",
            "birthDate": person.birth_date.isoformat(),
            "idType": "11",
            "idNumber": person.id_number,
            "divisionCode": person.division_code,
            "address": "虚构市随住路1号",
            "roomNo": "1208",
            "checkInAt": now.isoformat(),
            "plannedOutAt": (now + timedelta(days=2)).isoformat(),
            "declared": ["ethnicity"],
        },
        "photos": [],
        "photoAbsentReason": "declined",
        "verify": {
            "method": "code+staff",
            "credential": "suishen",
            "identityConsentId": "c-1",
            "operator": "clerk",
            "resolution": "document_and_person_seen",
            "reason": "face.declined",
        },
    }
    return changed(record, **changes)


def overseas_record(**changes: Any) -> dict[str, Any]:
    """Return the record of a guest from overseas that keeps every rule; ``changes`` as above."""
    record = sample_record(op="JI")
    stays = {name: record["guest"][name] for name in ("checkInAt", "plannedOutAt", "occupantIndex", "partySize")}
    today = datetime.fromisoformat(record["occurredAt"]).date()
    record["guest"] = stays | {
        "guestCode": record["guest"]["guestCode"],
        "roomNo": "1209",
        "surnameLatin": "MUSTERMANN",
        "givenLatin": "ERIKA",
        "nameCn": "",
        "sex": "2",
        "birthDate": "1990-08-12",
        "nationality": "DEU",
        "documentType": "14",
        "documentNumber": f"C0{uuid.uuid4().hex[:7].upper()}",
        "visaType": "L",
        "visaNumber": "K0000001",
        "stayUntil": (today + timedelta(days=30)).isoformat(),
        "entryDate": today.isoformat(),
        "entryPort": "PVG",
        "stayReason": "01",
        "issuedAt": "Berlin",
    }
    record["verify"] |= {"method": "passport+staff", "credential": "passport"}
    return changed(record, **changes)


def changed(record: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Set top-level keys, or ``guest__name`` for a key of the guest."""
    for name, value in changes.items():
        part, _, key = name.partition("__")
        target = record[part] if key else record
        target[key or part] = value
    return record


def item(record: Mapping[str, Any], photos: tuple[bytes, ...] = ()) -> dict[str, Any]:
    """Return a record as a batch carries it."""
    return {
        "record": json.dumps(record, ensure_ascii=False),
        "photos": {hashlib.sha256(photo).hexdigest(): base64.b64encode(photo).decode() for photo in photos},
    }


def content_hash(sent: Mapping[str, Any]) -> str:
    """Return what a result must echo."""
    return hashlib.sha256(str(sent["record"]).encode()).hexdigest()


def new_session(info: SandboxInfo) -> requests.Session:
    """Return HTTPS with mutual TLS, one connection per server."""
    session = requests.Session()
    session.trust_env = False
    session.verify = str(info.ca_file)
    session.cert = (str(info.client_cert_file), str(info.client_key_file))
    return session


class Device:
    """A kiosk as the police endpoint knows it."""

    def __init__(self, info: SandboxInfo) -> None:
        self.url = info.police_url
        self.session = new_session(info)
        self.signer = RequestSigner.load(DEVICE_ID, info.device_key_file)
        self.token = ""

    def ask(
        self, method: str, path: str, body: object = None, *, headers: Mapping[str, str] | None = None, now: float = 0.0
    ) -> requests.Response:
        """Send one signed request."""
        data = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
        signed = self.signer.headers(method, path, data, now or time.time())
        bearer = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        every = {**bearer, **signed, **(headers or {})}
        return self.session.request(method, self.url + path, data=data, headers=every, timeout=WAIT_S)

    def log_in(self) -> None:
        self.token = str(self.ask("POST", "/v1/token", {"deviceId": DEVICE_ID}).json()["token"])

    def send(self, *items: Mapping[str, Any], batch_id: str = "") -> requests.Response:
        """Post a batch."""
        name = batch_id or str(uuid.uuid4())
        body = {"batchId": name, "items": list(items)}
        return self.ask("POST", "/v1/batches", body, headers={"Idempotency-Key": name})

    def poll(self, batch_id: str, until: frozenset[str] = frozenset({"DONE", "DONE_WITH_ERRORS"})) -> dict[str, Any]:
        """Ask for a batch until it is done."""
        end = time.monotonic() + WAIT_S
        while True:
            answer: dict[str, Any] = self.ask("GET", f"/v1/batches/{batch_id}").json()
            if answer["status"] in until:
                return answer
            assert time.monotonic() < end, f"still {answer['status']}"
            time.sleep(0.01)

    def report(self, *items: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Post a batch and return its results."""
        taken = self.send(*items)
        assert taken.status_code == 202, taken.text
        results: list[dict[str, Any]] = self.poll(taken.json()["batchId"])["results"]
        return results
