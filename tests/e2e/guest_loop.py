"""A kiosk that checks guests in until it is killed: ``python -m tests.e2e.guest_loop STATE RUN_DIR``.

Each record is told on standard output when the runner shows that it is saved, before its key is made.
"""

from __future__ import annotations

import base64
import sys
import tempfile
from pathlib import Path

from kiosk.checkin.events import Declined, Finished, StaffApproved
from kiosk.checkin.shown import Shown
from kiosk.checkin.states import AskingFaceConsent, Done, IssuingKey, StaffNeeded, Welcome
from kiosk.config import Config
from kiosk.demo.command import demo_config
from kiosk.model import StaffDecision
from kiosk.sandbox import control
from kiosk.sandbox.info import SandboxInfo
from tests.e2e.lobby import Lobby


class Endless(Lobby):
    """Says each saved record aloud."""

    def shown(self, shown: Shown) -> None:
        if isinstance(shown.state, IssuingKey):
            sys.stdout.write(f"{shown.state.record_id}\n")
            sys.stdout.flush()


def settings(state_dir: Path, scratch: Path) -> Config:
    """Demo settings whose records outlive the process."""
    config = demo_config(None, scratch)
    return config.model_copy(update={"kiosk": config.kiosk.model_copy(update={"state_dir": state_dir})})


def main() -> None:
    state_dir, run_dir = Path(sys.argv[1]), Path(sys.argv[2])
    info = SandboxInfo.from_json((run_dir / "sandbox.json").read_text(encoding="utf-8"))
    with (
        tempfile.TemporaryDirectory(prefix="loop-") as scratch,
        Endless(info, settings(state_dir, Path(scratch))) as lobby,
    ):
        while True:
            code = base64.b64decode(control.ask(run_dir, "issue_claim169", person="zhou", fault=None))
            lobby.to_face_consent(code)
            lobby.until(AskingFaceConsent)
            lobby.says(Declined())
            lobby.until(StaffNeeded)
            lobby.says(StaffApproved(StaffDecision("clerk", "document_and_person_seen", lobby.kiosk._now())))
            lobby.until(Done)
            lobby.stage.show_nothing()
            lobby.says(Finished())
            lobby.until(Welcome)


if __name__ == "__main__":
    main()
