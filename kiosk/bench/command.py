"""``./run bench``: which benches there are, and the table that finds them."""

from __future__ import annotations

import argparse
import importlib
import sys

BENCHES = {
    "checkin": ("kiosk.bench.checkin", "machine time of whole check-ins, step by step"),
    "queue": ("kiosk.bench.queue", "what the outbox costs, against the disk and another queue; growth; drain"),
    "fleet": ("kiosk.bench.fleet", "5,000 kiosks after hours without a network, simulated"),
    "start": ("kiosk.bench.start", "time to the first frame, memory of all processes, idle CPU"),
}


def main(argv: list[str]) -> int:
    """Run one bench, or list them."""
    if not argv or argv[0] in ("-h", "--help"):
        sys.stdout.write("usage: ./run bench NAME [--json]\n\n")
        for name, (_, text) in BENCHES.items():
            sys.stdout.write(f"{name:<10}{text}\n")
        return 0
    if argv[0] not in BENCHES:
        sys.stderr.write(f"bench: no bench is called {argv[0]!r}; there are: {', '.join(BENCHES)}\n")
        return 2
    status: int = importlib.import_module(BENCHES[argv[0]][0]).main(argv[1:])
    return status


def count(text: str) -> int:
    """Take how often a bench shall measure, from a command line."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("1 or more, please")
    return number
