"""The states of an event in the outbox, and the only ways between them."""

from __future__ import annotations

from enum import StrEnum


class EventState(StrEnum):
    """Where one (record, revision) stands.

    BLOCKED ─▶ READY ⇄ INFLIGHT ─▶ DELIVERED ─▶ PURGED
                          │
                          └──────▶ REJECTED ─▶ SUPERSEDED      anything unsent ─▶ QUARANTINED ─▶ SUPERSEDED
    """

    BLOCKED = "BLOCKED"
    """An earlier revision of the same record is missing or not done."""
    READY = "READY"
    INFLIGHT = "INFLIGHT"
    """Sent, or about to be: the outcome is unknown until a result says so."""
    DELIVERED = "DELIVERED"
    """The authority's receipt is saved."""
    PURGED = "PURGED"
    """Delivered, kept for the retention time, then erased: receipt and hash remain."""
    REJECTED = "REJECTED"
    """The authority refused it: a person decides."""
    SUPERSEDED = "SUPERSEDED"
    """Replaced by a person's later revision: rejected, not to be opened, or waiting behind such a one."""
    QUARANTINED = "QUARANTINED"
    """It cannot be opened."""


DONE = frozenset({EventState.DELIVERED, EventState.PURGED, EventState.SUPERSEDED})
"""States of earlier revisions that let the next one of the record go."""

UNSENT = frozenset(EventState) - DONE
"""States in which the legal duty to report is still open."""

MOVES: frozenset[tuple[EventState, EventState]] = frozenset(
    {
        (EventState.BLOCKED, EventState.READY),
        (EventState.READY, EventState.INFLIGHT),
        (EventState.INFLIGHT, EventState.READY),
        (EventState.INFLIGHT, EventState.DELIVERED),
        (EventState.INFLIGHT, EventState.REJECTED),
        (EventState.DELIVERED, EventState.PURGED),
        (EventState.REJECTED, EventState.READY),  # a person says: try the same bytes again
        (EventState.REJECTED, EventState.SUPERSEDED),
        (EventState.QUARANTINED, EventState.SUPERSEDED),
        (EventState.BLOCKED, EventState.SUPERSEDED),  # what it says stands in the correction of what it waits for
        (EventState.BLOCKED, EventState.QUARANTINED),
        (EventState.READY, EventState.QUARANTINED),
        (EventState.INFLIGHT, EventState.QUARANTINED),
        (EventState.QUARANTINED, EventState.READY),  # a person restored the key
    }
)
