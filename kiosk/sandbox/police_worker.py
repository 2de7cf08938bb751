"""The police endpoint's second look: batches lie in a queue and are judged by a worker, record by record."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from kiosk.sandbox import police_beside
from kiosk.sandbox.faults import Fault, FaultBoard
from kiosk.sandbox.police_auth import SHANGHAI, iso
from kiosk.sandbox.police_forms import Finding
from kiosk.sandbox.police_rules import judge
from kiosk.sandbox.police_store import Ledger, Outcome
from kiosk.sandbox.police_terms import Terms
from kiosk.sandbox.submission import Submission

BATCHES = "/v1/batches"
_PER_RECORD = frozenset({"reject", "warn", "defer", "reject_later", "wrong_hash"})
_TICK_S = 0.05


@dataclass(frozen=True, slots=True)
class Lot:
    """Items that wait for the worker, each with its place in the batch."""

    batch_id: str
    device: str
    items: Sequence[tuple[int, Submission]]


class Worker:
    """Judges batches on a thread of its own. ``stop`` ends it; every other call comes from connections' threads."""

    def __init__(
        self, ledger: Ledger, board: FaultBoard, terms: Terms, now: Callable[[], float], *, delay_s: float
    ) -> None:
        """Start. ``delay_s``: how long a batch lies in the queue before it is looked at."""
        self._ledger, self._board, self._terms, self._now, self._delay_s = ledger, board, terms, now, delay_s
        self._deferred: dict[str, Lot] = {}
        self._lots: queue.SimpleQueue[Lot | None] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="police-worker", daemon=True)
        self._thread.start()

    def take(self, lot: Lot) -> None:
        """Put a batch into the queue."""
        self._lots.put(lot)

    def look_again(self, batch_id: str) -> None:
        """Judge what was deferred of this batch."""
        deferred = self._deferred.pop(batch_id, None)
        if deferred is not None:
            self._lots.put(deferred)

    def stop(self) -> None:
        """End the thread. Safe to call twice."""
        self._stopping.set()
        self._lots.put(None)
        self._thread.join()

    def weigh(self, sub: Submission, device: str) -> tuple[Outcome, Finding | None]:
        """Return what would become of a record, and the warning that would go with it. Changes nothing."""
        known = self._ledger.known(sub)
        if known is not None:
            return known, None
        broken = self._general(device) or judge(sub, self._moment(), self._terms.rooms())
        if broken is not None:
            return Outcome.rejected(broken), None
        beside = police_beside.finding(self._ledger.store, sub)
        if beside is None:
            return Outcome("ACCEPTED"), None
        if beside in police_beside.WARNINGS:
            return Outcome("ACCEPTED_WARN", beside.code, beside.field), beside
        return Outcome.rejected(beside), None

    def _general(self, device: str) -> Finding | None:
        """Return what is wrong with the hotel or the kiosk, whatever the record says."""
        if self._board.standing("police", "expire_licence"):
            return Finding("EAA", "hotelCode")
        return Finding("E308", "record") if self._terms.outdated(device) else None

    def _moment(self) -> datetime:
        return datetime.fromtimestamp(self._now(), UTC).astimezone(SHANGHAI)

    # ---- the thread --------------------------------------------------------------------------------------------------

    def _work(self) -> None:
        while (lot := self._lots.get()) is not None:
            if self._delay_s and self._stopping.wait(self._delay_s):
                return
            self._process(lot)

    def _process(self, lot: Lot) -> None:
        self._ledger.set_status(lot.batch_id, "PROCESSING")
        for _, sub in lot.items:
            for fault in self._hits(sub, frozenset({"slow"})):
                self._dawdle(fault)
        waiting: list[tuple[int, Submission]] = []
        with self._ledger.store.transaction():
            for seq, sub in lot.items:
                if not self._decide(lot, seq, sub):
                    waiting.append((seq, sub))
            if waiting:
                self._deferred[lot.batch_id] = Lot(lot.batch_id, lot.device, waiting)
                return
            hidden = [seq for seq, sub in lot.items[-1:] if self._hits(sub, frozenset({"partial"}))]
            for seq in hidden:
                self._ledger.hide(lot.batch_id, seq)
            self._ledger.finish(lot.batch_id)

    def _decide(self, lot: Lot, seq: int, sub: Submission) -> bool:
        """Judge one item and note it; False when it is deferred."""
        faults = {fault.effect: fault for fault in self._hits(sub, _PER_RECORD)}
        if "defer" in faults:
            self._ledger.note(lot.batch_id, seq, Outcome("DEFERRED"))
            return False
        outcome, warning = self.weigh(sub, lot.device)
        if "reject" in faults and not outcome.duplicate:
            outcome = Outcome.rejected(Finding(faults["reject"].text("code", "E22"), "record"))
        elif outcome.status.startswith("ACCEPTED") and not outcome.duplicate:
            if "warn" in faults:
                warning = Finding(faults["warn"].text("code", "E304"), "record")
            later = faults["reject_later"].text("code", "E301") if "reject_later" in faults else ""
            outcome = self._ledger.accept(sub, warning, iso(self._now()), later)
        self._ledger.note(lot.batch_id, seq, outcome, sub.content_hash[::-1] if "wrong_hash" in faults else None)
        return True

    def _hits(self, sub: Submission, effects: frozenset[str]) -> tuple[Fault, ...]:
        return self._board.take("police", BATCHES, effects, method="POST", body=sub.text.encode())

    def _dawdle(self, fault: Fault) -> None:
        end = time.monotonic() + fault.number("s", 1)
        while (left_s := end - time.monotonic()) > 0 and not self._stopping.is_set():
            if fault.cleared.wait(min(_TICK_S, left_s)):
                return
