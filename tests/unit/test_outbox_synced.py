"""What is promised to survive a power cut was synced before: the database, its copies, and what was erased."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from kiosk.config import OutboxSection
from offline_queue import migrations
from offline_queue.migrations import backup
from offline_queue.recovery import quarantine
from offline_queue.states import EventState
from tests.outbox_kit import claim, deliver, opened, raw, registration, state
from tests.recovery_kit import COPIED, MEND_S, left, lobby, mended


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of what was synced by ours, in order; SQLite's own syncs do not come by here."""
    names: list[str] = []

    def noted(real: Callable[[int], None]) -> Callable[[int], None]:
        def sync(fd: int) -> None:
            real(fd)
            names.append(Path(f"/proc/self/fd/{fd}").readlink().name)

        return sync

    monkeypatch.setattr(os, "fsync", noted(os.fsync))
    monkeypatch.setattr(os, "fdatasync", noted(os.fdatasync))
    return names


def test_a_put_waits_for_the_keys_and_then_for_the_journal_of_the_second_copy(
    tmp_path: Path, synced: list[str]
) -> None:
    with opened(tmp_path, settings=COPIED) as owner:
        owner.mending.wait(MEND_S)
        owner.outbox.put(registration())
        synced.clear()
        put = registration()
        owner.outbox.put(put)
        assert synced == ["queue.keyring", "segment-00000001.log"]
        deliver(owner, put.record_id)
        synced.clear()
        owner.call(lambda store: store.truncate_log())
        assert synced == ["queue.db-wal"]


def test_a_backup_is_on_the_disk_before_it_has_its_name(tmp_path: Path, synced: list[str]) -> None:
    with opened(tmp_path) as owner:
        owner.outbox.put(registration())
    db = raw(tmp_path)
    synced.clear()
    kept = backup.write(db, tmp_path / "queue.db", migrations.VERSION, 0.0)
    db.close()
    assert synced == ["queue.db.backup-draft", tmp_path.name]
    assert kept.exists()


def test_a_database_is_set_aside_durably(tmp_path: Path, synced: list[str]) -> None:
    made = lobby(tmp_path, closed=True)
    synced.clear()
    quarantine.set_aside(made.folder / "queue.db", 0.0, opening=True)
    assert synced == [made.folder.name]


@pytest.mark.parametrize("settings", [OutboxSection(), COPIED])
def test_files_that_others_were_let_read_are_the_kiosks_own_again(tmp_path: Path, settings: OutboxSection) -> None:
    with opened(tmp_path, settings=settings) as owner:
        owner.outbox.put(registration())
    files = [tmp_path / name for name in ("queue.db", *(["queue.keyring"] if settings.second_copy else []))]
    for file in files:
        file.chmod(0o644)
    with opened(tmp_path, settings=settings):
        assert [file.stat().st_mode & 0o777 for file in files] == [0o600] * len(files)


def test_a_key_that_damage_took_from_the_database_stays_in_the_keyring_and_opens_the_record_again(
    tmp_path: Path,
) -> None:
    put = registration()
    with opened(tmp_path, settings=COPIED) as owner:
        owner.mending.wait(MEND_S)
        owner.outbox.put(put)
        owner.call(lambda store: store._conn.execute("UPDATE data_key SET wrapped = zeroblob(60) WHERE part = 'text'"))
        # What the copy is held against at each start must not take the damage for an erasure
        owner.call(lambda store: owner.second_copy.reconcile(0))  # type: ignore[union-attr]
        assert claim(owner) == []  # it cannot be opened: set aside, and the copy is asked
        owner.mending.wait(MEND_S)
        assert state(owner, put.record_id) is EventState.READY
        assert owner.outbox.open_text(put.record_id, 1) == put.text


def test_a_log_whose_database_and_witness_are_gone_is_not_thrown_away(tmp_path: Path) -> None:
    made = lobby(tmp_path)
    for name in ("queue.db", "queue.head"):
        (made.folder / name).unlink()
    with mended(made.folder) as owner:
        assert left(owner, made)[0] == []


def test_another_kiosks_database_is_never_removed(tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "other"]
    for folder in folders:
        with opened(folder) as owner:
            owner.outbox.put(registration())
    (folders[1] / "queue.db").rename(folders[0] / "queue.db.damaged-20260101T000000Z-1")
    with mended(folders[0]):
        pass
    (report,) = folders[0].glob("quarantine/*/report.json")
    os.utime(report, (1.0, 1.0))
    with mended(folders[0]):
        pass
    assert (report.parent / "queue.db").exists()
