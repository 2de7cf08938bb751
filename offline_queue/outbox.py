"""Putting a registration into the outbox: it returns when the record would survive a power cut."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

from kiosk.config import OutboxSection
from kiosk.errors import ContractError
from kiosk.model import Registration, RegistrationId
from offline_queue.clock import Clock
from offline_queue.crypto.vault import Vault
from offline_queue.database.rows import Event, NewEvent
from offline_queue.due import window_s
from offline_queue.states import DONE, EventState
from offline_queue.store import Store

if TYPE_CHECKING:
    from offline_queue.owner import OutboxOwner

_OP = re.compile(r"[A-Z]{2}")
_STANDS_FOR_ALL = frozenset({"UP", "VD"})
"""A correction is the whole record, a void says that it never happened: nothing earlier is missed beside them."""
_STUCK = frozenset({EventState.REJECTED, EventState.QUARANTINED})


class Outbox:
    """Implements ``kiosk.ports.Outbox``. Callable from any thread but the owner's own."""

    def __init__(self, owner: OutboxOwner, vault: Vault, settings: OutboxSection, clock: Clock) -> None:
        self._owner = owner
        self._vault = vault
        self._settings = settings
        self._clock = clock
        self.on_put: Callable[[], None] = lambda: None
        """Called on the caller's thread after each commit; the sync thread sets it to be woken."""

    def put(
        self, registration: Registration, *, supersedes: int | None = None, then: Registration | None = None
    ) -> RegistrationId:
        """Seal, commit and fsync one registration; blocks for some milliseconds.

        The same (record, revision) with the same text is acknowledged again and stored once.

        Args:
            registration: The frozen record.
            supersedes: Revision of the same record that the authority rejected, that cannot be opened or that is lost,
                and that this one corrects. Later ones that wait for it are replaced, too: only a whole correction or a
                void may do that.
            then: The revision after this one, put in the same transaction.

        Raises:
            OutboxUnavailable: Nothing was acknowledged: disk full or broken, or the store is closed.
            ContractError: The record is not well formed, or other text was put under this revision.
        """
        given = (registration,) if then is None else (registration, then)
        for one in given:
            _uuid(one.record_id)
            _check(one)
        frozen = [self._vault.frozen(one) for one in given]

        def work(store: Store) -> None:
            # Sealed on the owner's thread: its key may change between two turns, and what a former one sealed would
            # never open. What is sealed is also still in this core's cache when the store writes it
            pairs = zip(given, frozen, (supersedes, None), strict=False)
            news = [self._sealed(*pair) for pair in pairs]
            # Only a correction asks: to look into the folder at each guest's put costs a twentieth of it
            lost_for_good = supersedes is not None and not self._owner.salvage_waits
            insert_once(store, news, self._owner.disk.admit, lost_for_good=lost_for_good)

        self._owner.call(work, spends=False, again=True)
        self.on_put()
        return registration.record_id

    def open_text(self, record_id: RegistrationId, revision: int) -> bytes | None:
        """Return a record's exact text for staff; None when it is unknown, purged or cannot be opened.

        In write-only mode its ``guest`` is a ``sealedGuest`` that nobody here can read.
        """
        record = _uuid(record_id)

        def work(store: Store) -> bytes | None:
            event = store.find(record, revision)
            return None if event is None else self._vault.open_text(store, event)

        return self._owner.call(work)

    def _sealed(self, given: Registration, frozen: Registration, supersedes: int | None) -> NewEvent:
        """``frozen``: what was given, as it is stored and sent."""
        record_id = _uuid(frozen.record_id)
        occurred = frozen.occurred_at.timestamp()
        given_hash = hashlib.sha256(given.text).digest()
        return NewEvent(
            record_id=record_id,
            revision=frozen.revision,
            op=frozen.op,
            stay=frozen.stay_id,
            supersedes=supersedes,
            due_at=occurred + self._owner.skew_s() + window_s(frozen.op, self._settings),
            wall=self._clock.wall(),
            boot=self._clock.boot(),
            mono=self._clock.mono(),
            content_hash=given_hash if frozen is given else hashlib.sha256(frozen.text).digest(),
            given_hash=given_hash,
            parts=self._vault.seal(record_id, frozen),
        )


def insert_once(
    store: Store, news: Sequence[NewEvent], admit: Callable[[], object] = lambda: None, *, lost_for_good: bool = True
) -> None:
    """Commit events, unless they are there already. Owner thread.

    Args:
        store: The store.
        news: One record's, in order.
        admit: Raises when nothing new may come in.
        lost_for_good: A revision that is missing does not come back any more.
    """
    missing = [new for new in news if not _is_there(store, new)]
    if not missing:
        return
    admit()
    with store.transaction():
        for new in missing:
            if new.supersedes is not None:
                # The duty to report began with what is corrected: a correction changes nothing of when it ends
                closed = _supersede(store, new, new.supersedes, lost_for_good=lost_for_good)
                new = replace(new, due_at=min((one.due_at for one in closed), default=new.due_at))
            store.insert(new)


def _is_there(store: Store, new: NewEvent) -> bool:
    known = store.given_hash(new.record_id, new.revision)
    if known is not None and known != new.given_hash:
        raise ContractError(f"outbox: revision {new.revision} of this record was put before with other content")
    return known is not None


def _supersede(store: Store, new: NewEvent, revision: int, *, lost_for_good: bool) -> list[Event]:
    """Close the rejected revision, and what waits for it, in the transaction that brings their correction; return them.

    A correction under the next free number would else wait for them, and they for it: for ever.
    """
    standing = [one for one in store.revisions(new.record_id) if one.revision >= revision]
    lost = bool(standing) and standing[0].revision > revision
    if not standing or not (lost_for_good if lost else standing[0].state in _STUCK):
        raise ContractError(f"outbox: revision {revision} is not there, or was not rejected")
    if new.revision != standing[-1].revision + 1:
        raise ContractError(f"outbox: revision {new.revision} is not the record's next one: it would wait for ever")
    stuck, waiting = ([], standing) if lost else (standing[:1], standing[1:])
    if any(one.state in (EventState.READY, EventState.INFLIGHT) for one in waiting):
        raise ContractError(f"outbox: a revision after {revision} is on its way; its answer comes first")
    left = [one for one in waiting if one.state not in DONE]
    if left and new.op not in _STANDS_FOR_ALL:
        raise ContractError(f"outbox: others wait for revision {revision}: a whole correction replaces it, or a void")
    for one in (*stuck, *left):
        store.move(one, EventState.SUPERSEDED, new.wall, detail=f"by {new.revision}")
    return [*stuck, *left]


def _check(registration: Registration) -> None:
    """Refuse what could never be receipted: the authority echoes what the text says."""
    try:
        text = json.loads(registration.text)
        echoed = (text.get("recordId"), text.get("revision"), text.get("op"))
        named = {photo["sha256"] for photo in text.get("photos", ())}
    except (ValueError, AttributeError, TypeError, KeyError):
        raise ContractError("outbox: the record's text is not a record's JSON in UTF-8") from None
    if echoed != (registration.record_id, registration.revision, registration.op) or registration.revision < 1:
        raise ContractError("outbox: recordId, revision and op of the text are not those of the registration")
    if not {hashlib.sha256(photo.jpeg).hexdigest() for photo in registration.photos} <= named:
        raise ContractError("outbox: a photo is not the one whose hash the text names")
    if not _OP.fullmatch(registration.op):
        raise ContractError(f"outbox: op {registration.op!r} is not two capital letters")
    if registration.occurred_at.tzinfo is None:
        raise ContractError("outbox: occurred_at has no time zone")


def _uuid(record_id: RegistrationId) -> UUID:
    try:
        record = UUID(record_id)
    except ValueError:
        raise ContractError("outbox: the record's id is not a UUID") from None
    if str(record) != record_id:
        raise ContractError("outbox: the record's id is not in the canonical form of a UUID")
    return record
