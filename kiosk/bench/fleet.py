"""``./run bench fleet``: a city's kiosks after hours without a network, against the product's own waits.

What it shows: whether 5,000 kiosks that come back at once drain as fast as the server can take them, without a storm.
What it does not: a real authority's server. Its capacity, its queue and its Retry-After are numbers chosen here.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from kiosk.bench.command import count
from kiosk.bench.fleet_model import Fleet, Outcome, Plan
from kiosk.config import ReportingSection
from offline_queue.delivery.line import Pace

RATIO_MOST, PEAK_MOST = 1.15, 3.0


@dataclass(frozen=True, slots=True)
class Run:
    """One scenario, played."""

    name: str
    plan: Plan
    outcome: Outcome

    @property
    def ideal_s(self) -> float:
        """Return the least time: the same requests at full capacity, or the spread of the first tries if that is more.

        Nobody can drain sooner than the spread that keeps the first tries apart.
        """
        return max(self.outcome.served / self.plan.capacity, self.plan.pace.spread_s)

    @property
    def peak(self) -> float:
        """Return the most requests in one second, as a multiple of the capacity."""
        return max(self.outcome.arrivals.values()) / self.plan.capacity

    def told(self) -> dict[str, object]:
        out = self.outcome
        return {
            "drained_s": round(out.drained_s, 1),
            "ideal_s": round(self.ideal_s, 1),
            "drained_vs_ideal": round(out.drained_s / self.ideal_s, 3),
            "peak_vs_capacity": round(self.peak, 2),
            "requests": out.served,
            "refused_503": out.refused,
            "median_kiosk_s": round(median(out.waits), 1) if out.waits else None,
            "unluckiest_kiosk_s": round(out.waits[-1], 1) if out.waits else None,
            "unluckiest_kiosk_503s": out.most_refused,
            "starved": out.starved,
        }

    def holds(self) -> bool:
        """Say whether what the fleet promises holds."""
        ratio = self.outcome.drained_s / self.ideal_s
        return ratio <= RATIO_MOST and self.peak <= PEAK_MOST and self.outcome.starved == 0


def plans(kiosks: int, outage_h: float, capacity: float, retry_after_s: float, seed: int) -> dict[str, Plan]:
    """Return the scenarios: two of ours with the default settings, and two to compare with."""
    settings = ReportingSection()

    def plan(batch_max: int = settings.batch_max, *, restart: bool = False, every_minute: bool = False) -> Plan:
        pace = Pace(settings.backoff_base_s, settings.backoff_cap_s, settings.first_try_spread_s, batch_max)
        return Plan(
            kiosks=kiosks,
            outage_s=outage_h * 3600,
            capacity=capacity,
            records_per_h=2,
            pace=pace,
            restart=restart,
            every_minute=every_minute,
            retry_after_s=retry_after_s,
            poll_s=settings.poll_s,
            seed=seed,
        )

    return {
        "network": plan(),
        "power": plan(restart=True),
        "one_by_one": plan(1),
        "every_minute": plan(every_minute=True),
    }


OURS = ("network", "power")
"""The scenarios that must hold: the network comes back, the power comes back."""


def main(argv: list[str]) -> int:
    """Play the scenarios; exit 1 if one of ours does not hold."""
    parser = argparse.ArgumentParser(prog="./run bench fleet", description=__doc__.split("\n\n")[1])
    parser.add_argument("--kiosks", type=count, default=5000)
    parser.add_argument("--outage-h", type=float, default=4.0)
    parser.add_argument("--capacity", type=float, default=50.0, help="requests a second that the server carries out")
    parser.add_argument("--retry-after-s", type=float, default=10.0, help="what the busy server tells the kiosks")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plot", type=Path, help="a PNG to write; needs the developers' environment")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(argv)
    if given.plot is not None and not given.plot.parent.is_dir():  # told before the wait, not after it
        parser.error(f"--plot {given.plot}: there is no folder {given.plot.parent}")
    runs = []
    for name, plan in plans(given.kiosks, given.outage_h, given.capacity, given.retry_after_s, given.seed).items():
        runs.append(Run(name, plan, Fleet(plan).run()))
        if not given.json:
            _print(runs[-1])
    if given.plot is not None:
        from kiosk.bench.fleet_plot import draw

        draw(runs, given.plot)
    held = {run.name: run.holds() for run in runs if run.name in OURS}
    if given.json:
        scenarios = {run.name: run.told() for run in runs}
        main_run = runs[0].told()
        sys.stdout.write(json.dumps({**main_run, "holds": held, "seed": given.seed, "scenarios": scenarios}) + "\n")
    else:
        sys.stdout.write("holds: " + ", ".join(f"{name} {'yes' if ok else 'NO'}" for name, ok in held.items()) + "\n")
    return 0 if all(held.values()) else 1


def _print(run: Run) -> None:
    kind = "ours" if run.name in OURS else "to compare"
    sys.stdout.write(f"{run.name} ({kind}; {run.plan.kiosks} kiosks, {run.plan.outage_s / 3600:g} h without)\n")
    sys.stdout.writelines(f"  {key:<24}{value}\n" for key, value in run.told().items())
