"""``./run queue VERB``: asks the running kiosk over its socket; opens the file itself only when no kiosk holds it.

Guests' data are masked in everything printed; ``export`` alone takes them out, into an encrypted archive.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from typing_extensions import override

from kiosk.config import load, usual_file
from kiosk.errors import KioskError
from offline_queue.answering.inquiry import Row
from offline_queue.commands import amend, export, listing, purge, retry, rotate_keys, salvage, show, status, verify
from offline_queue.commands.verb import Verb

VERBS: tuple[Verb, ...] = (
    status.VERB,
    listing.VERB,
    show.VERB,
    retry.VERB,
    amend.VERB,
    export.VERB,
    purge.VERB,
    verify.VERB,
    salvage.VERB,
    rotate_keys.VERB,
)


def main(argv: list[str]) -> int:
    """Run one verb. Exit status 0: done; 1: refused, or something is wrong; 2: a wrong command line."""
    given = parser().parse_args(argv)
    verb: Verb = given.verb
    try:
        told = verb.alone(given) or verb.run(given, load(given.config))
    except KioskError as exc:
        if given.json:
            _say({"error": str(exc)})
        raise
    if given.json:
        _say(told.document)
    else:
        sys.stdout.write("\n".join([*told.lines, ""]))
    return told.status


def parser() -> argparse.ArgumentParser:
    """Return the command line of all verbs."""
    made = argparse.ArgumentParser(
        prog="./run queue",
        description="What waits for the police endpoint: look at it, move it, take it along.",
        epilog="Asks the running kiosk, or opens the file of a stopped one. Guests are masked, but in an export. "
        "Exit status: 0 done; 1 refused, or something is wrong; 2 a wrong command line.",
    )
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--config", type=Path, default=usual_file(), help="the kiosk's settings")
    common.add_argument("--json", action="store_true", help="answer in one line of JSON, the last on stdout")
    verbs = made.add_subparsers(dest="ask", required=True, metavar="VERB")
    for verb in VERBS:
        examples = "\n".join(f"  ./run queue {example}" for example in verb.examples)
        one = verbs.add_parser(
            verb.name,
            parents=[common],
            help=verb.help,
            description=verb.tells,
            epilog=f"example:\n{examples}",
            formatter_class=_Formatter,
        )
        verb.add(one)
        one.set_defaults(verb=verb)
    return made


def _say(document: Row) -> None:
    readable = (sys.stdout.encoding or "utf-8").lower().startswith("utf")
    sys.stdout.write(json.dumps(document, ensure_ascii=not readable) + "\n")
    sys.stdout.flush()


class _Formatter(argparse.HelpFormatter):
    """Folds the description and leaves the examples as they are."""

    @override
    def _fill_text(self, text: str, width: int, indent: str) -> str:
        if text.startswith("example:"):
            return text
        return super()._fill_text(text, width, indent)
