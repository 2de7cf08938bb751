"""Shared frames: what one side publishes the other sees, and a wipe leaves nothing, whoever was writing."""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np
import pytest

from kiosk.frames import SLOTS, Frames


@pytest.fixture
def sides() -> Iterator[tuple[Frames, Frames]]:
    """The kiosk's side and the vision process's side of one memory."""
    kiosk = Frames.create()
    vision = Frames(os.dup(kiosk.fd))
    yield kiosk, vision
    vision.close()
    kiosk.close()


def write(vision: Frames, level: int) -> None:
    vision.next_slot()[:] = level
    vision.publish()


def level_of(kiosk: Frames) -> int | None:
    latest = kiosk.latest()
    return None if latest is None else latest[1][0]


def test_the_newest_frame_is_seen_and_numbers_rise(sides: tuple[Frames, Frames]) -> None:
    kiosk, vision = sides
    assert kiosk.latest() is None
    numbers = []
    for level in range(1, 8):
        write(vision, level)
        assert level_of(kiosk) == level
        numbers.append((kiosk.latest() or (0,))[0])
    assert numbers == sorted(set(numbers))


def test_a_frame_that_was_handed_out_stays_while_the_next_ones_are_written(sides: tuple[Frames, Frames]) -> None:
    kiosk, vision = sides
    write(vision, 1)
    latest = kiosk.latest()
    assert latest is not None
    for level in range(2, SLOTS + 1):
        write(vision, level)
    assert latest[1][0] == 1


def test_a_withdrawn_frame_is_shown_no_more(sides: tuple[Frames, Frames]) -> None:
    kiosk, vision = sides
    write(vision, 1)
    vision.withdraw()
    assert kiosk.latest() is None
    write(vision, 2)
    assert level_of(kiosk) == 2


def test_a_wipe_zeroes_every_slot_for_both(sides: tuple[Frames, Frames]) -> None:
    kiosk, vision = sides
    for level in (1, 2, 3):
        write(vision, level)
    kiosk.wipe()
    assert kiosk.is_zero()
    assert vision.is_zero()
    assert kiosk.latest() is None


def test_a_frame_that_was_under_way_during_a_wipe_is_never_shown(sides: tuple[Frames, Frames]) -> None:
    kiosk, vision = sides
    wipes = kiosk.wipe()
    write(vision, 9)
    assert kiosk.latest() is None
    vision.wiped(wipes)
    assert kiosk.is_zero()
    write(vision, 10)
    assert level_of(kiosk) == 10


def test_a_new_process_goes_on_with_the_numbers_and_the_wipes(sides: tuple[Frames, Frames]) -> None:
    kiosk, vision = sides
    write(vision, 1)
    before = (kiosk.latest() or (0,))[0]
    kiosk.wipe()
    successor = Frames(os.dup(kiosk.fd))
    write(successor, 2)
    number = (kiosk.latest() or (0,))[0]
    successor.close()
    assert number > before


def test_silence_is_counted_beyond_what_was_announced(sides: tuple[Frames, Frames]) -> None:
    kiosk, vision = sides
    vision.may_be_silent(105.0)
    assert kiosk.silent_for(104.0) < 0
    assert kiosk.silent_for(106.0) == pytest.approx(1.0)


def test_closing_zeroes_and_leaves_views_readable() -> None:
    frames = Frames.create()
    write(frames, 5)
    latest = frames.latest()
    assert latest is not None
    frames.close()
    frames.close()
    assert frames.latest() is None
    assert not np.frombuffer(latest[1], np.uint8).any()
