"""``queue salvage``: bring back what a damaged database or the second copy still holds, and say what came of it."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from kiosk.config import Config
from offline_queue.answering import words
from offline_queue.answering.inquiry import Inquiry, Row
from offline_queue.commands import reach
from offline_queue.commands.verb import Told, Verb
from offline_queue.recovery.quarantine import FOLDER, REPORT


def run(given: argparse.Namespace, config: Config) -> Told:  # noqa: ARG001 - every verb is called alike
    row = reach.row(config, Inquiry("salvage"))
    folder = config.kiosk.state_dir / FOLDER
    row |= {"quarantine": str(folder), "reports": reports(folder)}
    unfinished = bool(row["waiting"] or row["why"])
    return Told(row, sentences(row), status=1 if unfinished else 0)


def reports(folder: Path) -> list[Row]:
    """Return what every earlier salvage reported, oldest first. One that cannot be read is told as such."""
    found: list[Row] = []
    for path in sorted(folder.glob(f"*/{REPORT}")):
        try:
            told = json.loads(path.read_bytes())
        except (OSError, ValueError):
            told = None
        found.append(told if isinstance(told, dict) else {"file": path.parent.name, "unreadable": True})
    return found


def sentences(row: Row) -> list[str]:
    """Tell in words what came back, what did not, and what is next."""
    told = [_outcome(one) for one in _rows(row["salvaged"])]
    rebuilt = row["rebuilt"]
    if isinstance(rebuilt, dict):
        told.append(f"second copy: {rebuilt['events']} revisions known, {rebuilt['brought_back']} brought back")
    if not told:
        told = ["nothing is set aside: there is nothing to salvage"]
    earlier = [one for one in _rows(row["reports"]) if one.get("file") not in _names(row["salvaged"])]
    if earlier:
        told += [f"earlier, in {row['quarantine']}:", *(f"  {_outcome(one)}" for one in earlier)]
    if row["waiting"]:
        told.append(
            f"{words.many(row['waiting'], 'damaged database')} not brought back yet: {row['why'] or 'ask again'}"
        )
    elif row["why"]:
        told.append(f"not finished: {row['why']}")
    return [*told, *_next(row)]


def _next(row: Row) -> list[str]:
    salvaged = _rows(row["salvaged"])
    told = []
    if any(one.get("sealed") for one in salvaged):
        told.append("next: ./run queue list --waiting shows what cannot be opened: staff register those guests anew")
    if any(_lacks(one) for one in salvaged):
        told.append("next: compare the hotel's list of arrivals with ./run queue list; register anew who is missing")
    return told


def _lacks(one: Row) -> bool:
    return bool(one.get("lost") or one.get("missing") or one.get("foreign") or not one.get("events"))


def _outcome(one: Row) -> str:
    if one.get("unreadable"):
        return f"{one['file']}: its report cannot be read"
    if one.get("foreign"):
        return f"{one['file']}: another kiosk's database, left as it is"
    if not one.get("events"):
        return f"{one.get('file', '?')}: NOTHING could be read in it"
    parts = [f"{one.get('events', 0)} revisions", f"{one.get('brought_back', 0)} brought back"]
    for name, meaning in (
        ("here_already", "here already"),
        ("repaired", "with a repaired row"),
        ("sealed", "cannot be opened"),
        ("lost", "LOST: nothing tells which record they were"),
        ("missing", "changes of state MISSING: it is an older copy, or its log was deleted"),
    ):
        if one.get(name):
            parts.append(f"{one[name]} {meaning}")
    return f"{one.get('file', '?')}: {', '.join(parts)}"


def _names(rows: object) -> set[object]:
    return {one.get("file") for one in _rows(rows)}


def _rows(rows: object) -> list[Row]:
    return [one for one in rows if isinstance(one, dict)] if isinstance(rows, list) else []


VERB = Verb(
    "salvage",
    "bring back what a damaged database or the second copy still holds",
    "A damaged database is set aside by itself and salvaged while guests go on; this waits for the end of it, or "
    "begins it where the kiosk is stopped, and says what came back. What remains lies in quarantine without any key. "
    "Exit status 1 while something still waits.",
    ("salvage", "salvage --json"),
    run,
)
