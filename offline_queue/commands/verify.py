"""``queue verify``: the whole outbox checked against itself."""

from __future__ import annotations

import argparse

from kiosk.config import Config
from offline_queue.answering import words
from offline_queue.answering.inquiry import Inquiry
from offline_queue.commands import reach
from offline_queue.commands.verb import Told, Verb


def run(given: argparse.Namespace, config: Config) -> Told:  # noqa: ARG001 - every verb is called alike
    row = reach.row(config, Inquiry("verify"))
    faults = row["faults"] if isinstance(row["faults"], list) else []
    checked = f"{words.many(row['events'], 'revision')}, {words.many(row['changes'], 'change')} of state"
    if not faults:
        return Told(row, [f"{checked}: everything holds"])
    advice = "Next: ./run queue salvage, and call support with these lines"
    return Told(row, [*map(str, faults), f"{checked}: {words.many(len(faults), 'fault')}. {advice}"], status=1)


VERB = Verb(
    "verify",
    "check rows, hashes, chain and that all that waits can be opened",
    "Checks the whole outbox against itself: each row's hash, the indexes, the chain of changes, the tally, that what "
    "waits can be opened, and that the second copy could make it all again. Changes nothing; the kiosk may run. Of a "
    "stopped kiosk SQLite checks the pages, too, and a file too damaged to be opened is set aside, as at a start. Exit "
    "status 1 when there is a fault.",
    ("verify", "verify --json"),
    run,
)
