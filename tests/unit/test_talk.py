"""One question over the line: a refused token and a wrong clock are mended once each, then the breaker opens."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from offline_queue.delivery.authority_time import AuthorityTime
from offline_queue.delivery.endpoint import Limits, Window
from offline_queue.delivery.line import Pace
from offline_queue.delivery.replies import Answered, Reply
from offline_queue.delivery.talk import LONGEST_MAINTENANCE_S, Talk
from offline_queue.delivery.troubles import Hold, Later, TakeToken, WrongClock
from tests.outbox_kit import TurnedClock

GOOD = Answered(200, readable=True)
WRONG = Answered(401, readable=True, code="E107", server_time=1_800_000_000.0)
PACE = Pace(base_s=2.0, cap_s=300.0, spread_s=60.0, batch_max=50)


class Scripted:
    """Gives tokens as the test says."""

    def __init__(self, *tokens: Reply) -> None:
        self.tokens = list(tokens)
        self.taken = 0
        self.limits = Limits(50)
        self.time: AuthorityTime | None = None

    def take_token(self) -> Reply:
        self.taken += 1
        return self.tokens.pop(0) if self.tokens else GOOD


def talk(endpoint: Scripted | None = None, clock: TurnedClock | None = None) -> Talk:
    other: Any = endpoint or Scripted()
    return Talk(other, clock or TurnedClock(), PACE, lambda: 0.5)


def answers(*told: object) -> Callable[[], object]:
    left = list(told)
    return lambda: left.pop(0)


@pytest.mark.parametrize(
    ("told", "becomes", "tokens"),
    [
        (["yes"], "yes", 0),
        ([TakeToken(), "yes"], "yes", 1),
        ([WrongClock("E107"), "yes"], "yes", 0),
        ([TakeToken(), WrongClock("E107"), "yes"], "yes", 1),
        ([WrongClock("E107"), TakeToken(), "yes"], "yes", 1),
        ([TakeToken(), TakeToken()], TakeToken(), 1),
        ([WrongClock("E107"), WrongClock("E107")], WrongClock("E107"), 0),
        ([TakeToken(), WrongClock("E107"), TakeToken()], TakeToken(), 1),
        ([Hold("tls")], Hold("tls"), 0),
        ([Later("timeout", charged=True)], Later("timeout", charged=True), 0),
    ],
)
def test_each_refusal_that_can_be_mended_is_mended_once(told: list[object], becomes: object, tokens: int) -> None:
    endpoint = Scripted()
    assert talk(endpoint).ask(answers(*told)) == becomes
    assert endpoint.taken == tokens


@pytest.mark.parametrize(
    ("tokens", "becomes"),
    [
        ([WRONG, GOOD], "yes"),
        ([WRONG, WRONG], WrongClock("http 401 E107")),
        ([replace(WRONG, server_time=None)], Hold("http 401 E107")),
        ([Answered(503, readable=True, retry_after_s=9.0)], Later("http 503", charged=False, retry_after_s=9.0)),
        ([Answered(401, readable=True)], Hold("no token for this device")),
    ],
)
def test_a_token_that_is_refused_for_our_clock_is_asked_for_once_more(tokens: list[Reply], becomes: object) -> None:
    assert talk(Scripted(*tokens)).ask(answers(TakeToken(), "yes")) == becomes


def test_the_authoritys_time_goes_on_whatever_the_wall_clock_does() -> None:
    endpoint, clock = Scripted(), TurnedClock()
    one = talk(endpoint, clock)
    assert one.now() == pytest.approx(clock.wall(), abs=5)
    assert one.off_s() is None
    endpoint.time = AuthorityTime(1_800_000_000.0, clock.mono())
    clock.wall_off = 3 * 86_400
    assert one.now() == pytest.approx(1_800_000_000.0, abs=5)
    assert one.off_s() == pytest.approx(clock.wall() - 1_800_000_000.0, abs=5)


def test_a_clock_that_is_off_is_told_once_and_again_after_it_was_right(caplog: pytest.LogCaptureFixture) -> None:
    endpoint, clock = Scripted(), TurnedClock()
    one = talk(endpoint, clock)
    endpoint.time = AuthorityTime(clock.wall(), clock.mono())
    caplog.set_level(logging.WARNING)
    for off_s, told in ((0.0, 0), (600.0, 1), (600.0, 1), (0.0, 1), (-600.0, 2)):
        clock.wall_off = off_s
        one.passed()
        assert len(caplog.messages) == told
    assert "-600 s off" in caplog.text


def within(lasts_s: float) -> Talk:
    """A talk ten seconds after maintenance began."""
    endpoint, clock = Scripted(), TurnedClock()
    endpoint.time = AuthorityTime(1_800_000_000.0, clock.mono())
    endpoint.limits = Limits(50, maintenance=(Window(1_799_999_990.0, 1_799_999_990.0 + lasts_s),))
    return talk(endpoint, clock)


def test_during_maintenance_the_line_rests_until_its_end_and_a_while_longer() -> None:
    one = within(3600.0)
    one.heed_maintenance()
    wait_s = one.line.try_at - one.clock.mono()
    assert 3590 - 5 + 30 <= wait_s <= 3590 + 30 + 60  # half of the spread, and the jitter of a server that is busy
    assert (one.line.why, one.line.breaker) == ("maintenance", False)
    before = one.line
    one.heed_maintenance()
    assert one.line == before
    assert one.line.woken(one.clock.mono() + 5, PACE) == before


def test_a_window_without_end_is_probed_after_hours() -> None:
    one = within(1e9)
    one.heed_maintenance()
    assert one.line.try_at - one.clock.mono() <= LONGEST_MAINTENANCE_S + 60 + 60


def test_a_person_may_try_in_this_window_but_the_next_one_is_heeded_again() -> None:
    one = within(3600.0)
    one.heed_maintenance()
    one.force()
    one.heed_maintenance()
    assert one.line.try_at <= one.clock.mono()
    one.endpoint.limits = Limits(50, maintenance=(Window(1_799_999_990.0, 1_800_009_000.0),))
    one.heed_maintenance()
    assert one.line.try_at > one.clock.mono()


def test_a_token_taken_during_maintenance_sends_no_record() -> None:
    found = within(3600.0).ask(answers(TakeToken(), "never sent"))
    assert isinstance(found, Later)
    assert (found.why, found.charged) == ("maintenance", False)


def test_outside_of_every_window_nothing_rests() -> None:
    one = within(5.0)
    one.heed_maintenance()
    assert one.line.try_at == 0.0
