"""``./run replay LOG``: play recorded visits again through the flow that runs today.

The log holds kinds only, so invented samples stand in for the guest's values; where several samples
fit an entry, the one that makes the rest of the visit come out as recorded is searched for.
"""

from __future__ import annotations

import argparse
import json
import sys
from itertools import groupby
from pathlib import Path

from kiosk.checkin import events
from kiosk.checkin.events import Event
from kiosk.checkin.flow import step
from kiosk.checkin.journal import Entry, detail_of, read
from kiosk.checkin.samples import EVENTS
from kiosk.checkin.states import State, Welcome
from kiosk.model import Hint, Reason


def candidates(entry: Entry) -> list[Event]:
    """Return the sample events that the entry may stand for."""
    kind = getattr(events, entry.event, None)
    if not isinstance(kind, type):
        return []
    fields = getattr(kind, "__slots__", ())
    if "reason" in fields:
        return [kind(Reason(entry.detail))]
    if "hint" in fields:
        return [kind(_hint(entry.detail))]
    return [event for event in EVENTS if type(event) is kind and detail_of(event) == entry.detail]


def _hint(detail: str) -> Reason | Hint | None:
    if not detail:
        return None
    return Hint(detail) if detail in set(Hint) else Reason(detail)


def play(entries: list[Entry], state: State | None = None) -> tuple[int, State]:
    """Play one visit. Return how many entries came out as recorded, and the state reached.

    Depth first: the longest agreement that any choice of samples gives.
    """
    state = Welcome() if state is None else state
    if not entries:
        return 0, state
    best = (0, state)
    for event in candidates(entries[0]):
        following, _ = step(state, event)
        if type(following).__name__ != entries[0].next or type(state).__name__ != entries[0].state:
            continue
        played, end = play(entries[1:], following)
        if played + 1 > best[0]:
            best = (played + 1, end)
        if best[0] == len(entries):
            break
    return best


def main(argv: list[str]) -> int:
    """Replay each visit of a log; exit 1 where today's flow goes another way."""
    parser = argparse.ArgumentParser(prog="replay", description="Play an event log again through the flow.")
    parser.add_argument("log", type=Path)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args(argv)
    try:
        entries = read(arguments.log)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"replay: {error}\n")
        return 1
    results = []
    for visit, group in groupby(entries, key=lambda entry: entry.visit):
        steps = list(group)
        played, end = play(steps)
        results.append({"visit": visit, "steps": len(steps), "played": played, "end": type(end).__name__})
    for result in results if not arguments.json else ():
        verdict = "as recorded" if result["played"] == result["steps"] else "DIFFERS"
        sys.stdout.write(
            f"visit {result['visit']}: {result['played']}/{result['steps']} steps, ends in {result['end']}: {verdict}\n"
        )
    if arguments.json:
        sys.stdout.write(json.dumps({"visits": results}) + "\n")
    return 0 if all(result["played"] == result["steps"] for result in results) else 1
