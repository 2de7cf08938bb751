"""The file that a hotel drops: good lines serve, bad ones are told by number, and it is read again when it changes."""

from __future__ import annotations

import logging
import os
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.config import Config, ReservationsSection
from kiosk.errors import GatewayUnavailable
from kiosk.model import Identity, Reason, Refusal, Reservation
from kiosk.reservations.csv import COLUMNS, CsvReservations, make, parse

TODAY = date(2026, 6, 1)
GUEST = Identity("suishen", "甲", "110101199003070011", date(1990, 3, 7), "1")
HEADER = ",".join(COLUMNS)
ROW = {
    "stay_id": "S1",
    "confirmation": "SZ1",
    "name": "甲",
    "document_number": "110101199003070011",
    "phone": "19900001208",
    "room_no": "1208",
    "room_type": "大床房",
    "party_size": "1",
    "arrival": "2026-06-01",
    "departure": "2026-06-03",
    "room_ready": "true",
    "balance_due_fen": "0",
    "status": "DUE_IN",
}
STAY = Reservation("S1", "SZ1", "1208", "大床房", 1, TODAY, date(2026, 6, 3))


def line(**changed: str) -> str:
    return ",".join({**ROW, **changed}[name] for name in COLUMNS)


def table(*lines: str) -> bytes:
    return "\n".join([HEADER, *lines, ""]).encode()


def write(path: Path, data: bytes, mtime_s: int) -> None:
    path.write_bytes(data)
    os.utime(path, (mtime_s, mtime_s))


def test_a_guest_is_found_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "bookings.csv"
    path.write_bytes(table(line()))
    assert CsvReservations(path, lambda: TODAY).find(GUEST, None) == STAY


def test_the_settings_name_the_file(tmp_path: Path) -> None:
    path = tmp_path / "bookings.csv"
    path.write_bytes(table(line(arrival="2026-01-01", departure="2999-01-01")))
    config = Config(reservations=ReservationsSection(driver="csv", csv_path=path))
    found = make(config).find(GUEST, None)
    assert isinstance(found, Reservation)
    assert found.stay_id == "S1"


def test_every_field_arrives(tmp_path: Path) -> None:
    (booked,) = parse(table(line(room_ready="FALSE", balance_due_fen="18800", party_size="2"))).bookings
    assert (booked.stay.room_ready, booked.stay.balance_due_fen, booked.stay.party_size) == (False, 18800, 2)
    assert (booked.phone, booked.status, booked.guests[0].name) == ("19900001208", "DUE_IN", "甲")


def test_the_lines_of_one_stay_are_its_guests() -> None:
    sheet = parse(table(line(party_size="2"), line(party_size="2", name="乙", document_number="")))
    assert sheet.faults == ()
    assert [guest.name for guest in sheet.bookings[0].guests] == ["甲", "乙"]


def test_column_order_byte_order_mark_and_line_ends_do_not_matter() -> None:
    columns = list(reversed(COLUMNS))
    text = "\r\n".join([",".join(columns), ",".join(ROW[name] for name in columns), "", " , ,"])
    sheet = parse(b"\xef\xbb\xbf" + text.encode())
    assert sheet.bookings[0].stay == STAY
    assert sheet.faults == ("line 4: 3 cells, the header has 13",)


@pytest.mark.parametrize(
    ("bad", "fault"),
    [
        (line(arrival="01/06/2026"), "line 3: arrival is no date YYYY-MM-DD"),
        (line(departure="2026-05-01"), "line 3: departure lies before arrival"),
        (line(party_size="two"), "line 3: party_size is no whole number from 1 to 20"),
        (line(party_size="0"), "line 3: party_size is no whole number from 1 to 20"),
        (line(balance_due_fen="1.5"), "line 3: balance_due_fen is no whole number"),
        (line(room_ready="yes"), "line 3: room_ready is neither true nor false"),
        (line(status="GONE"), "line 3: status is none of CHECKED_OUT, DUE_IN, IN_HOUSE"),
        (line(stay_id=" "), "line 3: stay_id is empty"),
        (line(name=""), "line 3: name is empty"),
        (line(room_no=""), "line 3: room_no is empty"),
        (line(room_type="\x07"), "line 3: room_type is missing or no line of text"),
        (line(stay_id="S1", room_no="999"), "line 3: differs from an earlier line"),
        (line()[:-20], "line 3: "),
        ('S3,"unclosed', "line 3: no CSV"),
        ('"S3"x,1', "line 3: no CSV"),
    ],
)
def test_a_bad_line_is_told_by_number_and_the_others_serve(bad: str, fault: str) -> None:
    sheet = parse(table(line(), bad, line(stay_id="S4")))
    assert [booked.stay.stay_id for booked in sheet.bookings] == ["S1", "S4"]
    assert len(sheet.faults) == 1
    assert sheet.faults[0].startswith(fault)
    assert "甲" not in sheet.faults[0]
    assert "1990" not in sheet.faults[0]


def test_a_room_may_be_unassigned_while_none_is_ready() -> None:
    assert parse(table(line(room_no="", room_ready="false"))).faults == ()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "columns are missing: stay_id"),
        (b"name,phone\n", "columns are missing: stay_id"),
        (HEADER.replace(",status", "").encode(), "columns are missing: status"),
        ("甲".encode("gbk") * 3, "not UTF-8"),
        (b'"', "no CSV"),
    ],
)
def test_a_file_that_is_no_such_table_makes_the_hotel_unavailable(data: bytes, why: str, tmp_path: Path) -> None:
    path = tmp_path / "bookings.csv"
    path.write_bytes(data)
    with pytest.raises(GatewayUnavailable, match=why):
        CsvReservations(path, lambda: TODAY).find(GUEST, None)


def test_a_missing_file_is_no_empty_hotel(tmp_path: Path) -> None:
    path = tmp_path / "bookings.csv"
    adapter = CsvReservations(path, lambda: TODAY)
    with pytest.raises(GatewayUnavailable, match=r"bookings.csv: No such file.*check csv_path"):
        adapter.find(GUEST, None)
    path.write_bytes(table(line()))
    assert adapter.find(GUEST, None) == STAY
    path.unlink()
    with pytest.raises(GatewayUnavailable):
        adapter.find(GUEST, None)


def test_a_changed_file_is_read_again_and_an_unchanged_one_is_not(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "bookings.csv"
    adapter = CsvReservations(path, lambda: TODAY)
    with caplog.at_level(logging.WARNING):
        write(path, table(line(), line(stay_id="S2", arrival="soon")), 1000)
        assert adapter.find(GUEST, None) == STAY
        assert adapter.find(GUEST, None) == STAY
    assert caplog.text.count("line 3: arrival is no date") == 1
    write(path, table(line(room_no="0909")), 1001)
    found = adapter.find(GUEST, None)
    assert isinstance(found, Reservation)
    assert found.room_no == "0909"
    write(path, table(), 1002)
    assert adapter.find(GUEST, None) == Refusal(Reason.NO_RESERVATION)


def test_a_broken_successor_takes_the_old_file_out_of_use(tmp_path: Path) -> None:
    path = tmp_path / "bookings.csv"
    adapter = CsvReservations(path, lambda: TODAY)
    write(path, table(line()), 1000)
    assert adapter.find(GUEST, None) == STAY
    write(path, b"\xff", 1001)
    for _ in range(2):
        with pytest.raises(GatewayUnavailable):
            adapter.find(GUEST, None)


def test_bookings_are_silent_about_guests() -> None:
    shown = repr(parse(table(line())).bookings)
    assert "甲" not in shown
    assert "1990" not in shown


@given(st.binary(max_size=200), st.text(max_size=200))
def test_no_content_raises_anything_but_a_clear_no(data: bytes, text: str) -> None:
    for content in (data, table(text), table(line()[:-1] + text)):
        try:
            sheet = parse(content)
        except ValueError as error:
            assert str(error)  # noqa: PT017 - either outcome is fine
        else:
            assert all(fault.startswith("line ") for fault in sheet.faults)
