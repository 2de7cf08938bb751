"""A disk that is really full: what is in the outbox is still marked and erased, and the next start works."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from offline_queue.disk import MB

ROOT = Path(__file__).parents[2]
UNSHARE = shutil.which("unshare")
SIZE_MB = 32


def _may_mount(folder: Path) -> bool:
    """Say whether this user may mount a small disk in a name space of its own."""
    if UNSHARE is None:
        return False
    tried = [UNSHARE, "-Urm", "mount", "-t", "tmpfs", "tmpfs", str(folder)]
    return subprocess.run(tried, capture_output=True, check=False, timeout=60).returncode == 0


def play(folder: Path, which: str) -> dict[str, Any]:
    if not _may_mount(folder):
        pytest.skip("no small disk can be mounted here")
    script = 'mount -t tmpfs -o size="$1" tmpfs "$2" && exec "$3" -m tests.full_disk_child "$4" "$2"'
    told = subprocess.run(
        [str(UNSHARE), "-Urm", "sh", "-c", script, "sh", f"{SIZE_MB}m", str(folder), sys.executable, which],
        cwd=ROOT,
        capture_output=True,
        check=False,
        timeout=110,
    )
    assert told.returncode == 0, told.stderr.decode()[-2000:]
    said: dict[str, Any] = json.loads(told.stdout.splitlines()[-1])
    return said


@pytest.mark.timeout(180)
def test_on_a_full_disk_what_is_in_the_outbox_is_still_marked_erased_and_reopened(tmp_path: Path) -> None:
    told = play(tmp_path, "with")
    assert "Free space" in told.pop("refused")
    assert told.pop("left_when_refused") > MB, "the refusal came after the disk was full"
    assert told.pop("left_when_full") == 0
    assert {step for step, went in told.items() if went is not True} == set()
    assert len(told) == 9


@pytest.mark.timeout(180)
def test_without_a_ballast_a_full_disk_stops_marking_and_loses_nothing(tmp_path: Path) -> None:
    assert play(tmp_path, "without") == {"stopped": True, "kept": True, "marked_later": True}
