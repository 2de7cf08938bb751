"""Builders for tests of the outbox: invented guests, whole records, a clock that a test may turn."""

from __future__ import annotations

import hashlib
import json
import secrets
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from kiosk.chaos import records
from kiosk.config import OutboxSection
from kiosk.model import Photo, Registration, RegistrationId
from offline_queue.clock import SystemClock
from offline_queue.crypto.sealing import SealedPart
from offline_queue.database.rows import Event, NewEvent
from offline_queue.delivery import claims
from offline_queue.delivery.authority_time import SHANGHAI
from offline_queue.owner import STORE_FILE, OutboxOwner
from offline_queue.settle import Again, Delivered, Rejected, Settlement
from offline_queue.states import EventState
from offline_queue.store import Store

HOTEL = "3101009999"
NAME, NUMBER, ADDRESS, ROOM = "林随安", "310199199001010026", "虚构市随住路1号", "1208"
ID_PHOTO = b"\xff\xd8\xff id photo " + bytes(range(256)) * 8 + b"\xff\xd9"
LIVE_PHOTO = b"\xff\xd8\xff live photo " + bytes(reversed(range(256))) * 8 + b"\xff\xd9"


@dataclass(slots=True)
class TurnedClock:
    """The machine's clock, off by what a test says. Times in seconds."""

    wall_off: float = 0.0
    mono_off: float = 0.0
    real: SystemClock = field(default_factory=SystemClock)

    def wall(self) -> float:
        return self.real.wall() + self.wall_off

    def mono(self) -> float:
        return self.real.mono() + self.mono_off

    def boot(self) -> str:
        return self.real.boot()


def new_id() -> str:
    return str(uuid.uuid4())


def new_event(record_id: str | None = None, revision: int = 1, *, sealed: bytes = b"sealed words") -> NewEvent:
    """Return what the store itself takes, with a part that nobody can open: for tests that need no key."""
    record, wall, digest = uuid.UUID(record_id or new_id()), time.time(), secrets.token_bytes(32)
    part = SealedPart("text", sealed, "kiosk:test", secrets.token_hex(8), secrets.token_bytes(60))
    return NewEvent(
        *(record, revision, "CI" if revision == 1 else "UP", f"S-{record.hex[:8]}", None, wall + 3600.0, wall),
        *("boot", time.monotonic(), digest, digest, (part,)),
    )


def invented_number(serial: int) -> str:
    """Return an ID number that nobody has: division 310199, born 1990-01-01, right check digit."""
    return records.invented_number(date(1990, 1, 1), serial)


def registration(
    record_id: str | None = None,
    revision: int = 1,
    *,
    photos: bool = True,
    stay: str | None = None,
    occurred_at: datetime | None = None,
    number: str = NUMBER,
    **guest: Any,
) -> Registration:
    """Return a whole record that the police endpoint accepts, unless ``guest`` fields break it."""
    record_id, moment = record_id or new_id(), occurred_at or datetime.now(SHANGHAI)
    stay = stay or f"S-{secrets.token_hex(6)}"
    carried = (Photo("id", ID_PHOTO), Photo("live", LIVE_PHOTO)) if photos and revision == 1 else ()
    body: dict[str, Any] = {
        "recordId": record_id,
        "revision": revision,
        "salt": secrets.token_hex(16),
        "op": "CI" if revision == 1 else "UP",
        "stayId": stay,
        "hotelCode": HOTEL,
        "kioskId": "demo-01",
        "occurredAt": moment.isoformat(timespec="seconds"),
        "capturedOffline": False,
        "guest": _guest(moment, number) | guest,
        "photos": [{"kind": photo.kind, "sha256": hashlib.sha256(photo.jpeg).hexdigest()} for photo in carried],
        "verify": {
            "method": "code+staff",
            "credential": "suishen",
            "identityConsentId": "c-1",
            "operator": "clerk",
            "resolution": "document_and_person_seen",
        },
    }
    if not carried:
        body["photoAbsentReason"] = "declined"
    text = json.dumps(body, ensure_ascii=False).encode()
    return Registration(RegistrationId(record_id), revision, body["op"], stay, moment, text, carried)


def _guest(moment: datetime, number: str) -> dict[str, Any]:
    return {
        "guestCode": HOTEL + f"{secrets.randbelow(10**12):012d}",
        "policeStation": "310100990000",
        "occupantIndex": 1,
        "partySize": 1,
        "name": NAME,
        "sex": "1" if int(number[16]) % 2 else "2",
        "ethnicity": "01",
        "birthDate": f"{number[6:10]}-{number[10:12]}-{number[12:14]}",
        "idType": "11",
        "idNumber": number,
        "divisionCode": number[:6],
        "address": ADDRESS,
        "roomNo": ROOM,
        "checkInAt": moment.isoformat(timespec="seconds"),
        "plannedOutAt": (moment + timedelta(days=1)).isoformat(timespec="seconds"),
        "declared": ["ethnicity"],
    }


def changed(known: Registration, **guest: Any) -> Registration:
    """Return the same revision of the same record with other content."""
    body = json.loads(known.text)
    body["guest"] |= guest
    return replace(known, text=json.dumps(body, ensure_ascii=False).encode())


def open_owner(folder: Path, **more: Any) -> OutboxOwner:
    return OutboxOwner.open(folder, more.pop("hotel", HOTEL), "demo-01", more.pop("settings", OutboxSection()), **more)


@contextmanager
def opened(folder: Path, **more: Any) -> Iterator[OutboxOwner]:
    owner = open_owner(folder, **more)
    try:
        yield owner
    finally:
        owner.close()


def event(owner: OutboxOwner, record_id: str, revision: int = 1) -> Event:
    found = owner.call(lambda store: store.find(uuid.UUID(record_id), revision))
    assert found is not None
    return found


def state(owner: OutboxOwner, record_id: str, revision: int = 1) -> EventState:
    return event(owner, record_id, revision).state


def claim(owner: OutboxOwner, limit: int = 500, **more: Any) -> list[claims.Claimed]:
    """Take what is due, as the sync thread does."""
    wall = more.pop("wall", owner.clock.wall())

    def work(store: Store) -> list[claims.Claimed]:
        return claims.claim(
            store,
            owner.vault,
            wall,
            batch_id=new_id(),
            limit=limit,
            max_bytes=more.get("max_bytes", 1 << 30),
            cap_s=300,
        )

    return owner.call(work)


def settle(owner: OutboxOwner, *outcomes: tuple[Event, Settlement], **more: Any) -> list[claims.Receipt]:
    wait: Callable[[int], float] = more.get("wait_s", lambda tries: 0.0)
    wall = more.get("wall", owner.clock.wall())
    poison = more.get("poison_attempts", 20)
    return owner.call(lambda store: claims.settle(store, outcomes, wall, poison_attempts=poison, wait_s=wait))


def receipt(number: str = "R-1") -> Delivered:
    return Delivered(number, "2026-01-01T12:00:00+08:00")


def deliver(owner: OutboxOwner, record_id: str, revision: int = 1, **more: Any) -> None:
    """Send everything due and receipt this one; the others are ready again."""
    settle_claimed(owner, {(record_id, revision): receipt()}, **more)


def reject(owner: OutboxOwner, record_id: str, revision: int = 1, why: str = "E22 name") -> None:
    settle_claimed(owner, {(record_id, revision): Rejected(why)})


def settle_claimed(owner: OutboxOwner, outcomes: dict[tuple[str, int], Settlement], **more: Any) -> None:
    taken = [item.event for item in claim(owner)]
    told = [(one, outcomes.get((str(one.record_id), one.revision), Again("", charged=False))) for one in taken]
    assert len(set(outcomes) & {(str(one.record_id), one.revision) for one in taken}) == len(outcomes)
    settle(owner, *told, **more)


def raw(folder: Path) -> sqlite3.Connection:
    """Open the closed store beside the product, as an attacker or an old tool would."""
    return sqlite3.connect(folder / STORE_FILE, isolation_level=None)


def bytes_on_disk(folder: Path) -> bytes:
    """Everything the outbox wrote, but for its key."""
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file() and path.suffix != ".key")
