"""The authority's daily list of receipts, held against ours: signed, hash chained, complete. Pure.

It is the only way to hear that a receipt was taken back, never really kept, or given to somebody who uses our name.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from uuid import UUID

from kiosk.errors import ConfigError
from offline_queue.crypto import device_key
from offline_queue.crypto.device_key import PublicKey
from offline_queue.database.rows import Event
from offline_queue.delivery.authority_time import SHANGHAI, moment

_HASH, _DAY = re.compile(r"[0-9a-f]{64}"), re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_RECEIPT, _DEVICE = re.compile(r"[A-Za-z0-9-]{1,64}"), re.compile(r"[A-Za-z0-9._:-]{1,64}")


@dataclass(frozen=True, slots=True)
class Listed:
    """One receipt of the list."""

    record_id: UUID
    revision: int
    content_hash: bytes
    receipt_no: str
    received_at: str
    chain: str
    """SHA-256 over the link before and this line, in hexadecimal."""
    device: str
    """Which device reported it: a hotel may have several kiosks, each with a store of its own. Empty: not told."""


@dataclass(frozen=True, slots=True)
class DayList:
    """The receipts of one day in Shanghai, as they came: nothing is verified yet."""

    day: str
    count: int
    previous: str
    """Link of the chain before the first line."""
    head: str
    listed: tuple[Listed, ...]
    signature: bytes


def load_key(path: Path) -> PublicKey:
    """Read the authority's public key, PEM: Ed25519 or SM2. Raises ConfigError."""
    try:
        return device_key.read_public(path.read_bytes())
    except (OSError, ValueError) as exc:
        fault = f"receipts_key_file {path}: {type(exc).__name__}, wants the authority's Ed25519 or SM2 key as PEM"
        raise ConfigError("[reporting]", [fault]) from exc


def read(body: object) -> DayList | None:
    """Take a parsed reply; None unless every field and every line has its form."""
    if not isinstance(body, Mapping) or not isinstance(body.get("receipts"), list):
        return None
    lines = [_line(item) for item in body["receipts"]]
    count, signature = body.get("count"), _base64(body.get("signature"))
    texts = [_text(body.get(name), form) for name, form in (("date", _DAY), ("previous", _HASH), ("head", _HASH))]
    if None in lines or not all(texts) or signature is None or not isinstance(count, int) or not _number(count):
        return None
    day, previous, head = texts
    return DayList(day, count, previous, head, tuple(line for line in lines if line is not None), signature)


def fault(told: DayList, day: str, key: PublicKey) -> str:
    """Say in our words why a list proves nothing; empty when it is the authority's whole list of that day."""
    if told.day != day:
        return "is of another day"
    if not device_key.fits(key, told.signature, statement(told.day, told.count, told.head)):
        return "signature does not fit"
    if told.count != len(told.listed):
        return "has not as many lines as it says"
    link = told.previous
    for number, line in enumerate(told.listed, 1):
        link = following(link, line)
        if link != line.chain:
            return f"chain breaks at line {number}"
    return "" if link == told.head else "chain does not end at its head"


def statement(day: str, count: int, head: str) -> bytes:
    """What the authority signs: the head covers every line, and the link before the first."""
    return "\n".join(("PSB-Report/1 receipts", day, str(count), head)).encode()


def following(link: str, line: Listed) -> str:
    """The chain's link after ``link``."""
    told = (str(line.record_id), str(line.revision), line.content_hash.hex(), line.receipt_no, line.received_at)
    return hashlib.sha256(f"{link}|{'|'.join(told)}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Comparison:
    """Where the two sides differ."""

    missing: tuple[Event, ...]
    """Delivered by our receipts, and not on the list."""
    differing: tuple[Event, ...]
    """On the list with other content or another receipt, or although we hold no receipt of it."""
    foreign: tuple[Listed, ...]
    """Under our device's name, and unknown here."""


def compare(told: DayList, ours: Sequence[Event], find: Callable[[UUID, int], Event | None], device: str) -> Comparison:
    """Hold a verified list against our deliveries of that day.

    Args:
        told: The list.
        ours: Events whose receipt is of that day.
        find: Looks an event up by record and revision.
        device: Our name at the authority.
    """
    lines = {(line.record_id, line.revision): line for line in told.listed}
    missing = tuple(event for event in ours if (event.record_id, event.revision) not in lines)
    differing: list[Event] = []
    foreign: list[Listed] = []
    for line in told.listed:
        event = find(line.record_id, line.revision)
        if event is None and line.device in ("", device):
            foreign.append(line)
        elif event is not None and _differs(event, line):
            differing.append(event)
    return Comparison(missing, tuple(differing), tuple(foreign))


def day_of(received_at: str | None) -> str | None:
    """The day in Shanghai of a receipt's time; None when the receipt has none that can be read."""
    stamp = moment(received_at)
    return None if stamp is None else datetime.fromtimestamp(stamp, SHANGHAI).date().isoformat()


def today(now: float) -> date:
    """The day in Shanghai at a Unix time."""
    return datetime.fromtimestamp(now, SHANGHAI).date()


def bounds(day: date) -> tuple[float, float]:
    """Unix seconds of a day's begin and end in Shanghai."""
    begin = datetime(day.year, day.month, day.day, tzinfo=SHANGHAI).timestamp()
    return begin, begin + 86_400.0


def _differs(event: Event, line: Listed) -> bool:
    """A record that we hold no receipt of yet is still on its way: only one that was refused contradicts the list."""
    if event.content_hash != line.content_hash or event.state in ("REJECTED", "SUPERSEDED"):
        return True
    return event.receipt is not None and event.receipt != line.receipt_no


def _line(item: object) -> Listed | None:
    if not isinstance(item, Mapping):
        return None
    revision, at = item.get("revision"), item.get("receivedAt")
    hashed, chain = _text(item.get("contentHash"), _HASH), _text(item.get("chain"), _HASH)
    number, device = _text(item.get("receiptNo"), _RECEIPT), _text(item.get("deviceId"), _DEVICE)
    try:
        record_id = UUID(str(item.get("recordId")))
    except ValueError:
        return None
    if not (_number(revision) and hashed and chain and number and isinstance(at, str) and moment(at) is not None):
        return None
    return Listed(record_id, int(revision or 0), bytes.fromhex(hashed), number, at, chain, device)


def _text(value: object, form: re.Pattern[str]) -> str:
    return value if isinstance(value, str) and form.fullmatch(value) else ""


def _number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31


def _base64(value: object) -> bytes | None:
    try:
        return base64.b64decode(value, validate=True) if isinstance(value, str) else None
    except (binascii.Error, ValueError):
        return None
