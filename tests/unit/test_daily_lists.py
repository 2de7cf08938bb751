"""When a day's list is asked for, and what is noted of it: each day once, and none half checked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from kiosk.config import ReportingSection
from offline_queue.delivery import claims, receipts_list, reconcile
from offline_queue.delivery.authority_time import AuthorityTime
from offline_queue.delivery.endpoint import Limits
from offline_queue.delivery.line import Pace
from offline_queue.delivery.receipts_list import DayList
from offline_queue.delivery.reconcile import DailyLists
from offline_queue.delivery.replies import Answered, Fault, Reply, Result, Unanswered
from offline_queue.delivery.talk import Talk
from offline_queue.owner import OutboxOwner
from offline_queue.settle import Delivered
from tests.outbox_kit import claim, event, opened, registration
from tests.unit.test_receipts_list import KEY

GOOD = Answered(200, readable=True)
NOON = 1_780_286_400.0
"""2026-06-01 in Shanghai."""
YESTERDAY = "2026-05-31"


def empty(day: str) -> DayList:
    head = "00" * 32
    return DayList(day, 0, head, head, (), KEY.sign(receipts_list.statement(day, 0, head)))


class Lists:
    """An endpoint that gives empty lists, and of records what ``records`` holds."""

    limits = Limits(50)

    def __init__(self, mono: float) -> None:
        self.time: AuthorityTime | None = AuthorityTime(NOON, mono)
        self.days: list[str] = []
        self.records: tuple[Reply, Result | None] = (Answered(404, readable=True, code="E404"), None)
        self.lists: Reply = GOOD
        self.limits_asked = 0

    def read_limits(self) -> Reply:
        self.limits_asked += 1
        return Unanswered(Fault.UNREACHABLE)

    def receipts(self, day: str) -> tuple[Reply, DayList | None]:
        self.days.append(day)
        return self.lists, empty(day) if self.lists == GOOD else None

    def record(self, record_id: str) -> tuple[Reply, Result | None]:
        return self.records


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[OutboxOwner]:
    with opened(tmp_path) as opened_owner:
        yield opened_owner


@pytest.fixture
def endpoint(owner: OutboxOwner) -> Lists:
    return Lists(owner.clock.mono())


def lists(owner: OutboxOwner, endpoint: Any) -> DailyLists:
    talk = Talk(endpoint, owner.clock, Pace.of(ReportingSection()), lambda: 0.5)
    return DailyLists(owner, talk, KEY.public_key(), "demo-01")


def delivered(owner: OutboxOwner, at: str = f"{YESTERDAY}T12:00:00+08:00") -> str:
    """Deliver a record with a receipt of yesterday."""
    record_id = owner.outbox.put(registration())
    (item,) = claim(owner)
    now = receipts_list.bounds(date(2026, 6, 1))[0]
    outcomes = [(item.event, Delivered("R-1", at))]
    owner.call(lambda store: claims.settle(store, outcomes, now, poison_attempts=20, wait_s=lambda _: 0.0, now=now))
    return str(record_id)


def test_yesterdays_list_is_asked_for_once_and_the_next_after_midnight(owner: OutboxOwner, endpoint: Lists) -> None:
    one = lists(owner, endpoint)
    assert one.run() == 0.0
    wait_s = one.run()
    assert endpoint.days == [YESTERDAY]
    assert 12 * 3600 < wait_s <= 12 * 3600 + 600 + 3600
    assert lists(owner, endpoint).run() > 12 * 3600  # nor after a restart
    assert endpoint.days == [YESTERDAY]


def test_days_that_were_missed_are_asked_for_but_not_more_than_a_month(owner: OutboxOwner, endpoint: Lists) -> None:
    one = lists(owner, endpoint)
    one.run()
    endpoint.time = AuthorityTime(NOON + 100 * 86_400, owner.clock.mono())
    for _ in range(200):
        if one.run() > 0:
            break
    asked = endpoint.days[1:]
    assert len(asked) == reconcile.MOST_DAYS
    assert asked[-1] == (date(2026, 6, 1) + timedelta(days=99)).isoformat()
    assert asked == sorted(set(asked))


def test_without_the_authoritys_time_there_is_no_day(owner: OutboxOwner, endpoint: Lists) -> None:
    endpoint.time = None
    one = lists(owner, endpoint)
    assert one.run() == 600
    assert (endpoint.limits_asked, endpoint.days) == (1, [])
    assert one.trouble == "not asked: unreachable"


def test_a_missing_record_is_flagged_and_the_day_is_noted(owner: OutboxOwner, endpoint: Lists) -> None:
    record_id = delivered(owner)
    one = lists(owner, endpoint)
    one.run()
    flag = event(owner, record_id).flag
    assert flag == f"missing in the authority's list of {YESTERDAY}: asked for, it says: authority does not have it"
    told = json.loads(owner.call(lambda store: store.fact(f"receipts {YESTERDAY}")) or "")
    assert told == {"listed": 0, "missing": 1, "differing": 0, "foreign": []}
    assert one.trouble == f"list of {YESTERDAY}: 1 missing"


def test_a_day_is_not_noted_before_every_difference_was_asked_for(owner: OutboxOwner, endpoint: Lists) -> None:
    record_id = delivered(owner)
    endpoint.records = (Unanswered(Fault.TIMEOUT), None)
    one = lists(owner, endpoint)
    assert one.run() == 600
    assert one.trouble == f"list of {YESTERDAY}: timeout"
    assert event(owner, record_id).flag is None
    assert owner.call(lambda store: store.fact(reconcile.CHECKED)) is None
    hashed = event(owner, record_id).content_hash
    endpoint.records = (GOOD, Result(UUID(record_id), 1, hashed, "ACCEPTED", receipt_no="R-2", received_at="x"))
    one.run()
    assert (event(owner, record_id).flag or "").endswith("asked for, it has it with another receipt")


def test_a_receipt_of_another_day_is_not_missing(owner: OutboxOwner, endpoint: Lists) -> None:
    record_id = delivered(owner, at="2026-06-01T00:00:00+08:00")
    one = lists(owner, endpoint)
    one.run()
    assert (one.trouble, event(owner, record_id).flag) == ("", None)


def test_a_list_in_trouble_is_asked_for_again_and_told_once(
    owner: OutboxOwner, endpoint: Lists, caplog: pytest.LogCaptureFixture
) -> None:
    endpoint.lists = Answered(500, readable=True)
    one = lists(owner, endpoint)
    assert [one.run(), one.run()] == [600, 600]
    assert endpoint.days == [YESTERDAY] * 2
    assert caplog.text.count(f"list of {YESTERDAY}: http 500") == 1
    endpoint.lists = GOOD
    assert one.run() == 0.0
    assert one.trouble == ""


def test_an_endpoint_that_keeps_no_lists_is_told(owner: OutboxOwner, endpoint: Lists) -> None:
    endpoint.lists = Answered(404, readable=True, code="E404")
    one = lists(owner, endpoint)
    one.run()
    assert one.trouble == f"list of {YESTERDAY}: no list of receipts in the answer"
