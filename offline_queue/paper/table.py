"""The export as CSV that a spreadsheet of the police station shows right. Pure."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable

from offline_queue.answering import words
from offline_queue.answering.inquiry import as_object
from offline_queue.paper import terms
from offline_queue.paper.entry import Entry

_OURS = (
    "记录编号",
    "版本",
    "业务",
    "状态",
    "末次答复",
    "应报时限",
    "是否超时",
    "发生时间",
    "核验方式",
    "核验人",
    "密封给",
)
_LONG_NUMBER = re.compile(r"0\d+|\d{12,}")


def table(entries: Iterable[Entry]) -> bytes:
    """Return all entries, one line each, with every field of a guest that the form knows, and others as they come."""
    entries = list(entries)
    others = sorted({key for entry in entries for key in entry.guest} - set(terms.FIELDS))
    keys = [*terms.FIELDS, *others]
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([*_OURS, *(f"{terms.named(key)} {key}" if key in terms.FIELDS else key for key in keys)])
    for entry in entries:
        guest = entry.guest
        writer.writerow([cell(told) for told in (*_ours(entry), *(terms.value(key, guest.get(key)) for key in keys))])
    # With a byte order mark, or a spreadsheet reads the names as GBK
    return text.getvalue().encode("utf-8-sig")


def cell(told: str) -> str:
    """Return one cell: no spreadsheet runs what a record says, and none rounds an ID number to fifteen digits."""
    return "\t" + told if _LONG_NUMBER.fullmatch(told) else words.cell(told)


def _ours(entry: Entry) -> tuple[str, ...]:
    verify = as_object(entry.body.get("verify"))
    method = str(verify.get("method", ""))
    return (
        *(entry.record, str(entry.revision), terms.OPS.get(entry.op, entry.op), terms.STATES.get(entry.state, "")),
        *(terms.answer(entry.answer), terms.moment(entry.due_at), "超时" if entry.overdue else "否"),
        *(terms.moment(str(entry.body.get("occurredAt", ""))), terms.METHODS.get(method, method)),
        *(str(verify.get("operator", "")), entry.sealed_for),
    )
