"""Takes what waits out of the outbox, unmasked, slice by slice: the only answer of the outbox that names guests."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator

from kiosk.errors import ContractError
from kiosk.registration.later import WHOLE, Earlier
from offline_queue.answering.inquiry import Inquiry, Row, checked_export_id, checked_operator, checked_reason
from offline_queue.crypto.sealing import TEXT
from offline_queue.database.rows import Event
from offline_queue.owner import OutboxOwner
from offline_queue.store import Store

_WHO = (
    *("name", "surnameLatin", "givenLatin", "nameCn", "idType", "idNumber", "documentType", "documentNumber"),
    "roomNo",
)
"""Fields that say whom an operation is about."""
_SLICE = 20
"""Records with photos opened in one turn of the owner thread: about a millisecond."""


def check(inquiry: Inquiry) -> None:
    """Refuse an export that does not say who takes it and why. Raises ContractError."""
    checked_operator(inquiry.operator)
    checked_reason(inquiry.reason)
    checked_export_id(inquiry.export_id)


def taken(owner: OutboxOwner, row_of: Callable[[Event, float], Row]) -> Iterator[Row]:
    """Yield each waiting event with its exact text and its photos in base64, in the order in which they were put.

    A part that cannot be opened, or whose key is gone, is None or absent: the record is told all the same.
    """
    last = 0

    def work(store: Store) -> list[tuple[int, Row]]:
        now = owner.clock.wall()
        events = store.waiting_after(last, _SLICE)
        return [(event.id, row_of(event, now) | _opened(owner, store, event)) for event in events]

    while found := owner.call(work):
        yield from (row for _, row in found)
        last = found[-1][0]


def _opened(owner: OutboxOwner, store: Store, event: Event) -> Row:
    parts = owner.vault.open(store, event)
    text = parts.pop(TEXT, None)
    return {
        "text": None if text is None else text.decode("utf-8"),
        "content_hash": event.content_hash.hex(),
        "subject": {} if event.op in WHOLE else _subject(owner, store, event),
        "photos": {kind: base64.b64encode(photo).decode() for kind, photo in parts.items() if photo is not None},
    }


def _subject(owner: OutboxOwner, store: Store, event: Event) -> Row:
    """Say whom a room change or check-out is about, and in which room: from the earlier revisions that still open."""
    earlier = [one for one in store.revisions(event.record_id) if one.revision < event.revision]
    texts = [text for one in earlier if (text := owner.vault.open_text(store, one)) is not None]
    try:
        guest = Earlier.standing(texts).guest if texts else {}
    except ContractError:  # no reason to leave the others in the outbox
        guest = {}
    return {name: guest[name] for name in _WHO if name in guest}
