"""Three days without the police, 2,000 records waiting: each arrives once, in order, with the time it happened."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from kiosk.config import KioskSection
from kiosk.model import Registration
from kiosk.registration import later
from kiosk.registration.later import Act, Earlier
from kiosk.sandbox.process import SandboxProcess
from offline_queue.database.verify import verify
from offline_queue.due import Due
from offline_queue.outbox import Outbox
from offline_queue.states import EventState
from tests.contract.sync_kit import delivery
from tests.outbox_kit import SHANGHAI, TurnedClock, event, invented_number, registration

pytestmark = pytest.mark.timeout(300)
DAYS_S = 3 * 86_400
STAYS = 1000
"""Of one guest each, who checked in and out: two records a stay."""


def test_three_days_without_the_police_and_2000_waiting(tmp_path: Path) -> None:
    clock = TurnedClock(wall_off=-DAYS_S)
    with (
        SandboxProcess(latency_ms=0, delay_s=0) as sandbox,
        delivery(sandbox, tmp_path / "kiosk", clock=clock, batch_max=100) as line,
    ):
        sandbox.fault("police_outage")
        guests = [put_stay(line.owner.outbox, clock, serial) for serial in range(STAYS)]
        line.until_held("unreachable")
        waiting = line.owner.status()
        assert (waiting.unsent, waiting.due) == (2 * STAYS, Due.ALARM)
        clock.wall_off = 0.0
        sandbox.clear_faults()
        line.sync.try_now()
        line.until("everything", lambda: line.owner.status().unsent == 0, 120)

        ledger = sandbox.ledger()
        assert ledger.order_faults() == ()
        assert ledger.heads
        assert not any(head.went_back for head in ledger.heads)
        assert [[record.op for record in ledger.accepted(guest)] for guest in guests] == [["CI", "CC"]] * STAYS
        told = {
            (record.record_id, record.revision): (record.content_hash, record.receipt_no) for record in ledger.records
        }
        for guest in guests[:: STAYS // 50]:
            for revision in (1, 2):
                ours = event(line.owner, guest, revision)
                assert (ours.content_hash.hex(), ours.receipt) == told[guest, revision]
                assert (ours.state, ours.attempts) == (EventState.DELIVERED, 0), "an outage blames no record"
        assert len(line.receipts) == 2 * STAYS
        assert verify(line.owner).faults == ()


def put_stay(outbox: Outbox, clock: TurnedClock, serial: int) -> str:
    """Put a check-in and a check-out, and let the clock go on."""
    clock.wall_off = -DAYS_S * (1 - serial / STAYS)
    at = datetime.fromtimestamp(clock.wall(), SHANGHAI)
    came = registration(number=invented_number(serial), occurred_at=at - timedelta(hours=1))
    act = Act(KioskSection(), at, "clerk7", secrets.token_bytes(16))
    left = later.check_out(Earlier(came.record_id, 1, came.stay_id), act)
    assert isinstance(left, Registration)
    outbox.put(came)
    outbox.put(left)
    return str(came.record_id)
