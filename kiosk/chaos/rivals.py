"""A second process on the same store: refused by name, while the first one goes on."""

from __future__ import annotations

import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from pathlib import Path

from kiosk.chaos.drawing import drawn
from kiosk.chaos.findings import Failure, Findings, Invariant
from kiosk.chaos.play import Player, settings
from kiosk.chaos.powercuts import scratch
from kiosk.chaos.records import HOTEL, KIOSK
from kiosk.errors import KioskError
from offline_queue.database.verify import verify
from offline_queue.owner import OutboxOwner

SECTION = "second-process"
TRIES = 20


def run(seed: int, *, tries: int, until: float) -> Findings:
    """Let another process try to open a store that is being written to."""
    began, faults, done = time.monotonic(), list[Failure](), 0
    one = multiprocessing.get_context("spawn")
    with (
        scratch() as folder,
        ProcessPoolExecutor(1, mp_context=one) as other,
        closing(Player(folder / "play", drawn(seed, "rivals"))) as player,
    ):
        while done < tries and (time.monotonic() < until or not done):
            trying = other.submit(_try, folder / "play")
            while not trying.done():
                player.step()
            if (said := trying.result()) != "OutboxUnavailable":
                faults.append(Failure(SECTION, seed, done, f"the second process: {said}"))
            done += 1
        faults += [Failure(SECTION, seed, done, f"verify: {fault}") for fault in verify(player.owner).faults]
        steps = len(player.diary.steps)
    return Findings(
        SECTION,
        f"{done} tries to open a store that another process holds, during {steps} steps of that",
        {"second_process_tries": done},
        invariants=(Invariant("the second is refused by name, the first goes on unharmed", done, len(faults)),),
        failures=tuple(faults),
        seconds=time.monotonic() - began,
    )


def _try(folder: Path) -> str:
    """Open the store in another process; return the error's name, or that there was none."""
    try:
        OutboxOwner.open(folder, HOTEL, KIOSK, settings()).close()
    except KioskError as exc:
        return type(exc).__name__
    return "was let in"
