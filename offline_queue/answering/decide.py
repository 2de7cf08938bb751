"""What a person may decide about a record that waits. Owner thread; one transaction each."""

from __future__ import annotations

from uuid import UUID

from kiosk.errors import ContractError
from offline_queue.crypto.vault import Vault
from offline_queue.database.rows import Event
from offline_queue.states import DONE, EventState
from offline_queue.store import Store


def retry(store: Store, vault: Vault, record_id: UUID, wall: float, by: str) -> Event:
    """Let the record's first undelivered revision be tried at once, with the same bytes. Returns it as it is now.

    A rejected one is sent again; one that could not be opened only if it opens now; one that waits for
    its next try waits no longer. ``by`` goes into the chain.

    Raises:
        ContractError: Unknown, delivered, on its way already, or still not to be opened.
    """
    event = next((revision for revision in store.record(record_id) if revision.state not in DONE), None)
    if event is None:
        raise ContractError("outbox: the record is delivered; there is nothing to try again")
    match event.state:
        case EventState.READY:
            with store.transaction():
                store.note([event], next_at=wall)
        case EventState.REJECTED | EventState.QUARANTINED:
            _release(store, vault, event, wall, by)
        case EventState.INFLIGHT:
            raise ContractError("outbox: the record is on its way; its answer comes first")
        case _:
            raise ContractError(
                "outbox: an earlier revision of the record is missing, and this one waits for it. "
                "Fix: ./run queue salvage may bring it back; else ./run queue amend with --correct or --void"
            )
    now = store.find(record_id, event.revision)
    assert now is not None  # noqa: S101 - an event is never deleted
    return now


def _release(store: Store, vault: Vault, event: Event, wall: float, by: str) -> None:
    parts = vault.open(store, event)
    if not parts or None in parts.values():
        raise ContractError("outbox: the record still cannot be opened; bring the key file back, or call support")
    if not store.may_go(event.record_id, event.revision):
        raise ContractError("outbox: an earlier revision of the record waits, too. Fix: ./run queue show says what for")
    why = f"retry by {by}"
    with store.transaction():
        store.move(
            event, EventState.READY, wall, detail=why, why=why, batch=None, settled_at=None, next_at=wall, strikes=0
        )
