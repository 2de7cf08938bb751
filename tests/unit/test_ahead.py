"""What is claimed before the line is free: sent in order, given back whole when the line fails, never hidden."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kiosk.config import ReportingSection
from offline_queue.delivery import claims
from offline_queue.delivery.ahead import Ahead
from offline_queue.delivery.endpoint import Limits
from offline_queue.delivery.line import Pace
from offline_queue.delivery.talk import Talk
from offline_queue.owner import OutboxOwner
from offline_queue.states import EventState
from tests.outbox_kit import event, invented_number, new_id, opened, registration, state


class Quiet:
    """An endpoint that is never asked."""

    limits = Limits(100)
    time = None


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[OutboxOwner]:
    with opened(tmp_path) as opened_owner:
        yield opened_owner


def ahead(owner: OutboxOwner, limit: int) -> tuple[Ahead, Talk]:
    endpoint: Any = Quiet()
    talk = Talk(endpoint, owner.clock, Pace.of(ReportingSection(batch_max=limit)), lambda: 0.5)
    return Ahead(owner, talk), talk


def put(owner: OutboxOwner, count: int) -> list[str]:
    return [owner.outbox.put(registration(number=invented_number(serial))) for serial in range(count)]


def test_batches_come_in_the_order_in_which_guests_were_registered(owner: OutboxOwner) -> None:
    records = put(owner, 5)
    hand, _ = ahead(owner, 2)
    taken = []
    while (batch := hand.take()) is not None:
        taken += [str(item.event.record_id) for item in batch.items]
    assert taken == records


def test_a_guest_who_comes_after_nothing_was_due_is_not_hidden_by_that(owner: OutboxOwner) -> None:
    hand, _ = ahead(owner, 2)
    put(owner, 1)
    assert hand.take() is not None
    assert not hand.waits()
    (late,) = put(owner, 1)
    batch = hand.take()
    assert batch is not None
    assert [str(item.event.record_id) for item in batch.items] == [late]


def test_what_was_claimed_ahead_is_ready_again_and_charged_to_nobody_when_the_line_fails(owner: OutboxOwner) -> None:
    records = put(owner, 4)
    hand, _ = ahead(owner, 2)
    hand.take()
    assert hand.waits()
    assert {state(owner, one) for one in records} == {EventState.INFLIGHT}
    hand.give_back()
    assert [state(owner, one) for one in records] == [EventState.INFLIGHT] * 2 + [EventState.READY] * 2
    assert {event(owner, one).attempts for one in records} == {0}
    hand.give_back()  # once more gives nothing back
    assert not hand.waits()


def test_a_batch_that_was_claimed_before_batches_were_halved_is_not_sent_whole(owner: OutboxOwner) -> None:
    put(owner, 8)
    hand, talk = ahead(owner, 4)
    hand.take()
    talk.line = talk.line.shrunk(4)
    batch = hand.take()
    assert batch is not None
    assert len(batch.items) == 2


def test_the_second_revision_of_a_record_is_not_claimed_ahead_of_the_first(owner: OutboxOwner) -> None:
    record_id = new_id()
    for revision in (1, 2):
        owner.outbox.put(registration(record_id, revision, stay="S-order"))
    hand, _ = ahead(owner, 1)
    assert hand.take() is not None
    assert not hand.waits()
    assert state(owner, record_id, 2) is EventState.BLOCKED


def test_a_kiosk_that_ends_with_a_batch_claimed_ahead_sends_it_after_the_next_start(owner: OutboxOwner) -> None:
    records = put(owner, 2)
    hand, _ = ahead(owner, 1)
    hand.take()
    assert hand.waits()
    hand.forget()
    assert owner.call(lambda store: claims.recover(store, owner.clock.wall())) == 2
    assert {state(owner, one) for one in records} == {EventState.READY}


def test_nothing_is_claimed_that_must_wait_for_a_batch_to_come_back(owner: OutboxOwner) -> None:
    records = put(owner, 2)
    hand, _ = ahead(owner, 1)
    assert hand.take(more=False) is not None
    assert not hand.waits()
    assert state(owner, records[1]) is EventState.READY


def test_the_authoritys_limit_holds_for_what_is_claimed_ahead(owner: OutboxOwner) -> None:
    put(owner, 6)
    hand, talk = ahead(owner, 3)
    hand.take()
    talk.endpoint.limits = replace(talk.endpoint.limits, max_records=1)
    batch = hand.take()
    assert batch is not None
    assert len(batch.items) == 1
