"""A kiosk as ``./run queue`` meets it: running behind its socket, or stopped with its file left behind."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from kiosk.audit import AUDIT_FILE, AuditLog, Entry, read
from kiosk.config import load
from offline_queue.answering.control import ControlServer
from offline_queue.commands.main import main
from offline_queue.owner import SOCKET_FILE, OutboxOwner
from tests.outbox_kit import deliver, open_owner, raw, registration, reject


class Pressed:
    """Stands where the sync thread does: counts who asked for a try."""

    def __init__(self) -> None:
        self.times = 0

    def try_now(self) -> None:
        self.times += 1


class Kiosk:
    """A folder with settings, and an outbox that is held by a kiosk or by nobody."""

    def __init__(self, folder: Path, *, running: bool) -> None:
        self.config = folder / "config.toml"
        self.config.write_text('[kiosk]\nstate_dir = "var"\n')
        self.state_dir = folder / "var"
        self.running = running
        owner = open_owner(self.state_dir)
        self.delivered = owner.outbox.put(registration())
        deliver(owner, self.delivered)
        self.rejected = owner.outbox.put(registration(roomNo="=HYPERLINK(1)"))
        reject(owner, self.rejected, why="E24 guest.ethnicity")
        self.waiting = owner.outbox.put(registration())
        self.owner: OutboxOwner | None = owner
        self.audit = AuditLog(self.state_dir / AUDIT_FILE)
        socket, kiosk = self.state_dir / SOCKET_FILE, load(self.config).kiosk
        self.server = ControlServer(owner, socket, sync=Pressed(), audit=self.audit, kiosk=kiosk)
        if running:
            self.server.start()
        else:
            owner.close()
            self.audit.close()

    def close(self) -> None:
        self.server.stop()
        self.audit.close()
        if self.owner is not None:
            self.owner.close()

    def asked(self, *words: str) -> int:
        return main([*words, "--config", str(self.config)])

    def audited(self, kind: str) -> list[Entry]:
        entries = (entry for _, entry in read(self.state_dir / AUDIT_FILE))
        return [entry for entry in entries if entry is not None and entry.kind == kind]


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return document


def past_its_time(kiosk: Kiosk) -> None:
    """Let a delivered record be older than the retention time."""
    with closing(raw(kiosk.state_dir)) as store:
        store.execute("UPDATE event SET settled_at = settled_at - 40 * 86400.0 WHERE state = 'DELIVERED'")
