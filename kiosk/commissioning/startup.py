"""What the start-up looks at, to know what it can offer: only what takes no time and disturbs nothing."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import UTC, datetime

from kiosk.commissioning.checks import clock, devices, disk, models, staff
from kiosk.commissioning.finding import Finding, Result
from kiosk.config import Config

log = logging.getLogger(__name__)


def startup_findings(config: Config) -> list[Finding]:
    """Test models, key encoder, clock, disk and staff PIN. Blocks below a second.

    The camera is left to the vision process, which owns it, and the network to ``reachability``.
    """
    return [
        *models.findings(config),
        devices.key_encoder(config),
        clock.year(config, datetime.now(UTC)),
        *disk.findings(config),
        staff.pin(config),
    ]


def tell(findings: Iterable[Finding]) -> None:
    """Write what is not well into the log, with the next step."""
    for finding in findings:
        if finding.result in (Result.WARN, Result.FAIL):
            level = logging.ERROR if finding.result is Result.FAIL else logging.WARNING
            log.log(level, "%s: %s. Next: %s", finding.name, finding.meaning, finding.next_step or "nothing")
