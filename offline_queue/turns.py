"""One thread that does what it is handed, in order. An executor of one, whose ``enter`` costs a put little.

A ``Future`` carries a condition variable, callbacks and a state machine; a caller who waits needs a latch. And while
the thread rests, who would only wait for it does the turn in its place: to wake it, and be woken by it, costs a
guest's put a tenth of its time, on a busy machine a third. Never two at once, never out of order: whoever does a turn
holds ``_hand``, and nobody overtakes what was handed in before.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Generic, TypeVar

T = TypeVar("T")


class Turn(Generic[T]):
    """Work that somebody waits for. Made by the caller, ended by the thread."""

    __slots__ = ("_ended", "_error", "_result", "_work")

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._error: BaseException | None = None
        self._ended = threading.Lock()
        self._ended.acquire()

    def run(self) -> None:
        try:
            self._result = self._work()
        except BaseException as exc:  # it is the caller's, as with a Future
            self._error = exc
        finally:
            self._ended.release()

    def wait(self) -> T:
        """Return what the work returned, or raise what it raised. Once."""
        self._ended.acquire()
        if self._error is None:
            return self._result
        try:
            raise self._error
        finally:
            self._error = None  # or error, traceback and frame keep each other alive


class Turns:
    """The thread. ``enter`` and ``submit`` from any other."""

    def __init__(self, name: str) -> None:
        """Start it. A program that ends without ``shutdown`` ends it wherever it is, as a power cut would."""
        self._waiting: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._gate = threading.Lock()
        """Held for an instant: nothing may come in behind the last turn, where nobody would do it."""
        self._open = True
        self._handed_in = 0
        """Turns of the thread that are not done."""
        self._hand = threading.Lock()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def enter(self, work: Callable[[], T]) -> Turn[T]:
        """Do the work in its turn, for a caller who waits for it: here and now while the thread rests.

        Not on the main thread: Ctrl-C raises there, between a commit and what is noted of it. Raises RuntimeError
        when shut down.
        """
        turn = Turn(work)
        if threading.current_thread() is threading.main_thread() or not self._takes_hand():
            self._enter(turn.run)
            return turn
        try:
            turn.run()
        finally:
            self._hand.release()
        return turn

    def submit(self, work: Callable[[], T]) -> Future[T]:
        """Do the work in its turn, without waiting for it. Raises RuntimeError when shut down."""
        future: Future[T] = Future()

        def run() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = work()
            except BaseException as exc:  # it is for whoever asks the future
                future.set_exception(exc)
            else:
                future.set_result(result)

        self._enter(run)
        return future

    def shutdown(self) -> None:
        """Finish what was handed in or is being done, and end the thread. Safe to call twice."""
        with self._gate:
            if self._open:
                self._open = False
                self._waiting.put(None)
        self._thread.join()
        with self._hand:
            pass

    def _takes_hand(self) -> bool:
        """Say whether the thread rests: the hand is the caller's then."""
        with self._gate:
            if not self._open:
                raise RuntimeError("shut down")
            return self._handed_in == 0 and self._hand.acquire(blocking=False)

    def _enter(self, run: Callable[[], None]) -> None:
        with self._gate:
            if not self._open:
                raise RuntimeError("shut down")
            self._handed_in += 1
            self._waiting.put(run)

    def _run(self) -> None:
        while (run := self._waiting.get()) is not None:
            with self._hand:
                run()
            with self._gate:
                self._handed_in -= 1
            del run  # what it holds is not kept until the next turn comes
