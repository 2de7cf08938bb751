"""``./run replay LOG``: play recorded visits again through the flow that runs today.

The log holds kinds only, so invented values stand in for the guest's. Where several fit an entry all are
played on side by side, and those that do not come out as recorded are dropped at the entry that shows it.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from itertools import groupby, product
from pathlib import Path

from kiosk.checkin import events
from kiosk.checkin.events import Event, ReservationFound, Resolved
from kiosk.checkin.flow import step
from kiosk.checkin.journal import Entry, detail_of, read
from kiosk.checkin.samples import EVENTS, GUEST, IDENTITIES, STAY, TODAY
from kiosk.checkin.states import State, Welcome
from kiosk.model import Hint, Reason

PORTRAITS = ((b"p", None), (None, "t"), (None, None))
"""In the code; to be had from the gateway; none."""

GUESTS = tuple(
    Resolved(replace(GUEST, ethnicity=ethnicity, portrait=portrait, portrait_ticket=ticket), TODAY, face_offered)
    for ethnicity, (portrait, ticket), face_offered in product(("01", None), PORTRAITS, (True, False))
)
STAYS = tuple(
    ReservationFound(replace(STAY, party_size=party, balance_due_fen=due, room_ready=ready))
    for party, due, ready in product((1, 2), (0, 100), (True, False))
)
VALUES: tuple[Event, ...] = (
    *(event for event in EVENTS if not isinstance(event, Resolved | ReservationFound)),
    *GUESTS,
    *(Resolved(IDENTITIES[kind], TODAY, face_offered=True) for kind in ("minor", "overseas")),
    *STAYS,
)
"""Every combination of what the flow asks about a guest and a stay."""


def candidates(entry: Entry) -> list[Event]:
    """Return the events that the entry may stand for; none for a word that today's flow does not know."""
    kind = getattr(events, entry.event, None)
    if not isinstance(kind, type):
        return []
    fields = getattr(kind, "__slots__", ())
    try:
        if "reason" in fields:
            return [kind(Reason(entry.detail))]
        if "hint" in fields:
            return [kind(_hint(entry.detail))]
    except ValueError:
        return []
    return [event for event in VALUES if type(event) is kind and detail_of(event) == entry.detail]


def _hint(detail: str) -> Reason | Hint | None:
    if not detail:
        return None
    return Hint(detail) if detail in set(Hint) else Reason(detail)


def play(entries: list[Entry]) -> tuple[int, str]:
    """Play one visit. Return how many entries came out as recorded, and the kind of state reached."""
    states: set[State] = {Welcome()}
    end = Welcome.__name__
    for played, entry in enumerate(entries):
        before = [state for state in states if type(state).__name__ == entry.state]
        after = {step(state, event)[0] for state in before for event in candidates(entry)}
        states = {state for state in after if type(state).__name__ == entry.next}
        if not states:
            return played, end
        end = entry.next
    return len(entries), end


def main(argv: list[str]) -> int:
    """Replay each visit of a log; exit 1 where today's flow goes another way."""
    parser = argparse.ArgumentParser(prog="./run replay", description="Play an event log again through the flow.")
    parser.add_argument("log", type=Path)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args(argv)
    try:
        entries = read(arguments.log)
    except OSError as error:
        where = "a kiosk writes log/visits.jsonl in its state folder"
        sys.stderr.write(f"replay: {arguments.log}: {error.strerror}; {where}\n")
        return 1
    except ValueError as error:
        sys.stderr.write(f"replay: {error}\n")
        return 1
    results = []
    for visit, group in groupby(entries, key=lambda entry: entry.visit):
        steps = list(group)
        played, end = play(steps)
        results.append({"visit": visit, "steps": len(steps), "played": played, "end": end})
    for result in results if not arguments.json else ():
        verdict = "as recorded" if result["played"] == result["steps"] else "DIFFERS"
        sys.stdout.write(
            f"visit {result['visit']}: {result['played']}/{result['steps']} steps, ends in {result['end']}: {verdict}\n"
        )
    if arguments.json:
        sys.stdout.write(json.dumps({"visits": results}) + "\n")
    return 0 if all(result["played"] == result["steps"] for result in results) else 1
