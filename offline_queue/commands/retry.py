"""``queue retry [RECORD]``: try the line at once, or a rejected record again with the same bytes."""

from __future__ import annotations

import argparse

from kiosk.config import Config
from offline_queue.answering.inquiry import Inquiry
from offline_queue.commands import reach, table
from offline_queue.commands.verb import Told, Verb


def run(given: argparse.Namespace, config: Config) -> Told:
    rows = reach.rows(config, Inquiry("retry", given.record))
    running = bool(reach.row(config, Inquiry("status"))["running"])
    told = (
        "the line is tried now" if running else "the kiosk is stopped: it tries the line when it starts (./run start)"
    )
    return Told({"rows": rows, "running": running}, [*table.table(rows), told])


def _add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("record", nargs="?", default="", help="the record's UUID; without it only the line is tried")


VERB = Verb(
    "retry",
    "try the line now, or a rejected record again",
    "Without a record: the kiosk tries the line at once, however long it meant to wait. With one: a rejected record "
    "is sent again with the same bytes; one that could not be opened is looked at again. Who asked is kept.",
    ("retry", "retry 0d9a6f0e-3f0b-4c5e-9a50-1f6f3f0f7c11"),
    run,
    _add,
)
