"""The identity gateway's four calls. A reply is taken field by field; a mark or any other word in it ends here."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from kiosk.config import GatewaySection
from kiosk.errors import GatewayNonsense
from kiosk.https import JsonOverTls
from kiosk.identity import fields, portraits
from kiosk.model import Consent

NAME = "identity gateway"
_PORTRAIT_REPLY_BYTES = portraits.MAX_BYTES * 4 // 3 + 1024
CODE_RESULTS = frozenset({"OK", "EXPIRED", "USED", "UNKNOWN", "OUT_OF_REGION"})


@dataclass(frozen=True, slots=True)
class Scan:
    """What the gateway says of a code. ``token`` only with ``OK``."""

    result: str
    token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Person:
    """What the gateway says of a person, each field in its form."""

    name: str = field(repr=False)
    id_number: str = field(repr=False)
    household_province: str | None = field(repr=False)
    ethnicity: str | None = field(repr=False)
    address: str | None = field(repr=False)
    portrait_ticket: str | None = field(repr=False)


class Gateway:
    """One site's contract with the identity gateway.

    Each call blocks for at most ``gateway.timeout_s`` and raises GatewayUnavailable or GatewayNonsense, neither
    of which holds a word of a reply. Any thread.
    """

    def __init__(self, settings: GatewaySection) -> None:
        self._settings = settings
        self._https = JsonOverTls(NAME, settings.url, settings, settings.timeout_s)

    def scan(self, code: str, consent: Consent, scanned_at: datetime) -> Scan:
        """Hand in a code, with place and purpose, which the gateway records."""
        reply = self._https.post(
            "/v1/codes",
            {
                "code": code,
                "place": self._settings.place,
                "purpose": self._settings.purpose,
                "organisation": self._settings.organisation,
                "machineId": self._settings.machine_id,
                "scannedAt": scanned_at.isoformat(timespec="milliseconds"),
                "consentId": consent.id,
            },
        )
        result = _result(reply, CODE_RESULTS, "/v1/codes")
        return Scan(result, _needed(reply, "tokenSNO", "/v1/codes")) if result == "OK" else Scan(result)

    def access_token(self, token: str) -> str:
        """Trade a scan's token for an access token."""
        path = "/v1/access-tokens"
        reply = self._https.post(path, {"tokenSNO": token, "machineId": self._settings.machine_id})
        return _needed(reply, "accessToken", path)

    def person(self, access_token: str) -> Person | None:
        """Return whose code it was; None if the gateway knows nobody."""
        path = "/v1/identities"
        reply = self._https.post(path, {"accessToken": access_token, "machineId": self._settings.machine_id})
        if _result(reply, frozenset({"OK", "UNKNOWN"}), path) == "UNKNOWN":
            return None
        name, number = fields.name(reply.get("name")), fields.id_number(reply.get("idNumber"))
        province = fields.province(reply.get("householdProvince"))
        faulty = [
            key
            for key, value in (("name", name), ("idNumber", number), ("householdProvince", province))
            if value is None and (key in reply or key != "householdProvince")
        ]
        if name is None or number is None or faulty:
            raise GatewayNonsense(f"{NAME}: {path} answered without the agreed form of {', '.join(faulty)}")
        return Person(
            name,
            number,
            province,
            fields.ethnicity(reply.get("ethnicity")),
            fields.address(reply.get("address")),
            fields.secret(reply.get("portraitTicket")) if self._settings.portrait else None,
        )

    def portrait(self, ticket: str, consent: Consent) -> bytes | None:
        """Return the portrait that belongs to a ticket, or None if the gateway gives none."""
        path = "/v1/portraits"
        reply = self._https.post(
            path,
            {
                "portraitTicket": ticket,
                "machineId": self._settings.machine_id,
                "consentId": consent.id,
                "consentTextSha256": consent.text_sha256,
            },
            _PORTRAIT_REPLY_BYTES,
        )
        if "portrait" in reply and reply["portrait"] is None:
            return None
        picture = _decoded(reply.get("portrait"))
        if picture is None or not portraits.usable(picture):
            raise GatewayNonsense(f"{NAME}: {path} answered no JPEG or WebP of a sane size")
        return picture

    def close(self) -> None:
        """Close the connections. Safe to call twice."""
        self._https.close()


def _result(reply: Mapping[str, object], known: frozenset[str], path: str) -> str:
    result = reply.get("result")
    if not isinstance(result, str) or result not in known:
        raise GatewayNonsense(f"{NAME}: {path} answered without a known result")
    return result


def _needed(reply: Mapping[str, object], name: str, path: str) -> str:
    value = fields.secret(reply.get(name))
    if value is None:
        raise GatewayNonsense(f"{NAME}: {path} answered without the agreed form of {name}")
    return value


def _decoded(value: object) -> bytes | None:
    try:
        return base64.b64decode(value, validate=True) if isinstance(value, str) else None
    except (binascii.Error, ValueError):
        return None
