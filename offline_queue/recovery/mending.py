"""The thread that brings back what was set aside, while guests go on: salvage, then rebuild, then tidying.

Ends when there is nothing left to do. Stopped or killed anywhere, the next one begins again: everything that it does
can be done twice.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Mapping
from concurrent import futures
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

from kiosk.errors import KioskError, OutboxDamaged, OutboxUnavailable, where
from offline_queue.recovery import quarantine
from offline_queue.recovery.rebuild import Rebuilt, rebuild, reopen
from offline_queue.recovery.salvage import Outcome, Site, salvage
from offline_queue.recovery.second_copy import SecondCopy
from offline_queue.recovery.tidying import scrub, tidy
from offline_queue.states import EventState
from offline_queue.store import Store

log = logging.getLogger(__name__)

AGAIN_S = 60.0
"""Until a mending that failed, on a full disk for example, is tried again."""
_BREATH_S = 0.001
_SLICE = 50


@dataclass(frozen=True, slots=True)
class MendingView:
    """What was brought back since the start, for status and screens."""

    waiting: int = 0
    """Databases that are set aside and not salvaged yet."""
    running: bool = False
    salvaged: tuple[Outcome, ...] = ()
    rebuilt: Rebuilt | None = None
    why: str = ""
    """Why the last try failed; tried again by itself."""


class Mending:
    """Made by the owner; ``start`` whenever something may be to be done, ``stop`` once at the end. From any thread."""

    def __init__(self, site: Site, copy: SecondCopy | None, came: Callable[[], None] = lambda: None) -> None:
        """Prepare; nothing runs yet. ``came``: called on the thread when records are back; must not block."""
        self._came = came
        self._site = site
        self._copy = copy
        if copy is not None:
            copy.on_need = self.start
        self._stopping = threading.Event()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="outbox mending")
        self._last: Future[None] | None = None
        self._view = MendingView()
        self._scrubbed = False

    @property
    def view(self) -> MendingView:
        last, waiting = self._last, len(quarantine.waiting(self._site.store))
        # Looked at now: what was set aside a moment ago waits, also before the thread has seen it
        return replace(self._view, waiting=waiting, running=last is not None and not last.done())

    def start(self) -> None:
        """Look for what is to be done, and do it; after what is under way, if that still runs. Returns at once."""
        with contextlib.suppress(RuntimeError):  # stopped
            self._last = self._thread.submit(self._run)

    def start_if_needed(self) -> None:
        store = self._site.store
        if self._copy is not None or quarantine.waiting(store) or (store.parent / quarantine.FOLDER).exists():
            self.start()

    def wait(self, timeout_s: float | None = None) -> MendingView:
        """Wait until what was started is done, or for so long. Not from the owner thread."""
        while (last := self._last) is not None:
            done = futures.wait([last], timeout_s).done
            if not done or last is self._last:
                break
        return self.view

    def stop(self) -> None:
        """End it after the slice at hand. Safe to call twice, and before ``start``."""
        self._stopping.set()
        self._thread.shutdown(cancel_futures=True)

    def _run(self) -> None:
        try:
            self._mend()
        except OutboxDamaged:
            pass  # the owner put a new store in its place, and handed in the mending of that: not after a minute
        except (KioskError, OSError) as exc:
            self._try_again(str(exc))
        except Exception as exc:  # what waits must not be forgotten, and the text may hold a guest's data
            self._try_again(f"a bug: {where(exc)}")

    def _try_again(self, why: str) -> None:
        if self._stopping.is_set():
            return
        log.warning("outbox mending: %s; tried again in %.0f s", why, AGAIN_S)
        self._view = replace(self._view, why=why)
        if not self._stopping.wait(AGAIN_S):
            self.start()

    def _mend(self) -> None:
        damaged_ones = quarantine.waiting(self._site.store)
        failed: OutboxUnavailable | OSError | None = None
        for damaged in damaged_ones:
            try:
                outcome = salvage(self._site, damaged, self._stopping)
            except OutboxDamaged:  # of the live store
                raise
            except (OutboxUnavailable, OSError) as exc:  # the others, and the second copy, can still help
                failed = exc
                continue
            if outcome is None:
                return
            log.warning("outbox: %s salvaged: %s", damaged.base.name, _figures(outcome.to_json()))
            self._view = replace(self._view, salvaged=(*self._view.salvaged, outcome), why="")
            self._came()
        before = self._view.rebuilt
        if self._copy is not None:
            self._tend(self._copy)
        if failed is not None:
            self._came()
            raise failed
        came = damaged_ones or self._view.rebuilt is not before
        if came and not self._stopping.is_set() and not (self._copy is not None and self._copy.view.behind):
            self._close_textless()
            self._site.call(self._tell_of_holes)
        quarantine.prune(self._site.store, self._site.clock.wall() - self._site.keep_s)
        self._view = replace(self._view, why="")

    def _close_textless(self) -> None:
        """Delivered, and its text is lost: nothing more can be done with it than with one that was purged."""

        def work(store: Store) -> int:
            events, wall = store.textless(_SLICE), self._site.clock.wall()
            with store.transaction():
                for event in events:
                    store.destroy_keys(event, text=True)
                    store.move(event, EventState.PURGED, wall, detail="damaged", why="damaged")
            return len(events)

        while self._site.call(work) == _SLICE and not self._stopping.is_set():
            pass

    def _tell_of_holes(self, store: Store) -> None:
        """Say of what waits for a revision that nobody has any more what it waits for: staff correct it or void it."""
        waiting = store.in_state(EventState.BLOCKED)
        holes = [event for event in waiting if len(store.revisions(event.record_id)) < event.revision]
        if holes:
            with store.transaction():
                store.note(holes, why="an earlier revision is lost")

    def _tend(self, copy: SecondCopy) -> None:
        while self._site.call(lambda store: copy.catch_up()):
            if self._stopping.wait(_BREATH_S):
                return
        if copy.view.behind:
            return  # its disk does not answer: the next commit tries again
        chain = self._site.call(lambda store: store.chain_after(0, 1)[0].hash)
        if not self._scrubbed:  # reads every byte: once a start
            scrub(self._site, copy, self._stopping)
            self._scrubbed = True
        self._rebuild(copy, chain)
        at: int | None = 0
        while at is not None and not self._stopping.wait(_BREATH_S):
            at = self._site.call(lambda store, at=at: copy.reconcile(at))  # type: ignore[misc]
        places = self._site.call(lambda store: copy.places())
        for begin in range(0, len(places), _SLICE):
            if self._stopping.wait(_BREATH_S):
                return
            some = places[begin : begin + _SLICE]
            self._site.call(lambda store, some=some: copy.forget_erased(store, some))  # type: ignore[misc]
        if not self._stopping.is_set():
            tidy(self._site, copy, self._stopping)

    def _rebuild(self, copy: SecondCopy, chain: bytes) -> None:
        if copy.keyring is None:
            return
        told = rebuild(self._site, copy.folder, copy.keyring, chain, self._stopping)
        if told is not None and told.events:
            log.warning("outbox: rebuilt from the second copy: %s", _figures(told.to_json()))
            self._view = replace(self._view, rebuilt=told)
            self._came()
        again = reopen(self._site, copy.folder, copy.keyring, self._stopping)
        if again is not None and again.brought_back:
            log.warning("outbox: %d records open again by the second copy", again.brought_back)
            self._came()


def _figures(told: Mapping[str, object]) -> str:
    """Word a report for the log: what there is none of is left out."""
    return ", ".join(f"{name} {value}" for name, value in told.items() if value and name != "file") or "nothing"
