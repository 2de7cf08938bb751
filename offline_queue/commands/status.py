"""``queue status``: counts, the legal clock and the line to the authority."""

from __future__ import annotations

import argparse

from kiosk.config import Config
from offline_queue import words
from offline_queue.commands import reach
from offline_queue.commands.verb import Told, Verb
from offline_queue.inquiry import Inquiry, Row
from offline_queue.states import EventState


def run(given: argparse.Namespace, config: Config) -> Told:  # noqa: ARG001 - every verb is called alike
    row = reach.row(config, Inquiry("status"))
    return Told(row, sentences(row))


def sentences(row: Row) -> list[str]:
    """Tell the status in words."""
    counts = _object(row["counts"])
    lines = [f"{n:>6}  {state:<12} {words.STATES[EventState(state)]}" for state, n in counts.items()]
    clock = f"; legal clock: {row['due']}, next at {row['next_due_at']}" if row["next_due_at"] else ""
    return [*lines, f"{row['unsent']:>6}  not delivered{clock}", f"line:   {line(_object(row['line']))}"]


def line(told: Row) -> str:
    """Tell the line to the authority in words."""
    if told.get("open"):
        return "open"
    held = "held until somebody mends it" if told.get("breaker") else "waits"
    wait = told.get("retry_in_s")
    return f"{held}: {told.get('why')}, next try in {words.span(wait if isinstance(wait, int | float) else 0.0)}"


def _object(value: object) -> Row:
    return value if isinstance(value, dict) else {}


VERB = Verb(
    "status",
    "counts, legal clock and the line to the authority",
    "How many records stand in each state, how near the law's time is for the first of them, and whether the line "
    "to the authority is open. Names nobody.",
    ("status", "status --json"),
    run,
)
