"""With a second copy a lost database is made again, and what was erased stays erased in every copy."""

from __future__ import annotations

import random
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from kiosk.config import OutboxSection
from kiosk.errors import OutboxUnavailable
from offline_queue import retention
from offline_queue.crypto import rotation
from offline_queue.database.verify import verify
from offline_queue.recovery import journal, mending, rebuild, salvage
from offline_queue.recovery.second_copy import SecondCopy
from offline_queue.states import EventState
from offline_queue.store import Store
from tests.outbox_kit import ADDRESS, ID_PHOTO, NAME, NUMBER, claim, deliver, event, opened, registration, state
from tests.recovery_kit import COPIED, MEND_S, Lobby, left, lobby, mended, nothing_is_lost


class Killed(BaseException):
    """Ends a piece of work where kill -9 would."""


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Lobby:
    return lobby(tmp_path_factory.mktemp("copied"), settings=COPIED)


def sealed_bytes(folder: Path) -> int:
    return sum(journal.look(path).rows_bytes for path in journal.segments(folder))


def lose_the_database(folder: Path) -> Path:
    for path in folder.glob("queue.db*"):
        path.unlink()
    return folder


def test_everything_is_made_again_when_the_database_is_gone(copied: Lobby, tmp_path: Path) -> None:
    folder = lose_the_database(copied.copy(tmp_path / "kiosk"))
    with mended(folder, settings=COPIED) as owner:
        nothing_is_lost(owner, copied)
        rebuilt = owner.status().mending.rebuilt
        assert rebuilt is not None
        assert (rebuilt.brought_back, rebuilt.sealed) == (len(copied.puts), 0)
        assert not owner.status().copy.behind
    with opened(folder, settings=COPIED) as owner:  # and once: the old segments are gone, the new ones hold it all
        assert owner.mending.wait(MEND_S).rebuilt is None
    lose_the_database(folder)
    with mended(folder, settings=COPIED) as owner:
        nothing_is_lost(owner, copied)


@pytest.mark.parametrize("seed", range(8))
def test_whatever_happens_to_the_database_the_second_copy_makes_it_whole(
    copied: Lobby, tmp_path: Path, seed: int
) -> None:
    folder = copied.copy(tmp_path / "kiosk")
    moments = random.Random(seed)
    for path in (folder / "queue.db", folder / "queue.db-wal"):
        held = bytearray(path.read_bytes())
        for _ in range(60):
            held[moments.randrange(len(held))] ^= 1 << moments.randrange(8)
        path.write_bytes(held[: moments.randrange(len(held))] if seed % 3 == 0 else held)
    with mended(folder, settings=COPIED) as owner:
        assert left(owner, copied) == ([], [])
        assert verify(owner).faults == ()


def test_a_flipped_bit_of_a_segment_costs_its_own_frame_only(copied: Lobby, tmp_path: Path) -> None:
    folder = lose_the_database(copied.copy(tmp_path / "kiosk"))
    path = folder / "second-copy" / "segment-00000001.log"
    held = bytearray(path.read_bytes())
    held[len(held) // 2] ^= 4
    path.write_bytes(held)
    with mended(folder, settings=COPIED) as owner:
        lost, sealed = left(owner, copied)
        assert len(lost) + len(sealed) <= 1
        assert verify(owner).faults == ()


def test_a_lost_keyring_costs_nothing_while_the_database_is_whole(copied: Lobby, tmp_path: Path) -> None:
    for number, harm in enumerate((b"", b"\xee" * 3000, None)):
        folder = copied.copy(tmp_path / f"kiosk {number}")
        (folder / "queue.keyring").unlink()
        if harm is not None:
            (folder / "queue.keyring").write_bytes(harm)
        with mended(folder, settings=COPIED) as owner:
            nothing_is_lost(owner, copied)
        lose_the_database(folder)
        with mended(folder, settings=COPIED) as owner:
            assert left(owner, copied) == ([], [])


def test_an_acknowledged_record_is_in_the_second_copy(tmp_path: Path) -> None:
    with opened(tmp_path / "kiosk", settings=COPIED) as owner:
        put = registration()
        owner.outbox.put(put)
        shutil.copytree(tmp_path / "kiosk", tmp_path / "cut")
    (tmp_path / "cut" / "queue.lock").unlink()
    with mended(lose_the_database(tmp_path / "cut"), settings=COPIED) as owner:
        assert owner.outbox.open_text(put.record_id, 1) == put.text
        assert state(owner, put.record_id) is EventState.READY


def test_what_a_kill_kept_from_the_copy_is_written_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    puts = [registration() for _ in range(4)]
    with opened(tmp_path, settings=COPIED) as owner:
        owner.outbox.put(puts[0])
        with monkeypatch.context() as killed:
            killed.setattr(SecondCopy, "_write", lambda self, touched: None)
            for put in puts[1:3]:
                owner.outbox.put(put)
            deliver(owner, puts[1].record_id)
    with opened(tmp_path, settings=COPIED) as owner:
        owner.mending.wait(MEND_S)
        owner.outbox.put(puts[3])
    with mended(lose_the_database(tmp_path), settings=COPIED) as owner:
        assert [owner.outbox.open_text(put.record_id, 1) for put in puts] == [put.text for put in puts]
        assert state(owner, puts[1].record_id) is EventState.DELIVERED


def test_no_key_and_nothing_readable_is_in_the_second_copy(copied: Lobby, tmp_path: Path) -> None:
    with opened(copied.copy(tmp_path / "read"), settings=COPIED) as owner:
        wrapped = [key.part.wrapped for key in owner.call(lambda store: store.wrapped_after(0, 10_000))]
    held = b"".join(path.read_bytes() for path in copied.folder.glob("second-copy/*"))
    assert [key for key in wrapped if any(key) and key in held] == []
    for field in (NAME, NUMBER, ADDRESS):
        assert field.encode() not in held
    assert ID_PHOTO[:64] not in held
    modes = {path.stat().st_mode & 0o777 for path in copied.folder.glob("second-copy/*")}
    assert (modes, (copied.folder / "second-copy").stat().st_mode & 0o777) == ({0o600}, 0o700)


def test_a_receipt_and_a_purge_reach_the_keyring(tmp_path: Path) -> None:
    with opened(tmp_path, settings=COPIED) as owner:
        put = registration()
        owner.outbox.put(put)
        keys = {key.part.part: key.part.wrapped for key in owner.call(lambda store: store.wrapped_after(0, 9))}
        held = (tmp_path / "queue.keyring").read_bytes
        assert all(key in held() for key in keys.values())
        deliver(owner, put.record_id, wall=1000.0)
        assert [part for part, key in keys.items() if key in held()] == ["text"]
        owner.call(lambda store: retention.purge(store, owner.clock.wall(), 30))
        assert [part for part, key in keys.items() if key in held()] == []
    with mended(lose_the_database(tmp_path), settings=COPIED) as owner:
        known = event(owner, put.record_id)
        assert (known.state, known.receipt) == (EventState.PURGED, "R-1")
        assert owner.outbox.open_text(put.record_id, 1) is None


def test_a_changed_key_reaches_the_keyring(tmp_path: Path) -> None:
    with opened(tmp_path, settings=COPIED) as owner:
        put = registration()
        owner.outbox.put(put)
        rotation.rotate(owner)
    with mended(lose_the_database(tmp_path), settings=COPIED) as owner:
        assert owner.outbox.open_text(put.record_id, 1) == put.text


def test_a_second_copy_that_fails_stops_no_guest_and_catches_up(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("a file where the folder should be")
    settings = OutboxSection(second_copy=True, second_copy_dir=elsewhere)
    puts = [registration() for _ in range(3)]
    with opened(tmp_path / "kiosk", settings=settings) as owner:
        for put in puts[:2]:
            owner.outbox.put(put)
        copy = owner.status().copy
        assert (copy.on, copy.behind) == (True, True)
        assert "second_copy_dir" in copy.why
        elsewhere.unlink()
        owner.outbox.put(puts[2])
        assert (owner.status().copy.behind, owner.status().copy.why) == (False, "")
    with mended(lose_the_database(tmp_path / "kiosk"), settings=settings) as owner:
        assert [owner.outbox.open_text(put.record_id, 1) for put in puts] == [put.text for put in puts]


def test_what_cannot_be_opened_is_opened_again_by_the_second_copy(tmp_path: Path) -> None:
    put = registration()
    with opened(tmp_path, settings=COPIED) as owner:
        owner.outbox.put(put)
        owner.mending.wait(MEND_S)
        owner.call(lambda store: store._conn.execute("UPDATE payload SET sealed = zeroblob(50) WHERE part = 'text'"))
        assert claim(owner) == []
        owner.mending.wait(MEND_S)
        assert state(owner, put.record_id) is EventState.READY
        assert [item.text for item in claim(owner)] == [put.text]


def test_segments_of_purged_records_go_and_their_receipts_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "SEGMENT_BYTES", 30_000)
    puts = [registration() for _ in range(12)]
    with opened(tmp_path, settings=COPIED) as owner:
        for put in puts:
            owner.outbox.put(put)
        before = sealed_bytes(tmp_path / "second-copy")
        for put in puts[:8]:
            deliver(owner, put.record_id, wall=1000.0)
        owner.call(lambda store: retention.purge(store, owner.clock.wall(), 30))
        owner.mending.wait(MEND_S)
        owner.mending.start()
        owner.mending.wait(MEND_S)
        assert sealed_bytes(tmp_path / "second-copy") < before * 0.7
    with mended(lose_the_database(tmp_path), settings=COPIED) as owner:
        assert [state(owner, put.record_id) for put in puts] == [EventState.PURGED] * 8 + [EventState.READY] * 4
        assert [event(owner, put.record_id).receipt for put in puts[:8]] == ["R-1"] * 8


@pytest.mark.parametrize("step", [1, 2, 3, 4])
def test_a_rebuild_that_was_killed_anywhere_is_begun_again(
    copied: Lobby, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    folder = lose_the_database(copied.copy(tmp_path / "kiosk"))
    left_over = [step]

    def dies(work: Callable[..., object]) -> Callable[..., object]:
        def counted(*given: object, **more: object) -> object:
            left_over[0] -= 1
            if left_over[0] == 0:
                raise Killed
            return work(*given, **more)

        return counted

    with monkeypatch.context() as killing:
        killing.setattr(threading, "excepthook", lambda args: None)
        killing.setattr(rebuild, "bring", dies(rebuild.bring))
        killing.setattr(rebuild, "sync_folder", dies(rebuild.sync_folder))
        with opened(folder, settings=COPIED) as owner:
            owner.mending.wait(MEND_S)
    with mended(folder, settings=COPIED) as owner:
        nothing_is_lost(owner, copied)


def test_a_copy_switched_on_later_takes_what_is_there(tmp_path: Path) -> None:
    puts = [registration() for _ in range(3)]
    with opened(tmp_path) as owner:
        for put in puts:
            owner.outbox.put(put)
    with opened(tmp_path, settings=COPIED) as owner:
        owner.mending.wait(MEND_S)
        assert not owner.status().copy.behind
    with mended(lose_the_database(tmp_path), settings=COPIED) as owner:
        assert [owner.outbox.open_text(put.record_id, 1) for put in puts] == [put.text for put in puts]


@pytest.mark.parametrize("at", [60, 0.2, 0.5, 0.8])
def test_a_flipped_bit_of_a_segment_is_made_good_from_the_database(copied: Lobby, tmp_path: Path, at: float) -> None:
    folder = copied.copy(tmp_path / "kiosk")
    path = folder / "second-copy" / "segment-00000001.log"
    held = bytearray(path.read_bytes())
    held[int(at if at > 1 else at * len(held))] ^= 4  # 60: in the frame that names the chain
    path.write_bytes(held)
    with mended(folder, settings=COPIED):
        pass
    with mended(lose_the_database(folder), settings=COPIED) as owner:
        assert left(owner, copied) == ([], [])


@pytest.mark.parametrize("harm", [b"", b"\xee" * 5000], ids=["empty", "another program's"])
def test_a_segment_that_is_none_stands_in_nobodys_way(copied: Lobby, tmp_path: Path, harm: bytes) -> None:
    folder = copied.copy(tmp_path / "kiosk")
    (folder / "second-copy" / "segment-00000007.log").write_bytes(harm)
    (folder / "second-copy" / "notes.txt").write_text("kept")
    with mended(folder, settings=COPIED) as owner:
        put = registration()
        owner.outbox.put(put)
    with mended(lose_the_database(folder), settings=COPIED) as owner:
        nothing_is_lost(owner, copied)
        assert owner.outbox.open_text(put.record_id, 1) == put.text
    assert (folder / "second-copy" / "notes.txt").exists()


def test_a_salvage_that_meets_a_full_disk_is_tried_again(
    copied: Lobby, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = lose_the_database(copied.copy(tmp_path / "kiosk"))
    full = [3]

    def refuses(store: Store, *given: object) -> object:
        full[0] -= 1
        if full[0] >= 0:
            raise OutboxUnavailable("database or disk is full")
        return salvage.bring(store, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(mending, "AGAIN_S", 0.05)
    monkeypatch.setattr(rebuild, "bring", refuses)
    with mended(folder, settings=COPIED) as owner:
        nothing_is_lost(owner, copied)
    assert full[0] < 0
