"""What a clerk says of a record that is there: moved, stays longer, left, was wrong, never happened, has a visitor.

Builds the record's next revision, or the visitor's own record, by ``kiosk.registration.later`` and puts it. A revision
that the authority rejected is superseded by the next; with it what waits for it, where the next one says all of that:
a check-out is said again, with the time it had. Not from the owner thread.
"""

from __future__ import annotations

import json
import secrets
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from kiosk.config import KioskSection
from kiosk.errors import ContractError
from kiosk.model import Registration, RegistrationId
from kiosk.registration import code_tables, later
from kiosk.registration.later import WHOLE, Act, Earlier, Visitor
from offline_queue.answering import words
from offline_queue.answering.inquiry import Inquiry, checked_operator, record_of
from offline_queue.database.rows import Event
from offline_queue.owner import OutboxOwner
from offline_queue.paper.terms import FIELDS
from offline_queue.states import DONE, EventState
from offline_queue.store import Store

_REFUSED = frozenset({EventState.REJECTED, EventState.SUPERSEDED})
_STUCK = frozenset({EventState.REJECTED, EventState.QUARANTINED})
_LEFT = frozenset({"CC", "JC"})
_COUNTED = frozenset({"occupantIndex", "partySize"})
"""Numbers, also where no earlier text says so."""


@dataclass(frozen=True, slots=True)
class Amendment:
    """A record's next revision, and the first one that it replaces."""

    registration: Registration
    supersedes: int | None
    then: Registration | None = None
    """The check-out that it replaced, said once more."""


def prepare(owner: OutboxOwner, kiosk: KioskSection, inquiry: Inquiry) -> Amendment:
    """Build it; nothing is put yet. Raises ContractError: what is wrong, by code and field, and never a value."""
    record_id = record_of(inquiry.record)

    def work(store: Store) -> tuple[list[Event], list[bytes | None]]:
        events = store.record(record_id)
        return events, [owner.vault.open_text(store, event) for event in events]

    events, texts = owner.call(work)
    supersedes = None if inquiry.op == "VI" else _superseded(events, inquiry.op)
    zone = ZoneInfo(kiosk.timezone)
    now = datetime.fromtimestamp(owner.clock.wall(), zone)
    tables = code_tables.load(kiosk.state_dir)
    act = Act(kiosk, now, checked_operator(inquiry.operator), secrets.token_bytes(16), tables)
    earlier = standing(events, texts)
    built = _built(earlier, events[0].op, inquiry, act, zone)
    if isinstance(built, Registration):
        first = supersedes if supersedes is not None and inquiry.op == "UP" else built.revision
        waited = [pair for pair in zip(events, texts, strict=True) if pair[0].revision > first]
        return Amendment(built, supersedes, _left_again(built, waited, act))
    told = "; ".join(f"{words.answer(finding.code)} at {finding.field}" for finding in built.findings)
    if inquiry.op == "UP" and not earlier.guest:
        told += ". Its guest cannot be read here: read the document again and say every field, and the consentId"
    raise ContractError(f"outbox: the record cannot be amended like this: {told}")


def put(owner: OutboxOwner, amendment: Amendment) -> Event:
    """Commit it, and return its row. Raises KioskError."""
    registration = amendment.registration
    owner.outbox.put(registration, supersedes=amendment.supersedes, then=amendment.then)
    record_id = record_of(registration.record_id)
    event = owner.call(lambda store: store.find(record_id, registration.revision))
    assert event is not None  # noqa: S101 - it was just put
    return event


def standing(events: Sequence[Event], texts: Sequence[bytes | None]) -> Earlier:
    """Return the record as it stands: what was rejected changed nothing, but a whole record says who it is about."""
    said = [
        text
        for event, text in zip(events, texts, strict=True)
        if text is not None and (event.op in WHOLE or event.state not in _REFUSED)
    ]
    last = events[-1]
    if not said:
        return Earlier(str(last.record_id), last.revision, last.stay, events[0].op == "JI")
    return replace(Earlier.standing(said), revision=last.revision)


def _superseded(events: Sequence[Event], op: str) -> int | None:
    """Return from which revision on the next one replaces them. Raises ContractError when it cannot come next."""
    lost = next((n for n, event in enumerate(events, 1) if event.revision != n), 0)
    if lost and all(event.state in DONE for event in events[: lost - 1]) and events[-1].state is EventState.BLOCKED:
        if op in {"UP", "VD"}:
            return lost
        raise ContractError(
            f"outbox: revision {lost} is lost, and others wait for it. Fix: correct it or void it first"
        )
    stuck = next((event for event in events if event.state in _STUCK), None)
    waiting = [event for event in events if stuck is not None and event.revision > stuck.revision]
    waiting = [event for event in waiting if event.state not in DONE]
    if any(event.op == "VD" and event.state not in _REFUSED for event in events) and (stuck is None or op != "VD"):
        raise ContractError("outbox: the record is void; nothing follows that")
    if stuck is None or op in {"UP", "VD"}:
        return None if stuck is None else stuck.revision
    if stuck.state is EventState.QUARANTINED and (waiting or op != _again(stuck)):
        return None  # what brings its key back lets both go
    if waiting or op != _again(stuck):
        behind = ", and others wait for it" if waiting else ""
        raise ContractError(
            f"outbox: revision {stuck.revision} is rejected ({words.answer(stuck.why)}){behind}. "
            "Fix: correct it or void it first, which says what waits, too; or ./run queue retry sends it again"
        )
    return stuck.revision


def _again(event: Event) -> str:
    """Return by which op the clerk says once more what this revision said."""
    return "CC" if event.op == "JC" or (event.op == "VI" and event.revision > 1) else event.op


def _left_again(built: Registration, said: Iterable[tuple[Event, bytes | None]], act: Act) -> Registration | None:
    """Say once more that the guest left: a correction takes the place of a check-out that waits, and is none itself."""
    left = [(event, text) for event, text in said if event.op in _LEFT and event.state not in DONE]
    if not left:
        return None
    event, text = left[-1]
    at = datetime.fromtimestamp(event.wall, act.at.tzinfo)
    if text is not None:
        at = datetime.fromisoformat(json.loads(text)["occurredAt"])
    again = replace(act, at=at, salt=secrets.token_bytes(16))
    out = later.check_out(Earlier(built.record_id, built.revision, built.stay_id, event.op == "JC"), again)
    assert isinstance(out, Registration)  # noqa: S101 - it was one before
    return out


def _built(earlier: Earlier, first_op: str, inquiry: Inquiry, act: Act, zone: ZoneInfo) -> later.Built:
    if first_op == "VI" and inquiry.op not in {"CC", "VD"}:
        raise ContractError("outbox: a visitor's record ends by --left, or is void: then register the visitor anew")
    match inquiry.op:
        case "RC":
            return later.room_change(earlier, inquiry.value, act)
        case "EX":
            return later.extension(earlier, _moment(inquiry.value, zone), act)
        case "UP":
            mended = _fields(inquiry.value, earlier)
            consent = str(mended.pop("consentId", ""))  # to the document being read again, where its text is gone
            return later.correction(earlier, mended, act, consent_id=consent)
        case "VD":
            return later.void(earlier, inquiry.value, act)
        case "VI":
            visitor = _visitor(_fields(inquiry.value, earlier), earlier)
            return later.visitor_in(earlier, visitor, RegistrationId(str(uuid.uuid4())), act)
        case "CC":
            return later.visitor_out(earlier, act) if first_op == "VI" else later.check_out(earlier, act)
        case _:
            raise ContractError("outbox: a record is amended by RC, EX, UP, VD, CC or VI")


def _visitor(told: Mapping[str, object], earlier: Earlier) -> Visitor:
    """Read who came; without a room it is the guest's, without a kind of document a resident ID."""
    room = told.get("roomNo") or earlier.guest.get("roomNo", "")
    named = (str(told.get(name, "")) for name in ("name", "idNumber", "consentId"))
    name, number, consent = named
    return Visitor(name, str(told.get("idType", "11")), number, str(room), consent)


def _moment(text: str, zone: ZoneInfo) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ContractError("outbox: a time is written 2026-12-01T12:00, in the hotel's zone") from None
    return at if at.tzinfo is not None else at.replace(tzinfo=zone)


def _fields(text: str, earlier: Earlier) -> dict[str, object]:
    """Read the mended fields of the guest, numbers where numbers were; what is wrong in them is said by the rules."""
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict) or not told:
        raise ContractError("outbox: this wants at least one FIELD=VALUE, as in roomNo=1208")
    if unknown := [name for name in told if name not in earlier.guest and name not in FIELDS]:
        typed = ", ".join(name if name.isascii() else "?" for name in unknown)  # a guest's name is no field's
        raise ContractError(f"outbox: a record has no field {typed}; its fields: {', '.join(FIELDS)}")
    counted = {name for name, value in earlier.guest.items() if isinstance(value, int)} | _COUNTED
    return {name: int(value) if name in counted and str(value).isdecimal() else value for name, value in told.items()}
