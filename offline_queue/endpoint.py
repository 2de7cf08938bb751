"""What the sync thread needs from an authority's adapter. One file per authority in ``endpoints``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from offline_queue.claims import Claimed
from offline_queue.replies import Reply, Result


@dataclass(frozen=True, slots=True)
class Limits:
    """What one batch may hold."""

    max_records: int
    max_body_bytes: int = 4 * 1024 * 1024


class Endpoint(Protocol):
    """Sends, and brings back allow-listed values; decides nothing and raises nothing for a bad answer.

    Every call comes from the sync thread and blocks for at most the configured time-out plus what
    the body needs; ``stop`` comes from any thread and ends the call under way.
    """

    limits: Limits

    def send(self, batch_id: str, items: Sequence[Claimed]) -> Reply:
        """Hand in a batch. ``batch_id`` makes a second try of the same batch harmless."""
        ...

    def poll(self, batch_id: str) -> Reply:
        """Ask what became of a batch that was taken in."""
        ...

    def record(self, record_id: str) -> tuple[Reply, Result | None]:
        """Ask what the authority has of one record; None when the answer names none."""
        ...

    def take_token(self) -> Reply:
        """Forget the token and fetch a new one, with the endpoint's limits."""
        ...

    def stop(self) -> None:
        """End the call under way and refuse more. From any thread."""
        ...

    def close(self) -> None:
        """Let go of connections. Safe to call twice."""
        ...
