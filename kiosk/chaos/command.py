"""``./run chaos``: everything that may happen to an outbox, and what must hold all the same."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass

from kiosk.chaos import broken_disk, clocks, copies, flips, kills, powercuts, rivals
from kiosk.chaos.authority import Books
from kiosk.chaos.findings import SHOWN, Failure, Findings

POWER_CUTS = 20_400
"""Of a run without ``--seconds``."""
_MANY = 1_000_000
_LEAST_FINISH_S = 25.0


@dataclass(frozen=True, slots=True)
class Order:
    """What a section is asked for."""

    seed: int
    until: float
    """``time.monotonic()`` at which it begins nothing more."""
    bounded: bool
    """Time bounds it, not a count."""
    only: int | None
    finish_s: float

    def count(self, usual: int) -> int:
        return _MANY if self.bounded else usual


@dataclass(frozen=True, slots=True)
class Section:
    """A section and its share of a bounded run; the last one takes what the others leave."""

    name: str
    share: float
    run: Callable[[Order], Findings]


SECTIONS = (
    Section(rivals.SECTION, 0.02, lambda order: rivals.run(order.seed, tries=rivals.TRIES, until=order.until)),
    Section(
        flips.SECTION,
        0.08,
        lambda order: flips.run(order.seed, cases=order.count(flips.CASES), until=order.until, only=order.only),
    ),
    Section(
        copies.SECTION,
        0.08,
        lambda order: copies.run(order.seed, cases=order.count(copies.CASES), until=order.until, only=order.only),
    ),
    Section(
        broken_disk.SECTION,
        0.12,
        lambda order: broken_disk.run(
            order.seed, cases=order.count(broken_disk.CASES), until=order.until, only=order.only
        ),
    ),
    Section(
        clocks.SECTION,
        0.12,
        lambda order: clocks.run(order.seed, jumps=clocks.JUMPS, until=order.until, finish_s=order.finish_s),
    ),
    Section(
        kills.SECTION,
        0.25,
        lambda order: kills.run(order.seed, kills=order.count(kills.KILLS), until=order.until, finish_s=order.finish_s),
    ),
    Section(
        powercuts.SECTION,
        1.0,
        lambda order: powercuts.run(order.seed, cuts=order.count(POWER_CUTS), until=order.until, only=order.only),
    ),
)


def main(argv: list[str]) -> int:
    """Run every section, or one. 0 when nothing was lost, doubled or overtaken, and every control failed as it must."""
    arguments = _parsed(argv)
    began = time.monotonic()
    end = began + (arguments.seconds or float("inf"))
    found = []
    for section in SECTIONS:
        if arguments.only in (None, section.name):
            findings = _run(section, arguments, end)
            found.append(findings)
            if not arguments.json:
                print("\n".join(findings.lines()), flush=True)
    passed = all(findings.passed for findings in found)
    told = {**summary(found), "seed": arguments.seed, "seconds": round(time.monotonic() - began, 1), "passed": passed}
    if arguments.json:
        print(json.dumps(told))
    else:
        print(f"seed {arguments.seed}: {_words(told)}")
    return 0 if passed else 1


def summary(found: list[Findings]) -> dict[str, object]:
    """Return the figures of a run over all sections."""
    books = sum((findings.books for findings in found), Books())
    return {
        "power_cuts": sum(int(findings.figures.get("power_cuts", 0)) for findings in found),
        "acknowledged": books.acknowledged,
        "lost": books.lost,
        "duplicates": books.duplicates,
        "order_violations": books.order_violations,
        "controls": {name: failed for findings in found for name, failed in findings.controls.items()},
        "sections": {findings.section: findings.to_json() for findings in found},
        "failures": [f"{failure.what}; again: {failure.again}" for one in found for failure in one.failures[:SHOWN]],
    }


def _run(section: Section, arguments: argparse.Namespace, end: float) -> Findings:
    began = time.monotonic()
    share = 1.0 if arguments.only else section.share
    until = end if share == 1.0 else min(end, began + share * (arguments.seconds or float("inf")))
    bounded = arguments.seconds is not None
    finish_s = max(_LEAST_FINISH_S, (arguments.seconds or 0) / 4) if bounded else kills.FINISH_S
    try:
        return section.run(Order(arguments.seed, until, bounded, arguments.case, finish_s))
    except Exception as exc:  # the other sections still have something to say, and the run fails
        what = f"the section broke off: {type(exc).__name__}: {exc}"
        failure = Failure(section.name, arguments.seed, 0, what)
        return Findings(section.name, "broke off", failures=(failure,), seconds=time.monotonic() - began)


def _words(told: dict[str, object]) -> str:
    names = ("power_cuts", "acknowledged", "lost", "duplicates", "order_violations", "seconds")
    verdict = "everything held" if told["passed"] else "NOT everything held"
    return f"{verdict}; " + ", ".join(f"{name} {told[name]}" for name in names)


def _parsed(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./run chaos", description="Break everything around the outbox, and look.")
    parser.add_argument("--seconds", type=float, help="about how long it may take; without it, every section in full")
    parser.add_argument("--seed", type=int, default=1, help="what everything is drawn from (default 1)")
    parser.add_argument("--only", choices=[section.name for section in SECTIONS], help="one section")
    parser.add_argument("--case", type=int, help="one case of that section, as a failure named it")
    parser.add_argument("--json", action="store_true", help="one line of JSON instead of words")
    arguments = parser.parse_args(argv)
    if arguments.case is not None and arguments.only is None:
        parser.error("--case wants --only")
    return arguments
