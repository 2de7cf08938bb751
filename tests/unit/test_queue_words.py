"""The outbox in words and the legal clock: ours, and near enough to read aloud."""

from __future__ import annotations

import pytest

from kiosk.config import OutboxSection
from offline_queue.answering import words
from offline_queue.due import Due, level, window_s
from offline_queue.states import EventState


def test_every_state_has_words() -> None:
    assert words.STATES.keys() == set(EventState)
    assert len(set(words.STATES.values())) == len(EventState)


@pytest.mark.parametrize(
    ("why", "told"),
    [
        (None, ""),
        ("", ""),
        ("timeout", "timeout"),
        ("E22 guest.name", "E22 guest.name (name)"),
        ("http 503 E503", "http 503 E503 (the authority is being maintained)"),
        ("E9999", "E9999"),
        ("poison after 20 tries: http 500", "poison after 20 tries: http 500"),
    ],
)
def test_the_last_answer_in_words(why: str | None, told: str) -> None:
    assert words.answer(why) == told


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0, "0 s"), (89, "89 s"), (90, "2 min"), (3000, "50 min"), (5400, "1.5 h"), (180_000, "2.1 d"), (-60, "60 s")],
)
def test_a_span_of_time(seconds: float, told: str) -> None:
    assert words.span(seconds) == told


def test_due_and_overdue() -> None:
    assert words.due(600) == "in 10 min"
    assert words.due(-600) == "OVERDUE 10 min"


@pytest.mark.parametrize(
    ("gone_min", "due"),
    [(0, Due.GREEN), (29, Due.GREEN), (30, Due.AMBER), (47, Due.AMBER), (48, Due.RED), (59, Due.RED), (60, Due.ALARM)],
)
def test_the_legal_clock_of_a_domestic_guest(gone_min: float, due: Due) -> None:
    window = window_s("CI", OutboxSection())
    assert window == 3600
    assert level(gone_min * 60, 3600, window) is due


def test_an_overseas_guest_has_a_day() -> None:
    assert window_s("JI", OutboxSection()) == 24 * 3600


def test_the_settings_say_what_the_law_of_the_place_allows() -> None:
    elsewhere = OutboxSection(due_domestic_min=30, due_overseas_h=12)
    assert [window_s(op, elsewhere) for op in ("CI", "JI")] == [1800, 12 * 3600]
