"""``queue status``: counts, the legal clock and the line to the authority."""

from __future__ import annotations

import argparse

from kiosk.config import Config
from offline_queue.answering import words
from offline_queue.answering.inquiry import Inquiry, Row, as_object
from offline_queue.commands import reach
from offline_queue.commands.verb import Told, Verb
from offline_queue.delivery.authority_time import SKEW_SHOWN_S
from offline_queue.states import EventState

_DISK = {
    "warn": "little room is left: free some soon",
    "staff_only": "too little room: guests are sent to the desk until some is free",
    "refuse": "full: nothing new is taken until some room is free; what is there is still delivered and erased",
}


def run(given: argparse.Namespace, config: Config) -> Told:  # noqa: ARG001 - every verb is called alike
    row = reach.row(config, Inquiry("status"))
    return Told(row, sentences(row))


def sentences(row: Row) -> list[str]:
    """Tell the status in words: counts, what the law says, the line, and whatever somebody should mend."""
    counts = as_object(row["counts"])
    lines = [f"{n:>6}  {state:<12} {words.STATES[EventState(state)]}" for state, n in counts.items()]
    lines.append(f"{row['unsent']:>6}  not delivered{_clock(row)}")
    stopped = "the kiosk is stopped: nothing is sent until it starts (./run start)"
    lines.append(f"line:   {line(as_object(row['line'])) if row['running'] else stopped}")
    return [*lines, *_to_mend(row)]


def _clock(row: Row) -> str:
    if not row["next_due_at"]:
        return ""
    oldest = row.get("oldest_unsent_s")
    waits = f", the oldest for {words.span(oldest)}" if isinstance(oldest, int | float) else ""
    told = f"{waits}; legal clock: {row['due']}, next at {row['next_due_at']}"
    if row["due"] == "alarm":
        told += "\n        OVERDUE: ./run queue export TO writes a form for the police station"
    return told


def _to_mend(row: Row) -> list[str]:
    line_, disk = as_object(row["line"]), as_object(row.get("disk"))
    counts = as_object(row["counts"])
    told = []
    if disk.get("level") in _DISK:
        told.append(f"disk:   {disk.get('usable_mb')} MB free, {_DISK[str(disk['level'])]}")
    off = line_.get("clock_off_s")
    if isinstance(off, int | float) and abs(off) > SKEW_SHOWN_S:
        ahead = "ahead of" if off > 0 else "behind"
        told.append(f"clock:  {words.span(off)} {ahead} the authority's; set this machine's clock (timedatectl)")
    doubts = line_.get("doubts")
    told += [f"look:   {doubt}" for doubt in doubts] if isinstance(doubts, list) else []
    told += _recovery(as_object(row.get("mending")), as_object(row.get("copy")), running=bool(row["running"]))
    if counts.get("REJECTED") or counts.get("QUARANTINED"):
        told.append("next:   ./run queue list --waiting shows what a person must decide")
    return told


def _recovery(mending: Row, copy: Row, *, running: bool) -> list[str]:
    told = []
    if mending.get("waiting"):
        why = f": {mending['why']}" if mending.get("why") else ""
        aside = words.many(mending["waiting"], "damaged database")
        told.append(f"mend:   {aside} set aside; what is in it is not counted above{why}")
        told.append(f"        {'it is being brought back' if running else './run queue salvage brings it back'}")
    if mending.get("salvaged"):
        told.append("mend:   a damaged database was replaced; ./run queue salvage says what came back")
    if copy.get("behind") and copy.get("why"):  # without a reason it is only being brought up to date
        told.append(f"copy:   the second copy is behind: {copy['why']}")
    return told


def line(told: Row) -> str:
    """Tell the line to the authority in words."""
    if told.get("open"):
        return "open"
    held = "held until somebody mends it" if told.get("breaker") else "waits"
    wait = told.get("retry_in_s")
    return f"{held}: {told.get('why')}, next try in {words.span(wait if isinstance(wait, int | float) else 0.0)}"


VERB = Verb(
    "status",
    "counts, legal clock and the line to the authority",
    "How many records stand in each state, how near the law's time is for the first of them, and whether the line "
    "to the authority is open. Names nobody.",
    ("status", "status --json"),
    run,
)
