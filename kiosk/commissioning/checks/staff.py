"""Can a clerk unlock the staff sheet?"""

from __future__ import annotations

from kiosk.commissioning.finding import Finding, Result
from kiosk.config import Config
from kiosk.errors import ConfigError
from kiosk.staff import operators

_NAME = "staff PIN"


def pin(config: Config) -> Finding:
    """Read the clerks' file. No PIN is tried."""
    path = config.staff.operators_file
    if path is None:
        meaning = "none set: a PIN for one run is printed on the terminal at each start"
        result = Result.WARN if config.kiosk.mode == "demo" else Result.FAIL
        return Finding(_NAME, result, meaning, "./run pin NAME, and name the file in staff.operators_file")
    try:
        people = operators.load(path)
    except ConfigError as exc:
        meaning = f"nobody can help a guest at the kiosk: {path.name}: {'; '.join(exc.faults)}"
        return Finding(_NAME, Result.FAIL, meaning, "mend the clerks' file")
    deciding = sum(one.decides for one in people)
    if not deciding:
        meaning = "no clerk and no manager in the file: nobody can help a guest at the kiosk"
        return Finding(_NAME, Result.FAIL, meaning, "./run pin NAME, for a clerk")
    return Finding(_NAME, Result.OK, f"{deciding} of {len(people)} people in the file may decide about guests")
