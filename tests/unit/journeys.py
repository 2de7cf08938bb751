"""Sequences of events that go far. Chance alone hardly ever leaves the first screens: eight right events in a row."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from hypothesis import strategies as st

from kiosk.checkin.effects import Effect
from kiosk.checkin.events import Event
from kiosk.checkin.flow import step
from kiosk.checkin.samples import EVENTS
from kiosk.checkin.states import State, Welcome


@dataclass(frozen=True)
class Change:
    """One event in one state, and what came of it."""

    before: State
    event: Event
    after: State
    effects: tuple[Effect, ...]


def _explore() -> tuple[dict[State, tuple[Event, ...]], list[Change]]:
    """Breadth first: a shortest way to each state that the sample events reach, and every change there is."""
    ways: dict[State, tuple[Event, ...]] = {Welcome(): ()}
    changes: list[Change] = []
    frontier: list[State] = [Welcome()]
    for state in frontier:
        for event in EVENTS:
            after, effects = step(state, event)
            changes.append(Change(state, event, after, effects))
            if after not in ways:
                ways[after] = (*ways[state], event)
                frontier.append(after)
    return ways, changes


WAYS, CHANGES = _explore()


def _by_kind() -> list[list[tuple[Event, ...]]]:
    kinds: dict[type[State], list[tuple[Event, ...]]] = defaultdict(list)
    for state, way in WAYS.items():
        kinds[type(state)].append(way)
    return list(kinds.values())


SEQUENCES: st.SearchStrategy[list[Event]] = st.builds(
    lambda way, rest: [*way, *rest],
    st.sampled_from(_by_kind()).flatmap(st.sampled_from),
    st.lists(st.sampled_from(EVENTS), max_size=30),
)
"""To a state of any kind, each kind as likely as another, and on from there by chance."""


def changes_of(events: list[Event]) -> list[Change]:
    """Play a sequence from the welcome screen."""
    state: State = Welcome()
    found = []
    for event in events:
        after, effects = step(state, event)
        found.append(Change(state, event, after, effects))
        state = after
    return found
