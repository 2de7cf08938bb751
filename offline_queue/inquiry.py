"""What may be asked about the outbox, and the answers: rows of plain values, personal data always masked.

The same answers serve the running kiosk's socket and a command that opens the file of a stopped one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Literal, Protocol, TypeAlias, get_args
from uuid import UUID

from kiosk.errors import ContractError
from kiosk.redaction import mask_id_number, mask_name
from offline_queue import decide, words
from offline_queue.owner import OutboxOwner
from offline_queue.rows import Event
from offline_queue.states import UNSENT
from offline_queue.store import Store

Ask: TypeAlias = Literal["status", "list", "show", "export", "retry"]
Row: TypeAlias = dict[str, object]

LONGEST_LIST = 500
_SLICE = 50
"""Records opened in one turn of the owner thread: a guest's put waits for no export."""
_SHANGHAI = timezone(timedelta(hours=8))


@dataclass(frozen=True, slots=True)
class Inquiry:
    """One question. ``record`` empty with ``retry``: only try the line at once."""

    ask: Ask
    record: str = ""
    limit: int = 50
    waiting: bool = False
    """``list``: only what is not delivered, the one due first on top."""

    def to_json(self) -> bytes:
        return json.dumps(
            {"ask": self.ask, "record": self.record, "limit": self.limit, "waiting": self.waiting}
        ).encode()

    @classmethod
    def from_json(cls, line: bytes) -> Inquiry:
        """Read a question that may come from anybody. Raises ContractError."""
        try:
            told = json.loads(line.decode("utf-8"))
        except (ValueError, RecursionError):
            raise ContractError("queue: a question is one line of JSON in UTF-8") from None
        if not isinstance(told, dict) or told.get("ask") not in get_args(Ask):
            raise ContractError(f"queue: ask one of {', '.join(get_args(Ask))}")
        record, limit, waiting = told.get("record", ""), told.get("limit", 50), told.get("waiting", False)
        if not isinstance(record, str) or not isinstance(waiting, bool):
            raise ContractError("queue: record is a text, waiting is true or false")
        if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= LONGEST_LIST:
            raise ContractError(f"queue: limit is a number from 1 to {LONGEST_LIST}")
        return cls(told["ask"], record, limit, waiting)


class Sync(Protocol):
    """The part of the sync thread that a question may touch."""

    def try_now(self) -> None: ...


class Answers:
    """Answers one inquiry after another. Blocks its caller's thread, the owner's only for a slice at a time."""

    def __init__(self, owner: OutboxOwner, sync: Sync | None = None) -> None:
        self._owner = owner
        self._sync = sync

    def rows(self, inquiry: Inquiry, by: str) -> Iterator[Row]:
        """Yield the answer row by row. ``by``: who asks, for the chain. Raises KioskError."""
        match inquiry.ask:
            case "status":
                yield self._status()
            case "list":
                yield from self._list(inquiry)
            case "show":
                yield from self._show(_uuid(inquiry.record))
            case "export":
                yield from self._export()
            case "retry":
                yield from self._retry(inquiry.record, by)

    def _status(self) -> Row:
        status = self._owner.status()
        line = status.line
        return {
            "counts": {state.value: n for state, n in status.counts.items() if n},
            "unsent": status.unsent,
            "due": status.due.value,
            "next_due_at": _moment(status.next_due_at),
            "oldest_unsent_s": status.oldest_unsent_s,
            "line": {
                "open": line.open,
                "breaker": line.breaker,
                "failures": line.failures,
                "why": words.answer(line.why),
                "retry_in_s": round(line.retry_in_s, 1),
            },
            "disk": {
                "level": status.disk.level.name.lower(),
                "usable_mb": status.disk.usable_mb,
                "ballast": status.disk.ballast,
            },
        }

    def _list(self, inquiry: Inquiry) -> Iterator[Row]:
        def work(store: Store) -> list[Event]:
            return store.waiting(inquiry.limit) if inquiry.waiting else store.latest(inquiry.limit)

        now = self._owner.clock.wall()
        yield from (_row(event, now) for event in self._owner.call(work))

    def _show(self, record_id: UUID) -> Iterator[Row]:
        def work(store: Store) -> list[Row]:
            now = self._owner.clock.wall()
            return [_row(event, now) | self._masked(store, event) for event in store.revisions(record_id)]

        rows = self._owner.call(work)
        if not rows:
            raise ContractError("queue: no such record; queue list shows those there are")
        yield from rows

    def _export(self) -> Iterator[Row]:
        last = 0

        def work(store: Store) -> list[tuple[int, Row]]:
            now = self._owner.clock.wall()
            events = store.waiting_after(last, _SLICE)
            return [(event.id, _row(event, now) | self._masked(store, event)) for event in events]

        while found := self._owner.call(work):
            yield from (row for _, row in found)
            last = found[-1][0]

    def _retry(self, record: str, by: str) -> Iterator[Row]:
        if record:
            record_id, vault, wall = _uuid(record), self._owner.vault, self._owner.clock.wall()
            event = self._owner.call(lambda store: decide.retry(store, vault, record_id, wall, by))
            yield _row(event, wall)
        if self._sync is not None:
            self._sync.try_now()

    def _masked(self, store: Store, event: Event) -> Row:
        """What staff may see of the guest, and which parts still lie sealed."""
        text = self._owner.vault.open_text(store, event)
        body = _object(json.loads(text)) if text is not None else {}
        guest = _object(body.get("guest"))
        return {
            "parts": [part.part for part in store.parts(event)],
            "occurred_at": str(body.get("occurredAt", "")),
            "room": str(guest.get("roomNo", "")),
            "name": mask_name(str(guest["name"])) if guest.get("name") else "",
            "number": mask_id_number(str(guest["idNumber"])) if guest.get("idNumber") else "",
        }


def _row(event: Event, now: float) -> Row:
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
        "due_at": _moment(event.due_at) if waits else None,
        "due_in_s": round(event.due_at - now, 1) if waits else None,
        "overdue": waits and event.due_at < now,
        "answer": words.answer(event.why),
        "receipt": event.receipt,
        "received_at": event.received_at,
    }


def _moment(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, _SHANGHAI).isoformat(timespec="seconds")


def _object(value: object) -> Row:
    return value if isinstance(value, dict) else {}


def _uuid(record: str) -> UUID:
    try:
        return UUID(record)
    except ValueError:
        raise ContractError("queue: a record is named by its UUID; queue list shows them") from None
