"""A kiosk killed at any moment: what it acknowledged is there, is reported once, and ends in a key or a referral."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

from kiosk import audit
from kiosk.config import OutboxSection
from kiosk.sandbox.process import SandboxProcess
from offline_queue.owner import OutboxOwner
from offline_queue.states import EventState
from tests.e2e.guest_loop import settings
from tests.e2e.lobby import Lobby, eventually
from tests.outbox_kit import HOTEL, registration

ROUNDS = 3
SEED = 20261124
ROOT = Path(__file__).resolve().parents[2]


def killed_after(seconds: float, state_dir: Path, run_dir: Path) -> list[str]:
    """Let guests check in, kill the kiosk ``seconds`` after its first saved record; return what it acknowledged."""
    command = [sys.executable, "-P", "-m", "tests.e2e.guest_loop", str(state_dir), str(run_dir)]
    told: list[str] = []
    with (
        tempfile.TemporaryDirectory(prefix="killed-") as short,  # for what the killed one cannot remove
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=_environment(short)) as kiosk,
    ):
        assert kiosk.stdout is not None
        told.append(kiosk.stdout.readline().strip())
        assert told[0], "the kiosk ended before its first guest"
        reader = threading.Thread(target=lambda: told.extend(line.strip() for line in kiosk.stdout or ()))
        reader.start()
        time.sleep(seconds)
        kiosk.kill()
        kiosk.wait(10)
        reader.join(10)
    return told


def _environment(scratch: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": scratch}


@pytest.mark.timeout(180)
def test_what_was_acknowledged_survives_and_is_reported_once(tmp_path: Path) -> None:
    draw = random.Random(SEED)
    with SandboxProcess(latency_ms=0) as sandbox:
        acknowledged: list[str] = []
        for _ in range(ROUNDS):
            acknowledged += killed_after(draw.uniform(0.0, 1.5), tmp_path / "state", sandbox.info.run_dir)
        scratch = tmp_path / "scratch"
        scratch.mkdir()
        with Lobby(sandbox.info, settings(tmp_path / "state", scratch)) as lobby:
            count = lobby.kiosk.owner.status
            eventually("every record delivered", lambda: count().unsent == 0)
            stored = {str(event.record_id) for event in lobby.kiosk.owner.call(lambda store: store.latest(10_000))}
            assert count().counts[EventState.DELIVERED] == len(stored)
        assert set(acknowledged) <= stored
        assert ledger(sandbox.info.run_dir) == stored
        settled = [
            entry.fields.get("record")
            for _, entry in audit.read(tmp_path / "state" / "audit.jsonl")
            if entry is not None and entry.kind in {"key.issued", "referral.opened"}
        ]
        assert stored <= set(settled)
        assert audit.verify(tmp_path / "state" / "audit.jsonl").broken_at is None


@pytest.mark.timeout(90)
def test_a_record_whose_key_nobody_knows_of_calls_staff_once_at_the_next_start(tmp_path: Path) -> None:
    state = tmp_path / "state"
    put = registration()
    log = audit.AuditLog(state / audit.AUDIT_FILE)
    log.write("consent.identity", visit=1)  # as in every visit, before its record
    log.close()
    owner = OutboxOwner.open(state, HOTEL, "demo-01", OutboxSection())
    owner.outbox.put(put)
    owner.close()  # as if killed here: no key, no referral
    with SandboxProcess(latency_ms=0) as sandbox:
        for start in ("first", "second"):
            scratch = tmp_path / start
            scratch.mkdir()
            with Lobby(sandbox.info, settings(state, scratch)) as lobby:
                assert lobby.told("was saved when the kiosk stopped", put.record_id) == 1
    opened = [
        entry.fields
        for _, entry in audit.read(state / "audit.jsonl")
        if entry is not None and entry.kind == "referral.opened"
    ]
    assert [(fields["record"], fields["reason"]) for fields in opened] == [(put.record_id, "key.failed")]


def ledger(run_dir: Path) -> set[str]:
    """What the sandbox's police endpoint has accepted; each record once."""
    (path,) = run_dir.rglob("police*.db")
    with sqlite3.connect(path) as connection:
        rows = [row[0] for row in connection.execute("SELECT record_id FROM record")]
    assert len(rows) == len(set(rows))
    return set(rows)
