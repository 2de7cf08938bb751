"""Making an outbox again from the second copy: what is sealed from the journal, what opens it from the keyring.

Also tends the journal: a segment in which nothing counts any more is dropped, its receipts are kept.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path

from kiosk.durable import sync_folder
from offline_queue.crypto.sealing import TEXT, SealedPart
from offline_queue.recovery import frames
from offline_queue.recovery.file_bytes import Bytes, opened
from offline_queue.recovery.frames import Found, Kind
from offline_queue.recovery.journal import look, segments
from offline_queue.recovery.judging import event_from, missing_photos
from offline_queue.recovery.kept import Kept, of_body
from offline_queue.recovery.keyring import Keyring
from offline_queue.recovery.salvage import Site, bring
from offline_queue.recovery.second_copy import Which
from offline_queue.states import EventState
from offline_queue.store import Store

REBUILD = "REBUILD"
"""State of the chain's entry that names the head of the chain that the second copy knew."""
_SLICE = 10
_BREATH_S = 0.001

_SEALED = EventState.QUARANTINED

Spot = tuple[int, Found]
"""Number of a segment among those that are read, and the frame's place in it."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What the second copy brought back."""

    events: int = 0
    """Of which the second copy knew."""
    brought_back: int = 0
    here_already: int = 0
    sealed: int = 0
    """Of those that came: cannot be opened, wait for staff."""
    head: str = ""
    """Hash of the last entry that the copy knows of the chain that was lost."""

    def to_json(self) -> dict[str, object]:
        return asdict(self)


def of_other_chains(folder: Path, chain: bytes) -> list[Path]:
    """Return the segments of chains that the live store does not go on with. Raises OSError."""
    return [path for path in segments(folder) if look(path).chain != chain]


def rebuild(site: Site, folder: Path, keyring: Keyring, chain: bytes, stopping: threading.Event) -> Rebuilt | None:
    """Bring back from the segments of other chains what the live store has not, then drop those segments.

    Blocks its caller, the owner thread for a slice at a time. None when it was stopped: the next one begins again.
    Raises OutboxUnavailable and OSError.
    """
    paths = of_other_chains(folder, chain)
    if not paths:
        return Rebuilt()
    told = _read(site, paths, keyring, None, stopping)
    if told is None:
        return None
    site.call(lambda store: _remark(store, told, site.clock.wall()))
    for path in paths:
        path.unlink()
    sync_folder(folder)
    return told


def reopen(site: Site, folder: Path, keyring: Keyring, stopping: threading.Event) -> Rebuilt | None:
    """Bring back, from every segment, what the live store has and cannot open. As ``rebuild``; nothing is dropped."""
    which = site.call(lambda store: [(one.record_id.bytes, one.revision) for one in store.in_state(_SEALED)])
    return _read(site, segments(folder), keyring, set(which), stopping) if which else Rebuilt()


def _read(
    site: Site, paths: list[Path], keyring: Keyring, only: set[Which] | None, stopping: threading.Event
) -> Rebuilt | None:
    with ExitStack() as closing:
        data = [closing.enter_context(opened(path)) for path in paths]
        index = {which: places for which, places in _index(data).items() if only is None or which in only}
        told = Rebuilt(events=len(index))
        heads = iter(_kept(data, index))
        while batch := list(islice(heads, _SLICE)):
            if stopping.wait(_BREATH_S):
                return None
            with_keys = site.call(lambda store, batch=batch: [_with_keys(keyring, kept) for kept, _ in batch])  # type: ignore[misc]
            events = [_judged(site, kept) for kept in with_keys]
            told = replace(told, head=batch[-1][1].hex())
            came, there = site.call(lambda store, events=events: bring(store, events, site.clock.wall()))  # type: ignore[misc]
            sealed = sum(kept.columns["state"] == EventState.QUARANTINED for kept in events)
            told = replace(
                told,
                brought_back=told.brought_back + came,
                here_already=told.here_already + there,
                sealed=told.sealed + sealed,
            )
    return told


def _index(data: Sequence[Bytes]) -> dict[Which, list[Spot]]:
    """Find every whole frame of every event, oldest first."""
    index: dict[Which, list[Spot]] = {}
    for number, held in enumerate(data):
        for found in frames.whole(held):
            if found.kind is not Kind.CHAIN:
                index.setdefault((found.record, found.revision), []).append((number, found))
    return index


def _kept(data: Sequence[Bytes], index: dict[Which, list[Spot]]) -> Iterator[tuple[Kept, bytes]]:
    """Put each event together from its frames: the newest row that is whole, the newest sealed parts that are."""
    for places in index.values():
        row: tuple[Kept, bytes] | None = None
        parts: dict[str, SealedPart] = {}
        for number, found in reversed(places):
            if row is not None and found.kind is Kind.STATE:
                continue
            frame = frames.read(data[number], found)
            told = of_body(frame.body) if frame is not None else None
            if told is not None:
                row = row or told
                parts = {part.part: part for part in told[0].parts} | parts
        if row is not None:
            yield Kept(row[0].columns, tuple(parts.values())), row[1]


def _with_keys(keyring: Keyring, kept: Kept) -> Kept:
    """Add the keys that still exist; a part whose key was destroyed is left out."""
    parts = []
    for part in kept.parts:
        key = keyring.get((kept.record, kept.revision, part.part))
        if key is not None and key.key_id == part.key_id:
            parts.append(replace(part, wrapped=key.wrapped, recipient=key.recipient, suite=key.suite))
    return Kept(kept.columns, tuple(parts))


def _judged(site: Site, kept: Kept) -> Kept:
    """Say in which state an event comes back: what waited waits again, if it can be opened."""
    columns = dict(kept.columns) | {"batch": None, "tried_seq": 0}
    state = columns["state"]
    event = event_from(columns)
    if state in (EventState.DELIVERED, EventState.PURGED, EventState.SUPERSEDED):
        parts = (part for part in kept.parts if _may_stay(state, part.part))
        return Kept(columns, tuple(part for part in parts if site.vault.open_part(event, part) is not None))
    opened = {part.part: site.vault.open_part(event, part) for part in kept.parts}
    text = opened.get(TEXT)
    whole = text is not None and None not in opened.values() and hashlib.sha256(text).digest() == event.content_hash
    if text is None or not whole or missing_photos(text, set(opened)):
        columns |= {"state": EventState.QUARANTINED, "why": "damaged"}
    elif state != EventState.REJECTED:
        columns["state"] = EventState.READY
    return Kept(columns, kept.parts)


def _may_stay(state: object, part: str) -> bool:
    """A receipt ends the photos, a purge ends everything, also where the keyring had not yet heard of it."""
    return state != EventState.PURGED and (state != EventState.DELIVERED or part == TEXT)


def _remark(store: Store, told: Rebuilt, wall: float) -> None:
    with store.transaction():
        store.remark(REBUILD, json.dumps(told.to_json(), separators=(",", ":")), wall)
