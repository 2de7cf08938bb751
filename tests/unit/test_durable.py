"""A file that is put in the place of another: a fault in the middle leaves what was there, and nothing beside it."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from kiosk.durable import sync_file, write_whole


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_replaced_whole_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_bytes(b"what was there before, and longer")
    path.chmod(0o644)
    write_whole(path, b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert names(tmp_path) == ["report.json"]


def test_what_a_power_cut_left_of_the_last_try_is_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / "report.json.new").write_bytes(b"half")
    write_whole(tmp_path / "report.json", b"new")
    assert names(tmp_path) == ["report.json"]


def test_a_disk_that_refuses_the_sync_leaves_the_old_file_and_no_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(fd: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = tmp_path / "report.json"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match="No space"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["report.json"]


def test_the_name_is_synced_after_the_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda fd: synced.append(Path(f"/proc/self/fd/{fd}").readlink().name))
    write_whole(tmp_path / "report.json", b"new")
    assert synced == ["report.json.new", tmp_path.name]


def test_a_file_that_is_only_a_link_is_not_synced_for_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "queue.db-wal").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").write_bytes(b"")
    with pytest.raises(OSError, match="symbolic"):
        sync_file(tmp_path / "queue.db-wal")
