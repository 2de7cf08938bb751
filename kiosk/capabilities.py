"""What the kiosk can offer a guest now, and what staff must know of its outbox: from what was found and is seen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from kiosk.checkin.shown import Offers
from kiosk.commissioning.finding import Capability, Finding, Result
from kiosk.staff.duty import Duty
from offline_queue.delivery.troubles import LICENCE_EXPIRED
from offline_queue.owner import Status
from offline_queue.states import EventState


def offers(
    findings: Iterable[Finding],
    *,
    seeing: bool = True,
    face_capable: bool = True,
    online: bool = True,
    room: bool = True,
) -> Offers:
    """Return what to say on the welcome screen. Pure.

    A missing device takes away a capability, not the kiosk; what is seen live comes back by itself.

    Args:
        findings: Of the start-up or of the doctor; a failed or skipped one takes away the capability it names.
        seeing: Camera and decoders are up.
        face_capable: The vision process has loaded its nets.
        online: The identity gateway answers.
        room: The disk takes more records.
    """
    lost = {finding.capability for finding in findings if finding.result in (Result.FAIL, Result.SKIPPED)}
    codes = seeing and Capability.CODES not in lost
    return Offers(
        codes=codes,
        face=codes and face_capable and Capability.FACE not in lost,  # one camera sees both
        online=online and Capability.ONLINE not in lost,
        keys=Capability.KEYS not in lost,
        records=room and Capability.RECORDS not in lost,
    )


def duty(status: Status, now: float) -> Duty:
    """Tell staff how the outbox stands. Pure. ``now``: Unix seconds."""
    line, counts = status.line, status.counts
    refused: Literal["licence", "breaker"] = "licence" if LICENCE_EXPIRED in line.why.split() else "breaker"
    return Duty(
        waiting=status.unsent,
        due=status.due.value,
        due_in_min=None if status.next_due_at is None else int((status.next_due_at - now) // 60),
        to_decide=counts.get(EventState.REJECTED, 0) + counts.get(EventState.QUARANTINED, 0),
        line="open" if line.open else refused if line.breaker else "waits",
        clock_off_min=int((line.clock_off_s or 0) / 60),
        disk=status.disk.level.value,
        disk_mb=status.disk.usable_mb,
        mending=status.mending.waiting > 0,
        copy_behind=status.copy.behind and status.copy.why != "",
    )
