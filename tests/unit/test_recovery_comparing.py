"""The second copy is held against the database: what it lacks is named, and there again after the next start."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from offline_queue.answering.inquiry import Inquiry
from offline_queue.answering.upkeep import Upkeep
from offline_queue.owner import OutboxOwner
from offline_queue.recovery import comparing, journal
from offline_queue.recovery.keyring import SLOT_BYTES, Keyring, WrappedKey
from tests.outbox_kit import deliver, open_owner, opened, registration
from tests.recovery_kit import COPIED, MEND_S, Lobby, lobby, mended, nothing_is_lost


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Lobby:
    return lobby(tmp_path_factory.mktemp("copied"), closed=True, settings=COPIED)


def faults(owner: OutboxOwner) -> object:
    (row,) = Upkeep(owner, lambda *told, **more: None, alone=False).rows(Inquiry("verify"), "clerk")
    return row["faults"]


def segment(folder: Path) -> Path:
    return next((folder / "second-copy").glob("segment-*"))


def test_a_copy_that_could_make_everything_again_is_whole_while_guests_go_on(copied: Lobby, tmp_path: Path) -> None:
    folder, done = copied.copy(tmp_path / "kiosk"), threading.Event()
    with opened(folder, settings=COPIED) as owner:

        def go_on() -> None:
            while not done.is_set():
                put = registration()
                owner.outbox.put(put)
                deliver(owner, put.record_id)

        guests = threading.Thread(target=go_on)
        guests.start()
        try:
            assert [faults(owner) for _ in range(3)] == [[], [], []]
        finally:
            done.set()
            guests.join()
        assert faults(owner) == []


def flipped(path: Path) -> None:
    held = bytearray(path.read_bytes())
    for at in range(300, len(held), 300):
        held[at] ^= 1
    path.write_bytes(held)


@pytest.mark.parametrize("harm", [flipped, Path.unlink])
def test_what_a_segment_lacks_is_named_and_written_again_at_the_next_start(
    copied: Lobby, tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    folder = copied.copy(tmp_path / "kiosk")
    with opened(folder, settings=COPIED) as owner:
        owner.mending.wait(MEND_S)
        harm(segment(folder))
        told = faults(owner)
        assert isinstance(told, list)
        assert told != []
        assert all("second copy" in one and "is not in it whole" in one for one in told)
    with opened(folder, settings=COPIED) as owner:
        owner.mending.wait(MEND_S)
        assert faults(owner) == []
    for name in ("queue.db", "queue.head"):
        (folder / name).unlink()
    with mended(folder, settings=COPIED) as owner:
        nothing_is_lost(owner, copied)


def test_a_key_that_the_keyring_lacks_and_one_that_it_should_are_named(copied: Lobby, tmp_path: Path) -> None:
    folder = copied.copy(tmp_path / "kiosk")
    with opened(folder, settings=COPIED) as owner:
        owner.mending.wait(MEND_S)
        put = registration()
        owner.outbox.put(put)
        with (folder / "queue.keyring").open("r+b") as file:
            held = file.read()
            slots = [held[at : at + SLOT_BYTES] for at in range(0, len(held), SLOT_BYTES)]
            keys = [key for slot in slots if (key := WrappedKey.from_slot(slot)) is not None]
            file.seek(slots.index(keys[0].to_slot()) * SLOT_BYTES)
            file.write(bytes(SLOT_BYTES))
        (told,) = comparing.faults(owner)
        assert "a key that opens it is not in the keyring" in told
        mine = next(
            key for key in keys if key.part == "live" and str(put.record_id).replace("-", "") == key.record.hex()
        )
        deliver(owner, put.record_id)
        owner.call(
            lambda store: owner.second_copy and owner.second_copy.keyring and owner.second_copy.keyring.put([mine])
        )
        assert any("a key that was destroyed still is in the keyring" in one for one in comparing.faults(owner))
    with opened(folder, settings=COPIED) as owner:
        owner.mending.wait(MEND_S)
        assert comparing.faults(owner) == []


def test_a_copy_that_is_behind_is_a_fault_of_its_own_and_no_reason_to_set_the_database_aside(
    copied: Lobby, tmp_path: Path
) -> None:
    folder = copied.copy(tmp_path / "kiosk")
    with opened(folder, settings=COPIED) as owner:
        owner.mending.wait(MEND_S)
        (folder / "queue.keyring").unlink()
        (folder / "queue.keyring").mkdir()
        copy = owner.second_copy
        assert copy is not None
        owner.call(lambda store: copy.close())
        owner.outbox.put(registration())
        (told,) = comparing.faults(owner)
        assert "second copy: behind" in told
        (row,) = Upkeep(owner, lambda *told, **more: None, alone=False).rows(Inquiry("salvage"), "clerk")
        assert row["salvaged"] == []


def test_the_next_guest_does_not_wait_until_the_second_copy_is_read_again(
    copied: Lobby, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(*given: object) -> None:
        raise AssertionError("a big second copy takes longer than the next guest may wait")

    folder = copied.copy(tmp_path / "kiosk")
    with opened(folder, settings=COPIED) as owner:
        owner.mending.wait(MEND_S)
        with monkeypatch.context() as patched:
            patched.setattr(owner.mending, "start", lambda: None)
            patched.setattr(journal, "look", read)
            patched.setattr(Keyring, "_load", read)
            owner.set_aside("verify found faults")
            put = registration()
            owner.outbox.put(put)
            assert not owner.status().copy.behind
        owner.mending.start()
        owner.mending.wait(MEND_S)
        nothing_is_lost(owner, copied)
        assert comparing.faults(owner) == []
    for name in ("queue.db", "queue.head"):
        (folder / name).unlink()
    with mended(folder, settings=COPIED) as owner:
        assert owner.outbox.open_text(put.record_id, 1) == put.text
        nothing_is_lost(owner, copied)


def test_an_outbox_without_a_second_copy_has_no_fault_of_one(tmp_path: Path) -> None:
    owner = open_owner(tmp_path)
    owner.outbox.put(registration())
    assert faults(owner) == []
    assert not journal.segments(tmp_path / "second-copy")
    owner.close()
