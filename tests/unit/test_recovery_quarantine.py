"""A damaged outbox is set aside in an instant, the next guest is taken on, and what is whole comes back."""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kiosk.errors import OutboxUnavailable
from offline_queue import migrations
from offline_queue.database.verify import verify
from offline_queue.recovery import quarantine, salvage
from offline_queue.states import EventState
from tests.outbox_kit import claim, event, open_owner, opened, raw, registration, state
from tests.recovery_kit import MEND_S, Lobby, left, lobby, mended, nothing_is_lost
from tests.stopwatch import Stopwatch


class Killed(BaseException):
    """Ends a test's thread of events where kill -9 would."""


@pytest.fixture(scope="module")
def shut(tmp_path_factory: pytest.TempPathFactory) -> Lobby:
    return lobby(tmp_path_factory.mktemp("shut"), closed=True)


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> Lobby:
    """Files with a write-ahead log, as a killed kiosk leaves them."""
    return lobby(tmp_path_factory.mktemp("cut"))


def first_page(path: Path) -> None:
    """Tear the page that leads to all others."""
    held = path.read_bytes()
    path.write_bytes(held[:100] + bytes(4096 - 100) + held[4096:])


def log(path: Path) -> None:
    """Flip a bit in a frame that was synced long ago."""
    held = bytearray(path.with_name("queue.db-wal").read_bytes())
    held[32 + 10 * (4096 + 24) + 24 + 2000] ^= 1
    path.with_name("queue.db-wal").write_bytes(held)


def sql(text: str) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        db = raw(path.parent)
        db.executescript(text)
        db.close()

    change.__name__ = text.split(" ")[0]
    return change


def version(path: Path) -> None:
    held = bytearray(path.read_bytes())
    held[61] ^= 0x10
    path.write_bytes(held)


def name(path: Path) -> None:
    held = bytearray(path.read_bytes())
    held[70] ^= 0x10
    path.write_bytes(held)


def state_of_a_row(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"READY", b"REAEY"))


@pytest.mark.parametrize(
    "harm",
    [first_page, version, name, state_of_a_row, sql("DROP TRIGGER tally_update"), sql("DROP INDEX event_ready")],
    ids=lambda harm: harm.__name__,
)
def test_what_is_whole_comes_back_with_state_receipt_and_order(
    shut: Lobby, tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    folder = shut.copy(tmp_path / "kiosk")
    harm(folder / "queue.db")
    with mended(folder) as owner:
        nothing_is_lost(owner, shut)
        assert owner.status().mending.salvaged[0].sealed == 0
    assert list(folder.glob("queue.db.damaged*")) == []


@pytest.mark.parametrize("seed", range(12))
def test_one_flipped_bit_loses_no_record_and_costs_at_most_one_its_readability(
    shut: Lobby, cut: Lobby, tmp_path: Path, seed: int
) -> None:
    made = (shut, cut)[seed % 2]
    folder = made.copy(tmp_path / "kiosk")
    path = folder / ("queue.db", "queue.db-wal")[seed % 2]
    moments, held = random.Random(seed), bytearray(path.read_bytes())
    held[moments.randrange(len(held))] ^= 1 << moments.randrange(8)
    path.write_bytes(held)
    with mended(folder) as owner:
        lost, sealed = left(owner, made)
        assert lost == []
        assert len(sealed) <= 1


@pytest.mark.parametrize("ends", [0, 1, 4097, 0.4, 0.9])
def test_a_file_cut_short_anywhere_takes_the_next_guest(shut: Lobby, tmp_path: Path, ends: float) -> None:
    folder = shut.copy(tmp_path / "kiosk")
    held = (folder / "queue.db").read_bytes()
    (folder / "queue.db").write_bytes(held[: int(ends if ends > 1 else ends * len(held))])
    with mended(folder) as owner:
        assert verify(owner).faults == ()
        put = registration()
        owner.outbox.put(put)
        assert state(owner, put.record_id) is EventState.READY


def test_records_of_a_log_whose_database_is_gone_come_back(cut: Lobby, tmp_path: Path) -> None:
    for left_over in (b"", None):
        folder = cut.copy(tmp_path / f"kiosk {left_over!r}")
        (folder / "queue.db").unlink()
        if left_over is not None:
            (folder / "queue.db").write_bytes(left_over)
        with mended(folder) as owner:
            assert left(owner, cut)[0] == []


def test_a_broken_frame_of_the_log_does_not_cost_what_was_put_after_it(cut: Lobby, tmp_path: Path) -> None:
    folder = cut.copy(tmp_path / "kiosk")
    log(folder / "queue.db")  # SQLite reads no further than there
    with mended(folder) as owner:
        lost, sealed = left(owner, cut)
        assert lost == []
        assert len(sealed) <= 1


def test_a_torn_end_of_the_log_is_no_damage(cut: Lobby, tmp_path: Path) -> None:
    folder = cut.copy(tmp_path / "kiosk")
    held = (folder / "queue.db-wal").read_bytes()
    (folder / "queue.db-wal").write_bytes(held + held[32 : 32 + 4120])
    with mended(folder) as owner:
        nothing_is_lost(owner, cut)
    assert not (folder / "quarantine").exists()
    assert not (folder / "queue.db-wal.kept").exists()


def test_the_new_chain_names_the_old_ones_head(shut: Lobby, tmp_path: Path) -> None:
    folder = shut.copy(tmp_path / "kiosk")
    db = raw(folder)
    seq, head = db.execute("SELECT seq, hash FROM chain ORDER BY seq DESC LIMIT 1").fetchone()
    db.close()
    first_page(folder / "queue.db")
    with mended(folder) as owner:
        details = [entry.detail for entry in owner.call(lambda store: store.chain_after(0, -1)) if entry.event == 0]
    told = next(json.loads(detail) for detail in details if detail.startswith("{"))
    assert (told["seq"], told["head"]) == (seq, head.hex())


def test_no_wrapped_key_and_no_field_of_a_guest_rests_in_quarantine(cut: Lobby, tmp_path: Path) -> None:
    folder = cut.copy(tmp_path / "kiosk")
    with opened(cut.copy(tmp_path / "read")) as owner:
        wrapped = [key.part.wrapped for key in owner.call(lambda store: store.wrapped_after(0, 10_000))]
    log(folder / "queue.db")
    held = b"".join(path.read_bytes() for path in folder.glob("queue.db*"))
    assert all(key in held for key in wrapped if any(key))
    with mended(folder):
        pass
    rest = b"".join(path.read_bytes() for path in folder.glob("quarantine/*/*"))
    assert len(rest) > 100_000
    assert [key for key in wrapped if any(key) and key in rest] == []
    report = json.loads(next(folder.glob("quarantine/*/report.json")).read_text())
    assert report["brought_back"] + report["here_already"] == len(cut.puts)
    modes = {path.name: path.stat().st_mode & 0o777 for path in folder.glob("quarantine/*/*")}
    assert set(modes.values()) == {0o600}


def test_a_put_finishes_in_a_new_store_when_the_file_vanishes_under_it(tmp_path: Path) -> None:
    with opened(tmp_path) as owner:
        before = [registration() for _ in range(5)]
        for one in before:
            owner.outbox.put(one)
        (tmp_path / "queue.db").rename(tmp_path / "elsewhere")
        during = registration()
        owner.outbox.put(during)
        owner.mending.wait(MEND_S)
        for one in (*before, during):
            assert owner.outbox.open_text(one.record_id, 1) == one.text
        assert verify(owner).faults == ()


def test_an_older_copy_put_back_under_a_running_kiosk_loses_nothing(tmp_path: Path) -> None:
    with opened(tmp_path) as owner:
        first, second = registration(), registration()
        owner.outbox.put(first)
        owner.call(lambda store: store.truncate_log())
        shutil.copy(tmp_path / "queue.db", tmp_path / "older")
        owner.outbox.put(second)
        (tmp_path / "older").replace(tmp_path / "queue.db")
        third = registration()
        owner.outbox.put(third)
        owner.mending.wait(MEND_S)
        assert [state(owner, one.record_id) for one in (first, second, third)] == [EventState.READY] * 3
        assert owner.status().unsent == 3


def test_an_older_copy_put_back_under_a_stopped_kiosk_is_noticed(tmp_path: Path) -> None:
    first, second = registration(), registration()
    with opened(tmp_path) as owner:
        owner.outbox.put(first)
    shutil.copy(tmp_path / "queue.db", tmp_path / "older")
    with opened(tmp_path) as owner:
        owner.outbox.put(second)
    (tmp_path / "older").replace(tmp_path / "queue.db")
    with mended(tmp_path) as owner:
        assert len(owner.status().mending.salvaged) == 1
        assert state(owner, first.record_id) is EventState.READY


def test_another_kiosks_outbox_is_put_away_untouched_and_none_of_its_records_taken(shut: Lobby, tmp_path: Path) -> None:
    with opened(tmp_path / "other") as owner:
        theirs = registration()
        owner.outbox.put(theirs)
    folder = shut.copy(tmp_path / "kiosk")
    shutil.copy(tmp_path / "other" / "queue.db", folder / "queue.db")
    held = (folder / "queue.db").read_bytes()
    with mended(folder) as owner:
        outcome = owner.status().mending.salvaged[0]
        assert (outcome.foreign, outcome.brought_back) == (True, 0)
        assert owner.outbox.open_text(theirs.record_id, 1) is None
        assert owner.status().unsent == 1
    assert next(folder.glob("quarantine/*/queue.db")).read_bytes() == held


def test_a_later_revision_waits_until_the_earlier_one_is_brought_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = registration()
    with opened(tmp_path) as owner:
        owner.outbox.put(put)
    first_page(tmp_path / "queue.db")
    with monkeypatch.context() as held_up:
        held_up.setattr("offline_queue.recovery.mending.Mending.start", lambda self: None)
        with opened(tmp_path) as owner:
            owner.outbox.put(registration(put.record_id, 2))
            assert state(owner, put.record_id, 2) is EventState.BLOCKED
            assert [found.number for found in quarantine.waiting(tmp_path / "queue.db")] == [1]
    with mended(tmp_path) as owner:
        assert state(owner, put.record_id, 1) is EventState.READY
        assert state(owner, put.record_id, 2) is EventState.BLOCKED
        assert verify(owner).faults == ()


def test_what_was_in_flight_goes_again(tmp_path: Path) -> None:
    put = registration()
    with opened(tmp_path) as owner:
        owner.outbox.put(put)
        claim(owner)
    first_page(tmp_path / "queue.db")
    with mended(tmp_path) as owner:
        known = event(owner, put.record_id)
        assert (known.state, known.batch) == (EventState.READY, None)
        assert known.id == 1  # its old number: new ones begin far above
        assert owner.call(lambda store: store.latest(1))[0].id >= 1 << 32


@pytest.mark.parametrize("step", range(1, 5))
def test_a_quarantine_that_was_killed_anywhere_is_finished_at_the_next_start(
    cut: Lobby, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    folder = cut.copy(tmp_path / "kiosk")
    log(folder / "queue.db")
    left_over = [step]
    rename = Path.rename

    def dies(work: Callable[..., object]) -> Callable[..., object]:
        def counted(*given: object, **more: object) -> object:
            left_over[0] -= 1
            if left_over[0] == 0:
                raise Killed
            return work(*given, **more)

        return counted

    with monkeypatch.context() as killing:
        killing.setattr(Path, "rename", dies(rename))
        killing.setattr(quarantine, "sync_folder", dies(quarantine.sync_folder))
        killing.setattr("offline_queue.recovery.keeper.Keeper._forget_witness", dies(lambda self: None))
        with pytest.raises(Killed):
            open_owner(folder)
    with mended(folder) as owner:
        assert left(owner, cut)[0] == []
        assert verify(owner).faults == ()


@pytest.mark.parametrize("step", [1, 2, 3, 5, 7, 8, 9, 10, 11])
def test_a_salvage_that_was_killed_anywhere_is_begun_again(
    shut: Lobby, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    folder = shut.copy(tmp_path / "kiosk")
    first_page(folder / "queue.db")
    with monkeypatch.context() as held_up:
        held_up.setattr("offline_queue.recovery.mending.Mending.start", lambda self: None)
        with opened(folder):
            pass
    left_over = [step]

    def dies(owner_call: Callable[..., object]) -> Callable[..., object]:
        def counted(*given: object, **more: object) -> object:
            left_over[0] -= 1
            if left_over[0] == 0:
                raise Killed
            return owner_call(*given, **more)

        return counted

    with monkeypatch.context() as killing:
        killing.setattr("threading.excepthook", lambda args: None)
        for step_of in ("wipe_keys", "write_whole", "_rename", "sync_folder"):
            killing.setattr(quarantine, step_of, dies(getattr(quarantine, step_of)))
        killing.setattr("offline_queue.recovery.salvage.bring", dies(salvage.bring))
        with opened(folder) as owner:
            owner.mending.wait(MEND_S)
    with mended(folder) as owner:
        nothing_is_lost(owner, shut)
    assert list(folder.glob("queue.db.damaged*")) == []
    assert not quarantine.finish_cut_off(folder / "queue.db")


def test_a_full_disk_at_the_quarantine_acknowledges_nothing_and_loses_nothing(
    shut: Lobby, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shut.copy(tmp_path / "kiosk")
    first_page(folder / "queue.db")

    def full(*_: object) -> None:
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    with monkeypatch.context() as disk:
        disk.setattr(migrations, "bring_up", full)
        with pytest.raises(OutboxUnavailable, match="full"):
            open_owner(folder)
    assert len(quarantine.waiting(folder / "queue.db")) == 1
    with mended(folder) as owner:
        nothing_is_lost(owner, shut)


def test_a_lost_outbox_with_records_waiting_gets_no_new_key(shut: Lobby, tmp_path: Path) -> None:
    folder = shut.copy(tmp_path / "kiosk")
    first_page(folder / "queue.db")
    (folder / "queue.db").rename(folder / "queue.db.damaged-20260101T000000Z-1")
    (folder / "queue.key").unlink()
    with pytest.raises(OutboxUnavailable, match="key"):
        open_owner(folder)
    assert not (folder / "queue.key").exists()


def test_the_next_guest_is_taken_on_in_a_tenth_of_a_second(tmp_path: Path) -> None:
    with opened(tmp_path) as owner:
        for _ in range(20):
            owner.outbox.put(registration())
        (tmp_path / "queue.db").write_bytes(b"\xee" * 50_000)
        (tmp_path / "queue.db").rename(tmp_path / "gone")
        watch = Stopwatch()
        owner.outbox.put(registration())
        assert watch.seconds() < 3.0  # 0.1 s on a machine that does nothing else


def test_a_store_in_which_verify_finds_faults_is_salvaged_on_demand(shut: Lobby, tmp_path: Path) -> None:
    with opened(shut.copy(tmp_path / "kiosk")) as owner:
        owner.call(lambda store: store._conn.execute("UPDATE payload SET sealed = zeroblob(9) WHERE event > 8"))
        assert verify(owner).faults != ()
        owner.set_aside("verify found faults")
        owner.mending.wait(MEND_S)
        lost, sealed = left(owner, shut)
        assert lost == []
        assert len(sealed) == len(shut.puts) - 8
        assert verify(owner).faults == ()


def test_what_is_left_goes_after_the_retention_and_its_report_stays(shut: Lobby, tmp_path: Path) -> None:
    folder = shut.copy(tmp_path / "kiosk")
    first_page(folder / "queue.db")
    with mended(folder):
        pass
    (report,) = folder.glob("quarantine/*/report.json")
    for days, there in ((29, True), (31, False)):
        then = time.time() - days * 86_400
        os.utime(report, (then, then))
        with mended(folder):
            assert (report.parent / "queue.db").exists() is there
    assert report.exists()
