"""Bringing back what is whole in a database that was set aside. Slice by slice, while guests go on.

Everything is asked of the live store by record and revision, so a salvage that was cut off is simply begun again.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Protocol, TypeVar

from kiosk.errors import OutboxUnavailable, where
from offline_queue import legal_hold
from offline_queue.clock import Clock
from offline_queue.crypto.sealing import TEXT, SealedPart
from offline_queue.crypto.vault import Vault
from offline_queue.database.rows import Event
from offline_queue.delivery import claims
from offline_queue.recovery import quarantine
from offline_queue.recovery.carving import Carved
from offline_queue.recovery.judging import Judged, WindowS, judge
from offline_queue.recovery.kept import Kept
from offline_queue.recovery.pages import Pages
from offline_queue.recovery.quarantine import Damaged
from offline_queue.settle import Delivered
from offline_queue.states import MOVES, EventState
from offline_queue.store import Store

T = TypeVar("T")

SALVAGE = "SALVAGE"
"""State of the chain's entry that names the old chain's head."""
_KEPT_FOR_STAFF = frozenset({EventState.DELIVERED, EventState.SUPERSEDED})
_OWN_FACTS = frozenset({"first_event", "erasure unsigned from"})
"""What a store remembers about itself: not taken over from another one."""
_RECEIPTED = frozenset({EventState.DELIVERED, EventState.PURGED})
"""One that was purged is delivered again, and purged again at its time."""
_SLICE = 5
_PAGES = 50
_BREATH_S = 0.001


class Call(Protocol):
    """Runs work on the owner thread and waits for it."""

    def __call__(self, work: Callable[[Store], T]) -> T: ...


@dataclass(frozen=True, slots=True)
class Site:
    """What salvage and rebuild work with."""

    call: Call
    vault: Vault
    window_s: WindowS
    clock: Clock
    store: Path
    """The live store's file."""
    keep_s: float
    """How long what is left of a salvaged database is kept."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one damaged database. No personal data: it is written beside what is left of it."""

    file: str
    events: int = 0
    """Of which anything was left."""
    brought_back: int = 0
    here_already: int = 0
    repaired: int = 0
    """Of those: their row was broken, chain and text told what they were."""
    sealed: int = 0
    """Of those: cannot be opened, wait for staff."""
    lost: int = 0
    """Nothing tells which record they were."""
    missing: int = 0
    """Changes of state that its chain once had, and that are not in it: an older copy, or its log was thrown away."""
    foreign: bool = False
    """Another kiosk's database: left as it is."""
    chain_seq: int = 0
    chain_head: str = field(default="")
    """Number and hash of the last entry of its chain."""

    def to_json(self) -> dict[str, object]:
        return asdict(self)


def salvage(site: Site, damaged: Damaged, stopping: threading.Event) -> Outcome | None:
    """Bring back what is whole, then put the rest away. Blocks its caller, the owner thread for a slice at a time.

    Returns None when it was stopped; the next one begins again. Raises OutboxUnavailable and OSError: later may work.
    """
    pages = Pages(damaged.base, damaged.log)
    try:
        carved = Carved(pages)
        for index in range(len(pages)):
            _look(carved, index)
            if index % _PAGES == 0 and stopping.wait(_BREATH_S):  # the screen's thread wants to run, too
                return None
        missing = max(0, site.call(lambda store: _witnessed(store, damaged)) - carved.head[0])
        head = carved.head[1].hex()
        outcome = Outcome(damaged.base.name, missing=missing, chain_seq=carved.head[0], chain_head=head)
        if carved.recipients and not any(map(site.vault.keys.named, carved.recipients)):
            outcome = replace(outcome, foreign=True, events=len(carved.events))
        else:
            told = _bring_back(site, carved, damaged, outcome, stopping)
            if told is None:
                return None
            outcome = told
    finally:
        pages.close()
    if carved.riddles:
        raise OutboxUnavailable(
            f"{damaged.base.name}: {len(carved.riddles)} places in it were not understood ({carved.riddles[0]}); it is "
            "kept as it is, the rest is brought back. Call support"
        )
    if not outcome.foreign and not quarantine.wipe_keys(damaged, stopping):
        return None
    quarantine.put_away(site.store, damaged, outcome.to_json())
    return outcome


def _witnessed(store: Store, damaged: Damaged) -> int:
    try:
        return int(store.fact(quarantine.witnessed(damaged)) or 0)
    except ValueError:
        return 0


def bring(store: Store, events: Iterable[Kept], wall: float) -> tuple[int, int]:
    """Take events into the live store unless they are there; owner thread. Returns how many came, how many were there.

    One that is there but could not be opened takes the parts that open.
    """
    came = there = 0
    with store.transaction():
        for kept in events:
            live = store.find(kept.record_id, kept.revision)
            if live is None:
                _close_replaced(store, kept, wall)
                _bring_papers(store, store.restore(kept.columns, kept.parts, wall), kept)
                came += 1
            elif _is_receipt_for(live, kept):
                _learn(store, live, kept, wall)
                came += 1
            elif _is_better(store, live, kept):
                # Of what is delivered the text alone is kept for staff, whatever the second copy still had
                parts = [part for part in kept.parts if live.state is EventState.QUARANTINED or part.part == TEXT]
                store.mend(live, kept.columns, parts, wall)
                came += 1
            else:
                there += 1
    return came, there


def _close_replaced(store: Store, kept: Kept, wall: float) -> None:
    """Let a correction that comes back replace what it replaced when it was put, and go: the older copy knew none."""
    first = kept.columns.get("supersedes")
    if not isinstance(first, int):
        return
    for one in store.revisions(kept.record_id):
        if first <= one.revision < kept.revision and (one.state, EventState.SUPERSEDED) in MOVES:
            store.move(one, EventState.SUPERSEDED, wall, detail=f"by {kept.revision}")


def _bring_papers(store: Store, event: Event, kept: Kept) -> None:
    """Bring back what the second copy knows of an event besides its row."""
    if hold := kept.text("hold"):
        legal_hold.bring_back(store, event.record_id, hold)
    at = kept.columns.get("erased_at")
    if (statement := kept.text("erasure")) and isinstance(at, float):
        store.keep_erasures([(event.id, at, statement, b"", "")])


def _is_receipt_for(live: Event, kept: Kept) -> bool:
    """Say whether what waits here, from an older copy, is known to be delivered."""
    same = kept.columns["content_hash"] == live.content_hash
    return same and live.state is EventState.READY and kept.columns["state"] in _RECEIPTED


def _learn(store: Store, live: Event, kept: Kept, wall: float) -> None:
    """Save the receipt that was found."""
    store.move(live, EventState.INFLIGHT, wall, detail="receipt found")
    settled = kept.columns.get("settled_at")
    told = Delivered(kept.text("receipt"), kept.text("received_at"), kept.text("flag"))
    settled_at = settled if isinstance(settled, float) else wall
    claims.deliver(store, replace(live, state=EventState.INFLIGHT), told, wall, settled_at)


def _is_better(store: Store, live: Event, kept: Kept) -> bool:
    """Say whether what was found opens, and what is in the live store does not."""
    if live.state is EventState.QUARANTINED:
        return kept.columns["state"] != EventState.QUARANTINED
    return live.state in _KEPT_FOR_STAFF and TEXT in _names(kept.parts) and TEXT not in _names(store.parts(live))


def _names(parts: Iterable[SealedPart]) -> set[str]:
    return {part.part for part in parts}


def _bring_back(
    site: Site, carved: Carved, damaged: Damaged, outcome: Outcome, stopping: threading.Event
) -> Outcome | None:
    site.call(lambda store: _begin(store, carved, damaged, outcome, site.clock.wall()))
    numbers = iter(carved.numbers())
    seen: set[tuple[bytes, int]] = set()
    lost = 0
    while batch := list(islice(numbers, _SLICE)):
        if stopping.wait(_BREATH_S):
            return None
        judged = [one for number in batch if (one := _judge(site, carved, number)) is not None]
        whole = list(_once(judged, seen))
        came, there = site.call(lambda store, kept=whole: bring(store, kept, site.clock.wall()))  # type: ignore[misc]
        lost += sum(one.kept is None for one in judged)
        outcome = replace(
            outcome,
            events=outcome.events + len(whole),
            brought_back=outcome.brought_back + came,
            here_already=outcome.here_already + there,
            repaired=outcome.repaired + sum(one.repaired for one in judged),
            sealed=outcome.sealed + sum(one.sealed for one in judged),
        )
    site.call(lambda store: _bring_erasures(store, carved))
    return replace(outcome, lost=lost)


def _once(judged: Iterable[Judged], seen: set[tuple[bytes, int]]) -> Iterator[Kept]:
    """Leave out a row whose number was hit: it comes under its own number, too."""
    for one in judged:
        if one.kept is not None and (one.kept.record, one.kept.revision) not in seen:
            seen.add((one.kept.record, one.kept.revision))
            yield one.kept


def _look(carved: Carved, index: int) -> None:
    try:
        carved.look(index)
    except Exception as exc:  # a page that we do not understand must not cost the others
        carved.riddles.append(where(exc))


def _judge(site: Site, carved: Carved, number: int) -> Judged | None:
    try:
        return judge(carved, number, site.vault.open_part, site.window_s)
    except Exception as exc:  # an event that we do not understand must not cost the others
        carved.riddles.append(where(exc))
        return None


def _begin(store: Store, carved: Carved, damaged: Damaged, outcome: Outcome, wall: float) -> None:
    """Bring back what the outbox remembered, above all legal holds, before anything that a purge could touch."""
    begun = f"salvage {damaged.name}"
    if store.fact(begun) is not None:
        return
    with store.transaction():
        for name, value in carved.facts.items():
            if store.fact(name) is None and name not in _OWN_FACTS:
                store.set_fact(name, value)
        detail = {"file": damaged.base.name, "seq": outcome.chain_seq, "head": outcome.chain_head}
        store.remark(SALVAGE, json.dumps(detail, separators=(",", ":")), wall)
        store.set_fact(begun, "begun")


def _bring_erasures(store: Store, carved: Carved) -> None:
    rows = [row for row in carved.erasures.values() if row]
    if rows:
        with store.transaction():
            store.keep_erasures(rows)
