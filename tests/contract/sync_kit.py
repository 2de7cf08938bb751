"""A sync thread between a real outbox on disk and the sandbox's police endpoint over real TLS."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from kiosk.config import OutboxSection, ReportingSection
from kiosk.sandbox.process import SandboxProcess
from offline_queue.endpoints import psb_report
from offline_queue.owner import OutboxOwner
from offline_queue.states import EventState
from offline_queue.sync import SyncThread
from tests.outbox_kit import opened, registration, state

WAIT_S = 10.0
BATCHES = "/v1/batches"


def reporting(sandbox: SandboxProcess, **more: Any) -> ReportingSection:
    """Settings of a kiosk in a hurry: the sandbox's addresses, short waits, no spread."""
    info = sandbox.info
    quick = {"poll_s": 0.1, "backoff_base_s": 2.0, "backoff_cap_s": 5.0, "first_try_spread_s": 0.0, "timeout_s": 2.0}
    return ReportingSection(
        **(
            {
                "url": info.police_url,
                "ca_file": info.ca_file,
                "client_cert_file": info.client_cert_file,
                "client_key_file": info.client_key_file,
                "device_key_file": info.device_key_file,
            }
            | quick
            | more
        )
    )


class Delivery:
    """An outbox that is being delivered."""

    def __init__(
        self, owner: OutboxOwner, sandbox: SandboxProcess, *, tables_in: Path | None = None, **more: Any
    ) -> None:
        settings = reporting(sandbox, **more)
        self.owner, self.sandbox = owner, sandbox
        self.receipts: list[tuple[str, str]] = []
        self.sync = SyncThread(
            owner,
            psb_report.make(settings, owner.clock),
            settings,
            on_receipt=lambda record_id, number: self.receipts.append((record_id, number)),
            draw=lambda: 0.1,
            tables_in=tables_in,
        )

    def put(self, **more: Any) -> str:
        return self.owner.outbox.put(registration(**more))

    def until(self, what: str, ready: Callable[[], object], timeout_s: float = WAIT_S) -> None:
        """Wait for something that the sync thread does; fail naming it."""
        end = time.monotonic() + timeout_s
        while not ready():
            assert time.monotonic() < end, f"never came: {what}; {self.owner.status()}"
            time.sleep(0.01)

    def until_state(self, wanted: EventState, *record_ids: str, timeout_s: float = WAIT_S) -> None:
        self.until(f"{wanted}", lambda: all(state(self.owner, one) is wanted for one in record_ids), timeout_s)

    def until_held(self, why: str) -> None:
        """Wait until the line is held for this reason."""
        self.until(why, lambda: why in self.owner.line.why)


@contextmanager
def delivery(
    sandbox: SandboxProcess,
    folder: Path,
    *,
    start: bool = True,
    clock: Any = None,
    settings: OutboxSection | None = None,
    **more: Any,
) -> Iterator[Delivery]:
    """Open an outbox and deliver it; everything ends with the block."""
    with opened(folder, clock=clock, settings=settings or OutboxSection()) as owner:
        made = Delivery(owner, sandbox, **more)
        if start:
            made.sync.start()
        try:
            yield made
        finally:
            made.sync.stop()


def ledger(sandbox: SandboxProcess, *record_ids: str) -> list[sqlite3.Row]:
    """What the authority has accepted of these records, read from its own file."""
    with closing(sqlite3.connect(f"file:{sandbox.info.run_dir}/police.db?mode=ro", uri=True)) as db:
        db.row_factory = sqlite3.Row
        rows = db.execute("SELECT * FROM record ORDER BY record_id, revision").fetchall()
    return [row for row in rows if row["record_id"] in record_ids]


def duplicates(sandbox: SandboxProcess, record_id: str) -> int:
    """How often the authority answered that it had this record already."""
    with closing(sqlite3.connect(f"file:{sandbox.info.run_dir}/police.db?mode=ro", uri=True)) as db:
        found = db.execute("SELECT count(*) FROM item WHERE record_id = ? AND duplicate", (record_id,)).fetchone()
    return int(found[0])
