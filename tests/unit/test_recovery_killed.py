"""kill -9 of a real process in the middle of quarantine, salvage and rebuild, and damage that appears while it runs."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kiosk.config import OutboxSection
from offline_queue.database.verify import verify
from offline_queue.states import EventState
from tests.outbox_kit import opened, registration, state
from tests.recovery_kit import COPIED, MEND_S, left, lobby, mended

ROOT = Path(__file__).parents[2]


def killed(folder: Path, after_s: float, *more: str) -> list[str]:
    """Let a child open the outbox and put as fast as it can, kill it, return what it had acknowledged."""
    command = [sys.executable, "-P", "-m", "tests.outbox_child", str(folder), *more]
    with subprocess.Popen(command, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        first = child.stdout.readline()
        time.sleep(after_s)
        child.send_signal(signal.SIGKILL)
        lines = [first, *child.stdout.readlines()]
    assert child.returncode == -signal.SIGKILL
    return [line.strip() for line in lines if line.endswith("\n")]


def damage(path: Path) -> None:
    held = path.read_bytes()
    path.write_bytes(held[:100] + bytes(4096 - 100) + held[4096:])


@pytest.mark.timeout(120)
def test_kill_9_while_records_are_brought_back_loses_none(tmp_path: Path) -> None:
    made = lobby(tmp_path, waiting=20, closed=True)
    moments = random.Random(7)
    acknowledged: list[str] = []
    damage(made.folder / "queue.db")
    for _ in range(4):
        acknowledged += killed(made.folder, moments.uniform(0.0, 0.15))
    with mended(made.folder) as owner:
        assert left(owner, made) == ([], [])
        assert all(owner.outbox.open_text(record_id, 1) for record_id in acknowledged)
        assert len(acknowledged) >= 4
        assert verify(owner).faults == ()


@pytest.mark.timeout(120)
def test_kill_9_and_then_a_lost_database_lose_nothing_acknowledged(tmp_path: Path) -> None:
    moments = random.Random(20261124)
    acknowledged: list[str] = []
    for _ in range(3):
        acknowledged += killed(tmp_path, moments.uniform(0.05, 0.3), "copy")
        for path in tmp_path.glob("queue.db*"):
            path.unlink()
    with mended(tmp_path, settings=COPIED) as owner:
        assert len(acknowledged) == len(set(acknowledged)) > 3
        assert all(owner.outbox.open_text(record_id, 1) for record_id in acknowledged)
        assert verify(owner).faults == ()


@pytest.mark.parametrize("settings", [OutboxSection(), COPIED], ids=["alone", "with a second copy"])
def test_pages_that_rot_under_a_running_kiosk_cost_the_next_guest_nothing(
    tmp_path: Path, settings: OutboxSection
) -> None:
    with opened(tmp_path, settings=settings) as owner:
        puts = [registration() for _ in range(12)]
        for put in puts:
            owner.outbox.put(put)
        owner.mending.wait(MEND_S)

        def forget_pages(store: object) -> None:
            store.truncate_log()  # type: ignore[attr-defined]
            store._conn.execute("PRAGMA shrink_memory").fetchall()  # type: ignore[attr-defined]

        owner.call(forget_pages)
        with (tmp_path / "queue.db").open("r+b") as file:
            size = file.seek(0, 2)
            file.seek(4096)
            file.write(random.Random(1).randbytes(size - 4096))
        during = registration()
        owner.outbox.put(during)
        assert owner.generation == 1
        owner.mending.wait(MEND_S)
        assert state(owner, during.record_id) is EventState.READY
        assert owner.outbox.open_text(during.record_id, 1) == during.text
        if settings.second_copy:
            assert [owner.outbox.open_text(put.record_id, 1) for put in puts] == [put.text for put in puts]
        assert verify(owner).faults == ()


def test_a_damaged_last_commit_is_salvaged_from_the_log_as_it_was(tmp_path: Path) -> None:
    """SQLite takes it for the torn end of a power cut and empties the log; only the witness knows better."""
    made = lobby(tmp_path)
    log = made.folder / "queue.db-wal"
    held = bytearray(log.read_bytes())
    held[-2000] ^= 1
    log.write_bytes(held)
    with mended(made.folder) as owner:
        lost, sealed = left(owner, made)
        assert lost == []
        assert len(sealed) <= 1
    assert len(list(made.folder.glob("quarantine/*"))) == 1
    assert not (made.folder / "queue.db-wal.kept").exists()
