"""The owner thread does what it is handed, in order, and nobody waits for what will never be done."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest

from offline_queue.turns import Turns

T = TypeVar("T")


@pytest.fixture
def turns() -> Turns:
    return Turns("turns of a test")


def fail() -> None:
    raise ValueError("what went wrong")


def test_work_is_done_in_order_by_one_thread(turns: Turns) -> None:
    done: list[tuple[int, str]] = []
    for number in range(200):
        turns.submit(lambda number=number: done.append((number, threading.current_thread().name)))  # type: ignore[misc]
    turns.enter(lambda: None).wait()
    assert done == [(number, "turns of a test") for number in range(200)]
    turns.shutdown()


def test_who_waits_gets_the_result_or_the_error(turns: Turns) -> None:
    assert turns.enter(lambda: 7).wait() == 7
    assert turns.submit(lambda: 8).result() == 8
    for ask in (lambda: turns.enter(fail).wait(), lambda: turns.submit(fail).result()):
        with pytest.raises(ValueError, match="what went wrong"):
            ask()
    assert turns.enter(lambda: 9).wait() == 9  # the thread outlives it
    turns.shutdown()


def asked(turns: Turns, work: Callable[[], T]) -> T:
    """Ask from a thread that is not the main one, as a kiosk's threads do."""
    with ThreadPoolExecutor(1) as caller:
        return caller.submit(lambda: turns.enter(work).wait()).result()


def test_while_the_thread_rests_who_waits_does_the_turn(turns: Turns) -> None:
    assert asked(turns, lambda: threading.current_thread().name).startswith("ThreadPoolExecutor")
    with pytest.raises(ValueError, match="what went wrong"):
        asked(turns, fail)
    assert (
        turns.enter(lambda: threading.current_thread().name).wait() == "turns of a test"
    )  # Ctrl-C may hit the main one
    turns.shutdown()


def test_nobody_overtakes_what_was_handed_in_before(turns: Turns) -> None:
    hold, done = threading.Event(), []
    turns.submit(hold.wait)
    turns.submit(lambda: done.append(1))
    with ThreadPoolExecutor(1) as caller:
        late = caller.submit(lambda: turns.enter(lambda: done.append(2)).wait())
        hold.set()
        late.result()
    assert done == [1, 2]
    turns.shutdown()


def test_never_are_two_turns_done_at_once(turns: Turns) -> None:
    inside, most = [0], [0]

    def work() -> None:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        time.sleep(0)  # lets another thread go on here, if it may
        inside[0] -= 1

    def caller(number: int) -> None:
        for turn in range(300):
            (turns.enter(work).wait if (turn + number) % 3 else turns.submit(work).result)()

    with ThreadPoolExecutor(6) as callers:
        list(callers.map(caller, range(6)))
    turns.shutdown()
    assert (most, inside) == ([1], [0])


def test_shutting_down_waits_for_a_turn_that_its_caller_does(turns: Turns) -> None:
    begun, hold, done = threading.Event(), threading.Event(), []

    def work() -> None:
        begun.set()
        hold.wait(10)
        done.append(1)

    with ThreadPoolExecutor(2) as callers:
        callers.submit(lambda: turns.enter(work).wait())
        assert begun.wait(10)
        closing = callers.submit(turns.shutdown)
        hold.set()
        closing.result(10)
        assert done == [1]


def test_what_is_cancelled_in_time_is_not_done(turns: Turns) -> None:
    hold, done = threading.Event(), []
    turns.submit(hold.wait)
    late = turns.submit(lambda: done.append(1))
    assert late.cancel()
    hold.set()
    turns.shutdown()
    assert done == []


def test_shutting_down_finishes_what_came_before_and_takes_nothing_more(turns: Turns) -> None:
    done: list[int] = []
    turns.submit(lambda: time.sleep(0.05))
    turns.submit(lambda: done.append(1))
    turns.shutdown()
    assert done == [1]
    with pytest.raises(RuntimeError):
        turns.enter(lambda: 1)
    with pytest.raises(RuntimeError):
        turns.submit(lambda: 1)
    turns.shutdown()


@pytest.mark.timeout(60)
def test_nobody_who_comes_while_it_shuts_down_waits_for_ever() -> None:
    for _ in range(50):
        turns, answers = Turns("turns of a test"), []

        def ask(turns: Turns = turns, answers: list[object] = answers) -> None:
            try:
                while True:
                    turns.enter(lambda: None).wait()
            except RuntimeError:
                answers.append("shut down")

        asking = [threading.Thread(target=ask) for _ in range(3)]
        for thread in asking:
            thread.start()
        turns.shutdown()
        for thread in asking:
            thread.join()
        assert answers == ["shut down"] * 3


def test_what_a_guests_record_was_in_is_not_kept_after_its_turn(turns: Turns) -> None:
    class Record:
        gone = threading.Event()

        def __del__(self) -> None:
            self.gone.set()

    def put() -> None:
        record = Record()
        turns.enter(lambda: id(record)).wait()

    put()
    assert Record.gone.wait(10)
    turns.shutdown()
