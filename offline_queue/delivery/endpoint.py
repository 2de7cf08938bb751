"""What the sync thread needs from an authority's adapter. One file per authority in ``endpoints``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from offline_queue.delivery.authority_time import AuthorityTime
from offline_queue.delivery.claims import Claimed
from offline_queue.delivery.receipts_list import DayList
from offline_queue.delivery.replies import Reply, Result


@dataclass(frozen=True, slots=True)
class Window:
    """A time in which the authority is being maintained, Unix seconds of its own clock."""

    begin: float
    end: float


@dataclass(frozen=True, slots=True)
class Limits:
    """What the authority said of itself: how much one batch may hold, when it rests, how new its tables are."""

    max_records: int
    max_body_bytes: int = 4 * 1024 * 1024
    schema_version: str = ""
    """Changes with every change of the code tables; empty before it was told."""
    maintenance: tuple[Window, ...] = ()


@dataclass(frozen=True, slots=True)
class ChainHead:
    """Where the outbox's chain stands: the authority notices when it goes back."""

    seq: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Table:
    """One code table of the authority: code → name."""

    name: str
    version: str
    entries: Mapping[str, str] = field(repr=False)


class Endpoint(Protocol):
    """Sends, and brings back allow-listed values; decides nothing and raises nothing for a bad answer.

    Every call comes from the sync thread and blocks for at most the configured time-out plus what
    the body needs; ``stop`` comes from any thread and ends the call under way.
    """

    limits: Limits
    time: AuthorityTime | None
    """None until the authority told its time."""

    def send(self, batch_id: str, items: Sequence[Claimed], head: ChainHead | None) -> Reply:
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

    def read_limits(self) -> Reply:
        """Ask for the limits anew; what the answer does not say stays as it was."""
        ...

    def table(self, name: str) -> tuple[Reply, Table | None]:
        """Ask for one code table; None when the answer holds none."""
        ...

    def receipts(self, day: str) -> tuple[Reply, DayList | None]:
        """Ask for the receipts of one day, ``2026-01-31``; None when the answer holds no list."""
        ...

    def stop(self) -> None:
        """End the call under way and refuse more. From any thread."""
        ...

    def close(self) -> None:
        """Let go of connections. Safe to call twice."""
        ...
