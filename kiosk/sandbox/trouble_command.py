"""What is asked of a running sandbox from the command line.

    ./run sandbox fault KIND [NAME=VALUE …]    put a fault on the board
    ./run sandbox script FILE                  put a file's faults on the board, one a line
    ./run sandbox mix SEED [--scale X]         put a seeded mixture of faults on the board
    ./run sandbox faults                       say which are on
    ./run sandbox clear [KIND]                 take them off
    ./run sandbox kinds                        say which there are
    ./run sandbox code                         print a code with which an installer activates a new kiosk
    ./run sandbox ledger [--json]              say what was reported to the police endpoint

They go to the sandbox of the demo kiosk that runs here (``./run start``, with ``--config`` where it has settings of
its own), or with ``--dir DIR`` to one that runs alone: the folder that it named when it began.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path

from kiosk.config import load, usual_file
from kiosk.embedded import sandbox_dir
from kiosk.errors import DeviceUnavailable
from kiosk.sandbox import faults
from kiosk.sandbox.control import SandboxUnavailable, ask
from kiosk.sandbox.fault_script import option
from kiosk.sandbox.ledger_view import LedgerView

VERBS = frozenset({"fault", "script", "mix", "faults", "clear", "kinds", "code", "ledger"})

_EXAMPLE = "Example: ./run sandbox fault police_reject code=E22 times=1"


def main(argv: list[str]) -> int:
    """Carry out one verb. Exits with 2 for what there is not."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    try:
        _do(arguments)
    except BrokenPipeError:
        raise  # whoever reads has read enough: the command line knows
    except (ValueError, OSError) as exc:
        parser.error(str(exc))
    return 0


def _do(arguments: argparse.Namespace) -> None:
    folder = Path() if arguments.action == "kinds" else _folder(arguments)
    match arguments.action:
        case "fault":
            ask(folder, "fault", kind=arguments.kind, options=dict(option(text) for text in arguments.options))
        case "script":
            ask(folder, "script", text=arguments.file.read_text(encoding="utf-8"))
        case "mix":
            ask(folder, "mix", seed=arguments.seed, scale=arguments.scale)
        case "faults":
            print("\n".join(ask(folder, "faults")) or "none")
        case "clear":
            ask(folder, "clear_faults", kind=arguments.kind)
        case "kinds":
            print((faults.__doc__ or "").strip())
        case "code":
            print(ask(folder, "installer_code"))
        case _:
            table = ask(folder, "ledger")
            print(json.dumps(table) if arguments.json else _words(LedgerView.from_json(table)))


def _folder(arguments: argparse.Namespace) -> Path:
    if arguments.dir is not None:
        folder: Path = arguments.dir
        return folder
    try:
        return sandbox_dir(load(arguments.config).kiosk.state_dir)
    except DeviceUnavailable as exc:
        raise SandboxUnavailable(f"{exc}, or name the folder of a sandbox that runs alone: --dir DIR") from exc


def _words(ledger: LedgerView) -> str:
    """Say how much of what there is: numbers only."""
    ops = ", ".join(f"{count} {op}" for op, count in sorted(Counter(one.op for one in ledger.records).items()))
    said = Counter(f"{item.status or 'waiting'} {item.code}".strip() for item in ledger.items)
    results = ", ".join(f"{count} {what}" for what, count in sorted(said.items()))
    behind = sum(head.went_back for head in ledger.heads)
    return (
        f"batches    {len(ledger.batches)}\n"
        f"results    {results or 'none'}; {sum(item.duplicate for item in ledger.items)} told again\n"
        f"accepted   {len(ledger.records)} ({ops or 'none'})\n"
        f"chain      {len(ledger.heads)} heads, {behind} of them behind an earlier one"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./run sandbox", description="Change a running sandbox, or look into it.")
    actions = parser.add_subparsers(dest="action", required=True)
    fault = actions.add_parser("fault", help="put one on the board; ./run sandbox kinds lists them", epilog=_EXAMPLE)
    fault.add_argument("kind", help="server and effect, as in police_drop, gateway_timeout or hotel_error")
    fault.add_argument("options", nargs="*", metavar="NAME=VALUE", help="what narrows it, as in times=1")
    script = actions.add_parser("script", help="put a file's faults on the board, one a line")
    script.add_argument("file", type=Path)
    mix = actions.add_parser("mix", help="put a seeded mixture of faults on the board")
    mix.add_argument("seed", type=int)
    mix.add_argument("--scale", type=float, default=1.0, help="multiplies every rate (default 1)")
    listed = actions.add_parser("faults", help="say which faults are on the board")
    clear = actions.add_parser("clear", help="take every fault, or one kind, off the board")
    clear.add_argument("kind", nargs="?", default="")
    actions.add_parser("kinds", help="say which faults there are, and their options")
    code = actions.add_parser("code", help="print a code with which an installer activates a new kiosk")
    ledger = actions.add_parser("ledger", help="say what was reported to the police endpoint")
    ledger.add_argument("--json", action="store_true", help="everything, as one line of JSON")
    for action in (fault, script, mix, listed, clear, code, ledger):
        action.add_argument("--dir", type=Path, help="folder of a sandbox that runs alone; default: the demo kiosk's")
        action.add_argument("--config", type=Path, default=usual_file(), help="settings of the demo kiosk that runs")
    return parser
