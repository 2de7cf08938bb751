"""A working day of one outbox, step by step, drawn from dice: the product's own code over a disk that writes down.

After each step it is known what was acknowledged, what the authority has, and how the store stands.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TypeAlias
from uuid import UUID, uuid4

from kiosk.chaos.authority import Authority, Revision
from kiosk.chaos.records import HOTEL, KIOSK, Guestbook
from kiosk.config import OutboxSection
from kiosk.model import Registration
from offline_queue import retention
from offline_queue.answering import decide
from offline_queue.clock import SystemClock
from offline_queue.database.rows import Event
from offline_queue.delivery import claims
from offline_queue.delivery.claims import Claimed
from offline_queue.owner import OutboxOwner
from offline_queue.settle import Again, Delivered, Rejected, Settlement
from offline_queue.states import EventState
from offline_queue.store import Store

# The outbox tells its log of every accident that is played here; only the kiosk process keeps that
logging.getLogger("offline_queue").addHandler(logging.NullHandler())

DAY_S = 86_400.0
NO_LIMIT = 1 << 30
BATCH = 6
_EVERYTHING = 1_000_000

Standing: TypeAlias = dict[Revision, tuple[EventState, str | None]]
"""State and receipt of every revision."""


def settings(**more: object) -> OutboxSection:
    """Settings of an outbox that shares a small disk with nobody."""
    small = {"ballast_mb": 0, "disk_refuse_mb": 1, "disk_staff_mb": 2, "disk_warn_mb": 3}
    return OutboxSection.model_validate({"retention_days": 1, **small, **more})


@dataclass(slots=True)
class DrawnClock:
    """The machine's clock, off by what the play says."""

    off_s: float = 0.0
    real: SystemClock = field(default_factory=SystemClock)

    def wall(self) -> float:
        return self.real.wall() + self.off_s

    def mono(self) -> float:
        return self.real.mono()

    def boot(self) -> str:
        return self.real.boot()


@dataclass(frozen=True, slots=True)
class Step:
    """How things stood when a step was acknowledged."""

    kind: str
    standing: Standing
    acknowledged: int
    """How many puts were acknowledged so far."""
    reported: int
    """How many records the authority has so far."""
    erased: frozenset[Revision] = frozenset()
    """What was purged when the log was last emptied, and said to be."""


@dataclass(slots=True)
class Diary:
    """What happened in a play."""

    steps: list[Step] = field(default_factory=list)
    acknowledged: dict[Revision, bytes] = field(default_factory=dict)
    """Hash of each text, in the order of the puts."""
    authority: Authority = field(default_factory=Authority)
    wrapped: dict[Revision, dict[str, bytes]] = field(default_factory=dict)
    """The wrapped data key of each part, as the store had it."""
    refused: set[Revision] = field(default_factory=set)
    """What the authority refused at least once."""


class Player:
    """Draws and plays steps. Owner and authority are the play's own; one thread."""

    def __init__(
        self, folder: Path, dice: Random, *, outbox: OutboxSection | None = None, photo_bytes: int = 900
    ) -> None:
        """Open the store in ``folder``; ``outbox``: its settings, small when None. Raises OutboxUnavailable."""
        self._folder, self._dice = folder, dice
        self._settings = outbox or settings()
        self.book = Guestbook(dice, photo_bytes)
        self._flying: list[Claimed] = []
        self._records: list[Registration] = []
        self._shut = False
        self._erased: frozenset[Revision] = frozenset()
        self.troubled = False
        """The last step was refused: the next one begins with ``mend``."""
        self.clock = DrawnClock()
        self.diary = Diary()
        self.owner = self._opened()
        recover(self.owner)

    def step(self) -> str:
        """Play one step and note how things stand. Raises OutboxUnavailable when the disk refuses."""
        kind, play = self._drawn()
        play()
        self.note(kind)
        return kind

    def note(self, kind: str) -> None:
        diary = self.diary
        known, reported = len(diary.acknowledged), len(diary.authority.ledger)
        diary.steps.append(Step(kind, standing(self.owner), known, reported, self._erased))

    def mend(self) -> None:
        """After a refusal do what the sync thread does: forget the flights, and take up what is in the store."""
        self._flying = []
        if self._shut:
            self.reopen()
        recover(self.owner)

    def reopen(self) -> None:
        """Start again after ``close``. Raises OutboxUnavailable."""
        self.owner = self._opened()
        self._shut = False

    def close(self) -> None:
        self.owner.close()

    def _opened(self) -> OutboxOwner:
        return OutboxOwner.open(self._folder, HOTEL, KIOSK, self._settings, clock=self.clock)

    def _drawn(self) -> tuple[str, Callable[[], None]]:
        weights: dict[str, tuple[int, Callable[[], None]]] = {
            "check-in": (30, self._check_in),
            "correction": (10, self._correction),
            "again": (3, self._again),
            "claim": (18, self._claim),
            "settle": (26, self._settle),
            "retry": (3, self._retry),
            "purge": (4, self._purge),
            "empty the log": (3, self._empty_log),
            "restart": (3, self._restart),
        }
        kind = self._dice.choices(list(weights), [weight for weight, _ in weights.values()])[0]
        return kind, weights[kind][1]

    def _check_in(self) -> None:
        self.put(self.book.check_in())

    def _correction(self) -> None:
        if not self._records:
            return self._check_in()
        latest = self._latest(self._dice.choice(self._records))
        states = standing(self.owner)
        if (UUID(latest.record_id), latest.revision + 1) in states:
            # A put that was refused, and is there all the same after a restart: nobody was told, nobody corrects it
            return self._check_in()
        state, _ = states[UUID(latest.record_id), latest.revision]
        fixes = latest.revision if state is EventState.REJECTED else None
        return self.put(self.book.correction(latest), supersedes=fixes)

    def _again(self) -> None:
        if self._records:
            self.owner.outbox.put(self._dice.choice(self._records))

    def put(self, registration: Registration, supersedes: int | None = None) -> None:
        """Put, and write down what was acknowledged. Raises OutboxUnavailable."""
        self.owner.outbox.put(registration, supersedes=supersedes)
        key = UUID(registration.record_id), registration.revision
        self._records.append(registration)
        self.diary.acknowledged[key] = hashlib.sha256(registration.text).digest()
        self.diary.wrapped[key] = self.owner.call(lambda store: wrapped_keys(store, *key))

    def _claim(self) -> None:
        taken = claim(self.owner, self.clock.wall(), self._dice.randint(1, BATCH))
        self._flying += taken

    def _settle(self) -> None:
        if not self._flying:
            return self._claim()
        count = self._dice.randint(1, len(self._flying))
        landing, self._flying = self._flying[:count], self._flying[count:]
        outcomes = [(item.event, self._judged(item)) for item in landing]
        return settle(self.owner, self.clock.wall(), outcomes)

    def _judged(self, item: Claimed) -> Settlement:
        event, dice = item.event, self._dice.random()
        if dice < 0.12:
            return Again("the line broke", charged=False)
        if dice < 0.2:
            self.diary.refused.add((event.record_id, event.revision))
            return Rejected("E22 name")
        return delivered(self.diary.authority, event)

    def _retry(self) -> None:
        refused = [key for key, (state, _) in standing(self.owner).items() if state is EventState.REJECTED]
        if refused:
            record, _ = self._dice.choice(refused)
            self.owner.call(lambda store: decide.retry(store, self.owner.vault, record, self.clock.wall(), "clerk"))

    def _purge(self) -> None:
        self.clock.off_s += DAY_S
        days = self._settings.retention_days
        done = self.owner.call(lambda store: retention.purge(store, self.clock.wall(), days))
        self._emptied(done.log_emptied)

    def _empty_log(self) -> None:
        self._emptied(self.owner.call(Store.truncate_log))

    def _emptied(self, told: bool) -> None:
        if told:
            states = standing(self.owner).items()
            self._erased = frozenset(key for key, (state, _) in states if state is EventState.PURGED)

    def _restart(self) -> None:
        self._flying, self._shut = [], True
        self.owner.close()
        self.reopen()
        recover(self.owner)

    def _latest(self, one: Registration) -> Registration:
        same = [other for other in self._records if other.record_id == one.record_id]
        return max(same, key=lambda other: other.revision)


def standing(owner: OutboxOwner) -> Standing:
    """Read state and receipt of every revision."""
    events: Sequence[Event] = owner.call(lambda store: store.events_after(0, _EVERYTHING))
    return {(event.record_id, event.revision): (event.state, event.receipt) for event in events}


def recover(owner: OutboxOwner) -> None:
    """Do what the sync thread does first at every start: what was in flight goes again."""
    owner.call(lambda store: claims.recover(store, owner.clock.wall()))


def claim(owner: OutboxOwner, wall: float, limit: int) -> list[Claimed]:
    """Take what is due, as the sync thread does."""
    name = str(uuid4())
    return owner.call(
        lambda store: claims.claim(
            store, owner.vault, wall, batch_id=name, limit=limit, max_bytes=NO_LIMIT, cap_s=300.0
        )
    )


def settle(owner: OutboxOwner, wall: float, outcomes: Sequence[tuple[Event, Settlement]]) -> None:
    """Write down what became of events in flight."""
    owner.call(lambda store: claims.settle(store, outcomes, wall, poison_attempts=20, wait_s=lambda _: 0.0))


def delivered(authority: Authority, event: Event) -> Delivered:
    """Hand a claimed event to the authority."""
    number = authority.report(event.record_id, event.revision, event.content_hash)
    return Delivered(number, "2026-01-01T12:00:00+08:00")


def wrapped_keys(store: Store, record: UUID, revision: int) -> dict[str, bytes]:
    """Return the wrapped data key of each part of one event. Owner thread."""
    event = store.find(record, revision)
    return {} if event is None else {part.part: part.wrapped for part in store.parts(event)}
