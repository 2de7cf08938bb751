"""The authority's clock: read strictly, and carried on so that no jump of ours moves it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline_queue.delivery.authority_time import AuthorityTime, moment

NOON = 1_780_286_400.0  # 2026-06-01T12:00:00+08:00


@pytest.mark.parametrize("text", ["2026-06-01T12:00:00+08:00", "2026-06-01T04:00:00Z", "2026-06-01T04:00:00.000+00:00"])
def test_a_time_with_its_offset_is_read(text: str) -> None:
    assert moment(text) == NOON


@pytest.mark.parametrize(
    "text",
    [
        None,
        7,
        "",
        "noon",
        "2026-06-01",
        "2026-06-01T12:00:00",
        "1970-01-01T00:00:00Z",
        "2101-01-01T00:00:00Z",
        "2" * 41,
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
    ],
)
def test_what_no_authority_tells_is_no_time(text: object) -> None:
    assert moment(text) is None


@given(st.floats(-1e6, 1e6), st.floats(0, 1e6), st.floats(-3 * 86_400, 3 * 86_400))
def test_a_wall_clock_that_jumps_moves_the_authoritys_time_by_nothing(mono: float, later: float, jump: float) -> None:
    told = AuthorityTime(NOON, mono)
    assert told.now(mono + later) == pytest.approx(NOON + later)
    assert told.off_s(NOON + later + jump, mono + later) == pytest.approx(jump, abs=1e-3)
