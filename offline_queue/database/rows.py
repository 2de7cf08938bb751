"""The outbox's rows as values."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from uuid import UUID

from offline_queue.crypto.sealing import SealedPart
from offline_queue.states import EventState

COLUMNS = (
    "id, record, revision, op, stay, state, supersedes, attempts, strikes, tried_seq, next_at, due_at, wall, "
    "content_hash, batch, http, why, receipt, received_at, settled_at, "
    "flag, boot, mono, given_hash, row_hash"
)
"""Columns of an Event, in its order."""
_INT, _REAL, _TEXT, _BLOB, _NULL = int, float, str, bytes, type(None)
_TYPES: tuple[tuple[type, ...], ...] = (
    *((_INT,), (_BLOB,), (_INT,), (_TEXT,), (_TEXT,), (_TEXT,), (_INT, _NULL), (_INT,), (_INT,), (_INT,)),
    *((_REAL, _INT), (_REAL, _INT), (_REAL, _INT), (_BLOB,), (_TEXT, _NULL), (_INT, _NULL), (_TEXT, _NULL)),
    *((_TEXT, _NULL), (_TEXT, _NULL), (_REAL, _INT, _NULL), (_TEXT, _NULL)),
    *((_TEXT,), (_REAL, _INT), (_BLOB, _NULL), (_BLOB, _NULL)),
)
"""What each may be: a damaged page holds rows of any kind."""


@dataclass(frozen=True, slots=True)
class NewEvent:
    """What ``put`` brings; its parts are sealed already."""

    record_id: UUID
    revision: int
    op: str
    stay: str
    supersedes: int | None
    due_at: float
    wall: float
    boot: str
    mono: float
    content_hash: bytes
    """SHA-256 of the frozen text, as it is sent."""
    given_hash: bytes
    """SHA-256 of the text as it was handed to ``put``: another one only where the guest was sealed to a recipient."""
    parts: tuple[SealedPart, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Event:
    """One row of ``event``. Times are Unix seconds."""

    id: int
    record_id: UUID
    revision: int
    op: str
    stay: str
    state: EventState
    supersedes: int | None
    attempts: int
    strikes: int
    tried_seq: int
    next_at: float
    due_at: float
    wall: float
    content_hash: bytes
    batch: str | None
    http: int | None
    why: str | None
    receipt: str | None
    received_at: str | None
    settled_at: float | None
    flag: str | None
    """A note for staff about a delivered record."""
    boot: str
    mono: float
    given_hash: bytes
    row_hash: bytes | None
    """Over the columns that never change; None where something else than the outbox made the row."""

    @property
    def intact(self) -> bool:
        """Say whether the columns that never change are those that were put."""
        return self.row_hash is not None and self.row_hash == self.hashed().row_hash

    def hashed(self) -> Event:
        """Return the event with the hash of what it says now."""
        hashed = row_hash(
            *(self.id, self.record_id, self.revision, self.op, self.stay, self.supersedes),
            *(self.due_at, self.wall, self.boot, self.mono, self.content_hash, self.given_hash),
        )
        return replace(self, row_hash=hashed)


def event_of(row: tuple[object, ...]) -> Event:
    """Make an Event of one row of ``COLUMNS``. Raises ValueError for a row that is none of ours."""
    id_, record, revision, op, stay, state, *rest = row
    if not isinstance(record, bytes) or not all(map(isinstance, row, _TYPES)):
        raise ValueError("a row of event holds what a STRICT table of ours cannot")
    return Event(id_, UUID(bytes=record), revision, op, stay, EventState(str(state)), *rest)  # type: ignore[arg-type]


def columns_of(event: Event) -> dict[str, int | float | str | bytes | None]:
    """Return an event's row by column, in the order of ``COLUMNS``: what ``event_of`` makes an Event of."""
    held = {"record": event.record_id.bytes, "state": event.state.value}
    return {name: held[name] if name in held else getattr(event, name) for name in COLUMNS.split(", ")}


def row_hash(
    event: int,
    record_id: UUID,
    revision: int,
    op: str,
    stay: str,
    supersedes: int | None,
    due_at: float,
    wall: float,
    boot: str,
    mono: float,
    content_hash: bytes,
    given_hash: bytes,
) -> bytes:
    """Return the SHA-256 that tells a damaged row from a whole one."""
    identity = f"{event}|{record_id.hex}|{revision}|{op}|{supersedes}|{content_hash.hex()}|{given_hash.hex()}"
    times = f"{float(due_at)!r}|{float(wall)!r}|{boot}|{float(mono)!r}"
    return hashlib.sha256(f"{identity}|{times}|{stay}".encode()).digest()


@dataclass(frozen=True, slots=True)
class Wrapped:
    """One row of ``data_key``, with the place its key is bound to."""

    row: int
    """Grows with each key that is added."""
    event: int
    record_id: UUID
    revision: int
    op: str
    part: SealedPart
    """Without what it seals."""

    @property
    def destroyed(self) -> bool:
        return not any(self.part.wrapped)
