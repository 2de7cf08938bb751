"""The outbox's rows as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from offline_queue.sealing import SealedPart
from offline_queue.states import EventState

COLUMNS = (
    "id, record, revision, op, stay, state, supersedes, attempts, strikes, tried_seq, next_at, due_at, wall, "
    "content_hash, batch, http, why, receipt, received_at, settled_at"
)
"""Columns of an Event, in its order."""


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


def event_of(row: tuple[object, ...]) -> Event:
    """Make an Event of one row of ``COLUMNS``."""
    id_, record, revision, op, stay, state, *rest = row
    assert isinstance(record, bytes)  # noqa: S101 - a STRICT table holds nothing else
    return Event(id_, UUID(bytes=record), revision, op, stay, EventState(str(state)), *rest)  # type: ignore[arg-type]
