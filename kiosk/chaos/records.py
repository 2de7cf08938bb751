"""Invented registrations, drawn from dice: whole records that the police endpoint accepts."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from kiosk.model import Photo, Registration, RegistrationId
from offline_queue.delivery.authority_time import SHANGHAI

HOTEL = "3101009999"
KIOSK = "demo-01"
_NAMES = ("林随安", "周可验", "沈其真", "钱有签", "贺无订", "陆同来", "温异名")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_FIRST_BIRTH = date(1950, 1, 1)
_ADULTS_DAYS = 18_000


@dataclass(slots=True)
class Guestbook:
    """Draws guests; each has an ID number that nobody else of the same book has."""

    dice: Random
    photo_bytes: int = 1500
    """About how large a photo is."""
    guests: int = 0

    def check_in(self, photos: tuple[Photo, ...] | None = None) -> Registration:
        """Return the first revision of a new record; its photos are drawn unless they are given."""
        self.guests += 1
        record_id = str(UUID(int=self.dice.getrandbits(128), version=4))
        stay = f"S-{self.dice.getrandbits(48):012x}"
        if photos is None:
            photos = tuple(Photo(kind, self._jpeg()) for kind in ("id", "live") if self.dice.random() < 0.7)
        return self._made(record_id, 1, stay, self._guest(self.guests), photos)

    def correction(self, earlier: Registration) -> Registration:
        """Return the next revision of a record: full, without photos."""
        guest = json.loads(earlier.text)["guest"] | {"address": f"虚构市随住路{self.dice.randint(2, 999)}号"}
        return self._made(earlier.record_id, earlier.revision + 1, earlier.stay_id, guest, ())

    def _made(
        self, record_id: str, revision: int, stay: str, guest: dict[str, Any], photos: tuple[Photo, ...]
    ) -> Registration:
        moment = datetime.now(SHANGHAI)
        body: dict[str, Any] = {
            "recordId": record_id,
            "revision": revision,
            "salt": f"{self.dice.getrandbits(128):032x}",
            "op": "CI" if revision == 1 else "UP",
            "stayId": stay,
            "hotelCode": HOTEL,
            "kioskId": KIOSK,
            "occurredAt": moment.isoformat(timespec="seconds"),
            "capturedOffline": False,
            "guest": guest,
            "photos": [{"kind": photo.kind, "sha256": hashlib.sha256(photo.jpeg).hexdigest()} for photo in photos],
            "verify": {
                "method": "code+staff",
                "credential": "suishen",
                "identityConsentId": "c-1",
                "operator": "clerk",
                "resolution": "document_and_person_seen",
            },
        }
        if not photos:
            body["photoAbsentReason"] = "declined"
        text = json.dumps(body, ensure_ascii=False).encode()
        return Registration(RegistrationId(record_id), revision, body["op"], stay, moment, text, photos)

    def _guest(self, serial: int) -> dict[str, Any]:
        moment = datetime.now(SHANGHAI)
        born = _FIRST_BIRTH + timedelta(days=serial % _ADULTS_DAYS)
        number = invented_number(born, serial // _ADULTS_DAYS)
        return {
            "guestCode": HOTEL + f"{self.dice.randrange(10**12):012d}",
            "policeStation": "310100990000",
            "occupantIndex": 1,
            "partySize": 1,
            "name": self.dice.choice(_NAMES),
            "sex": "1" if int(number[16]) % 2 else "2",
            "ethnicity": "01",
            "birthDate": born.isoformat(),
            "idType": "11",
            "idNumber": number,
            "divisionCode": number[:6],
            "address": "虚构市随住路1号",
            "roomNo": "1208",
            "checkInAt": moment.isoformat(timespec="seconds"),
            "plannedOutAt": (moment + timedelta(days=1)).isoformat(timespec="seconds"),
            "declared": ["ethnicity"],
        }

    def _jpeg(self) -> bytes:
        size = self.dice.randint(self.photo_bytes // 2, self.photo_bytes * 3 // 2)
        return b"\xff\xd8\xff " + self.dice.randbytes(size) + b"\xff\xd9"


def registration_of(text: bytes) -> Registration:
    """Read a record's text again, without its photos."""
    body = json.loads(text)
    moment = datetime.fromisoformat(body["occurredAt"])
    return Registration(
        RegistrationId(body["recordId"]), body["revision"], body["op"], body["stayId"], moment, text, ()
    )


def invented_number(born: date, serial: int) -> str:
    """Return an ID number that nobody has: division 310199 is no county's; the check digit is right."""
    digits = f"310199{born:%Y%m%d}{serial % 1000:03d}"
    return digits + "10X98765432"[sum(int(c) * w for c, w in zip(digits, _WEIGHTS, strict=True)) % 11]
