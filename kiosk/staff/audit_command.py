"""``./run audit verify|show``: is the chain whole, and what does it say? The kiosk may go on writing meanwhile."""

from __future__ import annotations

import argparse
import json
import sys
from collections import deque
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from kiosk.audit import AUDIT_FILE, Entry, read, verify


def main(argv: list[str]) -> int:
    """Exit 1 when the chain is broken or the file cannot be read."""
    arguments = _parser().parse_args(argv)
    path: Path = arguments.file or _of_kiosk(arguments.config)
    try:
        return _verify(path, arguments.json) if arguments.what == "verify" else _show(path, arguments)
    except FileNotFoundError:
        sys.stderr.write(f"audit: {path}: there is none; a kiosk makes it at its first start\n")
    except OSError as error:
        sys.stderr.write(f"audit: {path}: {error.strerror}\n")
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./run audit", description="Verify or show the audit of a kiosk.")
    commands = parser.add_subparsers(dest="what", required=True)
    for name, help_ in (("verify", "follow the hash chain to its end"), ("show", "print the entries")):
        command = commands.add_parser(name, help=help_)
        which = command.add_mutually_exclusive_group()
        which.add_argument("--config", type=Path, default=None, help="settings of the kiosk")
        which.add_argument("--file", type=Path, default=None, help="an audit file instead of the kiosk's own")
        command.add_argument("--json", action="store_true")
        if name == "show":
            command.add_argument("--last", type=_count, default=None, metavar="N", help="only the newest N")
    return parser


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("1 or more, please")
    return number


def _of_kiosk(config: Path | None) -> Path:
    from kiosk.config import load, usual_file  # an audit file named on the command line needs no settings

    return load(config or usual_file()).kiosk.state_dir / AUDIT_FILE


def _verify(path: Path, as_json: bool) -> int:
    found = verify(path)
    if as_json:
        print(json.dumps({"whole": found.broken_at is None, **asdict(found)}))
    elif found.broken_at is None:
        print(f"{found.entries} entries, the chain is whole; newest hash {found.head}")
    else:
        print(f"{path.name}, line {found.broken_at}: {found.why}; {found.entries} entries were read")
    return 0 if found.broken_at is None else 1


def _show(path: Path, arguments: argparse.Namespace) -> int:
    """Print entries as they stand, also of a broken chain: ``verify`` is who judges."""
    entries = deque(read(path), maxlen=arguments.last)
    if arguments.json:
        told = [asdict(entry) if entry is not None else {"line": line, "unreadable": True} for line, entry in entries]
        print(json.dumps({"entries": told}, ensure_ascii=False))
        return 0
    if not entries:
        print("no entries yet")
    for line, entry in entries:
        print(f"line {line}: not an entry; audit verify says more" if entry is None else _readable(entry))
    return 0


def _readable(entry: Entry) -> str:
    try:
        at = datetime.fromisoformat(entry.at).astimezone().isoformat(sep=" ", timespec="seconds")
    except ValueError:
        at = entry.at
    fields = "  ".join(f"{_plain(name)}={_plain(value)}" for name, value in entry.fields.items() if value is not None)
    return f"{entry.seq:>6}  {_plain(at)}  {_plain(entry.kind):<22}  {fields}".rstrip()


def _plain(value: object) -> str:
    """Return a value without anything that a terminal obeys."""
    return "".join(character if character.isprintable() else "�" for character in str(value))
