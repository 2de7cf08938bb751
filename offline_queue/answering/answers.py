"""The answers to what is asked about the outbox: rows of plain values. Personal data are masked in all but ``export``.

The same answers serve the running kiosk's socket and a command that opens the file of a stopped one.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from enum import Enum
from typing import Protocol

from kiosk.config import KioskSection
from kiosk.errors import OperationalError
from kiosk.redaction import mask_id_number, mask_name
from offline_queue.answering import amending, decide, words
from offline_queue.answering.inquiry import Inquiry, Row, as_object, record_of
from offline_queue.answering.upkeep import Upkeep
from offline_queue.database.rows import Event
from offline_queue.delivery.authority_time import iso
from offline_queue.owner import OutboxOwner
from offline_queue.paper import taking
from offline_queue.states import UNSENT
from offline_queue.store import Store

_SLICE = 50
"""Records opened in one turn of the owner thread: a guest's put waits for no export."""


class Sync(Protocol):
    """The part of the sync thread that a question may touch."""

    def try_now(self) -> None: ...


class Auditing(Protocol):
    """The part of the audit that a question may touch."""

    def write(self, kind: str, **fields: str | float | bool | None) -> None: ...


class Answers:
    """Answers inquiries, from any thread. Blocks its caller's, the owner's only for a slice at a time."""

    def __init__(
        self,
        owner: OutboxOwner,
        sync: Sync | None = None,
        audit: Auditing | None = None,
        kiosk: KioskSection | None = None,
    ) -> None:
        """Prepare.

        Args:
            owner: The store, held by this process.
            sync: Woken after a retry; None in tools that deliver nothing.
            audit: Where retries, exports, amendments and upkeep are written down; without one there are none.
            kiosk: In whose name records are amended; None in tools that amend nothing.
        """
        self._owner = owner
        self._sync = sync
        self._audit = audit
        self._kiosk = kiosk

    def rows(self, inquiry: Inquiry, by: str) -> Iterator[Row]:
        """Yield the answer row by row. ``by``: who asks, for chain and audit. Raises KioskError."""
        match inquiry.ask:
            case "status":
                yield self._status()
            case "list":
                yield from self._list(inquiry)
            case "show":
                yield from self._show(inquiry.record)
            case "waiting":
                yield from self._waiting()
            case "retry":
                yield from self._retry(inquiry.record, by)
            case "amend":
                yield self._amend(inquiry, by)
            case "export":
                yield from self._export(inquiry, by)
            case _:
                yield from Upkeep(self._owner, self._note, alone=self._sync is None).rows(inquiry, by)

    def _status(self) -> Row:
        status = self._owner.status()
        told = _plain(status)
        assert isinstance(told, dict)  # noqa: S101 - a dataclass becomes one
        return told | {
            "running": self._sync is not None,
            "counts": {state.value: n for state, n in status.counts.items() if n},
            "next_due_at": None if status.next_due_at is None else iso(status.next_due_at),
            "line": {
                **told["line"],
                "why": words.answer(status.line.why),
                "retry_in_s": round(status.line.retry_in_s, 1),
            },
        }

    def _list(self, inquiry: Inquiry) -> Iterator[Row]:
        def work(store: Store) -> list[Event]:
            if inquiry.flagged:
                return store.flagged(inquiry.limit)
            return store.waiting(inquiry.limit) if inquiry.waiting else store.latest(inquiry.limit)

        now = self._owner.clock.wall()
        yield from (event_row(event, now) for event in self._owner.call(work))

    def _show(self, record: str) -> Iterator[Row]:
        record_id = record_of(record)

        def work(store: Store) -> list[Row]:
            now = self._owner.clock.wall()
            return [event_row(event, now) | self._masked(store, event) for event in store.record(record_id)]

        yield from self._owner.call(work)

    def _waiting(self) -> Iterator[Row]:
        last = 0

        def work(store: Store) -> list[tuple[int, Row]]:
            now = self._owner.clock.wall()
            events = store.waiting_after(last, _SLICE)
            return [(event.id, event_row(event, now) | self._masked(store, event)) for event in events]

        while found := self._owner.call(work):
            yield from (row for _, row in found)
            last = found[-1][0]

    def _export(self, inquiry: Inquiry, by: str) -> Iterator[Row]:
        """Name guests: written into the audit before the first one leaves, and how many did at the end."""
        taking.check(inquiry)
        who = {"operator": inquiry.operator, "reason": inquiry.reason, "export": inquiry.export_id}
        self._note("queue.export", by, **who)
        records = 0
        for row in taking.taken(self._owner, event_row):
            yield row
            records += 1
        self._note("queue.exported", by, export=inquiry.export_id, records=records)

    def _retry(self, record: str, by: str) -> Iterator[Row]:
        if record:
            record_id, vault, wall = record_of(record), self._owner.vault, self._owner.clock.wall()
            self._note("queue.retry", by, record=str(record_id))
            event = self._owner.call(lambda store: decide.retry(store, vault, record_id, wall, by))
            yield event_row(event, wall)
        if self._sync is not None:
            self._sync.try_now()

    def _amend(self, inquiry: Inquiry, by: str) -> Row:
        """Build first, so that the audit says nothing of what could not be; then say it, then do it."""
        if self._kiosk is None:
            raise OperationalError("outbox: amend needs the kiosk's settings, and this tool holds none")
        amendment = amending.prepare(self._owner, self._kiosk, inquiry)
        new = amendment.registration
        for one in (new, amendment.then):
            if one is not None:
                what: dict[str, str | float | bool | None] = {"record": one.record_id, "revision": one.revision}
                self._note("queue.amend", by, operator=inquiry.operator, **what, op=one.op)
        return event_row(amending.put(self._owner, amendment), self._owner.clock.wall())

    def _note(self, kind: str, by: str, **fields: str | float | bool | None) -> None:
        """Write into the audit who does what, before it is done. Raises OperationalError: then nothing is done."""
        if self._audit is None:
            raise OperationalError(f"outbox: {kind} needs the audit, and this tool holds none")
        try:
            self._audit.write(kind, by=by, **fields)
        except OSError as exc:
            raise OperationalError(
                f"outbox: {kind}: the audit cannot be written: {exc.strerror}; nothing was done. Fix: free the disk"
            ) from exc

    def _masked(self, store: Store, event: Event) -> Row:
        """What staff may see of the guest, and which parts still lie sealed."""
        text = self._owner.vault.open_text(store, event)
        body = as_object(json.loads(text)) if text is not None else {}
        guest = as_object(body.get("guest"))
        return {
            "parts": [part.part for part in store.parts(event)],
            "sealed_for": str(as_object(body.get("sealedGuest")).get("kid", "")),
            "occurred_at": str(body.get("occurredAt", "")),
            "room": str(guest.get("roomNo", "")),
            "name": mask_name(_name(guest)) if _name(guest) else "",
            "number": mask_id_number(_number(guest)) if _number(guest) else "",
        }


def event_row(event: Event, now: float) -> Row:
    """Return what the outbox knows of an event. ``now`` in Unix seconds."""
    waits = event.state in UNSENT
    return {
        "record": str(event.record_id),
        "revision": event.revision,
        "op": event.op,
        "stay": event.stay,
        "state": event.state.value,
        "state_words": words.STATES[event.state],
        "attempts": event.attempts,
        "age_s": round(max(0.0, now - event.wall), 1),
        "due_at": iso(event.due_at) if waits else None,
        "due_in_s": round(event.due_at - now, 1) if waits else None,
        "overdue": waits and event.due_at < now,
        "answer": words.answer(event.why),
        "flag": words.answer(event.flag),
        "receipt": event.receipt,
        "received_at": event.received_at,
    }


def _plain(value: object) -> object:
    """Return dataclasses as objects of JSON, so that what a room adds to the status is told without asking here."""
    if isinstance(value, Enum):
        return value.value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(_plain(key)): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def _name(guest: Row) -> str:
    latin = f"{guest.get('surnameLatin', '')} {guest.get('givenLatin', '')}".strip()
    return str(guest.get("name") or guest.get("nameCn") or latin)


def _number(guest: Row) -> str:
    return str(guest.get("idNumber") or guest.get("documentNumber") or "")
