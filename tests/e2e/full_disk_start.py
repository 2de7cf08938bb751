"""Starts a whole kiosk on a disk that is full: ``python -m tests.e2e.full_disk_start DISK RUN_DIR``.

Run by test_disk within ``unshare``, on a small real file system. Says one JSON object on stdout.
"""

from __future__ import annotations

import base64
import json
import sys
import tempfile
from pathlib import Path

from kiosk.checkin.events import Declined, StaffApproved
from kiosk.checkin.states import Done, StaffNeeded
from kiosk.config import OutboxSection
from kiosk.model import StaffDecision
from kiosk.sandbox import control
from kiosk.sandbox.info import SandboxInfo
from offline_queue.disk import DiskLevel
from tests.e2e.guest_loop import settings
from tests.e2e.lobby import Lobby, eventually
from tests.full_disk_child import fill, free

OUTBOX = OutboxSection(disk_warn_mb=8, disk_staff_mb=4, disk_refuse_mb=2, ballast_mb=16)


def checks_in(lobby: Lobby, run_dir: Path) -> None:
    lobby.to_face_consent(base64.b64decode(control.ask(run_dir, "issue_claim169", person="zhou", fault=None)))
    lobby.says(Declined())
    lobby.until(StaffNeeded)
    lobby.says(StaffApproved(StaffDecision("clerk", "document_and_person_seen", lobby.kiosk._now())))
    lobby.until(Done)


def main() -> None:
    disk, run_dir = Path(sys.argv[1]), Path(sys.argv[2])
    info = SandboxInfo.from_json((run_dir / "sandbox.json").read_text(encoding="utf-8"))
    told: dict[str, object] = {}
    with tempfile.TemporaryDirectory(prefix="full-") as scratch:
        config = settings(disk / "state", Path(scratch)).model_copy(update={"outbox": OUTBOX})
        control.ask(run_dir, "close_police")
        with Lobby(info, config) as lobby:
            checks_in(lobby, run_dir)
            told["waits"] = lobby.kiosk.owner.status().unsent
        fill(disk)
        told["left"] = free(disk)
        with Lobby(info, config) as lobby:
            told["level"] = lobby.kiosk.owner.status().disk.level
            told["guests_are_sent_to_the_desk"] = not lobby.now().offers.records
            control.ask(run_dir, "open_police")
            eventually("the receipt", lambda: lobby.kiosk.owner.status().unsent == 0, 60)
            told["delivered"] = True
            (disk / "junk").unlink()
            eventually("room", lambda: lobby.kiosk.owner.disk.view.level is DiskLevel.ROOM)
            eventually("guests are served again", lambda: lobby.now().offers.records)
            eventually("the ballast", lambda: lobby.kiosk.owner.disk.view.ballast)
            told["served_again"] = True
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
