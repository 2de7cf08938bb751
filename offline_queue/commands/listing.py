"""``queue list``: the newest records, or those that wait."""

from __future__ import annotations

import argparse

from kiosk.config import Config
from offline_queue.answering import words
from offline_queue.answering.inquiry import LONGEST_LIST, Inquiry
from offline_queue.commands import reach, table
from offline_queue.commands.verb import Told, Verb


def run(given: argparse.Namespace, config: Config) -> Told:
    if given.csv:
        waiting = reach.rows(config, Inquiry("waiting"))
        return Told({"rows": waiting}, table.masked_csv(waiting))
    inquiry = Inquiry("list", limit=given.limit, waiting=given.waiting, flagged=given.flagged)
    rows = reach.rows(config, inquiry)
    return Told({"rows": rows}, table.table(rows) or [_none(inquiry), *_aside(reach.damaged(config))])


def _aside(damaged: int) -> list[str]:
    if not damaged:
        return []
    return [f"but what lies in {words.many(damaged, 'damaged database')} is not back yet: ./run queue salvage"]


def _none(inquiry: Inquiry) -> str:
    if inquiry.flagged:
        return "no delivered record needs a look"
    return "nothing waits: every record is delivered" if inquiry.waiting else "nothing in the outbox yet"


def limit(text: str) -> int:
    """Read the length of a list."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= LONGEST_LIST:
        raise argparse.ArgumentTypeError(f"a number from 1 to {LONGEST_LIST}")
    return int(text)


def _add(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--waiting", action="store_true", help="only what is not delivered, due first on top")
    which.add_argument(
        "--flagged", action="store_true", help="delivered with a warning, or not in the authority's list"
    )
    which.add_argument("--csv", action="store_true", help="all that waits as CSV, masked")
    parser.add_argument("--limit", type=limit, default=50, help=f"1 to {LONGEST_LIST}; default 50")


VERB = Verb(
    "list",
    "the newest records, or those that wait",
    "One line per revision: its state, how many tries failed, when it is due by law, the last answer. Names nobody.",
    ("list --waiting", "list --csv > waiting.csv"),
    run,
    _add,
)
