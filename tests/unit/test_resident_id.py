"""Numbers of GB 11643: the check digit, and what the digits say."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.credentials import resident_id
from kiosk.credentials.resident_id import Holder
from kiosk.identity.numbers import contradiction
from kiosk.model import Reason, Refusal

WOMAN, MAN = "11010519491231002X", "110101199003070011"
HONG_KONG, TAIWAN = "810000199408230021", "830000199201300022"


@pytest.mark.parametrize("number", [WOMAN, MAN, HONG_KONG, TAIWAN])
def test_published_numbers_hold(number: str) -> None:
    assert resident_id.is_valid(number)


@pytest.mark.parametrize(
    "number",
    [
        "110105194912310021",  # check digit
        "11010519490231002X",  # 31 February
        "11010519491231002x",  # not in the stored form
        "1101051949123100",
        "01010519491231002X",
        "１１０１０５１９４９１２３１００２X",
        "",
    ],
)
def test_a_number_that_cannot_be_is_refused(number: str) -> None:
    assert not resident_id.is_valid(number)


@given(st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_is_always_found(place: int, shift: int) -> None:
    spoiled = MAN[:place] + str((int(MAN[place]) + shift) % 10) + MAN[place + 1 :]
    assert not resident_id.is_valid(spoiled)


@given(st.text(max_size=20))
def test_no_text_makes_it_raise(text: str) -> None:
    resident_id.is_valid(resident_id.normal(text))


def test_the_digits_say_birth_date_sex_and_division() -> None:
    assert resident_id.birth_date(WOMAN) == date(1949, 12, 31)
    assert (resident_id.sex(WOMAN), resident_id.sex(MAN)) == ("2", "1")
    assert resident_id.division(MAN) == "110101"
    assert resident_id.normal(" 11010519491231002x ") == WOMAN


@pytest.mark.parametrize(
    ("number", "holder"),
    [
        (MAN, Holder.CITIZEN),
        (HONG_KONG, Holder.HK_MACAU_PERMIT),
        ("820000199408230023", Holder.HK_MACAU_PERMIT),
        (TAIWAN, Holder.TAIWAN_PERMIT),
        ("911124198108030024", Holder.FOREIGN_PERMIT),
    ],
)
def test_the_prefix_says_which_document_it_is(number: str, holder: Holder) -> None:
    assert resident_id.holder(number) is holder


@pytest.mark.parametrize(
    ("number", "birth", "sex", "expected"),
    [
        (WOMAN, date(1949, 12, 31), "2", None),
        (WOMAN, None, None, None),
        (WOMAN, None, "9", None),
        (WOMAN, date(1949, 12, 30), "2", Reason.IDENTITY_FAULTY),
        (WOMAN, date(1949, 12, 31), "1", Reason.IDENTITY_FAULTY),
        ("110105194912310021", None, None, Reason.IDENTITY_FAULTY),
        (HONG_KONG, None, None, Reason.OVERSEAS),
        (TAIWAN, None, None, Reason.OVERSEAS),
    ],
)
def test_what_a_source_says_must_agree_with_the_number(
    number: str, birth: date | None, sex: str | None, expected: Reason | None
) -> None:
    assert contradiction(number, birth, sex) == (Refusal(expected) if expected else None)
