"""Holds the second copy against the database: of which records it could not make everything again."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from offline_queue.crypto.sealing import SealedPart
from offline_queue.database.rows import Event
from offline_queue.recovery import frames
from offline_queue.recovery.file_bytes import opened
from offline_queue.recovery.frames import Kind
from offline_queue.recovery.journal import look, segments
from offline_queue.recovery.kept import of_body
from offline_queue.recovery.second_copy import SecondCopy, Which
from offline_queue.states import EventState
from offline_queue.store import Store

if TYPE_CHECKING:
    from offline_queue.owner import OutboxOwner
    from offline_queue.recovery.salvage import Call

_SLICE = 50
_CATCHES_UP_S = 20.0
_BREATH_S = 0.001


@dataclass(frozen=True, slots=True)
class Gap:
    """What the second copy lacks, or has too much, of one event."""

    event: int
    which: Which
    sealed: bool = False
    """Its row, or a part of it, is in no whole frame."""
    keyless: bool = False
    """A key that opens a part is not in the keyring."""
    undead: bool = False
    """A key that was destroyed still is."""

    def words(self) -> Iterator[str]:
        if self.sealed:
            yield f"second copy: event {self.event}: is not in it whole"
        if self.keyless:
            yield f"second copy: event {self.event}: a key that opens it is not in the keyring"
        if self.undead:
            yield f"second copy: event {self.event}: a key that was destroyed still is in the keyring"


def gaps(call: Call, copy: SecondCopy, stopping: threading.Event) -> list[Gap] | None:
    """Compare everything that is there now. Reads every byte of the segments; holds the owner thread for slices.

    None when it was stopped. Raises OSError and OutboxUnavailable.
    """
    newest = call(
        lambda store: max((event.id for event in store.latest(1)), default=0)
    )  # later ones are not in ``held``
    held = _held(copy.folder, call(lambda store: store.chain_after(0, 1)[0].hash), stopping)
    found: list[Gap] = []
    last = 0
    while held is not None and not stopping.wait(_BREATH_S):
        last, some = call(lambda store, at=last, held=held: _compare(store, copy, held, at))  # type: ignore[misc]
        found += [gap for gap in some if gap.event <= newest]
        if not last < newest:
            return found
    return None


def faults(owner: OutboxOwner) -> list[str]:
    """Say what is wrong with the second copy; nothing where there is none. Blocks as ``gaps`` does.

    All of it is put right at the next start.
    """
    copy = owner.second_copy
    if copy is None:
        return []
    if copy.view.behind and not copy.view.why:
        owner.mending.wait(_CATCHES_UP_S)
    if copy.view.behind:
        return [f"second copy: behind: {copy.view.why or 'it catches up'}"]
    return [words for gap in gaps(owner.call, copy, threading.Event()) or () for words in gap.words()]


def _held(folder: Path, chain: bytes, stopping: threading.Event) -> set[int] | None:
    """Return hashes of every event, and of every sealed part, that is in a whole frame of the live chain."""
    held: set[int] = set()
    for path in segments(folder):
        if stopping.wait(_BREATH_S):
            return None
        with contextlib.suppress(FileNotFoundError):  # dropped meanwhile: what counts of it was written again
            if look(path).chain == chain:
                held |= set(_whole(path))
    return held


def _whole(path: Path) -> Iterator[int]:
    with opened(path) as data:
        for found in frames.whole(data):
            frame = frames.read(data, found) if found.kind is not Kind.CHAIN else None
            told = of_body(frame.body) if frame is not None else None
            if told is not None:
                which = found.record, found.revision
                yield hash(which)
                yield from (_name(which, part) for part in told[0].parts)


def _name(which: Which, part: SealedPart) -> int:
    return hash((which, part.part, part.key_id))


def _compare(store: Store, copy: SecondCopy, held: set[int], after: int) -> tuple[int, list[Gap]]:
    """Look at some events. Returns the last one's number, a huge one at the end, and what was found."""
    events = store.events_after(after, _SLICE)
    found = [gap for event in events if (gap := _gap(store, copy, held, event)) is not None]
    return (events[-1].id if events else sys.maxsize), found


def _gap(store: Store, copy: SecondCopy, held: set[int], event: Event) -> Gap | None:
    if event.state is EventState.QUARANTINED or copy.keyring is None:
        return None  # what the copy has of such a one is better than what the store has
    which = event.record_id.bytes, event.revision
    keys = store.keys_of(event.id)
    live = [part for part in keys if any(part.wrapped)]
    there = {part.part: copy.keyring.get((*which, part.part)) for part in keys}
    gap = Gap(
        event.id,
        which,
        sealed=hash(which) not in held or any(_name(which, part) not in held for part in live),
        keyless=any((key := there[part.part]) is None or key.key_id != part.key_id for part in live),
        undead=any(there[part.part] is not None for part in keys if not any(part.wrapped)),
    )
    return gap if gap.sealed or gap.keyless or gap.undead else None
