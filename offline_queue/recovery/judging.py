"""What a damaged database still proves about an event. Pure but for the pages behind ``Carved``.

A row is believed when its hash says so, or when its text opens in the place that the row names: nobody can forge
that. States only go forward: of what the row and the chain say, the later one counts, and whatever is in doubt is
sent again, because the authority knows it by its hash.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from offline_queue.crypto.sealing import PHOTO_KINDS, TEXT, SealedPart
from offline_queue.database.rows import COLUMNS, Event, event_of
from offline_queue.database.schema import TABLES
from offline_queue.delivery.replies import RECEIPT_NO
from offline_queue.recovery.carving import Carved, Change
from offline_queue.recovery.kept import Kept, Value
from offline_queue.states import EventState

OpenPart = Callable[[Event, SealedPart], bytes | None]
WindowS = Callable[[str], float]

_RANK = (EventState.PURGED, EventState.SUPERSEDED, EventState.DELIVERED)
"""States that are final, the last one first."""
_WAITING = frozenset({EventState.BLOCKED, EventState.READY, EventState.INFLIGHT, EventState.QUARANTINED})


@dataclass(frozen=True, slots=True)
class Judged:
    """What is left of one event."""

    number: int
    kept: Kept | None
    """With the state in which it comes back; None when nothing proves which record it was."""
    repaired: bool = False
    """Its row was broken or gone, and the chain and its text told what it was."""

    @property
    def sealed(self) -> bool:
        """It comes back, but cannot be opened."""
        return self.kept is not None and self.kept.columns["state"] == EventState.QUARANTINED


def judge(carved: Carved, number: int, opens: OpenPart, window_s: WindowS) -> Judged:
    """Judge one event by everything that lies about of it."""
    identity = _identity(carved.born.get(number))
    rows = [row | (identity or {}) for row in carved.rows(number)]
    for row in (*carved.rows(number), *rows):
        if event_from(row).intact:
            return Judged(number, _finished(carved, number, row, opens))
    stub = None if identity is None else _stub(carved, number, identity)
    for row in (*rows, *([stub] if stub is not None else [])):
        if (made := _from_text(carved, number, row, opens, window_s)) is not None:
            return Judged(number, _finished(carved, number, made, opens), repaired=True)
    if stub is None:
        return Judged(number, None)
    # Nothing opens it any more: its receipt is kept, or staff see which record it was
    return Judged(number, _finished(carved, number, rows[0] if rows else stub, opens), repaired=True)


def missing_photos(text: bytes, parts: set[str]) -> bool:
    """Say whether the text names a photo that is not among the parts."""
    try:
        kinds = {str(photo["kind"]) for photo in json.loads(text).get("photos", ())}
    except (ValueError, KeyError, TypeError, AttributeError):
        return False
    return bool(kinds & set(PHOTO_KINDS) - parts)


def _finished(carved: Carved, number: int, row: Mapping[str, Value], opens: OpenPart) -> Kept:
    state, receipt = _state(carved, number, row)
    columns = dict(row) | {"state": state, "receipt": receipt, "batch": None, "tried_seq": 0}
    if state in _RANK and columns["settled_at"] is None:
        columns["settled_at"] = carved.last[number][3] / 1000 if number in carved.last else columns["wall"]
    if state is EventState.PURGED:
        return Kept(columns)
    parts, opened = _parts(carved, number, columns, opens)
    text = opened.get(TEXT)
    whole = text is not None and _hash(text) == row["content_hash"] and len(opened) == len(parts)
    sendable = text is not None and whole and not missing_photos(text, set(opened))
    if state is EventState.DELIVERED and sendable and _chain_doubts(carved, number):
        # Somebody wrote it into the row: the authority says what is true, and gives its receipt again
        return Kept(columns | {"state": EventState.READY, "receipt": None, "settled_at": None}, tuple(parts))
    if state in _WAITING or state is EventState.REJECTED:
        if not sendable:
            columns |= {"state": EventState.QUARANTINED, "why": "damaged"}
        elif state is not EventState.REJECTED:
            columns["state"] = EventState.READY
    elif state is EventState.DELIVERED:
        parts = [part for part in parts if part.part == TEXT]
    return Kept(columns, tuple(part for part in parts if state not in _RANK or part.part in opened))


def _parts(
    carved: Carved, number: int, columns: Mapping[str, Value], opens: OpenPart
) -> tuple[list[SealedPart], dict[str, bytes]]:
    """Return the parts that are left, and what opens of them."""
    event = event_from(columns)
    parts: list[SealedPart] = []
    opened: dict[str, bytes] = {}
    for name in carved.part_names(number):
        part, data = _part(carved, number, name, event, opens)
        if part is not None:
            parts.append(part)
        if data is not None:
            opened[name] = data
    return parts, opened


def _chain_doubts(carved: Carved, number: int) -> bool:
    """Say whether the chain knows the event, and knows nothing of a delivery."""
    told = carved.last[number][1] if number in carved.last else EventState.DELIVERED
    return told not in _RANK


def _state(carved: Carved, number: int, row: Mapping[str, Value]) -> tuple[EventState, Value]:
    """Return the latest state that row or chain tell of, and the receipt."""
    _, told, detail, _ = carved.last.get(number, (0, "", "", 0))
    said = [state for state in EventState if state in (row["state"], told)]
    written = row["receipt"]
    if not isinstance(written, str) or not RECEIPT_NO.fullmatch(written):
        written = None  # a page that was overwritten: the row's own hash does not cover what came later
    receipt = written or (detail if told == EventState.DELIVERED else None)
    for state in _RANK:
        if state in said and (receipt or state is not EventState.DELIVERED):
            return state, receipt
    if EventState.REJECTED in said and len(set(said)) == 1:
        return EventState.REJECTED, None
    return EventState.READY, None


def _part(
    carved: Carved, number: int, name: str, event: Event, opens: OpenPart
) -> tuple[SealedPart | None, bytes | None]:
    """Return the first of the parts with this name that opens; else any of them. None when its key was destroyed."""
    found = list(carved.parts(number, name))
    if any(not any(part.wrapped) for part in found):
        return None, None
    for part in found:
        if (data := opens(event, part)) is not None:
            return part, data
    return (found[0] if found else None), None


def _text(carved: Carved, number: int, row: Mapping[str, Value], opens: OpenPart) -> bytes | None:
    return _part(carved, number, TEXT, event_from(row), opens)[1]


def _stub(carved: Carved, number: int, identity: Mapping[str, Value]) -> dict[str, Value]:
    """Make a row anew from the chain's first entry."""
    wall = carved.born[number][3] / 1000
    row: dict[str, Value] = dict.fromkeys(TABLES["event"])
    row |= {"id": number, "state": "READY", "stay": "", "attempts": 0, "strikes": 0, "tried_seq": 0}
    row |= {"next_at": wall, "due_at": wall, "wall": wall, "boot": "", "mono": 0.0}
    return row | dict(identity) | {"given_hash": identity["content_hash"]}


def _from_text(
    carved: Carved, number: int, row: Mapping[str, Value], opens: OpenPart, window_s: WindowS
) -> dict[str, Value] | None:
    """Believe a row because its text opens in its place; what the text says too is taken from there."""
    text = _text(carved, number, row, opens)
    if text is None or _hash(text) != row["content_hash"]:
        return None
    try:
        told = json.loads(text)
        due_at = datetime.fromisoformat(told["occurredAt"]).timestamp() + window_s(str(row["op"]))
        return dict(row) | {"stay": str(told["stayId"]), "due_at": due_at}
    except (ValueError, KeyError, TypeError):
        return dict(row)


def _identity(born: Change | None) -> dict[str, Value] | None:
    """Read an event's first entry in the chain."""
    if born is None:
        return None
    try:
        record, revision, op, content_hash = born[2].split(" ")
        hashed = bytes.fromhex(content_hash)
        return {"record": UUID(record).bytes, "revision": int(revision), "op": op, "content_hash": hashed}
    except ValueError:
        return None


def event_from(row: Mapping[str, Value]) -> Event:
    """Return a row as an Event; a record without an id has one of zeros, a state that does not exist is READY."""
    held = dict(row)
    record, state = held["record"], held["state"]
    held["record"] = record if isinstance(record, bytes) and len(record) == 16 else bytes(16)
    held["given_hash"] = held["given_hash"] or held["content_hash"]
    held["state"] = state if state in tuple(EventState) else EventState.READY
    return event_of(tuple(held[name] for name in COLUMNS.split(", ")))


def _hash(text: bytes) -> bytes:
    return hashlib.sha256(text).digest()
