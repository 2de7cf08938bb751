"""A clock that jumps three days ahead and back while the kiosk takes guests and delivers."""

from __future__ import annotations

import time

from kiosk.chaos import kills
from kiosk.chaos.drawing import drawn
from kiosk.chaos.findings import Failure, Findings, Invariant
from kiosk.chaos.play import DAY_S
from kiosk.chaos.powercuts import scratch
from kiosk.chaos.stage import Stage

SECTION = "clock"
JUMPS = 12
_OFF_S = (-3 * DAY_S, -3600.0, 0.0, 3600.0, 3 * DAY_S)
_EVERY_S = 0.7


def run(seed: int, *, jumps: int, until: float, finish_s: float = kills.FINISH_S) -> Findings:
    """Let the clock jump ``jumps`` times, then leave it three days off and let everything finish."""
    began, dice = time.monotonic(), drawn(seed, "clock")
    offs = (*(dice.choice(_OFF_S) for _ in range(jumps)), dice.choice((-3 * DAY_S, 3 * DAY_S)))
    with scratch() as folder, Stage(folder, f"{seed} clock", jumps_s=offs, jump_every_s=_EVERY_S) as stage:
        stage.proxy.calm = True
        stage.start_kiosk()
        end_of_jumps = time.monotonic() + _EVERY_S * (len(offs) + 2)
        while time.monotonic() < min(end_of_jumps, until):
            time.sleep(0.05)
        end = kills.compare(stage, finish_s)
    return Findings(
        SECTION,
        f"the clock jumped {len(offs)} times by up to three days and stayed {offs[-1] / DAY_S:+.0f} days off",
        {"clock_jumps": len(offs)},
        end.books,
        (
            *kills.invariants(end),
            Invariant("everything is delivered while the clock is wrong", 1, int(not end.finished)),
        ),
        {},
        tuple(Failure(SECTION, seed, 0, fault) for fault in end.faults),
        time.monotonic() - began,
    )
