"""The invented people are whole enough for every rule that a kiosk checks, and plainly invented."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest

from kiosk.sandbox.people import PEOPLE, ROOMS, Person

EVERYBODY = [pytest.param(person, id=key) for key, person in PEOPLE.items()]
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


@pytest.mark.parametrize("person", EVERYBODY)
def test_number_has_its_check_digit_and_agrees_with_the_person(person: Person) -> None:
    number = person.id_number
    assert len(number) == 18
    total = sum(int(digit) * weight for digit, weight in zip(number, WEIGHTS, strict=False))
    assert "10X98765432"[total % 11] == number[17]
    assert person.birth_date.strftime("%Y%m%d") == number[6:14]
    assert date(1900, 1, 1) < person.birth_date < date(2026, 1, 1)
    assert person.sex in {"1", "2"}


@pytest.mark.parametrize("person", EVERYBODY)
def test_number_belongs_to_no_county(person: Person) -> None:
    # 110101199003070011 is the example number of the public tests of this check digit.
    assert person.division_code.endswith("99") or person.id_number == "110101199003070011"


@pytest.mark.parametrize("person", EVERYBODY)
def test_repr_tells_neither_name_nor_number(person: Person) -> None:
    text = repr(person)
    assert person.name not in text
    assert person.id_number not in text
    assert "1990000" not in text


def test_nobody_shares_a_number_a_key_or_a_phone_tail() -> None:
    assert len({person.id_number for person in PEOPLE.values()}) == len(PEOPLE)
    tails = Counter(person.booking.phone_tail for person in PEOPLE.values() if person.booking)
    assert max(tails.values()) == 1


def test_every_booked_room_exists() -> None:
    assert {person.booking.room_no for person in PEOPLE.values() if person.booking} <= set(ROOMS)


def test_the_people_that_the_demo_and_the_stories_need_are_as_they_need_them() -> None:
    assert PEOPLE["lin"].ethnicity is None
    assert PEOPLE["lin"].portrait == "demo_face_astronaut"
    assert PEOPLE["zhou"].portrait == "demo_face_hopper"
    assert PEOPLE["walkin"].booking is None
    assert PEOPLE["gd"].household_province == "44"
    assert PEOPLE["minor"].birth_date.year > 2010
    booked = {key: person.booking for key, person in PEOPLE.items() if person.booking}
    assert len(booked["party"].party) == 1
    assert booked["balance"].balance_due_fen > 0
    assert not booked["notready"].room_ready
    assert booked["inhouse"].status == "IN_HOUSE"
    assert booked["namediffers"].booked_as not in {None, PEOPLE["namediffers"].name}
