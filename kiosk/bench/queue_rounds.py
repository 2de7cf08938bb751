"""One durable insert beside another, in alternating rounds: a bare file, the outbox, persist-queue.

Each round times the same number of inserts of the same bytes on the same disk; what is reported is the median over the
rounds of each round's ratio, so that a disk that is slow for a while slows all three.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from persistqueue import SQLiteAckQueue

from kiosk.bench.outbox_stand import Stand, photos_bytes, registrations, wire_bytes

BATCH = 50


@dataclass(frozen=True, slots=True)
class PutRound:
    """Seconds for one insert, the mean of a round."""

    raw: float
    outbox: float
    other: float


@dataclass(frozen=True, slots=True)
class AckRound:
    """Seconds to take one record out and to acknowledge it, the mean of a round."""

    outbox: float
    other: float


def put_rounds(folder: Path, rounds: int, inserts: int, seed: int) -> list[PutRound]:
    """Time puts of 40 KB records (text and two photos). The first round warms up and is not counted."""
    book = registrations(random.Random(seed), photos_bytes(40_000))  # noqa: S311 - sizes and names of nobody
    results: list[PutRound] = []
    with Stand(folder / "outbox") as stand, _Raw(folder / "raw") as raw:
        other = _other(folder / "other")
        for _ in range(rounds + 1):
            records = [book() for _ in range(inserts)]
            bodies = [wire_bytes(record) for record in records]
            contestants: list[tuple[str, Callable[[], float]]] = [
                ("raw", lambda bodies=bodies: _mean(raw.append, bodies)),  # type: ignore[misc]
                ("outbox", lambda records=records: _mean(stand.owner.outbox.put, records)),  # type: ignore[misc]
                ("other", lambda bodies=bodies: _mean(other.put, bodies)),  # type: ignore[misc]
            ]
            rotated = contestants[len(results) % 3 :] + contestants[: len(results) % 3]
            results.append(PutRound(**{name: run() for name, run in rotated}))
        other.close()
    return results[1:]


def ack_rounds(folder: Path, rounds: int, records: int, seed: int) -> list[AckRound]:
    """Time taking records out and acknowledging them: the outbox by 50, as it delivers them; the other one by one."""
    book = registrations(random.Random(seed), photos_bytes(40_000))  # noqa: S311
    results: list[AckRound] = []
    with Stand(folder / "outbox-ack") as stand:
        other = _other(folder / "other-ack")
        for _ in range(rounds + 1):
            for record in (book() for _ in range(records)):
                stand.owner.outbox.put(record)
                other.put(wire_bytes(record))
            began = time.perf_counter()
            for _ in range(records // BATCH):
                stand.deliver(stand.claim(BATCH))
            ours = time.perf_counter() - began
            began = time.perf_counter()
            for _ in range(records):
                item = other.get()
                other.ack(item)
            theirs = time.perf_counter() - began
            other.clear_acked_data()
            results.append(AckRound(ours / records, theirs / records))
        other.close()
    return results[1:]


def _other(path: Path) -> SQLiteAckQueue:
    """Open the other queue as a kiosk would have to: one thread puts, another takes out, each commit is synced."""
    return SQLiteAckQueue(str(path), auto_commit=True, multithreading=True)


def ratio(pairs: Sequence[tuple[float, float]]) -> float:
    """Return the median of first / second."""
    return round(median(first / second for first, second in pairs), 3)


def _mean(insert: Callable[..., object], values: Sequence[object]) -> float:
    began = time.perf_counter()
    for value in values:
        insert(value)
    return (time.perf_counter() - began) / len(values)


class _Raw:
    """The least that durability costs: append, then fdatasync."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def append(self, data: bytes) -> None:
        os.write(self._fd, data)
        os.fdatasync(self._fd)

    def __enter__(self) -> _Raw:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)
