"""A kiosk without a screen, as a process that may be killed: it puts, delivers, and says what it was promised.

One JSON object a line on standard output, written after the promise was made: ``{"put": [id, revision, hash]}``,
``{"receipt": [id, number]}``, ``{"waiting": n}`` each second. ``quiet`` on standard input: put no more.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kiosk.chaos.drawing import drawn
from kiosk.chaos.play import DrawnClock, settings
from kiosk.chaos.records import HOTEL, KIOSK, Guestbook, registration_of
from kiosk.config import ReportingSection
from kiosk.errors import OutboxUnavailable
from kiosk.model import Registration
from offline_queue.endpoints import psb_report
from offline_queue.owner import OutboxOwner
from offline_queue.states import EventState
from offline_queue.store import Store
from offline_queue.sync import SyncThread

OF_A_LIFE = 1000
"""More guests than one life of the process ever has."""
_OLD = 30
_TELL_S = 0.2
_CORRECTIONS = 0.35


@dataclass(frozen=True, slots=True)
class Life:
    """One life of the process, from its start to the kill."""

    folder: str
    seed: str
    number: int
    pause_s: float
    """Mean time between two guests."""
    reporting: dict[str, Any]
    jumps_s: tuple[float, ...] = ()
    """How far off the clock is, one after the other; it changes every ``jump_every_s``."""
    jump_every_s: float = 1.0


def main() -> None:
    """Live as the first argument says, until the end of standard input or a kill."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    life = Life(**json.loads(sys.argv[1]))
    clock = DrawnClock()
    owner = OutboxOwner.open(Path(life.folder), HOTEL, KIOSK, settings(), clock=clock)
    reporting = ReportingSection.model_validate(life.reporting)
    sync = SyncThread(owner, psb_report.make(reporting, clock), reporting, on_receipt=_tell_receipt)
    sync.start()
    kiosk = _Kiosk(owner, life, clock)
    try:
        kiosk.live()
    finally:
        sync.stop()
        owner.close()


class _Kiosk:
    def __init__(self, owner: OutboxOwner, life: Life, clock: DrawnClock) -> None:
        self._owner, self._life, self._clock = owner, life, clock
        self._dice = drawn(life.seed, "life", life.number)
        self._book = Guestbook(self._dice, 1500, guests=life.number * OF_A_LIFE)
        self._latest: dict[str, Registration] = {}
        self._quiet, self._ended = threading.Event(), threading.Event()
        self._jumps = list(life.jumps_s)

    def live(self) -> None:
        """Put and tell until standard input ends."""
        self._remember()
        threading.Thread(target=self._listen, name="orders", daemon=True).start()
        jumper = threading.Thread(target=self._jump, name="clock")
        jumper.start()
        while not self._ended.is_set():
            if self._quiet.is_set():
                self._ended.wait(_TELL_S)
                tell({"waiting": self._owner.call(_undelivered), "line": self._owner.line.why})
            else:
                self._ended.wait(self._dice.expovariate(1 / self._life.pause_s))
                self._put()
        jumper.join()

    def _listen(self) -> None:
        for line in sys.stdin:
            if line.strip() == "quiet":
                self._quiet.set()
        self._ended.set()

    def _jump(self) -> None:
        while self._jumps and not self._ended.wait(self._life.jump_every_s):
            self._clock.off_s = self._jumps.pop(0)

    def _put(self) -> None:
        known = self._dice.random() < _CORRECTIONS and list(self._latest.values())
        new = self._book.correction(self._dice.choice(known)) if known else self._book.check_in()
        try:
            self._owner.outbox.put(new)
        except OutboxUnavailable as exc:
            tell({"refused": str(exc)})
            return
        tell({"put": [new.record_id, new.revision, hashlib.sha256(new.text).hexdigest()]})
        self._latest[new.record_id] = new

    def _remember(self) -> None:
        """Go on with records of earlier lives: what the store opens is what a clerk would correct."""
        events = self._owner.call(lambda store: store.events_after(0, 1_000_000))[-_OLD:]
        for event in events:
            text = self._owner.outbox.open_text(str(event.record_id), event.revision)  # type: ignore[arg-type]
            if text is not None:
                earlier = registration_of(text)
                known = self._latest.get(earlier.record_id)
                if known is None or known.revision < earlier.revision:
                    self._latest[earlier.record_id] = earlier


def _undelivered(store: Store) -> int:
    counts = store.counts()
    return sum(counts[state] for state in (EventState.BLOCKED, EventState.READY, EventState.INFLIGHT))


def _tell_receipt(record_id: str, number: str) -> None:
    tell({"receipt": [record_id, number]})


def tell(said: dict[str, object]) -> None:
    """Write one line in one piece: a kill leaves no half of it, and threads do not mix theirs."""
    os.write(1, json.dumps(said).encode() + b"\n")


if __name__ == "__main__":
    main()
