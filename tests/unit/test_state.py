"""Replay memory and PIN lock-out: they survive a restart, a damaged file and a clock that jumps."""

from __future__ import annotations

import logging
import sqlite3
import stat
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kiosk.errors import OperationalError
from kiosk.state import LONGEST_LOCK_S, Clocks, StateStore

CODE = b"https://suishen.example/code?t=opaque"


@dataclass
class Time:
    """A machine whose clock can be set, and that can be booted again."""

    wall: float = 1_780_000_000.0
    up: float = 1000.0
    boot: str = "first"

    def passes(self, seconds: float) -> None:
        self.wall += seconds
        self.up += seconds

    def boots(self, takes_s: float = 30.0) -> None:
        self.wall += takes_s
        self.up, self.boot = takes_s, self.boot + "'"

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.wall, UTC)

    def after(self, seconds: float) -> datetime:
        return self.now() + timedelta(seconds=seconds)

    def clocks(self) -> Clocks:
        return Clocks(lambda: self.wall, lambda: self.up, lambda: self.boot)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


@pytest.fixture
def reopened(path: Path, time: Time) -> Iterator[Callable[[], StateStore]]:
    """Close the store and open it again, as a restart of the kiosk does."""
    stores: list[StateStore] = []

    def reopen() -> StateStore:
        for store in stores:
            store.close()
        stores.append(StateStore(path, time.clocks()))
        return stores[-1]

    yield reopen
    for store in stores:
        store.close()


@pytest.fixture
def store(reopened: Callable[[], StateStore]) -> StateStore:
    return reopened()


def test_a_code_is_no_replay_in_its_own_visit_and_one_in_another(store: StateStore, time: Time) -> None:
    assert not store.is_replay(CODE, "7", time.now())
    store.remember_code(CODE, "7", time.now(), 24)
    assert not store.is_replay(CODE, "7", time.now())
    assert store.is_replay(CODE, "8", time.now())
    assert not store.is_replay(CODE + b"x", "8", time.now())


def test_a_code_is_forgotten_after_its_hours(store: StateStore, time: Time, path: Path) -> None:
    store.remember_code(CODE, "7", time.now(), 24)
    assert store.is_replay(CODE, "8", time.after(24 * 3600 - 1))
    assert not store.is_replay(CODE, "8", time.after(24 * 3600))
    store.remember_code(b"another", "9", time.after(24 * 3600), 24)
    with sqlite3.connect(path) as reader:
        assert reader.execute("SELECT count(*) FROM code").fetchone() == (1,)
    reader.close()


def test_a_visit_of_the_same_number_after_a_restart_is_another_visit(
    store: StateStore, reopened: Callable[[], StateStore], time: Time
) -> None:
    store.remember_code(CODE, "7", time.now(), 24)
    assert reopened().is_replay(CODE, "7", time.now())


def test_no_code_can_be_read_from_the_disk(store: StateStore, time: Time, path: Path, tmp_path: Path) -> None:
    store.remember_code(CODE, "7", time.now(), 24)
    for file in tmp_path.iterdir():
        assert CODE not in file.read_bytes()
        assert b"opaque" not in file.read_bytes()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_without_its_key_the_memory_begins_anew(
    store: StateStore, reopened: Callable[[], StateStore], time: Time, path: Path
) -> None:
    store.remember_code(CODE, "7", time.now(), 24)
    for broken in (None, "not hex", "00"):
        path.with_suffix(".key").unlink()
        if broken is not None:
            path.with_suffix(".key").write_text(broken)
        fresh = reopened()
        assert not fresh.is_replay(CODE, "8", time.now())
        fresh.remember_code(CODE, "7", time.now(), 24)
        assert reopened().is_replay(CODE, "8", time.now())


def test_a_clock_set_back_keeps_no_code_longer_than_its_hours(store: StateStore, time: Time) -> None:
    store.remember_code(CODE, "7", time.after(365 * 86400), 24)
    store.remember_code(b"another", "8", time.now(), 24)
    assert store.is_replay(CODE, "9", time.after(23 * 3600))
    assert not store.is_replay(CODE, "9", time.after(25 * 3600))


def test_wrong_pins_are_counted_across_a_restart_until_a_right_one(
    store: StateStore, reopened: Callable[[], StateStore], time: Time
) -> None:
    assert [store.pin_failed("staff", time.now()) for _ in range(3)] == [1, 2, 3]
    store = reopened()
    assert store.pin_failed("staff", time.now()) == 4
    assert store.pin_failed("other", time.now()) == 1
    store.pin_cleared("staff")
    assert store.pin_failed("staff", time.now()) == 1


def test_wrong_pins_of_yesterday_do_not_count(store: StateStore, time: Time) -> None:
    store.pin_failed("staff", time.now())
    assert store.pin_failed("staff", time.after(23 * 3600)) == 2
    assert store.pin_failed("staff", time.after(48 * 3600)) == 1


def test_a_lock_out_survives_a_restart_and_ends(
    store: StateStore, reopened: Callable[[], StateStore], time: Time
) -> None:
    assert store.pin_locked_until("staff") is None
    store.lock_pin("staff", time.after(300))
    store = reopened()
    time.passes(299)
    assert store.pin_locked_until("staff") == time.after(1)
    assert store.pin_locked_until("other") is None
    time.passes(1)
    assert store.pin_locked_until("staff") is None


def test_clearing_ends_a_lock_out(store: StateStore, time: Time) -> None:
    store.lock_pin("staff", time.after(300))
    store.pin_cleared("staff")
    assert store.pin_locked_until("staff") is None


def test_a_lock_out_has_a_longest_length_whatever_is_asked(store: StateStore, time: Time) -> None:
    store.lock_pin("staff", time.after(10 * 365 * 86400))
    assert store.pin_locked_until("staff") == time.after(LONGEST_LOCK_S)
    store.lock_pin("staff", time.after(-5))
    assert store.pin_locked_until("staff") is None


@pytest.mark.parametrize("jump", [-10 * 365 * 86400, -60, 60, 10 * 365 * 86400])
def test_setting_the_clock_neither_frees_a_pin_nor_locks_it_longer(store: StateStore, time: Time, jump: float) -> None:
    store.lock_pin("staff", time.after(300))
    time.passes(100)
    time.wall += jump
    assert store.pin_locked_until("staff") == time.after(200)
    time.passes(200)
    assert store.pin_locked_until("staff") is None


def test_after_a_boot_the_clock_counts_and_one_set_back_starts_the_lock_out_again_once(
    store: StateStore, reopened: Callable[[], StateStore], time: Time
) -> None:
    store.lock_pin("staff", time.after(300))
    time.boots()
    store = reopened()
    assert store.pin_locked_until("staff") == time.after(270)
    time.wall -= 10 * 365 * 86400
    assert store.pin_locked_until("staff") == time.after(300)
    time.passes(300)
    assert store.pin_locked_until("staff") is None


@pytest.mark.parametrize("damage", ["header", "pages", "short"])
def test_a_damaged_file_is_set_aside_and_the_kiosk_goes_on(
    store: StateStore,
    reopened: Callable[[], StateStore],
    time: Time,
    path: Path,
    damage: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for number in range(200):
        store.remember_code(b"%d" % number, "7", time.now(), 24)
    store.close()
    whole = path.read_bytes()
    damaged = {"header": b"not a database" + whole[14:], "pages": whole[:4096] + b"\xff" * (len(whole) - 4096)}
    path.write_bytes(damaged.get(damage, whole[:2000]))
    before = path.read_bytes()
    with caplog.at_level(logging.ERROR):
        store = reopened()
    assert "set aside as state.db.damaged-1" in caplog.text
    assert path.with_name("state.db.damaged-1").read_bytes() == before
    assert store.pin_failed("staff", time.now()) == 1
    store.remember_code(CODE, "7", time.now(), 24)
    assert store.is_replay(CODE, "8", time.now())


def test_a_file_of_a_newer_program_is_left_untouched(
    store: StateStore, reopened: Callable[[], StateStore], path: Path
) -> None:
    store.close()
    with sqlite3.connect(path) as newer:
        newer.execute("PRAGMA user_version = 2")
    newer.close()
    with pytest.raises(OperationalError, match="start the newer program"):
        reopened()
    with sqlite3.connect(path) as newer:
        assert newer.execute("PRAGMA user_version").fetchone() == (2,)
        assert newer.execute("SELECT count(*) FROM pin").fetchone() == (0,)
    newer.close()


def test_a_disk_that_refuses_is_told_with_the_fix(store: StateStore, time: Time, path: Path) -> None:
    store.close()
    for call in (
        lambda: store.is_replay(CODE, "7", time.now()),
        lambda: store.remember_code(CODE, "7", time.now(), 24),
        lambda: store.pin_failed("staff", time.now()),
        lambda: store.pin_locked_until("staff"),
    ):
        with pytest.raises(OperationalError, match=r"state\.db: (read|write): .*check free space"):
            call()
    store.close()
    with pytest.raises(OperationalError, match="check free space"):
        StateStore(path / "below a file" / "state.db")


def test_every_change_is_synced_before_the_call_returns(store: StateStore) -> None:
    assert store._conn.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert store._conn.execute("PRAGMA synchronous").fetchone() == (2,)


@pytest.mark.timeout(60)
def test_it_may_be_asked_from_several_threads(store: StateStore, time: Time) -> None:
    counts: list[int] = []
    threads = [
        threading.Thread(target=lambda: counts.extend(store.pin_failed("staff", time.now()) for _ in range(25)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(counts) == list(range(1, 101))


def test_the_machines_own_clocks_are_used_when_none_are_given(path: Path) -> None:
    store = StateStore(path)
    store.lock_pin("staff", datetime.now(UTC) + timedelta(seconds=60))
    until = store.pin_locked_until("staff")
    store.close()
    assert until is not None
    assert 55 < (until - datetime.now(UTC)).total_seconds() <= 60
