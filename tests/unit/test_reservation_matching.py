"""Which booking is whose: by document, else by reference and verified name, never by a name alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.model import Identity, Reason, Refusal, Reservation
from kiosk.reservations.matching import BookedGuest, Booking, comparable_name, match

TODAY = date(2026, 6, 1)
NUMBER, OTHER = "110101199003070011", "11010519491231002X"
GUEST = Identity("suishen", "阿依古丽·买买提", NUMBER, date(1990, 3, 7), "1")
OVERSEAS = replace(GUEST, id_number="", nationality="FRA")
NONE, DIFFERS = Refusal(Reason.NO_RESERVATION), Refusal(Reason.NAME_DIFFERS)
IN_HOUSE = Refusal(Reason.ALREADY_IN_HOUSE)


def booking(
    stay_id: str = "S1",
    *guests: tuple[str, str],
    phone: str = "199 0000-1208",
    status: str = "DUE_IN",
    arrival: int = 0,
    nights: int = 2,
) -> Booking:
    begin = TODAY + timedelta(days=arrival)
    stay = Reservation(stay_id, f"SZ-{stay_id}", "1208", "大床房", 1, begin, begin + timedelta(days=nights))
    return Booking(stay, phone, status, tuple(BookedGuest(*guest) for guest in guests))


MINE = booking("S1", (GUEST.name, NUMBER))
BY_NAME = booking("S2", (GUEST.name, ""))
FOREIGN = booking("S3", ("别人", OTHER))


def test_the_document_number_finds_the_booking_whatever_the_name() -> None:
    assert match([FOREIGN, booking("S1", ("订票员", f" {NUMBER} "))], GUEST, None, TODAY) == MINE.stay


def test_the_document_comes_before_the_reference() -> None:
    assert match([BY_NAME, MINE], GUEST, "SZ-S2", TODAY) == MINE.stay


def test_a_name_alone_finds_nothing() -> None:
    assert match([BY_NAME], GUEST, None, TODAY) == NONE


def test_no_number_is_not_the_same_as_no_number() -> None:
    assert match([BY_NAME], OVERSEAS, None, TODAY) == NONE


@pytest.mark.parametrize("reference", ["1208", " 1208 ", "１２０８", "SZ-S2", "sz-s2", "ＳＺ－Ｓ２", "SZ -S2"])
def test_a_reference_counts_with_the_verified_name(reference: str) -> None:
    assert match([FOREIGN, BY_NAME], GUEST, reference, TODAY) == BY_NAME.stay


@pytest.mark.parametrize(
    ("confirmation", "typed", "found"),
    [
        ("SZ20261124", "20261124", True),
        ("sz-2026-1124", "20261124", True),
        ("SZ20261124", "2026112", False),
        ("SZ20261124", "120261124", False),
        ("SZ12345", "12345", False),
        ("12345", "12345", True),
    ],
)
def test_a_keypad_of_digits_can_type_a_confirmation_number(confirmation: str, typed: str, found: bool) -> None:
    mine = replace(BY_NAME, stay=replace(BY_NAME.stay, confirmation=confirmation))
    assert match([mine], GUEST, typed, TODAY) == (mine.stay if found else NONE)


@pytest.mark.parametrize("reference", ["208", "01208", "19900001208", "SZ-S", "SZ", "", "   ", "120 9", "٤٤٤٤"])
def test_a_part_of_a_reference_is_none(reference: str) -> None:
    assert match([BY_NAME], GUEST, reference, TODAY) == NONE


def test_a_phone_that_is_too_short_to_be_one_has_no_tail() -> None:
    assert match([replace(BY_NAME, phone="1208")], GUEST, "1208", TODAY) == NONE
    assert match([replace(BY_NAME, phone="99 1208")], GUEST, "1208", TODAY) == NONE
    assert match([replace(BY_NAME, phone="699 1208")], GUEST, "1208", TODAY) == BY_NAME.stay


def test_another_name_under_the_reference_is_for_a_person() -> None:
    assert match([FOREIGN], GUEST, "1208", TODAY) == DIFFERS


def test_a_namesake_with_another_document_is_somebody_else() -> None:
    assert match([booking("S1", (GUEST.name, OTHER))], GUEST, "1208", TODAY) == DIFFERS


def test_a_tail_that_two_bookings_share_is_for_a_person() -> None:
    assert match([BY_NAME, booking("S4", (GUEST.name, ""))], GUEST, "1208", TODAY) == NONE


def test_a_tail_that_a_stranger_shares_finds_the_one_with_the_name() -> None:
    assert match([FOREIGN, BY_NAME], GUEST, "1208", TODAY) == BY_NAME.stay


@pytest.mark.parametrize(
    ("arrival", "nights", "begins"),
    [(0, 1, True), (-1, 1, True), (-1, 3, True), (1, 1, False), (-3, 2, False)],
    ids=["today", "after midnight", "late", "tomorrow", "over"],
)
def test_only_a_stay_that_covers_today_begins(arrival: int, nights: int, begins: bool) -> None:
    offered = booking("S1", (GUEST.name, NUMBER), arrival=arrival, nights=nights)
    assert match([offered], GUEST, None, TODAY) == (offered.stay if begins else NONE)
    assert match([offered], replace(GUEST, id_number=""), "1208", TODAY) in (NONE, DIFFERS)


def test_the_earlier_of_two_due_stays_is_offered() -> None:
    later = booking("S0", (GUEST.name, NUMBER))
    earlier = booking("S9", (GUEST.name, NUMBER), arrival=-1)
    assert match([later, earlier], GUEST, None, TODAY) == earlier.stay


@pytest.mark.parametrize("reference", [None, "1208"])
def test_who_is_in_house_already_goes_to_a_person(reference: str | None) -> None:
    offered = [booking("S1", (GUEST.name, NUMBER if reference is None else ""), status="IN_HOUSE", arrival=-1)]
    assert match(offered, GUEST, reference, TODAY) == IN_HOUSE


def test_a_new_booking_counts_more_than_the_one_in_house() -> None:
    inside = booking("S0", (GUEST.name, NUMBER), status="IN_HOUSE", arrival=-1)
    assert match([inside, MINE], GUEST, None, TODAY) == MINE.stay


def test_a_stay_that_is_over_is_none() -> None:
    assert match([replace(MINE, status="CHECKED_OUT")], GUEST, "1208", TODAY) == NONE


@pytest.mark.parametrize(
    "spelling",
    [
        "阿依古丽•买买提",
        "阿依古丽・买买提",
        " 阿依古丽 · 买买提 ",
        "阿依古丽．买买提",
        "阿依古丽.买买提",
        "阿依古丽‧买买提",
    ],
)
def test_the_dot_in_a_name_is_written_in_many_ways(spelling: str) -> None:
    assert comparable_name(spelling) == comparable_name(GUEST.name)


def test_width_case_and_spaces_are_no_difference_and_letters_are() -> None:
    assert comparable_name("ＺＨＡＮＧ　Wei") == comparable_name("Zhang  WEI")
    assert comparable_name("王伟") != comparable_name("王玮")


TEXT = st.text(max_size=12)


@given(st.lists(st.tuples(TEXT, TEXT, TEXT), max_size=5), st.none() | TEXT)
def test_whoever_is_found_is_named_by_document_or_by_name_and_reference(
    rows: list[tuple[str, str, str]], reference: str | None
) -> None:
    offered = [booking(f"S{at}", (name, number), phone=phone) for at, (name, number, phone) in enumerate(rows)]
    found = match([*offered, MINE], GUEST, reference, TODAY)
    assert found == MINE.stay
    without = match(offered, GUEST, reference, TODAY)
    if isinstance(without, Reservation):
        (mine,) = [b for b in offered if b.stay == without]
        by_number = any(guest.document_number.strip().upper() == NUMBER for guest in mine.guests)
        by_name = any(comparable_name(guest.name) == comparable_name(GUEST.name) for guest in mine.guests)
        assert by_number or (by_name and reference is not None)
