"""``./run check-config [PATH] [--json]``: every fault of a settings file, at once, with line and repair."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from kiosk.config import BadSettings, Fault, load, usual_file


def main(argv: list[str]) -> int:
    """Print the faults. Exit 0 only when there is none."""
    parser = argparse.ArgumentParser(prog="./run check-config", description="Name every fault in a settings file.")
    parser.add_argument("path", type=Path, nargs="?", metavar="PATH", help="default: the config.toml of this folder")
    parser.add_argument("--config", type=Path, metavar="PATH", help="the same, as other commands call it")
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    arguments = parser.parse_args(argv)
    path: Path = arguments.config or arguments.path or usual_file()
    faults: tuple[Fault, ...] = ()
    told = f"{path}: sound"
    try:
        config = load(path)
        told += f", mode {config.kiosk.mode}"
    except BadSettings as exc:
        faults, told = exc.found, _told(path, exc.found)
    sys.stdout.write(told + "\n")
    if arguments.json:
        sys.stdout.write(json.dumps({"ok": not faults, "faults": [asdict(fault) for fault in faults]}) + "\n")
    return 1 if faults else 0


def _told(path: Path, faults: tuple[Fault, ...]) -> str:
    lines = [f"{path}: {len(faults)} fault{'s' if len(faults) > 1 else ''}"]
    for fault in faults:
        where = f"line {fault.line}" if fault.line else ""
        what = " = ".join(part for part in (fault.key, fault.value) if part)
        lines += ["", "  " + (": ".join(part for part in (where, what) if part) or "the file as a whole")]
        if fault.allowed:
            lines.append(f"      allowed  {fault.allowed}")
        lines.append(f"      fix      {fault.fix}")
    return "\n".join(lines)
