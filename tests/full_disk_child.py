"""Plays a disk that fills up, on a small real file system of its own. Run by test_disk_full within ``unshare``.

Says one JSON object on stdout: what each step came to.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from pathlib import Path

from kiosk.config import OutboxSection
from kiosk.errors import OutboxUnavailable
from offline_queue import retention
from offline_queue.disk import MB
from offline_queue.full import is_full
from offline_queue.owner import OutboxOwner
from offline_queue.states import EventState
from offline_queue.store import Store
from tests.outbox_kit import claim, open_owner, receipt, registration, settle

SETTINGS = OutboxSection(disk_warn_mb=8, disk_staff_mb=4, disk_refuse_mb=2, ballast_mb=8)
BARE = OutboxSection(disk_warn_mb=3, disk_staff_mb=2, disk_refuse_mb=1, ballast_mb=0)


def fill(folder: Path) -> None:
    """Take every byte that is left, as a log of another program would."""
    with (folder / "junk").open("ab", buffering=0) as junk:
        for size in (MB, 4096, 1):
            with contextlib.suppress(OSError):
                while junk.write(bytes(size)):
                    pass


def put_until_refused(owner: OutboxOwner) -> tuple[list[str], str]:
    acknowledged: list[str] = []
    while True:
        one = registration()
        try:
            owner.outbox.put(one)
        except OutboxUnavailable as refused:
            return acknowledged, str(refused)
        acknowledged.append(one.record_id)


def mark(owner: OutboxOwner) -> int:
    """Have everything that waits receipted, a month and more ago."""
    long_ago, marked = time.time() - 31 * 86_400, 0
    while taken := claim(owner, 50):
        marked += len(settle(owner, *((one.event, receipt()) for one in taken), wall=long_ago))
    return marked


def play(folder: Path) -> dict[str, object]:
    told: dict[str, object] = {}
    owner = open_owner(folder, settings=SETTINGS)
    told["ballast_made"] = owner.disk.tend().ballast
    acknowledged, told["refused"] = put_until_refused(owner)
    told["left_when_refused"] = free(folder)
    owner.call(Store.truncate_log)
    fill(folder)
    told["left_when_full"] = free(folder)
    told["marked_all"] = mark(owner) == len(acknowledged)
    told["ballast_given_up"] = not owner.disk.ballast.whole
    told["still_refused"] = put_until_refused(owner)[0] == []
    told["purged_all"] = retention.purge_all(owner, 30).records == len(acknowledged)
    told["counted"] = owner.call(Store.counts)[EventState.PURGED] == len(acknowledged)
    (folder / "junk").unlink()
    told["ballast_back"] = owner.disk.tend().ballast
    told["taken_again"] = len(put_until_refused(owner)[0]) > 0
    owner.close()
    fill(folder)
    again = open_owner(folder, settings=SETTINGS)
    told["started_when_full"] = mark(again) > 0
    again.close()
    return told


def play_without(folder: Path) -> dict[str, object]:
    """The control: with no ballast a full disk stops marking, and nothing is lost by that."""
    owner = open_owner(folder, settings=BARE)
    owner.outbox.put(registration())
    owner.call(Store.truncate_log)
    fill(folder)
    try:
        mark(owner)
    except OutboxUnavailable as error:
        stopped = is_full(error)
    else:
        stopped = False
    counts = owner.call(Store.counts)
    (folder / "junk").unlink()
    return {"stopped": stopped, "kept": counts[EventState.READY] == 1, "marked_later": mark(owner) == 1}


def free(folder: Path) -> int:
    seen = os.statvfs(folder)
    return seen.f_bavail * seen.f_frsize


if __name__ == "__main__":
    plays = {"with": play, "without": play_without}
    sys.stdout.write(json.dumps(plays[sys.argv[1]](Path(sys.argv[2]))) + "\n")
