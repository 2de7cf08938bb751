"""What a power cut may leave of what was written: the model that every cut of ./run chaos stands on."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from kiosk.chaos.tape import SECTOR, Cut, Lost, Mark, Mood, Name, Op, Surface, Sync, SyncNames, Write

MOODS = list(Mood)


def after(ops: list[Op], mood: Mood, seed: int = 1) -> dict[str, bytes]:
    surface = Surface()
    for op in ops:
        surface.take(op)
    return surface.after_cut(Random(seed), mood)


def test_what_was_synced_survives_every_cut() -> None:
    ops: list[Op] = [Name("db", there=True), Write("db", 0, b"guest"), Sync("db"), Write("db", 0, b"other")]
    assert {after(ops[:3], mood, seed)["db"] for mood in MOODS for seed in range(20)} == {b"guest"}
    assert after(ops, Mood.DROP)["db"] == b"guest"


def test_what_was_not_synced_may_be_gone_with_its_file() -> None:
    ops: list[Op] = [Name("db", there=True), Write("db", 0, b"guest")]
    assert after(ops, Mood.DROP) == {}
    assert after(ops, Mood.KEEP) == {"db": b"guest"}


def test_a_sync_is_for_its_own_file_only() -> None:
    ops: list[Op] = [Write("db", 0, b"a"), Write("log", 0, b"b"), Sync("log")]
    assert after(ops, Mood.DROP) == {"log": b"b"}


def test_a_later_write_may_be_there_without_the_earlier_one() -> None:
    ops: list[Op] = [Write("db", 0, b"a"), Sync("db"), Write("db", 0, b"b"), Write("db", 1, b"c")]
    found = {after(ops, Mood.SOME, seed)["db"] for seed in range(60)}
    assert {b"a", b"b", b"ac", b"bc"} == found


def test_a_write_tears_between_sectors_and_never_within_one() -> None:
    old, new = b"o" * 4 * SECTOR, b"n" * 4 * SECTOR
    found = {after([Write("db", 0, old), Sync("db"), Write("db", 0, new)], Mood.TEAR, seed)["db"] for seed in range(60)}
    sectors = {data[at : at + SECTOR] for data in found for at in range(0, len(data), SECTOR)}
    assert sectors == {b"o" * SECTOR, b"n" * SECTOR}
    assert any(data not in (old, new) for data in found)


def test_a_failed_sync_loses_what_no_later_sync_brings_back() -> None:
    ops: list[Op] = [Write("db", 0, b"a"), Lost("db"), Write("db", 1, b"b"), Sync("db")]
    assert after(ops, Mood.KEEP)["db"] == b"\0b"


def test_a_file_cut_short_may_be_long_again() -> None:
    ops: list[Op] = [Write("log", 0, b"keys"), Sync("log"), Cut("log", 0)]
    assert after(ops, Mood.DROP)["log"] == b"keys"
    assert after(ops, Mood.KEEP)["log"] == b""


def test_a_new_name_takes_the_place_of_the_old_one_when_the_folder_is_synced() -> None:
    ops: list[Op] = [Write("key.new", 0, b"k"), Sync("key.new"), Name("key", there=True, was="key.new")]
    assert after(ops, Mood.DROP) == {"key.new": b"k"}
    assert after([*ops, SyncNames()], Mood.DROP) == {"key": b"k"}


def test_only_a_mark_says_that_something_was_acknowledged() -> None:
    surface = Surface()
    surface.take(Sync("db"))
    assert surface.step == -1
    surface.take(Mark(3))
    assert surface.step == 3


OPS = st.one_of(
    st.builds(Write, st.sampled_from(["db", "log"]), st.integers(0, 2000), st.binary(min_size=1, max_size=1500)),
    st.builds(Cut, st.sampled_from(["db", "log"]), st.integers(0, 2000)),
    st.builds(Sync, st.sampled_from(["db", "log"])),
)


@given(st.lists(OPS, max_size=12), st.sampled_from(MOODS), st.integers(0, 1000))
def test_a_cut_after_everything_was_synced_leaves_everything(ops: list[Op], mood: Mood, seed: int) -> None:
    synced = [*ops, Sync("db"), Sync("log")]
    assert after(synced, mood, seed) == after(ops, Mood.KEEP)


@given(st.lists(OPS, max_size=12), st.sampled_from(MOODS), st.integers(0, 1000))
def test_the_same_dice_leave_the_same_disk(ops: list[Op], mood: Mood, seed: int) -> None:
    assert after(ops, mood, seed) == after(ops, mood, seed)
