"""The thread that delivers: claim, send, poll, settle, wait. It alone speaks to the authority.

Waits are counted on the monotonic clock; ``next_at`` in the store is wall time, because it must
mean something after a restart, and survives a clock that jumps (see ``Questions.ready``).
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from kiosk.config import ReportingSection
from kiosk.errors import OutboxUnavailable
from offline_queue import retention
from offline_queue.backoff import ERRAND_SPREAD_S
from offline_queue.delivery import claims, receipts_list
from offline_queue.delivery.ahead import Ahead
from offline_queue.delivery.code_tables import CodeTables
from offline_queue.delivery.endpoint import Endpoint
from offline_queue.delivery.flights import Courier, Flight
from offline_queue.delivery.line import Pace
from offline_queue.delivery.reconcile import DailyLists
from offline_queue.delivery.talk import Talk
from offline_queue.owner import LineView, OutboxOwner
from offline_queue.store import Store

log = logging.getLogger(__name__)

MAX_FLIGHTS = 4
"""Batches that may be in flight: a slow one must not hold up the next guest's record."""
_IDLE_S = 30.0
_PURGE_EVERY_S = 3600.0
_LATE_S = 300.0
"""Errands and erasure wait for records that are on their way, but no longer: one may be on its way for ever."""
_TIMELESS_PURGE_S = 86_400.0
"""A kiosk that hears no authority for so long erases by its own clock: it may be wrong, for ever kept is so too."""


class Errand(Protocol):
    """What is asked of the authority beside the records, when none of them is on its way."""

    due_at: float
    """Monotonic."""

    def run(self) -> float:
        """Do it; a failure holds no record back. Return the seconds until it is due again."""
        ...


class SyncThread:
    """Delivers what the outbox holds. ``start`` once; ``stop`` ends it within a second, whatever it waits for."""

    def __init__(
        self,
        owner: OutboxOwner,
        endpoint: Endpoint,
        settings: ReportingSection,
        *,
        on_receipt: Callable[[str, str], None] | None = None,
        draw: Callable[[], float] = random.random,
        tables_in: Path | None = None,
    ) -> None:
        """Prepare; nothing runs yet. Raises ConfigError for a ``receipts_key_file`` that is none.

        Args:
            owner: The store.
            endpoint: The authority's adapter; closed by ``stop``.
            settings: ``config.reporting``.
            on_receipt: Called on the sync thread with recordId and receiptNo after the commit; must not block.
            draw: Uniform draws from 0..1 for every jitter.
            tables_in: The folder where the authority's code tables are kept; None keeps none.
        """
        self._owner = owner
        self._clock = owner.clock
        self._endpoint = endpoint
        self._talk = talk = Talk(endpoint, owner.clock, Pace.of(settings), draw)
        self._tables = CodeTables(owner, talk, tables_in) if tables_in is not None else None
        key = receipts_list.load_key(settings.receipts_key_file) if settings.receipts_key_file is not None else None
        self._lists = DailyLists(owner, talk, key, settings.device_id) if key is not None else None
        self._errands: list[Errand] = [one for one in (self._tables, self._lists) if one is not None]
        outdated = self._tables.doubt if self._tables is not None else lambda: None
        self._courier = Courier(owner, talk, settings.poll_s, on_receipt, outdated)
        self._ahead = Ahead(owner, talk)
        self._wake = threading.Event()
        self._forced = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sync")
        self._stranded = True
        self._generation = owner.generation
        self._log_holds_keys = True  # the last run may have ended between a receipt and the emptying of its log
        self._purge_at = self._emptied_at = self._began = 0.0

    def start(self) -> None:
        self._owner.outbox.on_put = self.wake
        self._thread.start()

    def wake(self) -> None:
        """There is news: send at once, unless the line is held after a failure. From any thread."""
        self._wake.set()

    def try_now(self) -> None:
        """A person asks for a try at once, whatever the line waits for. From any thread."""
        self._forced.set()
        self._wake.set()

    def stop(self) -> None:
        """Cut the call under way and end the thread. What was in flight goes again at the next start."""
        self._owner.outbox.on_put = lambda: None
        self._stopping.set()
        self._endpoint.stop()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()
        self._endpoint.close()

    def _run(self) -> None:
        self._begin()
        while not self._stopping.is_set():
            self._hear()
            wait_s = self._safely(self._turn)
            self._publish()
            self._wake.wait(wait_s)

    def _begin(self) -> None:
        waited_s = self._safely(self._oldest_waiting_s)
        talk, self._began = self._talk, self._clock.mono()
        self._purge_at = self._emptied_at = self._began
        talk.line = talk.line.started(self._began, waited_s, talk.draw(), talk.pace)
        for errand in self._errands:
            errand.due_at = self._began + (ERRAND_SPREAD_S if talk.line.storm else talk.pace.spread_s) * talk.draw()

    def _oldest_waiting_s(self) -> float:
        """Age of the oldest record that only waits for the line: one that waits for a person says nothing of it."""
        since = self._owner.call(Store.waiting_since)
        return 0.0 if since is None else max(0.0, self._clock.wall() - since)

    def _hear(self) -> None:
        """Take in what others said since the last turn."""
        woken = self._wake.is_set()
        self._wake.clear()  # before looking: what is said from here on wakes the next wait
        if self._forced.is_set():
            self._forced.clear()
            self._talk.force()
        elif woken:
            self._talk.line = self._talk.line.woken(self._clock.mono(), self._talk.pace)

    def _safely(self, work: Callable[[], float]) -> float:
        """Run a piece of work; whatever it broke is put right at the next turn."""
        try:
            return work()
        except OutboxUnavailable as exc:
            if not self._stopping.is_set():
                log.warning("sync: %s", exc)
        except Exception:  # nothing would be delivered any more
            if self._generation != self._owner.generation:  # it was about what a damaged store held
                log.warning("sync: the store was replaced meanwhile; what was in flight goes again")
            else:
                log.exception("sync: a bug; what was in flight goes again")
        self._stranded = True
        return self._talk.pace.base_s

    def _turn(self) -> float:
        """Do what can be done now; return the seconds until something else can."""
        if self._generation != self._owner.generation:
            # The store was damaged and another one is in its place: what is in flight is brought back as READY
            self._generation, self._stranded = self._owner.generation, True
        if self._stranded:
            self._courier.forget()
            self._ahead.forget()
            self._owner.call(lambda store: claims.recover(store, self._clock.wall()))
            self._stranded = False
        self._talk.heed_maintenance()
        self._ask_after([flight for flight in self._courier.flights if not flight.stubborn])
        while self._may_call() and len(self._courier.flights) < self._most() and self._send():
            pass
        self._ask_after([flight for flight in self._courier.flights if flight.stubborn])
        if not self._may_call():
            self._ahead.give_back()
        self._courier.collect()
        self._log_holds_keys |= self._courier.saved_receipts
        self._courier.saved_receipts = False
        self._run_errand()
        return self._rest()

    def _ask_after(self, flights: list[Flight]) -> None:
        for flight in flights:
            if self._may_call() and flight.poll_at <= self._clock.mono():
                self._courier.poll(flight)

    def _run_errand(self) -> None:
        """One of them: a record that was put meanwhile goes before the next."""
        for errand in self._errands:
            if errand.due_at < self._talk.back_at:  # it waited for the line, as a whole city's did
                errand.due_at = self._talk.back_at + ERRAND_SPREAD_S * self._talk.draw()
            if self._may_call() and self._due(errand.due_at):
                errand.due_at = self._clock.mono() + _IDLE_S  # should it break the authority is not asked at every turn
                wait_s = errand.run()
                errand.due_at = self._clock.mono() + wait_s
                return

    def _due(self, at: float) -> bool:
        """Say whether something may be done that records go before."""
        return at + (_LATE_S if self._courier.flights else 0.0) <= self._clock.mono()

    def _may_call(self) -> bool:
        return not self._stopping.is_set() and self._talk.line.try_at <= self._clock.mono()

    def _most(self) -> int:
        return 1 if self._courier.refused else MAX_FLIGHTS

    def _send(self) -> bool:
        """Send the next batch; False when nothing is due."""
        batch = self._ahead.take(more=len(self._courier.flights) + 1 < self._most())
        if batch is not None:
            self._courier.send(Flight.of(batch.id, batch.items, self._clock.mono()), batch.items, batch.head)
        return batch is not None

    def _rest(self) -> float:
        """Nothing is to be sent: clean up, then say how long nothing will be."""
        now = self._clock.mono()
        times = [now + _IDLE_S, *(flight.poll_at for flight in self._courier.flights)]
        self._erase(now)
        if not self._courier.flights:
            times += [self._purge_at, *(errand.due_at for errand in self._errands)]
        next_ready_at = self._owner.call(Store.next_ready_at)
        if len(self._courier.flights) < self._most():
            if self._ahead.waits():
                times.append(now)
            if next_ready_at is not None:
                times.append(now + min(next_ready_at - self._clock.wall(), self._talk.pace.cap_s))
        return max(0.0, max(min(times), self._talk.line.try_at) - now)

    def _erase(self, now: float) -> None:
        if self._due(self._purge_at):
            self._purge_at = now + (_PURGE_EVERY_S if self._purge(now) else _IDLE_S)
        if self._log_holds_keys and self._due(self._emptied_at):
            self._log_holds_keys = not self._owner.call(Store.truncate_log)
            self._emptied_at = now

    def _purge(self, now: float) -> bool:
        """Erase what is past its retention. False while nobody told the time: a clock far ahead would erase early."""
        if self._endpoint.time is None and now - self._began < _TIMELESS_PURGE_S:
            return False
        retention.purge_all(self._owner, self._owner.settings.retention_days, now=self._talk.now)
        return True

    def _publish(self) -> None:
        line, now = self._talk.line, self._clock.mono()
        lists, tables = self._lists, self._tables
        self._owner.authority_time, self._owner.line_told_at = self._endpoint.time, now
        self._owner.line = LineView(
            line.failures == 0,
            line.breaker,
            line.failures,
            line.why,
            max(0.0, line.try_at - now),
            clock_off_s=self._talk.off_s(),
            tables=tables.version if tables is not None else "",
            receipts_checked=lists.checked if lists is not None else "",
            doubts=tuple(one.trouble for one in (tables, lists) if one is not None and one.trouble),
        )
