"""The bench of the outbox: it measures what the issue names, on small numbers here, and its limits can fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosk.bench import queue

pytestmark = pytest.mark.timeout(110)


def test_every_figure_is_measured_on_the_real_thing(tmp_path: Path) -> None:
    figures = queue.measured(tmp_path, rounds=1, rows=3_000, drained=30, seed=5, tell=lambda text: None)
    assert set(queue.AT_LEAST) | set(queue.AT_MOST) <= set(figures)
    assert all(value > 0 for value in figures.values())
    assert 1.0 <= figures["syncs_per_put"] < 2.0  # fewer than one would mean that a put is acknowledged unsynced


def test_a_figure_beyond_its_limit_is_named() -> None:
    good = dict(queue.AT_LEAST) | dict(queue.AT_MOST)
    assert queue.beyond(good) == []
    for name, value in queue.AT_LEAST.items():
        assert queue.beyond(good | {name: value * 0.99}) == [name]
    for name, value in queue.AT_MOST.items():
        assert queue.beyond(good | {name: value * 1.01}) == [name]
