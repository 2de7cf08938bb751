"""kill -9 of both ends at random, a failing line between them; then everything is let finish and compared."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from kiosk.chaos.authority import Books, Revision, Taken, audit, doctored
from kiosk.chaos.drawing import drawn
from kiosk.chaos.findings import Failure, Findings, Invariant
from kiosk.chaos.play import Standing, settings, standing
from kiosk.chaos.powercuts import scratch
from kiosk.chaos.records import HOTEL, KIOSK
from kiosk.chaos.stage import Stage
from offline_queue.database.verify import verify
from offline_queue.owner import OutboxOwner
from offline_queue.states import DONE, EventState

SECTION = "kills"
KILLS = 60
FINISH_S = 90.0
_PACE_S = 0.9
"""Mean time between two kills; the kiosk needs about half a second to live at all."""
_POLICE = 0.2
"""Share of the kills that hit the authority."""


@dataclass(frozen=True, slots=True)
class End:
    """How a run ended, when everything was let finish."""

    finished: bool
    books: Books
    ledger: tuple[Taken, ...]
    acknowledged: dict[Revision, bytes]
    faults: tuple[str, ...]


def run(seed: int, *, kills: int, until: float, finish_s: float = FINISH_S) -> Findings:
    """Kill ``kills`` times, or until the monotonic clock says ``until``; then let everything finish."""
    began, dice = time.monotonic(), drawn(seed, "kills")
    killed = {"kiosk": 0, "police": 0}
    with scratch() as folder, Stage(folder, f"{seed}") as stage:
        stage.start_kiosk()
        while sum(killed.values()) < kills and time.monotonic() < until:
            time.sleep(min(dice.expovariate(1 / _PACE_S), 4 * _PACE_S))
            if dice.random() < _POLICE:
                stage.kill_police()
                time.sleep(dice.random())
                stage.start_police()
                killed["police"] += 1
            else:
                stage.kill_kiosk()
                stage.start_kiosk()
                killed["kiosk"] += 1
        end = compare(stage, finish_s)
        faults = ", ".join(f"{count} {fault.value}" for fault, count in stage.proxy.faults.most_common())
    return Findings(
        SECTION,
        f"{killed['kiosk']} times kill -9 of the kiosk, {killed['police']} of the police; lines: {faults}",
        {"kills": sum(killed.values()), "acknowledged": len(end.acknowledged), "receipts": len(end.ledger)},
        end.books,
        tuple(invariants(end)),
        controls(end),
        tuple(Failure(SECTION, seed, 0, fault) for fault in end.faults),
        time.monotonic() - began,
    )


def compare(stage: Stage, finish_s: float) -> End:
    """Let everything finish, end the kiosk, and hold its promises and its store against the authority's ledger."""
    finished = stage.settle(finish_s)
    stage.end_kiosk()
    promises, ledger = stage.promises, stage.ledger()
    owner = OutboxOwner.open(stage.kiosk_folder, HOTEL, KIOSK, settings())
    try:
        found, verified = standing(owner), verify(owner).faults
    finally:
        owner.close()
    faults = [f"verify: {fault}" for fault in verified]
    faults += _receipts(promises.receipts, found, ledger)
    if not finished:
        faults.append(f"not finished: {promises.waiting} wait, line: {promises.line or 'open'}; {stage.log()}")
    # What waits is not lost, but everything was let finish: it has no excuse either
    books = audit(promises.acknowledged, ledger)
    return End(finished, books, tuple(ledger), dict(promises.acknowledged), tuple(faults))


def _receipts(told: list[tuple[str, str]], found: Standing, ledger: list[Taken]) -> Iterator[str]:
    numbers = {(taken.record, taken.revision): taken.receipt_no for taken in ledger}
    known = set(numbers.values())
    if strangers := [number for _, number in told if number not in known]:
        yield f"receipts: {len(strangers)} were told that the authority never gave"
    held = {number for _, number in found.values() if number is not None}
    if gone := [number for _, number in told if number not in held]:
        yield f"receipts: {len(gone)} were told and are not in the store"
    if wrong := [key for key, (state, number) in found.items() if state in DONE and numbers.get(key) != number]:
        yield f"receipts: {len(wrong)} in the store are not those of the authority"
    if open_ := [key for key, (state, _) in found.items() if state is not EventState.DELIVERED]:
        yield f"not delivered in the end: {len(open_)}"


def invariants(end: End) -> Iterator[Invariant]:
    """What every run of both ends must keep."""
    count = len(end.acknowledged)
    yield Invariant("every acknowledged record is receipted in the end", count, end.books.lost)
    yield Invariant("none is taken in twice", len(end.ledger), end.books.duplicates)
    yield Invariant("none overtakes an earlier revision of its record", len(end.ledger), end.books.order_violations)
    receipts = sum(fault.startswith("receipts") for fault in end.faults)
    yield Invariant("store, receipts told and ledger say the same", len(end.ledger), receipts)
    yield Invariant("tally, hash chain and pages verify", 1, sum(fault.startswith("verify") for fault in end.faults))


def controls(end: End) -> dict[str, bool]:
    """Spoil the ledger on purpose: the comparison must see it."""
    found = {}
    for how in ("lost", "duplicates", "order_violations"):
        try:
            found[f"ledger_{how}"] = getattr(audit(end.acknowledged, doctored(end.ledger, how)), how) > 0
        except (StopIteration, IndexError):
            found[f"ledger_{how}"] = False  # nothing was reported that could be spoilt
    return found
