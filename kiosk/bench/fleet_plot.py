"""Draws what the fleet bench played: requests a second against the capacity, and who had delivered when."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt

if TYPE_CHECKING:
    from kiosk.bench.fleet import Run

COLOURS = {"network": "#0b6e4f", "power": "#1d4e89", "one_by_one": "#c77d0a", "every_minute": "#9b2226"}
NAMES = {
    "network": "ours, the network comes back",
    "power": "ours, the power comes back",
    "one_by_one": "one record a request",
    "every_minute": "a try every minute",
}


def draw(runs: Sequence[Run], path: Path, *, until_s: int = 900) -> None:
    """Write a PNG of two charts over the first ``until_s`` seconds after the outage."""
    figure, (load, done) = plt.subplots(2, 1, figsize=(9, 8), sharex=True, layout="constrained")
    for run in runs:
        colour, name, out = COLOURS[run.name], NAMES[run.name], run.outcome
        seconds = range(until_s)
        load.plot(seconds, [out.arrivals[s] / run.plan.capacity for s in seconds], color=colour, lw=1, label=name)
        share = [100 * n / (len(out.waits) + out.starved) for n in range(1, len(out.waits) + 1)]
        done.plot(out.waits, share, color=colour, lw=1.5, label=f"{name}: ideal {run.ideal_s:.0f} s")
    plan = runs[0].plan
    load.axhline(1, color="black", lw=0.8, ls="--", label="what the server carries out")
    load.axhline(3, color="black", lw=0.8, ls=":", label="three times that")
    load.set(ylabel="requests a second / capacity", yscale="symlog", ylim=(0, None))
    load.set_title(f"{plan.kiosks} kiosks after {plan.outage_s / 3600:g} h, {plan.capacity:g} requests/s (simulated)")
    done.set(xlabel="seconds after the network is back", ylabel="kiosks that delivered, %", xlim=(0, until_s))
    for axes in (load, done):
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
    figure.savefig(path, dpi=110)
    plt.close(figure)
