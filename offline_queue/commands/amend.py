"""``queue amend RECORD``: what follows a check-in, said by a clerk: the record's next revision."""

from __future__ import annotations

import argparse
import json
import sys

from kiosk.config import Config
from kiosk.errors import ContractError
from kiosk.registration.later_rules import VOID_REASONS
from offline_queue.answering.inquiry import Inquiry
from offline_queue.commands import reach, table
from offline_queue.commands.verb import Told, Verb


def run(given: argparse.Namespace, config: Config) -> Told:
    op, value = _said(given)
    row = reach.row(config, Inquiry("amend", given.record, op=op, value=value, operator=given.operator))
    return Told({"rows": [row]}, table.table([row]))


def _said(given: argparse.Namespace) -> tuple[str, str]:
    if given.room is not None:
        return "RC", given.room
    if given.until is not None:
        return "EX", given.until
    if given.void:
        return "VD", given.void
    if given.left:
        return "CC", ""
    return "VI" if given.visitor else "UP", json.dumps(_fields(), ensure_ascii=False)


def _fields() -> dict[str, str]:
    """Read FIELD=VALUE lines from standard input: a guest's data stand in no list of processes and no history."""
    if sys.stdin.isatty():
        sys.stderr.write("FIELD=VALUE, one a line, as in roomNo=1208; end with Ctrl-D\n")
    told: dict[str, str] = {}
    for line in sys.stdin:
        if not line.strip():
            continue
        name, equals, value = line.rstrip("\n").partition("=")
        if not equals or not name.strip().isidentifier():
            raise ContractError("outbox: standard input wants FIELD=VALUE, one a line, as in roomNo=1208")
        told[name.strip()] = value.strip()
    return told


def _add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("record", help="the record's UUID")
    parser.add_argument("--operator", required=True, help="who says so, as in li.na")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--room", help="the guest moved to this room")
    what.add_argument("--until", metavar="TIME", help="the guest stays until then, as in 2026-12-01T12:00")
    what.add_argument("--left", action="store_true", help="the guest, or the visitor, left now")
    what.add_argument("--void", choices=VOID_REASONS, help="the stay did not happen, and why")
    what.add_argument(
        "--visitor",
        action="store_true",
        help="somebody came to see the guest: read name, idNumber and consentId (idType, roomNo) from standard input",
    )
    what.add_argument("--correct", action="store_true", help="read mended fields, FIELD=VALUE, from standard input")


VERB = Verb(
    "amend",
    "say that a guest moved, stays longer, left or has a visitor; correct or void a record",
    "Puts the record's next revision, or the visitor's own record, whose --left comes later; the authority's answer "
    "comes as to every other. A record that is rejected, or that no key opens any more, is replaced by its correction "
    "or void, together with what waits for it; a correction of what is erased or sealed says every field, and the "
    "consentId for the document that was read again. Fields of a person come from standard input, never from the "
    "command line; the audit keeps who did what, not the values.",
    (
        "amend 0d9a6f0e-3f0b-4c5e-9a50-1f6f3f0f7c11 --operator li.na --room 1209",
        "amend 0d9a6f0e-3f0b-4c5e-9a50-1f6f3f0f7c11 --operator li.na --correct",
    ),
    run,
    _add,
)
