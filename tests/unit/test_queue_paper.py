"""The form that a police officer reads: every field is there, nothing is cut off, nobody's name becomes a box."""

from __future__ import annotations

import json
import re
import secrets
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.config import KioskSection
from kiosk.model import Registration
from kiosk.registration import later
from kiosk.registration.later import Act, Earlier
from offline_queue.answering.answers import event_row
from offline_queue.paper import fonts, grid, table, taking, terms
from offline_queue.paper.entry import Entry, entry_of
from offline_queue.paper.form import form
from offline_queue.paper.heading import Heading
from tests.outbox_kit import HOTEL, NAME, NUMBER, SHANGHAI, deliver, open_owner, registration

pytestmark = pytest.mark.timeout(60)

HEADING = Heading(
    "随住示范酒店",
    "Suizhu Demo Hotel",
    HOTEL,
    "demo-01",
    "310100990000",
    "2026-11-24 03:12 +0800",
    "li.na",
    "断网",
    "0" * 32,
)


def entry(known: Registration | None = None, **row: Any) -> Entry:
    known = known or registration()
    told = {
        "record": known.record_id, "revision": known.revision, "op": known.op, "state": "READY", "photos": {},
        "text": known.text.decode(), "content_hash": "ab" * 32, "due_at": "2026-11-24T03:12:00+08:00",
    }  # fmt: skip
    return entry_of(told | row)


def pages_of(pdf: bytes) -> int:
    return len(re.findall(rb"/Type /Page\b", pdf))


def test_every_field_of_a_guest_stands_on_the_form() -> None:
    known = registration(guardianName="林监护", relations=["父子"], somethingNew="not known yet")
    told = entry(known)
    shown = " ".join(f"{cell.label} {cell.value}" for cell in grid.cells(told)) + grid.small_print(told)
    for key, raw in json.loads(known.text)["guest"].items():
        assert key == "policeStation" or terms.value(key, raw) in shown, key
    assert known.record_id in shown
    assert "somethingNew not known yet" in shown


@given(st.lists(st.integers(1, grid.UNITS), min_size=1, max_size=30))
@settings(deadline=None)
def test_a_line_is_full_and_keeps_the_forms_order(widths: list[int]) -> None:
    given_cells = [grid.Cell(str(number), "x", units) for number, units in enumerate(widths)]
    lines = grid.lines(given_cells)
    assert all(sum(cell.units for cell in line) == grid.UNITS for line in lines)
    assert [cell.label for line in lines for cell in line] == [cell.label for cell in given_cells]
    assert all(cell.units >= widths[int(cell.label)] for line in lines for cell in line)


def test_five_guests_without_pictures_share_a_page_and_none_is_broken_over_two() -> None:
    font = fonts.find()
    assert form(HEADING, [entry()], font)[1] == 1
    pdf, pages = form(HEADING, [entry() for _ in range(20)], font)
    assert pages == pages_of(pdf)
    assert 4 <= pages <= 6


def test_a_form_of_three_days_is_made_in_seconds() -> None:
    pdf, pages = form(HEADING, [entry()] * 200, fonts.find())
    assert pages > 30
    assert len(pdf) < 2_000_000


@pytest.mark.parametrize(
    "guest",
    [
        {"name": "A" * 300, "address": "虚" * 900},
        {"name": "林\n\r\t\x00\x1b[2J安"},
        {"name": "\U000e0100\U0001f600\ufffe"},
        {"name": "בן עברי العربية"},
        {"name": ["a", {"b": None}], "idNumber": 7, "sex": None, "declared": "x"},
        {"%s{nb}\\": "{nb}"},
    ],
)
def test_no_text_however_strange_breaks_the_form(guest: dict[str, Any]) -> None:
    pdf, pages = form(HEADING, [entry(registration(**guest)), entry()], fonts.find())
    assert pages == pages_of(pdf)


def test_what_kiosk_and_officer_call_things() -> None:
    assert (terms.value("sex", "2"), terms.value("ethnicity", "05"), terms.value("idType", "11")) == (
        "女", "维吾尔族", "居民身份证",
    )  # fmt: skip
    assert terms.value("checkInAt", "2026-11-24T03:12:45+08:00") == "2026-11-24 03:12"
    assert terms.value("declared", ["ethnicity"]) == "民族"
    assert terms.answer("E24 guest.ethnicity (ethnicity)") == "E24 民族"
    assert terms.answer("http 503 E503 (the authority is being maintained)") == "E503 接口维护中"
    assert (terms.answer("unreachable"), terms.answer("http 502")) == ("网络不通", "接口报错 (http 502)")
    assert terms.answer("tls: certificate expired") == "安全连接失败"
    assert terms.answer("E999") == "E999"


@pytest.mark.parametrize(
    ("told", "cell"),
    [
        (NUMBER, "\t" + NUMBER),
        ("11010519491231002X", "11010519491231002X"),
        ("0123", "\t0123"),
        ("1208", "1208"),
        ("=1+1", "'=1+1"),
        ("-1", "'-1"),
        ("@SUM", "'@SUM"),
        ("", ""),
    ],
)
def test_a_cell_is_neither_run_nor_rounded(told: str, cell: str) -> None:
    assert table.cell(told) == cell


def test_a_room_change_says_whose_it_is_also_when_the_check_in_is_delivered(tmp_path: Path) -> None:
    with closing(open_owner(tmp_path)) as owner:
        known = registration(occurred_at=datetime.now(SHANGHAI) - timedelta(hours=5))
        owner.outbox.put(known)
        deliver(owner, known.record_id)
        act = Act(KioskSection(), datetime.now(SHANGHAI), "li.na", secrets.token_bytes(16))
        moved = later.room_change(Earlier.standing([known.text]), "1509", act)
        assert isinstance(moved, Registration)
        owner.outbox.put(moved)
        left = later.check_out(Earlier.standing([known.text, moved.text]), act)
        assert isinstance(left, Registration)
        owner.outbox.put(left)
        row, last = taking.taken(owner, event_row)
    assert {cell.label: cell.value for cell in grid.cells(entry_of(last))}["房号"] == "1509"
    told = entry_of(row)
    cells = {cell.label: cell.value for cell in grid.cells(told)}
    assert (cells["姓名"], cells["证件号码"], cells["原房号"], cells["房号"]) == (NAME, NUMBER, "1208", "1509")
    assert told.text == moved.text


def test_an_export_of_a_check_in_repeats_nothing(tmp_path: Path) -> None:
    with closing(open_owner(tmp_path)) as owner:
        owner.outbox.put(registration())
        (row,) = taking.taken(owner, event_row)
    assert row["subject"] == {}


def test_what_waits_is_found_without_walking_over_what_is_delivered(tmp_path: Path) -> None:
    with closing(open_owner(tmp_path)) as owner:
        owner.outbox.put(registration())
        asked: list[str] = []
        owner.call(lambda store: store._conn.set_trace_callback(asked.append))
        assert len(list(taking.taken(owner, event_row))) == 1
        owner.call(lambda store: store._conn.set_trace_callback(None))
        slices = [sql for sql in asked if "ORDER BY +id" in sql]
        assert len(slices) == 2
        plan = owner.call(lambda store: store._conn.execute(f"EXPLAIN QUERY PLAN {slices[0]}").fetchall())
    assert "event_due" in plan[0][3]
