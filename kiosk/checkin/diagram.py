"""``./run flow``: the flow's diagram, explored from the very function that runs it."""

from __future__ import annotations

import argparse
import json
from collections import defaultdict

from kiosk.checkin.flow import step
from kiosk.checkin.samples import EVENTS
from kiosk.checkin.states import State, Welcome

EVERYWHERE = frozenset({"Back", "HelpAsked", "Expired", "Failed", "TimedOut", "StaffEnded", "StaffRetried", "Finished"})
"""Events that most states answer alike: left out of the picture."""

Edge = tuple[str, str, str]


def explore(limit: int = 200_000) -> set[Edge]:
    """Return every (state, event, state) kind that the sample events reach from Welcome.

    Breadth first over whole states. Raises RuntimeError past ``limit`` states: the flow would have
    grown without bound.
    """
    seen: set[State] = {Welcome()}
    frontier: list[State] = [Welcome()]
    edges: set[Edge] = set()
    while frontier:
        state = frontier.pop()
        for event in EVENTS:
            following, _ = step(state, event)
            edges.add((type(state).__name__, type(event).__name__, type(following).__name__))
            if following not in seen:
                seen.add(following)
                frontier.append(following)
        if len(seen) > limit:
            raise RuntimeError(f"the flow reached more than {limit} states")
    return edges


def mermaid(edges: set[Edge]) -> str:
    """Return the diagram in Mermaid, one arrow per pair of states, without loops and what holds everywhere."""
    labels: dict[tuple[str, str], set[str]] = defaultdict(set)
    for before, event, after in edges:
        if before != after and event not in EVERYWHERE:
            labels[before, after].add(event)
    lines = ["stateDiagram-v2", "    [*] --> Welcome"]
    lines += [f"    {a} --> {b} : {', '.join(sorted(names))}" for (a, b), names in sorted(labels.items())]
    return "\n".join(lines)


def main(argv: list[str]) -> int:
    """Print the diagram; ``--json`` prints the edges."""
    parser = argparse.ArgumentParser(prog="./run flow", description="Print the check-in flow as a Mermaid diagram.")
    parser.add_argument("--json", action="store_true", help="print every (state, event, state) edge instead")
    arguments = parser.parse_args(argv)
    edges = explore()
    print(json.dumps({"edges": sorted(edges)}) if arguments.json else mermaid(edges))  # noqa: T201
    return 0
