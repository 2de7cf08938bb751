"""A disk that is really full: what is in the outbox is still marked and erased, and the next start works."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from offline_queue.disk import MB
from tests.small_disk import may_mount, on_a_small_disk

SIZE_MB = 32


def play(folder: Path, which: str) -> dict[str, Any]:
    if not may_mount(folder):
        pytest.skip("no small disk can be mounted here")
    return on_a_small_disk(folder, SIZE_MB, "tests.full_disk_child", which, str(folder))


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
