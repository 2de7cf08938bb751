"""What the kiosk can offer a guest now, from what was found at the start and what is seen since."""

from __future__ import annotations

from collections.abc import Iterable

from kiosk.checkin.shown import Offers
from kiosk.commissioning.finding import Capability, Finding, Result


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
        records=room,
    )
