"""The identity gateway: from a Suishen code to name, number and portrait, in four calls.

POST /v1/codes          the raw code       → tokenSNO, or why not
POST /v1/access-tokens  tokenSNO           → accessToken, 60 s
POST /v1/identities     accessToken        → the person
POST /v1/portraits      portraitTicket     → a JPEG, once, after the guest's consent to it
"""

from __future__ import annotations

import base64
import re
import secrets
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from kiosk.sandbox.info import SUISHEN_HOST
from kiosk.sandbox.messages import NOT_HERE, Answer, BadRequest, Request
from kiosk.sandbox.people import PEOPLE, Person
from kiosk.sandbox.store import Database

CODE_S = 60.0
"""How long a phone shows one code."""
SCAN_S = 60.0
"""A scan must be asked about within this time; the consent screen lies between the two."""
ACCESS_S = 60

SCHEMA = """
CREATE TABLE IF NOT EXISTS code (code TEXT PRIMARY KEY, person TEXT NOT NULL, issued_at REAL NOT NULL, used_at REAL,
    place TEXT, purpose TEXT, organisation TEXT, machine TEXT, consent TEXT);
CREATE TABLE IF NOT EXISTS pass (kind TEXT NOT NULL, value TEXT PRIMARY KEY, person TEXT NOT NULL, until REAL NOT NULL,
    uses INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS portrait_log (person TEXT NOT NULL, at REAL NOT NULL, consent TEXT NOT NULL,
    text_sha256 TEXT NOT NULL);
"""

_SHA256 = re.compile(r"[0-9a-f]{64}")


class Gateway:
    """Answers for the invented people. ``portrait`` gives the JPEG of one."""

    name = "gateway"

    def __init__(self, path: Path, portrait: Callable[[Person], bytes | None]) -> None:
        self._store = Database(path, SCHEMA)
        self._portrait = portrait
        self._routes: dict[str, Callable[[Request], Answer]] = {
            "/v1/codes": self._code,
            "/v1/access-tokens": self._access_token,
            "/v1/identities": self._identity,
            "/v1/portraits": self._picture,
        }

    def answer(self, request: Request) -> Answer:
        """Carry out one call. Raises BadRequest."""
        route = self._routes.get(request.path)
        if route is None:
            return NOT_HERE
        if request.method != "POST":
            raise BadRequest("POST only", "E405", 405)
        return route(request)

    def issue(self, person: Person) -> str:
        """Return a fresh code of this person, good for one reading within ``CODE_S``."""
        opaque = secrets.token_urlsafe(32)
        self._store.insert("code", {"code": opaque, "person": person.key, "issued_at": time.time()})
        return f"https://{SUISHEN_HOST}/code?t={opaque}"

    def close(self) -> None:
        """Close the database."""
        self._store.close()

    def _code(self, request: Request) -> Answer:
        code, place, purpose, organisation, machine, scanned, consent = request.texts(
            "code", "place", "purpose", "organisation", "machineId", "scannedAt", "consentId"
        )
        opaque = _opaque(code)
        now = time.time()
        scanned_at = _moment(scanned)
        with self._store.transaction():
            row = self._store.get("code", opaque)
            if row is None:
                return _result("UNKNOWN")
            if row["used_at"] is not None:
                return _result("USED")
            if _expired(row, scanned_at, now):
                return _result("EXPIRED")
            reading = {"place": place, "purpose": purpose, "organisation": organisation, "machine": machine}
            self._store.update("code", opaque, {**reading, "used_at": now, "consent": consent})
            person = PEOPLE[row["person"]]
            if person.code_answer != "OK":
                return _result(person.code_answer)
            return _result("OK", tokenSNO=self._new_pass("tokenSNO", person, now))

    def _access_token(self, request: Request) -> Answer:
        token, _ = request.texts("tokenSNO", "machineId")
        with self._store.transaction():
            person = self._redeem("tokenSNO", token, once=False)
            return Answer(200, {"accessToken": self._new_pass("access", person, time.time()), "expiresIn": ACCESS_S})

    def _identity(self, request: Request) -> Answer:
        token, _ = request.texts("accessToken", "machineId")
        with self._store.transaction():
            person = self._redeem("access", token, once=False)
            reply: dict[str, object] = {
                "name": person.name,
                "idNumber": person.id_number,
                "householdProvince": person.household_province,
                "traceId": secrets.token_hex(8),
            }
            if person.ethnicity is not None:
                reply["ethnicity"] = person.ethnicity
            if person.address is not None:
                reply["address"] = person.address
            if person.portrait is not None:
                reply["portraitTicket"] = self._new_pass("portrait", person, time.time() + 600)
            if person.marked:
                reply["controlMark"] = "1"
        return _result("OK", **reply)

    def _picture(self, request: Request) -> Answer:
        ticket, _, consent, text_sha256 = request.texts("portraitTicket", "machineId", "consentId", "consentTextSha256")
        if not _SHA256.fullmatch(text_sha256):
            raise BadRequest("field consentTextSha256 is no SHA-256 in lower case")
        with self._store.transaction():
            person = self._redeem("portrait", ticket, once=True)
            entry = {"person": person.key, "at": time.time(), "consent": consent, "text_sha256": text_sha256}
            self._store.insert("portrait_log", entry)
        picture = self._portrait(person)
        return Answer(200, {"portrait": base64.b64encode(picture).decode() if picture else None})

    def _new_pass(self, kind: str, person: Person, now: float) -> str:
        value = secrets.token_urlsafe(24)
        self._store.insert("pass", {"kind": kind, "value": value, "person": person.key, "until": now + ACCESS_S})
        return value

    def _redeem(self, kind: str, value: str, *, once: bool) -> Person:
        row = self._store.get("pass", value)
        if row is None or row["kind"] != kind or row["until"] < time.time() or (once and row["uses"]):
            raise BadRequest(f"{kind} is unknown, used or expired", "E401", 401)
        self._store.update("pass", value, {"uses": row["uses"] + 1})
        return PEOPLE[row["person"]]


def _opaque(code: str) -> str:
    parts = urlsplit(code)
    return parse_qs(parts.query).get("t", [""])[0] if parts.hostname == SUISHEN_HOST else ""


def _moment(text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as exc:
        raise BadRequest("field scannedAt is no time in ISO 8601") from exc
    if moment.tzinfo is None:
        raise BadRequest("field scannedAt has no time zone")
    return moment.timestamp()


def _expired(row: Mapping[str, Any], scanned_at: float, now: float) -> bool:
    """A code counts from when it was scanned, if that is a moment ago; else from now."""
    seen_at = scanned_at if now - SCAN_S <= scanned_at <= now else now
    return bool(seen_at - row["issued_at"] > CODE_S)


def _result(result: str, **more: object) -> Answer:
    return Answer(200, {"result": result, **more})
