"""``./run queue``: what waits for the authority, and a record's story. Guests' data are masked, always.

Asks the running kiosk over its socket; opens the file itself only when no kiosk holds it.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from kiosk.config import Config, load, usual_file
from kiosk.errors import OutboxUnavailable
from offline_queue import asking, words
from offline_queue.inquiry import LONGEST_LIST, Answers, Inquiry, Row
from offline_queue.owner import SOCKET_FILE, STORE_FILE, OutboxOwner

EXPORT_COLUMNS = (
    *("record", "revision", "op", "state", "stay", "room", "name", "number", "occurred_at", "due_at", "overdue"),
    *("attempts", "answer"),
)


def main(argv: list[str]) -> int:
    """Run one question. Raises KioskError: no outbox, no such record, a file in the way."""
    given = _parser().parse_args(argv)
    config = load(given.config)
    asked = vars(given)
    inquiry = Inquiry(
        given.ask, asked.get("record", ""), limit=asked.get("limit", 50), waiting=asked.get("waiting", False)
    )
    with _answer(config, inquiry) as rows:
        told: Row = _export(rows, given.file) if given.ask == "export" else {"rows": list(rows)}
    if given.json:
        print(json.dumps(_document(given.ask, told), ensure_ascii=False))
    else:
        print("\n".join(_sentences(given.ask, told)))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./run queue", description="Ask what waits for the police endpoint.")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--config", type=Path, default=usual_file(), help="the kiosk's settings")
    common.add_argument("--json", action="store_true", help="answer in one line of JSON")
    asks = parser.add_subparsers(dest="ask", required=True, metavar="QUESTION")
    asks.add_parser("status", parents=[common], help="counts, legal clock and the line to the authority")
    listing = asks.add_parser("list", parents=[common], help="the newest records, or those that wait")
    listing.add_argument("--waiting", action="store_true", help="only what is not delivered, due first on top")
    listing.add_argument("--limit", type=_limit, default=50, help=f"1 to {LONGEST_LIST}; default 50")
    show = asks.add_parser("show", parents=[common], help="every revision of one record, masked")
    show.add_argument("record", help="the record's UUID")
    export = asks.add_parser("export", parents=[common], help="write what waits as CSV, masked, for the police station")
    export.add_argument("file", type=Path, help="a new file; one that exists is not overwritten")
    retry = asks.add_parser("retry", parents=[common], help="try the line now, or a rejected record again")
    retry.add_argument("record", nargs="?", default="", help="the record's UUID")
    return parser


def _limit(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= LONGEST_LIST:
        raise argparse.ArgumentTypeError(f"a number from 1 to {LONGEST_LIST}")
    return int(text)


@contextlib.contextmanager
def _answer(config: Config, inquiry: Inquiry) -> Iterator[Iterable[Row]]:
    state_dir = config.kiosk.state_dir
    if not (state_dir / STORE_FILE).exists():
        raise OutboxUnavailable(
            f"no outbox yet in {state_dir}; it is made when the kiosk starts. "
            "Fix: ./run start, or give the right settings with --config"
        )
    kiosk = asking.call(state_dir / SOCKET_FILE)
    if kiosk is not None:
        with kiosk:
            yield asking.rows(kiosk, inquiry)
        return
    section = config.kiosk
    owner = OutboxOwner.open(state_dir, section.hotel_code, section.kiosk_id, config.outbox, make_key=False)
    try:
        yield Answers(owner).rows(inquiry, f"uid {os.geteuid()}")
    finally:
        owner.close()


def _export(rows: Iterable[Row], file: Path) -> Row:
    """Write a CSV that only its owner may read; half a file is removed again."""
    try:
        # No O_TRUNC and no following of links: an export never replaces anything
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as exc:
        raise OutboxUnavailable(f"export {file}: {exc.strerror}; nothing was written. Fix: name a new file") from exc
    try:
        # With a byte order mark, or a spreadsheet reads the names as GBK
        with os.fdopen(handle, "w", encoding="utf-8-sig", newline="") as out:
            writer = csv.writer(out)
            writer.writerow(EXPORT_COLUMNS)
            records = 0
            for row in rows:
                writer.writerow([_cell(row.get(column)) for column in EXPORT_COLUMNS])
                records += 1
            out.flush()
            os.fsync(out.fileno())
    except BaseException as exc:
        file.unlink(missing_ok=True)
        if isinstance(exc, OSError):
            raise OutboxUnavailable(f"export {file}: {exc.strerror}; half a file was removed again") from exc
        raise
    return {"file": str(file), "records": records}


def _cell(value: object) -> str:
    """One cell; what a spreadsheet would take for a formula is quoted."""
    text = "" if value is None else str(value)
    return "'" + text if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _document(ask: str, told: Row) -> Row:
    rows = told.get("rows")
    return rows[0] if ask == "status" and isinstance(rows, list) else told


def _sentences(ask: str, told: Row) -> list[str]:
    rows = told.get("rows")
    if not isinstance(rows, list):
        return [f"{told['records']} waiting records written to {told['file']}, readable by you alone, masked"]
    match ask:
        case "status":
            return _status(rows[0])
        case "show":
            return [line for row in rows for line in _story(row)]
        case "retry":
            return [*_table(rows), "the line is tried now, if the kiosk runs"]
        case _:
            return _table(rows) or ["nothing in the outbox answers to this"]


def _status(row: Row) -> list[str]:
    counts = row["counts"] if isinstance(row["counts"], dict) else {}
    line = row["line"] if isinstance(row["line"], dict) else {}
    lines = [f"{n:>6}  {state:<12} {words.STATES[state]}" for state, n in counts.items()]
    clock = f"; legal clock: {row['due']}, next at {row['next_due_at']}" if row["next_due_at"] else ""
    lines.append(f"{row['unsent']:>6}  not delivered{clock}")
    if line.get("open"):
        return [*lines, "line:   open"]
    held = "held until somebody mends it" if line.get("breaker") else "waits"
    return [*lines, f"line:   {held}: {line.get('why')}, next try in {words.span(float(line.get('retry_in_s', 0)))}"]


def _table(rows: Sequence[Row]) -> list[str]:
    if not rows:
        return []
    head = ("RECORD", "REV", "OP", "STATE", "TRIES", "DUE", "AGE", "LAST ANSWER")
    cells = [
        (
            str(row["record"]),
            str(row["revision"]),
            str(row["op"]),
            str(row["state_words"]),
            str(row["attempts"]),
            _due(row),
            words.span(_number(row["age_s"])),
            str(row["receipt"] or row["answer"]),
        )
        for row in rows
    ]
    widths = [max(map(len, column)) for column in zip(head, *cells, strict=True)]
    return [
        "  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in (head, *cells)
    ]


def _story(row: Row) -> list[str]:
    told = {
        "state": row["state_words"],
        "operation": row["op"],
        "stay, room": f"{row['stay']}, {row['room'] or '-'}",
        "guest": f"{row['name']}, {row['number']}" if row["name"] else "no text to read",
        "happened": row["occurred_at"] or "-",
        "due": _due(row),
        "tries": row["attempts"],
        "last answer": row["answer"] or "-",
        "receipt": f"{row['receipt']}, {row['received_at']}" if row["receipt"] else "-",
        "still sealed here": ", ".join(map(str, row["parts"])) if isinstance(row["parts"], list) else "-",
    }
    return [f"{row['record']} revision {row['revision']}", *(f"  {name:<18} {value}" for name, value in told.items())]


def _due(row: Row) -> str:
    left = row["due_in_s"]
    return "-" if left is None else words.due(_number(left))


def _number(value: object) -> float:
    return value if isinstance(value, int | float) else 0.0
