"""The thread that delivers: claim, send, poll, settle, wait. It alone speaks to the authority.

Waits are counted on the monotonic clock; ``next_at`` in the store is wall time, because it must
mean something after a restart, and survives a clock that jumps (see ``Questions.ready``).
"""

from __future__ import annotations

import logging
import random
import threading
import uuid
from collections.abc import Callable

from kiosk.config import ReportingSection
from kiosk.errors import OutboxUnavailable
from offline_queue import claims, retention
from offline_queue.endpoint import Endpoint
from offline_queue.flights import Courier, Flight
from offline_queue.line import Line, Pace
from offline_queue.owner import LineView, OutboxOwner
from offline_queue.store import Store

log = logging.getLogger(__name__)

MAX_FLIGHTS = 4
"""Batches that may be in flight: a slow one must not hold up the next guest's record."""
_IDLE_S = 30.0
_PURGE_EVERY_S = 3600.0


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
    ) -> None:
        """Prepare; nothing runs yet.

        Args:
            owner: The store.
            endpoint: The authority's adapter; closed by ``stop``.
            settings: ``config.reporting``.
            on_receipt: Called on the sync thread with recordId and receiptNo after the commit; must not block.
            draw: Uniform draws from 0..1 for every jitter.
        """
        self._owner = owner
        self._clock = owner.clock
        self._endpoint = endpoint
        self._pace = Pace.of(settings)
        self._draw = draw
        self._courier = Courier(owner, endpoint, settings, Line(limit=settings.batch_max), draw, on_receipt)
        self._wake = threading.Event()
        self._forced = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sync")
        self._stranded = True
        self._log_holds_keys = True  # the last run may have ended between a receipt and the emptying of its log
        self._purge_at = 0.0

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
        courier = self._courier
        courier.line = courier.line.started(self._clock.mono(), waited_s, self._draw(), self._pace)

    def _oldest_waiting_s(self) -> float:
        """Age of the oldest record that only waits for the line: one that waits for a person says nothing of it."""
        since = self._owner.call(Store.waiting_since)
        return 0.0 if since is None else max(0.0, self._clock.wall() - since)

    def _hear(self) -> None:
        """Take in what others said since the last turn."""
        line, now = self._courier.line, self._clock.mono()
        woken = self._wake.is_set()
        self._wake.clear()  # before looking: what is said from here on wakes the next wait
        if self._forced.is_set():
            self._forced.clear()
            self._courier.line = line.forced(now)
        elif woken:
            self._courier.line = line.woken(now, self._pace)

    def _safely(self, work: Callable[[], float]) -> float:
        """Run a piece of work; whatever it broke is put right at the next turn."""
        try:
            return work()
        except OutboxUnavailable as exc:
            if not self._stopping.is_set():
                log.warning("sync: %s", exc)
        except Exception:  # nothing would be delivered any more
            log.exception("sync: a bug; what was in flight goes again")
        self._stranded = True
        return self._pace.base_s

    def _turn(self) -> float:
        """Do what can be done now; return the seconds until something else can."""
        if self._stranded:
            self._courier.flights.clear()
            self._owner.call(lambda store: claims.recover(store, self._clock.wall()))
            self._stranded = False
        for flight in tuple(self._courier.flights):
            if self._may_call() and flight.poll_at <= self._clock.mono():
                self._log_holds_keys |= self._courier.poll(flight)
        while self._may_call() and len(self._courier.flights) < MAX_FLIGHTS and self._send():
            pass
        return self._rest()

    def _may_call(self) -> bool:
        return not self._stopping.is_set() and self._courier.line.try_at <= self._clock.mono()

    def _send(self) -> bool:
        """Claim and send one batch; False when nothing is due."""
        batch_id = str(uuid.uuid4())
        limits = self._endpoint.limits
        limit = min(self._courier.line.limit, limits.max_records)

        def work(store: Store) -> list[claims.Claimed]:
            return claims.claim(
                store,
                self._owner.vault,
                self._clock.wall(),
                batch_id=batch_id,
                limit=limit,
                max_bytes=limits.max_body_bytes,
                cap_s=self._pace.cap_s,
            )

        items = self._owner.call(work)
        if items:
            self._log_holds_keys |= self._courier.send(Flight.of(batch_id, items, self._clock.mono()), items)
        return bool(items)

    def _rest(self) -> float:
        """Nothing is to be sent: clean up, then say how long nothing will be."""
        now = self._clock.mono()
        times = [now + _IDLE_S, *(flight.poll_at for flight in self._courier.flights)]
        if not self._courier.flights:
            self._erase(now)
            times.append(self._purge_at)
        next_ready_at = self._owner.call(Store.next_ready_at)
        if next_ready_at is not None and len(self._courier.flights) < MAX_FLIGHTS:
            times.append(now + min(next_ready_at - self._clock.wall(), self._pace.cap_s))
        return max(0.0, max(min(times), self._courier.line.try_at) - now)

    def _erase(self, now: float) -> None:
        if self._purge_at <= now:
            days = self._owner.settings.retention_days
            while self._owner.call(lambda store: retention.purge(store, self._clock.wall(), days)).more:
                pass
            self._purge_at = now + _PURGE_EVERY_S
        if self._log_holds_keys:
            self._log_holds_keys = not self._owner.call(Store.truncate_log)

    def _publish(self) -> None:
        line, now = self._courier.line, self._clock.mono()
        retry_in_s = max(0.0, line.try_at - now)
        self._owner.line = LineView(line.failures == 0, line.breaker, line.failures, line.why, retry_in_s)
