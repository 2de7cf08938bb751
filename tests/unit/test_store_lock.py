"""One process holds an outbox; a second one is told who does, and changes nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kiosk.errors import OutboxUnavailable
from offline_queue.lock import StoreLock
from tests.outbox_kit import bytes_on_disk, open_owner, opened, registration

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(60)
def test_a_second_process_is_refused_and_told_who_holds_it(tmp_path: Path) -> None:
    command = [sys.executable, "-P", "-m", "tests.outbox_child", str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            child.stdout.readline()
            child.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, child.pid, os.WSTOPPED | os.WNOWAIT)  # a write that was under way ends first
            before = bytes_on_disk(tmp_path)
            with pytest.raises(OutboxUnavailable, match=rf"held by process {child.pid}\b.*left untouched"):
                open_owner(tmp_path)
            assert bytes_on_disk(tmp_path) == before
        finally:
            child.kill()
    with opened(tmp_path) as owner:  # the kernel gave the lock back
        owner.outbox.put(registration())


def test_a_second_owner_in_the_same_process_is_refused_too(tmp_path: Path) -> None:
    with opened(tmp_path), pytest.raises(OutboxUnavailable, match=f"held by process {os.getpid()}"):
        open_owner(tmp_path)


def test_a_start_that_fails_lets_go(tmp_path: Path) -> None:
    (tmp_path / "queue.db").write_bytes(b"not a database" * 100)
    for _ in range(2):
        with pytest.raises(OutboxUnavailable, match="queue"):
            open_owner(tmp_path)
    StoreLock(tmp_path / "queue.lock").release()


def test_letting_go_twice_is_harmless(tmp_path: Path) -> None:
    lock = StoreLock(tmp_path / "queue.lock")
    lock.release()
    lock.release()
    StoreLock(tmp_path / "queue.lock").release()


def test_a_link_in_place_of_the_lock_is_refused(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("precious")
    (tmp_path / "queue.lock").symlink_to(tmp_path / "target")
    with pytest.raises(OutboxUnavailable, match=r"queue\.lock"):
        StoreLock(tmp_path / "queue.lock")
    assert (tmp_path / "target").read_text() == "precious"
