"""``queue show RECORD``: every revision of one record, masked."""

from __future__ import annotations

import argparse

from kiosk.config import Config
from offline_queue.answering.inquiry import Inquiry
from offline_queue.commands import reach, table
from offline_queue.commands.verb import Told, Verb


def run(given: argparse.Namespace, config: Config) -> Told:
    rows = reach.rows(config, Inquiry("show", given.record))
    return Told({"rows": rows}, [line for row in rows for line in table.story(row)])


def _add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("record", help="the record's UUID, as queue list tells it")


VERB = Verb(
    "show",
    "every revision of one record, masked",
    "The story of one record: who (masked), what, each revision's state, receipt, and what still lies sealed here.",
    ("show 0d9a6f0e-3f0b-4c5e-9a50-1f6f3f0f7c11",),
    run,
    _add,
)
