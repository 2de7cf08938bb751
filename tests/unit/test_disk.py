"""How much room is left decides who is served: staff are warned, guests are sent to them, nothing is half put."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.config import OutboxSection
from kiosk.errors import OutboxUnavailable
from offline_queue.answering.answers import Answers
from offline_queue.answering.inquiry import Inquiry
from offline_queue.ballast import FILE, Ballast
from offline_queue.disk import MB, Disk, DiskLevel, DiskView, DiskWatch, level_of
from offline_queue.full import is_full
from offline_queue.states import EventState
from offline_queue.store import Store
from tests.outbox_kit import claim, opened, receipt, registration, settle, state

SETTINGS = OutboxSection(ballast_mb=2)
MARKS = [(500, DiskLevel.WARN), (200, DiskLevel.STAFF_ONLY), (50, DiskLevel.REFUSE)]


@dataclass(slots=True)
class Room:
    """A disk of which a test says what is left, besides the ballast."""

    mb: int
    ballast_mb: int = SETTINGS.ballast_mb

    def free(self, folder: Path) -> int:
        lies = (folder / FILE).exists()
        return (self.mb + (0 if lies else self.ballast_mb)) * MB


def disk(folder: Path, room: Room, settings: OutboxSection = SETTINGS) -> Disk:
    return Disk(folder, settings, free=room.free)


@pytest.mark.parametrize(("mark", "level"), MARKS)
def test_each_mark_begins_its_level(mark: int, level: DiskLevel) -> None:
    assert level_of(mark * MB, SETTINGS).rank == level.rank - 1
    assert level_of(mark * MB - 1, SETTINGS) == level


@pytest.mark.parametrize(("mark", "level"), MARKS)
def test_a_disk_at_a_mark_does_not_make_the_screen_flicker(mark: int, level: DiskLevel) -> None:
    now = level_of(mark * MB - 1, SETTINGS)
    for left in (mark * MB, mark * MB - 1, int(mark * 1.09 * MB)):
        now = level_of(left, SETTINGS, now)
        assert now == level
    assert level_of(int(mark * 1.11 * MB), SETTINGS, now).rank == level.rank - 1


@given(st.integers(0, 600 * MB), st.integers(0, 600 * MB), st.sampled_from(tuple(DiskLevel)))
def test_less_room_is_never_a_better_level(one: int, other: int, before: DiskLevel) -> None:
    less, more = sorted((one, other))
    assert level_of(less, SETTINGS, before).rank >= level_of(more, SETTINGS, before).rank


def test_a_disk_that_gets_short_is_told_to_the_log_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    room = Room(600)
    watched = disk(tmp_path, room)
    for left in (600, 400, 390, 100, 90, 40, 30, 600):
        room.mb = left
        watched.look()
    told = [record.getMessage().partition(": ")[2] for record in caplog.records if record.levelno >= logging.WARNING]
    assert [words.split(" MB")[0] for words in told] == ["400", "100", "40", "600"]
    assert "front desk" in told[1]


def test_a_put_is_refused_before_the_disk_is_full_and_nothing_of_it_stays(tmp_path: Path) -> None:
    with opened(tmp_path) as owner:
        owner.disk = disk(tmp_path, Room(49))
        one = registration()
        with pytest.raises(OutboxUnavailable, match=r"49 MB.*disk_refuse_mb = 50.*Free space"):
            owner.outbox.put(one)
        assert owner.status().unsent == 0
        owner.disk = disk(tmp_path, Room(51))
        owner.outbox.put(one)


def test_a_record_that_is_there_already_is_acknowledged_on_a_full_disk_too(tmp_path: Path) -> None:
    with opened(tmp_path) as owner:
        one = registration()
        owner.outbox.put(one)
        owner.disk = disk(tmp_path, Room(0))
        assert owner.outbox.put(one) == one.record_id


def test_delivery_goes_on_where_nothing_more_is_taken(tmp_path: Path) -> None:
    with opened(tmp_path) as owner:
        one = registration()
        owner.outbox.put(one)
        owner.disk = disk(tmp_path, Room(10))
        (taken,) = claim(owner)
        settle(owner, (taken.event, receipt()))
        assert state(owner, one.record_id) is EventState.DELIVERED


# ---- the ballast -----------------------------------------------------------------------------------------------------


def test_the_ballast_takes_real_room_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    ballast = Ballast(tmp_path, MB)
    assert (ballast.whole, ballast.give_up()) == (False, False)
    assert ballast.take()
    seen = (tmp_path / FILE).stat()
    assert (ballast.whole, seen.st_size, seen.st_mode & 0o777) == (True, MB, 0o600)
    assert seen.st_blocks * 512 >= MB
    assert ballast.give_up()
    assert not (tmp_path / FILE).exists()


def test_a_ballast_of_another_size_is_made_to_fit_the_settings(tmp_path: Path) -> None:
    assert Ballast(tmp_path, 2 * MB).take()
    assert Ballast(tmp_path, MB).take()
    assert (tmp_path / FILE).stat().st_size == MB
    assert not Ballast(tmp_path, 2 * MB).whole


def test_a_sparse_file_is_no_ballast(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"")
    with (tmp_path / FILE).open("r+b") as file:
        file.truncate(MB)
    assert not Ballast(tmp_path, MB).whole


def test_a_kiosk_may_carry_none(tmp_path: Path) -> None:
    watched = disk(tmp_path, Room(600, 0), OutboxSection(ballast_mb=0))
    assert watched.tend() == DiskView(DiskLevel.ROOM, 600, ballast=False)
    assert not (tmp_path / FILE).exists()


def test_giving_the_ballast_up_lets_no_guest_in_again(tmp_path: Path) -> None:
    room = Room(49)
    watched = disk(tmp_path, Room(600))
    watched.tend()
    watched._free = room.free
    assert watched.look().level is DiskLevel.REFUSE
    assert watched.ballast.give_up()
    assert watched.look() == DiskView(DiskLevel.REFUSE, 49, ballast=False)


def test_the_ballast_comes_back_when_there_is_room(tmp_path: Path) -> None:
    room = Room(49)
    watched = disk(tmp_path, room)
    assert not watched.tend().ballast
    room.mb = 56
    assert watched.tend() == DiskView(DiskLevel.STAFF_ONLY, 56, ballast=True)


def test_a_file_system_that_compresses_is_told_once_and_not_written_to_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    watched, tries = disk(tmp_path, Room(600)), []

    def take() -> bool:
        tries.append(1)
        with (tmp_path / FILE).open("wb") as file:
            file.truncate(2 * MB)  # no block of it is really there
        return True

    monkeypatch.setattr(watched.ballast, "take", take)
    assert [watched.tend().ballast for _ in range(3)] == [False] * 3
    assert len(tries) == 1
    assert sum("keeps no ballast" in record.getMessage() for record in caplog.records) == 1


def test_marking_on_a_full_database_takes_the_ballast_and_is_done_once_more(tmp_path: Path) -> None:
    with opened(tmp_path, settings=SETTINGS) as owner:
        owner.disk.tend()
        tries: list[bool] = []

        def mark(store: Store) -> str:
            tries.append((tmp_path / FILE).exists())
            # As full as SQLite itself says it, not one page more, until the ballast is gone
            store._conn.execute(f"PRAGMA max_page_count = {1 if tries[-1] else 1_000_000}").fetchall()
            with store.transaction():
                store._conn.execute("CREATE TABLE more (x)")
            return "marked"

        assert owner.call(mark) == "marked"
        assert tries == [True, False]


def test_a_put_never_takes_the_ballast(tmp_path: Path) -> None:
    with opened(tmp_path, settings=SETTINGS) as owner:
        owner.disk.tend()
        owner.call(lambda store: store._conn.execute("PRAGMA max_page_count = 1").fetchall())
        with pytest.raises(OutboxUnavailable, match=r"full.*nothing was acknowledged") as refused:
            owner.outbox.put(registration())
        assert is_full(refused.value)
        assert owner.disk.ballast.whole


def test_only_a_full_disk_counts_as_one() -> None:
    assert is_full(OSError(28, "no space"))
    assert not is_full(OSError(5, "i/o"))
    assert not is_full(OutboxUnavailable("outbox: closed"))


# ---- what staff and the screen hear ----------------------------------------------------------------------------------


def test_the_watch_says_when_the_level_changes_and_lays_the_ballast_first(tmp_path: Path) -> None:
    room, heard, came = Room(600), [], threading.Event()

    def changed(view: DiskView) -> None:
        heard.append(view.level)
        came.set()

    watch = DiskWatch(disk(tmp_path, room), changed, every_s=0.01)
    watch.start()
    try:
        assert (tmp_path / FILE).exists()
        for left, level in ((100, DiskLevel.STAFF_ONLY), (600, DiskLevel.ROOM)):
            room.mb = left
            assert came.wait(20)
            came.clear()
            assert heard[-1] is level
    finally:
        watch.stop()
    assert len(heard) == 2


def test_the_disk_is_part_of_the_status_as_data(tmp_path: Path) -> None:
    with opened(tmp_path, settings=SETTINGS) as owner:
        owner.disk = disk(tmp_path, Room(120))
        assert owner.status().disk == DiskView(DiskLevel.STAFF_ONLY, 120, ballast=False)
        (row,) = Answers(owner).rows(Inquiry("status"), "test")
        assert row["disk"] == {"level": "staff_only", "usable_mb": 120, "ballast": False}
