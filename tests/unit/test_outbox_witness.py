"""An older copy of the outbox that is put back, another one's file or none is noticed before anything is written."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from kiosk.errors import OutboxDamaged, OutboxUnavailable
from offline_queue.crypto.suites import GM
from offline_queue.database import chain
from offline_queue.database.witness import HeadWitness
from offline_queue.store import Store
from tests.outbox_kit import HOTEL
from tests.outbox_kit import new_event as put

DB, HEAD = "queue.db", "queue.head"


def opened(folder: Path) -> Store:
    return Store(folder / DB, HOTEL, time.time(), witness=HeadWitness(folder / HEAD))


def with_events(folder: Path, events: int) -> None:
    store = opened(folder)
    for _ in range(events):
        with store.transaction():
            store.insert(put())
    store.close()


def entry(seq: int) -> chain.Entry:
    return chain.Entry(seq, 1, "READY", 0, "", bytes([seq % 256]) * 32)


def test_the_same_file_opens_again(tmp_path: Path) -> None:
    with_events(tmp_path, 2)
    with_events(tmp_path, 1)
    store = opened(tmp_path)
    assert store.head is not None
    assert store.head.seq == 4
    store.close()


def test_an_older_copy_that_is_put_back_is_refused_untouched(tmp_path: Path) -> None:
    with_events(tmp_path, 2)
    older = (tmp_path / DB).read_bytes()
    with_events(tmp_path, 1)
    (tmp_path / DB).write_bytes(older)
    with pytest.raises(OutboxDamaged, match=r"older copy.*ends at 3.*has seen 4"):
        opened(tmp_path)
    assert (tmp_path / DB).read_bytes() == older


def test_the_file_of_another_kiosk_of_the_hotel_is_refused(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("other")
    with_events(tmp_path, 2)
    with_events(other, 5)
    shutil.copy(other / DB, tmp_path / DB)
    with pytest.raises(OutboxDamaged, match="entry 3 of its chain is not the one"):
        opened(tmp_path)


@pytest.mark.parametrize("empty", [False, True])
def test_a_file_that_is_gone_is_not_replaced_by_an_empty_one_in_silence(tmp_path: Path, *, empty: bool) -> None:
    with_events(tmp_path, 1)
    (tmp_path / DB).unlink()
    if empty:
        (tmp_path / DB).touch()
    with pytest.raises(OutboxDamaged, match="gone, or empty"):
        opened(tmp_path)
    assert not (tmp_path / DB).exists() or (tmp_path / DB).stat().st_size == 0


def test_a_witness_that_a_power_cut_left_behind_is_no_alarm(tmp_path: Path) -> None:
    with_events(tmp_path, 1)
    behind = (tmp_path / HEAD).read_bytes()
    with_events(tmp_path, 3)
    (tmp_path / HEAD).write_bytes(behind)
    opened(tmp_path).close()


@pytest.mark.parametrize("harm", ["torn", "garbage", "empty", "gone"])
def test_a_witness_that_lost_its_memory_is_no_alarm(tmp_path: Path, harm: str) -> None:
    with_events(tmp_path, 3)
    path = tmp_path / HEAD
    whole = path.read_bytes()
    if harm == "torn":
        path.write_bytes(whole[:20] + bytes(492) + whole[512:])
    elif harm == "garbage":
        path.write_bytes(os.urandom(len(whole)))
    elif harm == "empty":
        path.write_bytes(b"")
    else:
        path.unlink()
    opened(tmp_path).close()


def test_a_torn_write_leaves_the_entry_before_it(tmp_path: Path) -> None:
    witness = HeadWitness(tmp_path / HEAD)
    witness.note(entry(7))
    witness.note(entry(8))
    assert witness.seen() == (8, entry(8).hash)
    with (tmp_path / HEAD).open("r+b") as file:  # entry 8 lies in the first slot
        file.seek(20)
        file.write(b"torn")
    assert witness.seen() == (7, entry(7).hash)
    witness.close()
    witness.close()


def test_a_transaction_that_fails_is_not_witnessed(tmp_path: Path) -> None:
    store = opened(tmp_path)
    before = HeadWitness(tmp_path / HEAD)
    known = before.seen()

    def cut_off() -> None:
        with store.transaction():
            store.insert(put())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        cut_off()
    assert before.seen() == known
    with store.transaction():
        store.insert(put())
    assert before.seen() != known
    before.close()
    store.close()


def test_the_witness_is_for_its_owner_alone_and_follows_no_link(tmp_path: Path) -> None:
    HeadWitness(tmp_path / HEAD).close()
    assert (tmp_path / HEAD).stat().st_mode & 0o777 == 0o600
    (tmp_path / "link").symlink_to(tmp_path / HEAD)
    with pytest.raises(OutboxUnavailable, match="link"):
        HeadWitness(tmp_path / "link")


def test_a_chain_that_changes_over_to_another_suite_is_witnessed_through_it(tmp_path: Path) -> None:
    with_events(tmp_path, 1)
    store = Store(tmp_path / DB, HOTEL, time.time(), suite=GM, witness=HeadWitness(tmp_path / HEAD))
    assert store.chain_after(2, 1)[0].state == chain.SUITE
    store.close()
    store = Store(tmp_path / DB, HOTEL, time.time(), suite=GM, witness=HeadWitness(tmp_path / HEAD))
    assert store.head is not None
    assert store.head.seq == 3
    store.close()
