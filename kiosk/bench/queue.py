"""``./run bench queue``: what the outbox costs beside the bare disk and beside another queue; growth; drain."""

from __future__ import annotations

import argparse
import json
import platform
import sqlite3
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

import psutil

from kiosk.bench.command import count
from kiosk.bench.machine import cores
from kiosk.bench.queue_drain import drain
from kiosk.bench.queue_growth import growth
from kiosk.bench.queue_rounds import ack_rounds, put_rounds, ratio
from kiosk.bench.queue_syncs import syncs_per_put

AT_LEAST = {
    "put_vs_raw": 0.40,
    "put_vs_persistqueue": 0.85,
    "getack_vs_persistqueue": 5.0,
    "drain_20ms_per_s": 20.0,
    "drain_batch_per_s": 900.0,
}
AT_MOST = {
    "syncs_per_put": 1.1,
    "put_1m_vs_1k": 1.25,
    "claim_1m_vs_1k": 1.25,
    "deliver_1m_vs_1k": 1.25,
    "count_us_p50": 50.0,
}
ABOUT = """\
Every figure is the median of --rounds alternating rounds in one run on one disk; ratios, because a shared machine's
milliseconds are nobody's. It does not show a worn disk of a kiosk, nor a line through a city: the drain is on loopback,
with the ledger of the other side in memory.
"""
Tell = Callable[[str], None]


def main(argv: list[str]) -> int:
    """Measure; exit 1 when a figure is outside its limit."""
    parser = argparse.ArgumentParser(
        prog="./run bench queue", description=ABOUT, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=count, default=9)
    parser.add_argument("--rows", type=count, default=1_000_000, help="of the large store")
    parser.add_argument("--drain", type=count, default=1_000, help="records to drain in batches")
    parser.add_argument(
        "--dir", type=Path, help="a folder on the disk to measure; default: the system's for temporary files"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(argv)

    def tell(text: str) -> None:
        sys.stderr.write(f"bench queue: {text}\n")

    with tempfile.TemporaryDirectory(prefix="suizhu-bench-", dir=given.dir) as scratch:
        folder = Path(scratch)
        if (kind := file_system(folder)) in ("tmpfs", "ramfs"):
            tell(f"{folder} lies in memory ({kind}): nothing here is durable, give --dir on a real disk")
        # A kiosk puts on a thread of its runner's, never on the main one
        with ThreadPoolExecutor(1, "bench") as worker:
            figures = worker.submit(measured, folder, given.rounds, given.rows, given.drain, given.seed, tell).result()
    outside = beyond(figures)
    facts = {"rounds": given.rounds, "rows": given.rows, "seed": given.seed, "cores": cores(), "file_system": kind}
    facts |= {"sqlite": sqlite3.sqlite_version, "python": platform.python_version()}
    if given.json:
        sys.stdout.write(json.dumps({**figures, "outside": outside, **facts}) + "\n")
    else:
        sys.stdout.writelines(f"{name:<28}{value:>12}{_limit(name)}\n" for name, value in figures.items())
        sys.stdout.write("outside their limits: " + (", ".join(outside) or "none") + "\n")
    return 1 if outside else 0


def measured(folder: Path, rounds: int, rows: int, drained: int, seed: int, tell: Tell) -> dict[str, float]:
    """Return every figure by its key."""
    tell(f"{rounds} rounds of puts against a bare file and persist-queue")
    puts = put_rounds(folder, rounds, 60, seed)
    tell("taking out and acknowledging")
    acks = ack_rounds(folder, rounds, 100, seed)
    tell("counting syncs")
    syncs = syncs_per_put(folder, 300, seed)
    tell(f"growth: filling a store with {rows} rows (minutes)")
    grown, count_us = growth(folder / "growth", rows, rounds, 40, seed)
    tell("draining over mutual TLS")
    slow = [
        drain(folder / f"slow-{n}", max(10, drained // 15), latency_ms=20, batch_max=1, seed=seed) for n in range(3)
    ]
    quick = [drain(folder / f"quick-{n}", drained, latency_ms=0, batch_max=100, seed=seed) for n in range(3)]
    return {
        "put_vs_raw": ratio([(one.raw, one.outbox) for one in puts]),
        "syncs_per_put": round(syncs, 3),
        "put_1m_vs_1k": ratio([(large.put, small.put) for small, large in grown]),
        "claim_1m_vs_1k": ratio([(large.claim, small.claim) for small, large in grown]),
        "deliver_1m_vs_1k": ratio([(large.deliver, small.deliver) for small, large in grown]),
        "count_us_p50": round(count_us, 1),
        "put_vs_persistqueue": ratio([(one.other, one.outbox) for one in puts]),
        "getack_vs_persistqueue": ratio([(one.other, one.outbox) for one in acks]),
        "drain_20ms_per_s": round(median(slow), 1),
        "drain_batch_per_s": round(median(quick), 1),
        "put_ms": round(1000 * median(one.outbox for one in puts), 3),
        "raw_ms": round(1000 * median(one.raw for one in puts), 3),
        "persistqueue_put_ms": round(1000 * median(one.other for one in puts), 3),
    }


def beyond(figures: dict[str, float]) -> list[str]:
    """Return the names of figures outside their limits."""
    return [name for name, least in AT_LEAST.items() if figures[name] < least] + [
        name for name, most in AT_MOST.items() if figures[name] > most
    ]


def file_system(folder: Path) -> str:
    """Return the kind of file system that a folder lies on, ``unknown`` when it cannot be told."""
    mounts = [m for m in psutil.disk_partitions(all=True) if folder.resolve().is_relative_to(m.mountpoint)]
    return max(mounts, key=lambda mount: len(mount.mountpoint)).fstype if mounts else "unknown"


def _limit(name: str) -> str:
    if name in AT_LEAST:
        return f"   at least {AT_LEAST[name]:g}"
    return f"   at most {AT_MOST[name]:g}" if name in AT_MOST else ""
