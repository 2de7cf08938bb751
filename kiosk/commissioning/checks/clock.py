"""Is the clock right? A wrong one breaks TLS, signatures, ages and due times, each with a misleading message."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from kiosk.commissioning.finding import Finding, Result
from kiosk.config import Config

OLDEST = datetime(2026, 1, 1, tzinfo=UTC)
"""This program is not older: a clock before it has lost its battery."""
NEWEST = datetime(2060, 1, 1, tzinfo=UTC)
TIMEDATECTL_S = 2.0
SLACK = timedelta(seconds=60)
"""Beyond this somebody should look."""
REFUSED = timedelta(seconds=300)
"""The police endpoint refuses requests that are further off (E107)."""

_SET_CLOCK = "timedatectl set-ntp true, or set the clock by hand"


def year(config: Config, now: datetime) -> Finding:
    """Say whether the clock shows a possible date, and the hotel's local time. Immediate."""
    local = now.astimezone(ZoneInfo(config.kiosk.timezone))
    seen = f"{local:%Y-%m-%d %H:%M} in {config.kiosk.timezone}"
    if not OLDEST <= now <= NEWEST:
        meaning = f"it is not {seen}: certificates and due times are misjudged"
        return Finding("clock", Result.FAIL, meaning, _SET_CLOCK)
    return Finding("clock", Result.OK, seen)


def synchronised() -> Finding:
    """Ask the system whether its clock follows a time server; blocks up to two seconds."""
    program = shutil.which("timedatectl")
    answer = _ask(program) if program else ""
    if answer == "yes":
        return Finding("clock synchronised", Result.OK, "the system follows a time server")
    if answer == "no":
        meaning = "the system follows no time server: the clock drifts"
        return Finding("clock synchronised", Result.WARN, meaning, "timedatectl set-ntp true")
    meaning = "this system does not say whether it follows a time server"
    return Finding("clock synchronised", Result.SKIPPED, meaning, "see that something sets the clock")


def against(server: str, server_time: datetime | None, now: datetime) -> Finding:
    """Compare the clock with that of a server.

    Args:
        server: Its name for people.
        server_time: What it said; None when it was not reached or said nothing.
        now: When the answer came.
    """
    name = "clock against the servers"
    if server_time is None:
        return Finding(name, Result.SKIPPED, "no server told its time")
    off = now - server_time
    seen = f"{abs(off.total_seconds()):.0f} s {'ahead of' if off > timedelta() else 'behind'} the {server}"
    if abs(off) > REFUSED:
        meaning = f"{seen}: it refuses what is more than {REFUSED.total_seconds():.0f} s off"
        return Finding(name, Result.FAIL, meaning, _SET_CLOCK)
    return Finding(name, Result.WARN if abs(off) > SLACK else Result.OK, seen, _SET_CLOCK if abs(off) > SLACK else "")


def _ask(program: str) -> str:
    command = [program, "show", "--property=NTPSynchronized", "--value"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEDATECTL_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
