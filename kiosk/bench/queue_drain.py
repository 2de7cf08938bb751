"""How fast a full outbox empties: the real sync thread, mutual TLS on loopback, receipts fsynced."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from random import Random

from kiosk.bench.outbox_stand import Stand, photos_bytes, registrations
from kiosk.config import ReportingSection
from kiosk.sandbox.process import SandboxProcess
from offline_queue.endpoints import psb_report
from offline_queue.sync import SyncThread

RECORD_BYTES = 38_000
LONGEST_S = 180.0


def drain(folder: Path, records: int, *, latency_ms: float, batch_max: int, seed: int) -> float:
    """Put ``records`` of 38 KB, then let them go; return records a second from the first call to the last receipt."""
    book = registrations(Random(seed), photos_bytes(RECORD_BYTES))  # noqa: S311
    done = threading.Event()
    receipts: list[str] = []

    def receipted(record_id: str, _: str) -> None:
        receipts.append(record_id)
        if len(receipts) == records:
            done.set()

    with SandboxProcess(latency_ms, delay_s=0.0, ledger_in_memory=True) as sandbox, Stand(folder) as stand:
        for _ in range(records):
            stand.owner.outbox.put(book())
        info = sandbox.info
        settings = ReportingSection(
            url=info.police_url,
            ca_file=info.ca_file,
            client_cert_file=info.client_cert_file,
            client_key_file=info.client_key_file,
            device_key_file=info.device_key_file,
            batch_max=batch_max,
            first_try_spread_s=0.0,
        )
        sync = SyncThread(stand.owner, psb_report.make(settings), settings, on_receipt=receipted)
        began = time.perf_counter()
        sync.start()
        try:
            if not done.wait(LONGEST_S):
                raise RuntimeError(f"only {len(receipts)} of {records} records were receipted in {LONGEST_S:.0f} s")
            return records / (time.perf_counter() - began)
        finally:
            sync.stop()
