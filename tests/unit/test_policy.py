"""What must be settled before a visit goes on: the law's order, and when a face step is not offered at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from kiosk.checkin import samples
from kiosk.checkin.policy import age_on, no_face_because, obstacle
from kiosk.model import Case, Reason

CASE = Case(samples.CODE, identity=samples.GUEST, today=samples.TODAY, face_offered=True, reservation=samples.STAY)
CHILD = replace(samples.GUEST, birth_date=date(2010, 1, 1))


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        (CASE, None),
        (replace(CASE, face_offered=False), Reason.FACE_UNAVAILABLE),
        (replace(CASE, identity=None), Reason.FACE_UNAVAILABLE),
        (replace(CASE, identity=replace(samples.GUEST, portrait_ticket=None)), Reason.NO_PORTRAIT),
        (replace(CASE, identity=replace(samples.GUEST, portrait_ticket=None, portrait=b"one")), None),
        (replace(CASE, identity=replace(samples.GUEST, portrait_ticket=None), portrait=b"one"), None),
    ],
)
def test_a_face_is_offered_only_where_it_works_and_there_is_a_portrait(case: Case, reason: Reason | None) -> None:
    assert no_face_because(case) is reason


def test_the_law_comes_before_the_hotel() -> None:
    """A minor from overseas in a party that owes money and whose room is not ready, settled one by one."""
    stay = replace(samples.STAY, party_size=2, balance_due_fen=1, room_ready=False)
    case = replace(CASE, identity=replace(CHILD, nationality="FRA"), reservation=stay)
    order = []
    while (reason := obstacle(case)) is not None:
        order.append(reason)
        case = replace(case, cleared=case.cleared | {reason})
    assert order == [Reason.OVERSEAS, Reason.MINOR, Reason.PARTY, Reason.BALANCE_DUE, Reason.ROOM_NOT_READY]


def test_nothing_owed_is_nothing_to_settle() -> None:
    for owed in (0, -1):
        assert obstacle(replace(CASE, reservation=replace(samples.STAY, balance_due_fen=owed))) is None


def test_whoever_has_the_eighteenth_birthday_today_is_no_minor() -> None:
    eighteen = date(samples.TODAY.year - 18, samples.TODAY.month, samples.TODAY.day)
    assert obstacle(replace(CASE, identity=replace(samples.GUEST, birth_date=eighteen))) is None
    tomorrow = eighteen.replace(day=eighteen.day + 1)
    assert obstacle(replace(CASE, identity=replace(samples.GUEST, birth_date=tomorrow))) is Reason.MINOR
    assert obstacle(replace(CASE, today=None)) is Reason.MINOR


@pytest.mark.parametrize(
    ("today", "years"), [(date(2026, 2, 28), 17), (date(2026, 3, 1), 18), (date(2028, 2, 29), 20)], ids=str
)
def test_a_leap_day_s_birthday_is_the_first_of_march_in_a_common_year(today: date, years: int) -> None:
    assert age_on(date(2008, 2, 29), today) == years
