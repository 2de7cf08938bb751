"""What a power cut left unfinished, told to staff at the next start."""

from __future__ import annotations

import logging
import math
from datetime import datetime
from pathlib import Path

from kiosk import audit
from kiosk.audit import AUDIT_FILE, AuditLog
from kiosk.checkin.keyless import without_key
from kiosk.model import Reason, RegistrationId
from offline_queue.owner import OutboxOwner

log = logging.getLogger(__name__)

KEYLESS_MOST, AUDIT_BYTES = 20, 2_000_000
"""How many records a start looks at for their keys, and how much of the audit: a kill leaves one record without."""


def refer(owner: OutboxOwner, told: AuditLog, state_dir: Path) -> None:
    """Call staff for records that were committed just before a power cut, and whose key nobody knows of."""
    entries = list(audit.newest(state_dir / AUDIT_FILE, AUDIT_BYTES))
    since = datetime.fromisoformat(entries[0].at).timestamp() if entries else math.inf
    newest = reversed(owner.call(lambda store: store.latest(KEYLESS_MOST)))
    events = [event for event in newest if event.op == "CI" and event.wall >= since]
    saved = [RegistrationId(str(event.record_id)) for event in events]
    for record in without_key(saved, ({**entry.fields, "kind": entry.kind} for entry in entries)):
        log.warning("record %s was saved when the kiosk stopped, its key was not made: the desk gives it", record)
        try:
            told.write("referral.opened", reason=Reason.KEY_FAILED.value, record=record, number="")
        except OSError as error:  # the next start tells it again
            log.error("audit: a referral could not be written: %s", error.strerror)
