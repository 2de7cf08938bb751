"""Records as a table of text, as CSV and as a story. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from offline_queue.answering import words
from offline_queue.answering.inquiry import Row

_HEAD = ("RECORD", "REV", "OP", "STATE", "FAILED", "DUE", "AGE", "LAST ANSWER")
MASKED_COLUMNS = (
    *("record", "revision", "op", "state", "stay", "room", "name", "number", "occurred_at", "due_at", "overdue"),
    *("attempts", "answer"),
)


_NEXT = {
    "REJECTED": "./run queue amend {record} --operator NAME --correct, or --void REASON; retry sends the same again",
    "QUARANTINED": "call support; or read the document again: ./run queue amend {record} --operator NAME --correct",
}
"""What a person decides of it."""


def table(rows: Sequence[Row]) -> list[str]:
    """Return one line per record under a head; nothing for none."""
    if not rows:
        return []
    cells = [_cells(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(_HEAD, *cells, strict=True)]
    return [
        "  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in (_HEAD, *cells)
    ]


def masked_csv(rows: Iterable[Row]) -> list[str]:
    """Return the lines of a CSV that names nobody."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(MASKED_COLUMNS)
    writer.writerows([_cell(row.get(column)) for column in MASKED_COLUMNS] for row in rows)
    return text.getvalue().splitlines()


def story(row: Row) -> list[str]:
    """Return everything that staff may know of one revision."""
    told = {
        "state": row["state_words"],
        "operation": f"{row['op']}, {words.OPS.get(str(row['op']), 'unknown')}",
        "stay, room": f"{row['stay']}, {row['room'] or '-'}",
        "guest": _guest(row),
        "happened": row["occurred_at"] or "-",
        "due": _due(row),
        "failed tries": row["attempts"],
        "last answer": row["answer"] or "-",
        "receipt": f"{row['receipt']}, {row['received_at']}" if row["receipt"] else "-",
        "still sealed here": _listed(row["parts"]),
    }
    if row.get("flag"):
        told["to look at"] = row["flag"]
    if row["state"] in _NEXT:
        told["next"] = _NEXT[str(row["state"])].format(record=row["record"])
    return [f"{row['record']} revision {row['revision']}", *(f"  {name:<18} {value}" for name, value in told.items())]


def _cell(value: object) -> str:
    return "" if value is None else words.cell(str(value))


def _cells(row: Row) -> tuple[str, ...]:
    answer = " ".join(str(part) for part in (row["receipt"] or row["answer"], row.get("flag")) if part)
    return (
        *(str(row["record"]), str(row["revision"]), str(row["op"]), str(row["state_words"]), str(row["attempts"])),
        *(_due(row), words.span(_number(row["age_s"])), answer),
    )


def _guest(row: Row) -> str:
    if row["name"]:
        return f"{row['name']}, {row['number']}"
    if sealed_for := row.get("sealed_for"):
        return f"sealed to {sealed_for}: this kiosk cannot read it"
    if row["state"] == "PURGED":
        return "erased"
    return "not named in this revision" if row["occurred_at"] else "no text to read"


def _listed(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) and value else "nothing"


def _due(row: Row) -> str:
    left = row["due_in_s"]
    return "-" if left is None else words.due(_number(left))


def _number(value: object) -> float:
    return value if isinstance(value, int | float) else 0.0
