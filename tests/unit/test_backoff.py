"""When to try again: jitter within its bounds, Retry-After in both forms, one line for all records."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline_queue.backoff import (
    FIRST_POLL_S,
    LONGEST_RETRY_AFTER_S,
    SLOWEST_POLL_S,
    STORM_S,
    first_try_delay_s,
    poll_delay_s,
    retry_after_s,
    retry_delay_s,
)
from offline_queue.delivery.line import Line, Pace

PACE = Pace(base_s=2.0, cap_s=300.0, spread_s=300.0, batch_max=50)
OPEN = Line(limit=50)
JITTER = st.floats(0, 1)


@given(st.integers(1, 10_000), JITTER, st.floats(0.1, 60), st.floats(5, 300))
def test_full_jitter_stays_between_nothing_and_its_ceiling(
    failures: int, jitter: float, base_s: float, cap_s: float
) -> None:
    wait = retry_delay_s(failures, jitter, base_s=base_s, cap_s=cap_s)
    assert 0 <= wait <= min(cap_s, base_s * 2.0 ** min(failures - 1, 100)) + 1e-9


@pytest.mark.parametrize(("failures", "ceiling"), [(1, 2), (2, 4), (3, 8), (7, 128), (8, 256), (9, 300), (500, 300)])
def test_the_ceiling_doubles_up_to_the_cap(failures: int, ceiling: float) -> None:
    assert retry_delay_s(failures, 1.0, base_s=2, cap_s=300) == ceiling
    assert retry_delay_s(failures, 0.25, base_s=2, cap_s=300) == ceiling / 4
    assert retry_delay_s(failures, 0.0, base_s=2, cap_s=300) == 0


@pytest.mark.parametrize(("failures", "jitter"), [(0, 0.5), (-1, 0.5), (1, 1.1), (1, -0.1)])
def test_a_wait_that_makes_no_sense_is_a_bug(failures: int, jitter: float) -> None:
    with pytest.raises(ValueError, match="must be"):
        retry_delay_s(failures, jitter, base_s=2, cap_s=300)


@pytest.mark.parametrize(("outage_s", "wait_s"), [(0, 0), (60, 0), (61, 150), (1e6, 150)])
def test_the_first_try_after_an_outage_is_spread(outage_s: float, wait_s: float) -> None:
    assert first_try_delay_s(outage_s, 0.5, spread_s=300) == wait_s


NOON = 1_767_240_000.0  # 2026-01-01 04:00:00 UTC


@pytest.mark.parametrize(
    ("header", "wait_s"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
        ("0", 0.0),
        ("120", 120.0),
        (" 7 ", 7.0),
        ("9" * 40, LONGEST_RETRY_AFTER_S),
        ("Thu, 01 Jan 2026 04:01:30 GMT", 90.0),
        ("Thu, 01 Jan 2026 12:01:30 +0800", 90.0),
        ("Thu, 01 Jan 2026 04:01:30", 90.0),
        ("Thu, 01 Jan 2026 03:00:00 GMT", 0.0),
        ("Thu, 01 Jan 2099 04:01:30 GMT", LONGEST_RETRY_AFTER_S),
        ("Thu, 99 Foo 2026 04:01:30 GMT", None),
    ],
)
def test_retry_after_in_both_forms(header: str | None, wait_s: float | None) -> None:
    assert retry_after_s(header, NOON) == wait_s


@given(st.one_of(st.none(), st.text(max_size=60)), st.floats(0, 1e10))
def test_no_header_breaks_the_wait(header: str | None, now: float) -> None:
    wait = retry_after_s(header, now)
    assert wait is None or 0 <= wait <= LONGEST_RETRY_AFTER_S


# ---- the line --------------------------------------------------------------------------------------------------------


def test_failures_add_up_and_one_answer_clears_them() -> None:
    line = OPEN.failed("http 500", 10.0, 1.0, PACE)
    assert (line.failures, line.try_at, line.why) == (1, 12.0, "http 500")
    line = line.failed("timeout", 12.0, 1.0, PACE)
    assert (line.failures, line.try_at, line.failing_since) == (2, 16.0, 10.0)
    assert line.passed(16.0, PACE) == Line(limit=50, tried_at=16.0)


def test_after_a_long_outage_the_tries_are_spread() -> None:
    line = OPEN.failed("unreachable", 0.0, 0.9, PACE).failed("unreachable", 100.0, 0.9, PACE)
    assert line.try_at == 100.0 + 270.0


@given(JITTER, st.floats(0, 3600))
def test_the_server_is_never_asked_before_the_time_it_gave(jitter: float, asked_s: float) -> None:
    line = OPEN.failed("http 429", 50.0, jitter, PACE, retry_after_s=asked_s)
    assert 50.0 + asked_s <= line.try_at <= 50.0 + asked_s + 10.0
    assert line.woken(51.0, PACE).try_at == line.try_at


def test_kiosks_that_a_busy_server_refused_in_a_storm_do_not_all_come_back_in_its_second() -> None:
    after_outage = OPEN.failed("unreachable", 0.0, 0.0, PACE).failed("http 503", 100.0, 0.9, PACE, retry_after_s=10)
    after_power_cut = OPEN.started(0.0, 7200.0, 0.0, PACE).failed("http 503", 1.0, 0.9, PACE, retry_after_s=10)
    assert after_outage.try_at == 110.0 + 0.9 * STORM_S
    assert after_power_cut.try_at == 11.0 + 0.9 * STORM_S
    assert after_outage.passed(111.0, PACE).failed("http 503", 112.0, 0.9, PACE, retry_after_s=10).try_at == 131.0


def test_news_shortens_a_wait_but_not_below_one_base() -> None:
    line = replace(OPEN.failed("timeout", 10.0, 1.0, PACE), try_at=200.0)
    assert line.woken(10.5, PACE).try_at == 12.0
    assert line.woken(50.0, PACE).try_at == 50.0
    assert OPEN.woken(10.0, PACE) == OPEN


def test_news_after_an_outage_does_not_end_the_spread() -> None:
    line = OPEN.failed("unreachable", 0.0, 1.0, PACE)
    assert line.woken(100.0, PACE) == line


def test_a_person_is_served_at_once() -> None:
    line = OPEN.failed("http 429", 10.0, 1.0, PACE, retry_after_s=3000)
    assert line.forced(11.0).try_at == 11.0
    assert not line.forced(11.0).asked_to_wait


def test_batches_shrink_after_trouble_and_grow_again() -> None:
    line = OPEN.shrunk(50)
    assert line.limit == 25
    assert line.shrunk(1).limit == 1
    assert line.passed(1.0, PACE).limit == 50
    assert Line(limit=3).passed(1.0, PACE).limit == 6


def test_the_breaker_is_told_and_probed() -> None:
    line = OPEN.failed("tls", 10.0, 0.5, PACE, breaker=True)
    assert line.breaker
    assert line.try_at == 11.0
    assert not line.passed(12.0, PACE).breaker


def test_a_start_with_old_records_is_spread_and_a_fresh_one_is_not() -> None:
    assert OPEN.started(5.0, 10.0, 0.5, PACE).try_at == 5.0
    assert OPEN.started(5.0, 4 * 3600.0, 0.5, PACE).try_at == 155.0


@given(st.integers(0, 200), st.floats(0.1, 60))
def test_results_are_asked_for_soon_and_then_ever_more_slowly(polls: int, poll_s: float) -> None:
    wait_s, next_s = poll_delay_s(polls, poll_s), poll_delay_s(polls + 1, poll_s)
    assert poll_delay_s(0, poll_s) == FIRST_POLL_S
    assert wait_s <= next_s <= max(poll_s, SLOWEST_POLL_S)
    assert next_s <= 2 * wait_s


def test_a_batch_that_takes_long_is_asked_for_at_the_slowest_pace() -> None:
    assert poll_delay_s(200, 0.5) == SLOWEST_POLL_S
