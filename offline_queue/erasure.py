"""Receipts of erasure: what was erased of a record and when, signed by this kiosk's device key. They name nobody.

A guest who was given the record's id, or an auditor, checks one with ``queue purge --check`` or with openssl
(SECURITY.md says how); neither needs the kiosk.
"""

from __future__ import annotations

import base64
import binascii
import json
import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from kiosk.errors import ContractError
from offline_queue.crypto import device_key
from offline_queue.crypto.device_key import DeviceKey
from offline_queue.crypto.sealing import TEXT
from offline_queue.database.erasures import Erased
from offline_queue.database.rows import Event
from offline_queue.delivery.authority_time import iso
from offline_queue.recovery import quarantine
from offline_queue.states import EventState
from offline_queue.store import Store

if TYPE_CHECKING:
    from offline_queue.owner import OutboxOwner

log = logging.getLogger(__name__)

KIND = "suizhu-erasure-receipt-1"
SLICE = 50
_REPORTED = 1000
_HOW = "data keys overwritten, sealed bytes deleted, log emptied; no copy holds a key"


def draft(store: Store, hotel: str, event: Event, replaced: Iterable[Event], wall: float) -> str:
    """Say what the transaction under way erases of one delivered revision and of those it replaced. Owner thread."""
    erased = [
        {"part": part, "at": iso(wall if part == TEXT else event.settled_at or wall)}
        for part in store.sealed_parts(event)
    ]
    statement = {
        "kind": KIND,
        "hotelCode": hotel,
        "recordId": str(event.record_id),
        "revision": event.revision,
        "op": event.op,
        "contentHash": event.content_hash.hex(),
        "receiptNo": event.receipt or "",
        "receivedAt": event.received_at or "",
        "erased": erased,
        "replaced": [{"revision": one.revision, "contentHash": one.content_hash.hex()} for one in replaced],
        "how": _HOW,
    }
    return json.dumps(statement, sort_keys=True, separators=(",", ":"))


def sign_waiting(owner: OutboxOwner) -> int:
    """Sign the receipts whose data are gone everywhere; return how many. Not from the owner thread.

    Without a device key, or while a copy may still hold what is erased, they wait: the next purge signs them.
    """
    key, signed = owner.device_key, 0
    if key is None or not owner.call(lambda store: store.unsigned_erasures(1)):
        return 0
    if not owner.call(lambda store: _gone_everywhere(owner, store)):
        log.warning("erasure: receipts wait for their signature: a copy may still hold what was erased")
        return 0
    while waiting := owner.call(lambda store: store.unsigned_erasures(SLICE)):
        # Signed on this thread: SM2 takes milliseconds for each, for which no guest's put shall wait
        done = [(one.event, key.sign(one.statement.encode())) for one in waiting]
        owner.call(lambda store, done=done: _write(store, done, key))  # type: ignore[misc]
        signed += len(done)
    log.info("erasure: %d receipts signed", signed)
    return signed


def _gone_everywhere(owner: OutboxOwner, store: Store) -> bool:
    """Say whether neither log, second copy nor a damaged database that waits for its salvage holds an erased key."""
    copy = owner.second_copy
    if copy is not None:
        copy.catch_up()
        if copy.view.behind:
            return False
    elif not owner.forget_switched_off_copy():
        return False
    return not quarantine.waiting(store.path) and store.truncate_log()


def _write(store: Store, done: list[tuple[int, bytes]], key: DeviceKey) -> None:
    pem = key.public_pem()
    name = device_key.fingerprint(device_key.read_public(pem))
    with store.transaction():
        store.set_fact(_key_fact(name), pem.decode())
        store.sign_erasures(done, name)


def documents(store: Store, record_id: UUID) -> list[dict[str, object]]:
    """Return a record's receipts as they are handed out, one for each revision. Owner thread. Raises ContractError."""
    revisions = store.record(record_id)
    erased = store.erasures_of(record_id)
    if not erased and any(event.state is EventState.PURGED for event in revisions):
        raise ContractError("erasure: this record was erased by a program that signed no receipts yet")
    if not erased:
        raise ContractError(
            "erasure: nothing of this record's text is erased yet; that comes when its retention time is over"
        )
    return [_document(store, one) for one in erased]


def _document(store: Store, one: Erased) -> dict[str, object]:
    pem = store.fact(_key_fact(one.signer)) if one.signer else None
    return {
        "kind": KIND,
        "statement": one.statement,
        "signature": base64.b64encode(one.signature).decode(),
        "signer": one.signer,
        "publicKey": pem or "",
    }


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check of a receipt came to. ``faults`` is empty when the signature holds."""

    statement: dict[str, Any]
    signer: str
    """Fingerprint of the key that signed: to be compared with what the hotel publishes, unless a key was given."""
    faults: tuple[str, ...]


def check(document: object, public_pem: bytes | None = None) -> Checked:
    """Check a receipt that anybody brings. ``public_pem``: the kiosk's published key; else the one in the receipt."""
    if not isinstance(document, dict):
        return Checked({}, "", ("not a receipt: it is no JSON object",))
    text, given = document.get("statement"), document.get("publicKey")
    pem = public_pem or (given.encode(errors="replace") if isinstance(given, str) else b"")
    try:
        signature = base64.b64decode(str(document.get("signature")), validate=True)
        signed = text.encode() if isinstance(text, str) else b""
        told = json.loads(signed) if signed else None
    except (binascii.Error, ValueError, RecursionError):
        return Checked({}, "", ("not a receipt: statement or signature cannot be read",))
    if not isinstance(told, dict) or told.get("kind") != KIND:
        return Checked({}, "", (f"not a receipt: no statement of the kind {KIND}",))
    if not signature:
        return Checked(told, "", ("not signed yet: ask again after the kiosk's next purge",))
    try:
        key = device_key.read_public(pem)
    except ValueError:
        return Checked(told, "", ("no public key (PEM) to check it with",))
    genuine = device_key.fits(key, signature, signed)
    faults = () if genuine else ("the signature is not of this key over this statement: it was altered, or is forged",)
    return Checked(told, device_key.fingerprint(key), faults)


@dataclass(frozen=True, slots=True)
class Report:
    """What was erased until now, in numbers."""

    days: tuple[tuple[str, int, int], ...]
    """(Shanghai's date, records' texts, photos), each by the day of its own erasure, oldest first."""
    unsigned: int
    """Receipts that wait for their signature."""


def report(owner: OutboxOwner) -> Report:
    """Count erasures by day, slice by slice. Not from the owner thread."""
    texts, photos = Counter[str](), Counter[str]()
    last, unsigned = 0, 0
    while rows := owner.call(lambda store, last=last: store.erasures_after(last, _REPORTED)):  # type: ignore[misc]
        for one in rows:
            for part in json.loads(one.statement)["erased"]:
                (texts if part["part"] == TEXT else photos)[part["at"][:10]] += 1
            unsigned += not one.signature
        last = rows[-1].event
    # A photo is gone with the authority's receipt, a month before its record's text is
    events = owner.call(lambda store: store.past_their_receipt())
    for at in range(0, len(events), _REPORTED):
        for at_, count in owner.call(lambda store, some=events[at : at + _REPORTED]: store.photos_erased(some)):  # type: ignore[misc]
            photos[iso(at_)[:10]] += count
    days = sorted(texts.keys() | photos.keys())
    return Report(tuple((day, texts[day], photos[day]) for day in days), unsigned)


def _key_fact(name: str) -> str:
    return f"public key {name}"
