"""Keeps journal and keyring in step with the database: after each commit, and after a start behind one that was cut.

A second copy that fails stops no guest: the database alone is durable. It is said aloud in status and log, and
everything that is missing is written as soon as the disk of the copy answers again. Owner thread only.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from kiosk.errors import KioskError
from offline_queue import legal_hold
from offline_queue.crypto.sealing import TEXT, SealedPart
from offline_queue.database import chain
from offline_queue.database.chain import Entry
from offline_queue.database.rows import Event, columns_of
from offline_queue.recovery.journal import Journal
from offline_queue.recovery.kept import Kept, Value, without_keys
from offline_queue.recovery.keyring import Keyring, Where, WrappedKey
from offline_queue.states import EventState
from offline_queue.store import MENDED, Store

log = logging.getLogger(__name__)

Which = tuple[bytes, int]
"""Record and revision."""

_CATCH_UP = 200
"""Entries of the chain that are caught up with at one commit: a guest waits for it."""


@dataclass(frozen=True, slots=True)
class CopyView:
    """How the second copy stands, for status and screens."""

    on: bool = False
    behind: bool = False
    why: str = ""


class SecondCopy:
    """Listens to the commits of one store."""

    def __init__(self, folder: Path, keyring: Path) -> None:
        """Prepare; nothing is opened yet. ``folder``: the journal's; ``keyring``: the file."""
        self._folder = folder
        self._keyring_file = keyring
        self._store: Store | None = None
        self._followed = False
        """The journal goes on with the store's chain."""
        self._journal: Journal | None = None
        self._keyring: Keyring | None = None
        self.view = CopyView(on=True, behind=True)
        self.on_need: Callable[[], None] = lambda: None
        """Called when a segment is full, or when an event could not be opened that the copy may still hold."""

    @property
    def journal(self) -> Journal | None:
        return self._journal

    @property
    def keyring(self) -> Keyring | None:
        return self._keyring

    @property
    def folder(self) -> Path:
        return self._folder

    def follow(self, store: Store) -> None:
        """Follow this store from now on; what it has and the copy has not comes with the next commits."""
        self._store = store
        store.on_commit = self.after_commit
        self._followed = False
        self._safely(lambda: None)

    def close(self) -> None:
        """Safe to call twice."""
        for file in (self._journal, self._keyring):
            if file is not None:
                file.close()
        self._journal = self._keyring = None

    def after_commit(self, touched: Iterable[int]) -> None:
        """Write what a commit changed. Never raises; what fails is caught up with later."""
        self._safely(lambda: self._write(touched))

    def catch_up(self) -> bool:
        """Write a slice of what the copy lacks; True when there is more."""
        if self.view.behind or self._store is None:
            self._safely(lambda: self._write(()))
        return self.view.behind and not self.view.why

    def reconcile(self, after: int, limit: int = 200) -> int | None:
        """Hold a slice of the keyring against the store's keys. Returns where to go on, None at the end."""
        store, keyring = self._store, self._keyring
        if store is None or keyring is None or not (rows := store.wrapped_after(after, limit)):
            return None
        held = [slot(one.record_id.bytes, one.revision, one.part) for one in rows]
        # What is there came with its commit; the row may be damaged since
        wrote = keyring.put(key for key in held if any(key.wrapped) and key.where not in keyring)
        gone = [key.where for key in held if not any(key.wrapped) and key.where in keyring]
        if keyring.destroy(where for where in gone if _may_be_erased(store, where)) or wrote:
            keyring.sync()
        return rows[-1].row

    def places(self) -> list[Where]:
        """Of which parts the keyring holds keys."""
        return self._keyring.places() if self._keyring is not None else []

    def forget_erased(self, store: Store, places: Iterable[Where]) -> None:
        """Destroy keys of what is erased in the store: a salvaged receipt brings no row that would say so."""
        erased = [where for where in places if _is_erased(store, where)]
        if self._keyring is not None and self._keyring.destroy(erased):
            self._keyring.sync()

    @property
    def is_ahead(self) -> bool:
        """Say whether the journal has seen more of the store's chain than the store itself: it lost its last part."""
        return self._store is not None and self._journal is not None and self._journal.seq > _head(self._store).seq

    def write_again(self, store: Store, which: Iterable[Which], *, whole: bool = False) -> bool:
        """Write events as they stand now, ``whole``: with their parts. False when nothing can be written.

        Raises OutboxUnavailable when the disk of the copy refuses.
        """
        if self._journal is None or self.view.behind:
            return False
        found = (store.find(UUID(bytes=record), revision) for record, revision in which)
        kept = [
            Kept(_columns(store, event), tuple(map(without_keys, store.parts(event))) if whole else ())
            for event in found
            if event is not None
        ]
        self._journal.append(kept, _head(store).seq, _head(store).hash)
        return True

    def _safely(self, work: Callable[[], None]) -> None:
        try:
            self._open()
            work()
        except KioskError as exc:
            if not self.view.why:
                log.error("second copy: %s; guests are taken on, what is missing follows", exc)
            self.view = CopyView(on=True, behind=True, why=str(exc))
            self.close()

    def _open(self) -> None:
        if self._store is None:
            return
        if self._keyring is None:
            self._keyring = Keyring(self._keyring_file)
        if self._journal is None or not self._followed:
            first = self._store.chain_after(0, 1)[0]
            if self._journal is None:
                self._journal = Journal(self._folder, first.hash)
            else:
                self._journal.turn_to(first.hash)
            self._followed = True
            self.view = CopyView(on=True, behind=self._journal.seq < _head(self._store).seq, why=self.view.why)

    def _write(self, touched: Iterable[int]) -> None:
        """Write what changed since the last number that is in the journal, a slice of it at most."""
        store, journal = self._store, self._journal
        if store is None or journal is None:
            return
        entries = store.chain_after(journal.seq, _CATCH_UP)
        head = _head(store)
        last = entries[-1] if entries else head
        # What changed without an entry of the chain is told with the last slice, not before
        others = set(touched) if last.seq == head.seq else set()
        self._append(store, journal, entries, others, last)
        behind = last.seq < head.seq
        if self.view.why and not behind:
            log.info("second copy: works again, and lacks nothing")
            self.on_need()
        self.view = CopyView(on=True, behind=behind)

    def _append(self, store: Store, journal: Journal, entries: Sequence[Entry], others: set[int], last: Entry) -> None:
        """New keys first, dead ones last: what the journal says can be opened, can be, wherever a power cut comes."""
        told = {(entry.event, entry.detail) for entry in entries if entry.event}
        events = [event for number in sorted({number for number, _ in told} | others) if (event := store.event(number))]
        keys = {event.id: _keys_of(store, event) for event in events}
        self._keep([key for event in events for key in keys[event.id] if _is_new(event, told) or self._lacks(key)])
        kept = [one for event in events if (one := _kept(store, event, told)) is not None]
        rolled = bool(kept) and journal.append(kept, last.seq, last.hash)
        self._destroy(store, [key.where for one in keys.values() for key in one if not any(key.wrapped)])
        journal.seq = max(journal.seq, last.seq)
        if rolled or any(event.state is EventState.QUARANTINED for event in events):
            self.on_need()

    def _lacks(self, key: WrappedKey) -> bool:
        return self._keyring is not None and key.where not in self._keyring

    def _keep(self, keys: Sequence[WrappedKey]) -> None:
        if self._keyring is not None and self._keyring.put(key for key in keys if any(key.wrapped)):
            self._keyring.sync()

    def _destroy(self, store: Store, gone: Sequence[Where]) -> None:
        if self._keyring is not None and self._keyring.destroy(one for one in gone if _may_be_erased(store, one)):
            self._keyring.sync()


def _keys_of(store: Store, event: Event) -> list[WrappedKey]:
    if event.state is EventState.QUARANTINED:
        return []  # its keys may be damaged: what the keyring has is better
    return [slot(event.record_id.bytes, event.revision, part) for part in store.keys_of(event.id)]


def _kept(store: Store, event: Event, told: set[tuple[int, str]]) -> Kept | None:
    """Return an event as the journal keeps it; with its parts only when they are new."""
    if _is_new(event, told):
        return Kept(_columns(store, event), tuple(map(without_keys, store.parts(event))))
    # One in flight would be made READY again, as it was: not worth a wait for the disk
    return None if event.state is EventState.INFLIGHT else Kept(_columns(store, event))


def _columns(store: Store, event: Event) -> dict[str, Value]:
    """Return its row, and what is known besides it: a legal hold, what its receipt of erasure says."""
    columns = columns_of(event)
    if hold := legal_hold.told(store, event.record_id):
        columns["hold"] = hold
    if event.state is EventState.PURGED:
        for one in store.erasure_of(event.id):  # signed anew when it is brought back
            columns |= {"erasure": one.statement, "erased_at": one.at}
    return columns


def _is_new(event: Event, told: set[tuple[int, str]]) -> bool:
    identity = chain.identity(event.record_id, event.revision, event.op, event.content_hash)
    return (event.id, identity) in told or (event.id, MENDED) in told


def _is_erased(store: Store, where: Where) -> bool:
    state = _state(store, where)
    return state is EventState.PURGED or (state is EventState.DELIVERED and where[2] != TEXT)


def _may_be_erased(store: Store, where: Where) -> bool:
    """Say whether a key that the row lacks was destroyed; of what still waits only damage takes one."""
    return _state(store, where) is EventState.SUPERSEDED or _is_erased(store, where)


def _state(store: Store, where: Where) -> EventState | None:
    event = store.find(UUID(bytes=where[0]), where[1])
    return event.state if event is not None else None


def _head(store: Store) -> Entry:
    assert store.head is not None  # noqa: S101 - every store is greeted
    return store.head


def slot(record: bytes, revision: int, part: SealedPart) -> WrappedKey:
    """Return a data key as the keyring keeps it."""
    return WrappedKey(record, revision, part.part, part.suite, part.recipient, part.key_id, part.wrapped)
