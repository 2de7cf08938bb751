"""Whether the outbox stays as quick at a million rows as at a thousand: put, claim and deliver, and the counts."""

from __future__ import annotations

import hashlib
import itertools
import json
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from statistics import median
from typing import TypeVar

from kiosk.bench.outbox_stand import Stand
from kiosk.model import Registration, RegistrationId
from offline_queue.database.rows import NewEvent
from offline_queue.store import Store

PAYLOAD_BYTES = 200
T = TypeVar("T")

_AT_ONCE = 5_000
"""Rows filled in one transaction."""


@dataclass(frozen=True, slots=True)
class Medians:
    """Of one round, in seconds."""

    put: float
    claim: float
    deliver: float


def small_records(dice: Random) -> Iterator[Registration]:
    """Yield check-ins whose whole payload is 200 bytes of text: what grows is the table, not the bytes."""
    for serial in itertools.count():
        record_id = str(uuid.UUID(int=dice.getrandbits(128), version=4))
        body = {"recordId": record_id, "revision": 1, "op": "CI", "salt": f"{dice.getrandbits(128):032x}", "pad": ""}
        body["pad"] = "x" * (PAYLOAD_BYTES - len(json.dumps(body)))
        text = json.dumps(body).encode()
        yield Registration(RegistrationId(record_id), 1, "CI", f"S-{serial}", datetime.now(UTC), text)


def fill(stand: Stand, rows: int, records: Iterator[Registration]) -> None:
    """Put rows through the store's own insert, thousands in one transaction; then let the log go."""

    def insert(some: list[NewEvent]) -> Callable[[Store], None]:
        def work(store: Store) -> None:
            with store.transaction():
                for new in some:
                    store.insert(new)

        return work

    for begin in range(0, rows, _AT_ONCE):
        some = [_new_event(stand, record) for record in itertools.islice(records, min(_AT_ONCE, rows - begin))]
        stand.owner.call(insert(some))
    stand.owner.call(Store.truncate_log)


def growth(
    folder: Path, rows: int, rounds: int, operations: int, seed: int
) -> tuple[list[tuple[Medians, Medians]], float]:
    """Return each round's medians at a thousand rows and at ``rows``, and the median of a count at ``rows`` in µs."""
    records = small_records(Random(seed))  # noqa: S311
    with Stand(folder / "small") as small, Stand(folder / "large") as large:
        fill(small, 1_000, records)
        fill(large, rows, records)
        for stand in (small, large):
            _round(stand, operations, records)  # warms caches, not counted
        results = []
        for number in range(rounds):
            order = (small, large) if number % 2 == 0 else (large, small)
            found = {id(stand): _round(stand, operations, records) for stand in order}
            results.append((found[id(small)], found[id(large)]))
        return results, large.owner.call(_count_us)


def _round(stand: Stand, operations: int, records: Iterator[Registration]) -> Medians:
    puts, claims, deliveries = [], [], []
    for record in itertools.islice(records, operations):
        puts.append(_timed(lambda: stand.owner.outbox.put(record))[0])  # noqa: B023 - called at once
        seconds, items = _timed(lambda: stand.claim(1))
        claims.append(seconds)
        deliveries.append(_timed(lambda: stand.deliver(items))[0])  # noqa: B023
    return Medians(median(puts), median(claims), median(deliveries))


def _timed(work: Callable[[], T]) -> tuple[float, T]:
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result


def _count_us(store: Store) -> float:
    return median(_timed(store.counts)[0] for _ in range(1_001)) * 1e6


def _new_event(stand: Stand, record: Registration) -> NewEvent:
    now, record_id, digest = time.time(), uuid.UUID(record.record_id), hashlib.sha256(record.text).digest()
    return NewEvent(
        record_id=record_id,
        revision=record.revision,
        op=record.op,
        stay=record.stay_id,
        supersedes=None,
        due_at=now + 3600,
        wall=now,
        boot=stand.owner.clock.boot(),
        mono=time.monotonic(),
        content_hash=digest,
        given_hash=digest,
        parts=stand.owner.vault.seal(record_id, record),
    )
