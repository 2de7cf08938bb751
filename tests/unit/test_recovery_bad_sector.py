"""A disk that gives some of its sectors no more costs what lies in them, and neither the kiosk nor another record."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import pytest

from offline_queue.database.connection import failed
from offline_queue.recovery import quarantine
from offline_queue.recovery.cells import LEAF
from offline_queue.recovery.file_bytes import SECTOR_BYTES, opened
from offline_queue.recovery.keyring import Keyring, WrappedKey
from offline_queue.recovery.pages import LogHealth, Pages, log_health
from offline_queue.states import EventState
from offline_queue.store import Store
from tests.outbox_kit import open_owner, registration, state
from tests.outbox_kit import opened as opened_owner
from tests.recovery_kit import MEND_S, Lobby, left, lobby


@pytest.fixture(scope="module")
def shut(tmp_path_factory: pytest.TempPathFactory) -> Lobby:
    return lobby(tmp_path_factory.mktemp("shut"), closed=True)


@contextmanager
def bad_sectors(monkeypatch: pytest.MonkeyPatch, inode: int, *bad: int) -> Iterator[list[int]]:
    """Let the disk give none of these sectors of one file, as often as they are asked for. Yields those that were."""
    real, met = os.pread, list[int]()

    def pread(fd: int, length: int, at: int) -> bytes:
        asked = [one for one in bad if at < (one + 1) * SECTOR_BYTES and one * SECTOR_BYTES < at + length]
        if asked and os.fstat(fd).st_ino == inode:
            met.extend(asked)
            raise OSError(errno.EIO, "Input/output error")
        return real(fd, length, at)

    with monkeypatch.context() as patch:
        patch.setattr(os, "pread", pread)
        yield met


def test_a_bad_sector_is_zeros_and_its_neighbours_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"a" * SECTOR_BYTES + b"b" * SECTOR_BYTES + b"c" * 100)
    with bad_sectors(monkeypatch, path.stat().st_ino, 1), opened(path) as held:
        assert held[:] == b"a" * SECTOR_BYTES + bytes(SECTOR_BYTES) + b"c" * 100
        assert held[SECTOR_BYTES - 2 : SECTOR_BYTES + 2] == b"aa\0\0"
        assert (held[SECTOR_BYTES], held[2 * SECTOR_BYTES]) == (0, ord("c"))
        assert held.find(b"b", 0) == -1


@pytest.mark.parametrize("at", [0, 65_530, 65_533, 65_536, 200_000])
def test_what_is_looked_for_is_found_wherever_it_lies(tmp_path: Path, at: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(at) + b"SZJ1" + bytes(70_000))
    with opened(path) as held:
        assert (held.find(b"SZJ1", 0), held.find(b"SZJ1", at), held.find(b"SZJ1", at + 1)) == (at, at, -1)


def test_a_file_that_is_cut_short_while_it_is_read_ends_nothing(shut: Lobby, tmp_path: Path) -> None:
    folder = shut.copy(tmp_path / "kiosk")
    pages = Pages(folder / "queue.db", folder / "none")
    os.truncate(folder / "queue.db", SECTOR_BYTES)
    assert pages.page(2) == bytes(SECTOR_BYTES)
    assert pages.page(1) != bytes(SECTOR_BYTES)
    pages.close()


def test_a_bad_sector_of_the_log_is_told_from_a_whole_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = lobby(tmp_path).folder
    log = folder / "queue.db-wal"
    assert log_health(folder / "queue.db", log) is LogHealth.WHOLE
    with bad_sectors(monkeypatch, log.stat().st_ino, 3) as met:
        assert log_health(folder / "queue.db", log) is LogHealth.BROKEN
    assert met


def test_a_bad_sector_costs_its_own_rows_only_and_keeps_no_key(
    shut: Lobby, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shut.copy(tmp_path / "kiosk")
    database = folder / "queue.db"
    inode = database.stat().st_ino
    keys = next(at for at in range(database.stat().st_size // SECTOR_BYTES) if _holds_keys(database, at))
    owner = open_owner(folder)
    try:
        with bad_sectors(monkeypatch, inode, keys) as met:
            owner.set_aside("verify found a sector that cannot be read")
            owner.outbox.put(registration())
            view = owner.mending.wait(MEND_S)
        assert (met != [], view.waiting, view.why) == (True, 0, "")
        lost, sealed = left(owner, shut)
        assert lost == []
        assert sealed  # what the keys of that sector opened waits for staff, and nobody is missing
        counts = owner.status().counts
        assert counts[EventState.QUARANTINED] <= len(sealed)
    finally:
        owner.close()
    (kept,) = (folder / quarantine.FOLDER).glob("*/queue.db")
    assert kept.read_bytes()[keys * SECTOR_BYTES :][:SECTOR_BYTES] == bytes(SECTOR_BYTES)


def test_a_sector_that_goes_bad_under_a_running_kiosk_costs_the_guest_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, put = registration(), registration()
    with opened_owner(tmp_path) as owner:
        owner.outbox.put(before)
        bad = sqlite3.OperationalError("disk I/O error")
        bad.sqlite_errorcode = sqlite3.SQLITE_IOERR_READ
        real = Store.given_hash

        def given_hash(store: Store, record_id: UUID, revision: int) -> bytes | None:
            monkeypatch.setattr(Store, "given_hash", real)
            raise failed(bad, "queue.db", "read")

        monkeypatch.setattr(Store, "given_hash", given_hash)
        owner.outbox.put(put)
        assert len(owner.mending.wait(MEND_S).salvaged) == 1
        assert [state(owner, one.record_id) for one in (before, put)] == [EventState.READY] * 2


def test_a_bad_sector_of_the_keyring_costs_its_own_keys_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "queue.keyring"
    keyring = Keyring(path)
    keys = [WrappedKey(bytes([n]) * 16, 1, "text", "intl", "kiosk:0", "k", bytes([n]) * 60) for n in range(1, 17)]
    keyring.put(keys)
    keyring.close()
    with bad_sectors(monkeypatch, path.stat().st_ino, 0):
        found = Keyring(path)
        assert [key for key in keys if key.where in found] == keys[8:]
        found.put(keys)  # the store has them still: a sector that is written anew may be read again
        found.close()
    again = Keyring(path)
    assert [again.get(key.where) for key in keys] == keys
    again.close()


def _holds_keys(path: Path, sector: int) -> bool:
    """Say whether a leaf of the table of keys lies there, and no index over it."""
    with opened(path) as held:
        page = held[sector * SECTOR_BYTES : (sector + 1) * SECTOR_BYTES]
        return page[0] == LEAF and page.count(b"kiosk:") > 1
