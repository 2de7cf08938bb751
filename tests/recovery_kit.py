"""An outbox with records in every state, harm to its files, and what must be left afterwards."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from kiosk.config import OutboxSection
from kiosk.model import Registration
from offline_queue import retention
from offline_queue.database.verify import verify
from offline_queue.owner import OutboxOwner
from offline_queue.states import EventState
from tests.outbox_kit import deliver, event, opened, registration, reject, state

MEND_S = 60.0
COPIED = OutboxSection(second_copy=True)


@dataclass(slots=True)
class Lobby:
    """Files of an outbox as a power cut leaves them, and what was acknowledged."""

    folder: Path
    puts: list[Registration] = field(default_factory=list)
    states: dict[tuple[str, int], EventState] = field(default_factory=dict)
    receipts: dict[tuple[str, int], str | None] = field(default_factory=dict)

    def copy(self, to: Path) -> Path:
        shutil.copytree(self.folder, to)
        return to


def lobby(folder: Path, *, waiting: int = 6, closed: bool = False, settings: OutboxSection | None = None) -> Lobby:
    """Make an outbox that holds everything a busy week leaves."""
    live = folder / "live"
    made = Lobby(folder / "made")
    settings = settings or OutboxSection()
    with opened(live, settings=settings) as owner:
        for name in ("purged", "delivered", "rejected", "mended", "waiting", "waiting 2"):
            put(owner, made, registration(stay=f"S-{name}"))
        by_stay = {one.stay_id: one for one in made.puts}
        deliver(owner, by_stay["S-purged"].record_id, wall=1000.0)
        owner.call(lambda store: retention.purge(store, owner.clock.wall(), 30))
        deliver(owner, by_stay["S-delivered"].record_id)
        reject(owner, by_stay["S-rejected"].record_id)
        reject(owner, by_stay["S-mended"].record_id)
        put(owner, made, registration(by_stay["S-mended"].record_id, 2), supersedes=1)
        put(owner, made, registration(by_stay["S-waiting"].record_id, 2))
        for _ in range(waiting):
            put(owner, made, registration())
        for one in made.puts:
            known = event(owner, one.record_id, one.revision)
            made.states[one.record_id, one.revision] = known.state
            made.receipts[one.record_id, one.revision] = known.receipt
        owner.mending.wait(MEND_S)
        if not closed:
            shutil.copytree(live, made.folder)
    if closed:
        shutil.copytree(live, made.folder)
    (made.folder / "queue.lock").unlink(missing_ok=True)
    return made


def put(owner: OutboxOwner, made: Lobby, one: Registration, **more: Any) -> None:
    owner.outbox.put(one, **more)
    made.puts.append(one)


@contextmanager
def mended(folder: Path, **more: Any) -> Iterator[OutboxOwner]:
    """Open the outbox, let a guest check in at once, and wait until everything is brought back."""
    with opened(folder, **more) as owner:
        owner.outbox.put(registration())
        view = owner.mending.wait(MEND_S)
        assert (view.running, view.waiting, view.why) == (False, 0, ""), view
        yield owner


def left(owner: OutboxOwner, made: Lobby) -> tuple[list[str], list[str]]:
    """Return what is lost, and what is there but cannot be opened any more, by its stay."""
    lost, sealed = [], []
    for one in made.puts:
        known = owner.call(lambda store, one=one: store.find(UUID(one.record_id), one.revision))
        if known is None:
            lost.append(f"{one.stay_id} {one.revision}")
        elif made.states[one.record_id, one.revision] is not EventState.PURGED:
            text = owner.outbox.open_text(one.record_id, one.revision)
            assert text in (None, one.text)
            if text is None or known.state is EventState.QUARANTINED:
                sealed.append(f"{one.stay_id} {one.revision}")
    return lost, sealed


def nothing_is_lost(owner: OutboxOwner, made: Lobby) -> None:
    """Hold everything that was acknowledged against what is there: present, whole, in its state, with its receipt."""
    assert left(owner, made) == ([], [])
    for one in made.puts:
        which = one.record_id, one.revision
        assert state(owner, *which) is made.states[which]
        assert event(owner, *which).receipt == made.receipts[which]
    assert verify(owner).faults == ()
