"""``./run doctor [--config PATH] [--json]``: tests what config.toml names, and says what guests can be offered."""

from __future__ import annotations

import argparse
import json
import sys
import textwrap
from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from kiosk.capabilities import offers
from kiosk.checkin.shown import Offers
from kiosk.commissioning.checks.disk import SPACE
from kiosk.commissioning.finding import Capability, Finding, Result
from kiosk.config import BadSettings, Config, load, usual_file
from kiosk.errors import KioskError


class Group(NamedTuple):
    """Checks that need the same part of the kiosk."""

    name: str
    check: Callable[[], list[Finding]]
    capability: Capability | None = None
    """What nobody may count on when the check itself breaks."""


WIDTH = 110
_NOTHING = Offers(codes=False, face=False, online=False, keys=False, records=False)


def main(argv: list[str]) -> int:
    """Print the findings as they come. Exit 0 only when none is a failure."""
    parser = argparse.ArgumentParser(
        prog="./run doctor", description="Test devices, models, clock, disk, outbox, endpoints."
    )
    parser.add_argument("--config", type=Path, default=usual_file())
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    arguments = parser.parse_args(argv)
    found: list[Finding] = []
    for finding in examine(arguments.config):
        found.append(finding)
        sys.stdout.write(told(finding) + "\n")
        sys.stdout.flush()
    can = asdict(offers(found, room=_room(found)) if found[0].result is Result.OK else _NOTHING)
    ok = not any(finding.result is Result.FAIL for finding in found)
    sys.stdout.write("\n" + summary(found, can) + "\n")
    if arguments.json:
        rows = [asdict(finding) for finding in found]
        sys.stdout.write(json.dumps({"ok": ok, "findings": rows, "capabilities": can}, ensure_ascii=False) + "\n")
    return 0 if ok else 1


def examine(path: Path) -> Iterable[Finding]:
    """Yield the findings one after the other; takes some seconds. A check that breaks is a finding too."""
    try:
        config = load(path)
    except BadSettings as exc:
        step = "mend the file; ./run check-config tells the same"
        yield from (Finding("settings", Result.FAIL, str(fault), step) for fault in exc.found)
        return
    yield Finding("settings", Result.OK, f"{path} is sound, mode {config.kiosk.mode}")
    for group in _groups(config):
        try:
            yield from group.check()
        except Exception as exc:  # the other checks must still run
            reason = str(exc) if isinstance(exc, KioskError) else f"{type(exc).__name__}, please report it"
            yield Finding(group.name, Result.FAIL, f"the check itself failed: {reason}", "", group.capability)


def told(finding: Finding) -> str:
    """Word a finding on lines of ``WIDTH`` characters."""
    head = f"{finding.result:<8} {finding.name:<30} "
    text = finding.meaning + (f"\n→ {finding.next_step}" if finding.next_step else "")
    lines = [line for part in text.split("\n") for line in textwrap.wrap(part, WIDTH - len(head))]
    return head + ("\n" + " " * len(head)).join(lines)


def summary(found: list[Finding], can: dict[str, bool]) -> str:
    """Word what follows from all findings."""
    counts = ", ".join(f"{n} {result}" for result in Result if (n := sum(one.result is result for one in found)))
    offered = ", ".join(f"{name} {'yes' if works else 'no'}" for name, works in can.items())
    return f"{counts}\nguests are offered: {offered}"


def _room(found: list[Finding]) -> bool:
    return not any(finding.name == SPACE and finding.result is Result.FAIL for finding in found)


def _groups(config: Config) -> list[Group]:
    """Name every group of checks. Each imports what it tests only when it runs."""
    from kiosk.commissioning.checks import clock, devices, disk, endpoints, models, outbox, screen, staff

    return [
        Group("camera", lambda: [devices.camera(config, kiosk_runs=outbox.kiosk_runs(config))], Capability.CODES),
        Group("decoders", lambda: [devices.decoders()], Capability.CODES),
        Group("key encoder", lambda: [devices.key_encoder(config)], Capability.KEYS),
        Group("models", lambda: models.findings(config), Capability.FACE),
        Group("fonts", lambda: [screen.fonts()]),
        Group("staff PIN", lambda: [staff.pin(config)]),
        Group("clock", lambda: [clock.year(config, datetime.now(UTC)), clock.synchronised()]),
        Group("disk", lambda: disk.findings(config)),
        Group("outbox", lambda: outbox.findings(config), Capability.RECORDS),
        Group("endpoints", lambda: endpoints.findings(config), Capability.ONLINE),
    ]
