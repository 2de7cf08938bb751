"""What is looked at each time the store is opened: rows that wait, and the newest part of the chain.

The whole of it is ``verify``'s, which takes its time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kiosk.errors import OutboxDamaged
from offline_queue.database import chain
from offline_queue.database.rows import Event
from offline_queue.states import EventState

CHAIN_ROWS = 2_000
SLICE = 1_000
_NAMED = 5


def refuse_broken_rows(file: str, events: Iterable[Event]) -> None:
    """Raise OutboxDamaged when a row that the duty to report rests on is not what was put."""
    broken = [event.id for event in events if not event.intact]
    if broken:
        named = ", ".join(map(str, broken[:_NAMED]))
        raise OutboxDamaged(
            f"outbox {file}: {len(broken)} event(s) not as they were put ({named}); set it aside and salvage"
        )


def refuse_lost_rows(file: str, counted: Mapping[EventState, int], indexed: Mapping[EventState, int]) -> None:
    """Raise OutboxDamaged when the tally knows of an unsent event that its index does not: it would wait for ever."""
    wrong = [state for state, found in indexed.items() if counted.get(state) != found]
    if wrong:
        raise OutboxDamaged(
            f"outbox {file}: tally and index of {', '.join(wrong)} do not agree; set it aside and salvage"
        )


def refuse_forged_states(file: str, entries: Iterable[chain.Entry], states: Mapping[int, str]) -> None:
    """Raise OutboxDamaged when an event stands where its newest entry does not say: what waits might never be sent."""
    newest = {entry.event: entry.state for entry in entries if entry.event}
    wrong = [number for number, state in newest.items() if states.get(number, "nowhere") != state]
    if wrong:
        raise OutboxDamaged(
            f"outbox {file}: event {wrong[0]} is {states.get(wrong[0], 'nowhere')}, its chain says {newest[wrong[0]]}; "
            "set it aside and salvage"
        )


def refuse_broken_chain(file: str, entries: list[chain.Entry], suites: chain.Suites) -> None:
    """Raise OutboxDamaged when one of the entries does not follow from the one before it.

    The first is taken as it is, unless it is the chain's own first.
    """
    first = [] if not entries or entries[0].seq == 1 else entries[:1]
    broken = list(chain.broken(entries[len(first) :], first[0] if first else None, suites))
    if broken:
        raise OutboxDamaged(
            f"outbox {file}: entry {broken[0]} of the chain does not follow from the one before it; "
            "set it aside and salvage"
        )
