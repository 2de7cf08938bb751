"""Where an event of the outbox may go, in which order a record's revisions leave, and what a person may decide."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from kiosk.errors import ContractError
from offline_queue.answering import decide
from offline_queue.database.verify import verify
from offline_queue.delivery import claims
from offline_queue.due import Due
from offline_queue.owner import OutboxOwner
from offline_queue.settle import Again, StillInFlight
from offline_queue.states import EventState
from offline_queue.store import Store
from tests.outbox_kit import (
    SHANGHAI,
    claim,
    deliver,
    event,
    new_id,
    opened,
    receipt,
    registration,
    reject,
    settle,
    settle_claimed,
    state,
)

B, R, I = EventState.BLOCKED, EventState.READY, EventState.INFLIGHT  # noqa: E741
D, P, J = EventState.DELIVERED, EventState.PURGED, EventState.REJECTED
S, Q = EventState.SUPERSEDED, EventState.QUARANTINED

ALLOWED = {(B, R), (R, I), (I, R), (I, D), (I, J), (D, P), (J, S), (J, R), (B, Q), (R, Q), (I, Q), (Q, R)}
ALLOWED |= {(Q, S), (B, S)}


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[OutboxOwner]:
    with opened(tmp_path) as held:
        yield held


def put(owner: OutboxOwner, record_id: str | None = None, revision: int = 1, supersedes: int | None = None) -> str:
    return owner.outbox.put(registration(record_id, revision), supersedes=supersedes)


@pytest.mark.parametrize(("before", "after"), list(itertools.product(EventState, EventState)))
def test_every_move_is_allowed_or_forbidden(owner: OutboxOwner, before: EventState, after: EventState) -> None:
    record_id = put(owner)

    def force(store: Store) -> None:
        store._conn.execute("UPDATE event SET state = ?", (before.value,))

    def move(store: Store) -> None:
        with store.transaction():
            store.move(store.find(UUID(record_id), 1), after, 1.0)

    owner.call(force)
    if (before, after) in ALLOWED:
        owner.call(move)
        assert state(owner, record_id) is after
    else:
        with pytest.raises(ContractError, match=f"{before} to {after}"):
            owner.call(move)
        assert state(owner, record_id) is before
    assert owner.status().counts[state(owner, record_id)] == 1


def test_a_move_that_another_was_quicker_to_make_changes_nothing(owner: OutboxOwner) -> None:
    record_id = put(owner)
    old = event(owner, record_id)
    claim(owner)

    def move(store: Store) -> None:
        with store.transaction():
            store.move(old, EventState.INFLIGHT, 1.0, batch="mine")

    with pytest.raises(ContractError, match="not READY any more"):
        owner.call(move)
    assert event(owner, record_id).batch != "mine"
    assert verify(owner).faults == ()


def test_the_body_of_an_event_never_changes(owner: OutboxOwner) -> None:
    put(owner)
    for column, value in (("record", b"x" * 16), ("revision", 9), ("op", "CC"), ("content_hash", b"x" * 32)):

        def change(store: Store, column: str = column, value: object = value) -> None:
            with store.transaction():
                store._conn.execute(f"UPDATE event SET {column} = ?", (value,))

        with pytest.raises(Exception, match="never changes"):
            owner.call(change)


# ---- order -----------------------------------------------------------------------------------------------------------


def test_revisions_of_a_record_leave_one_after_the_other(owner: OutboxOwner) -> None:
    record_id = put(owner)
    for revision in (2, 3):
        put(owner, record_id, revision)
    for revision in (1, 2, 3):
        taken = claim(owner)
        assert [item.event.revision for item in taken] == [revision]
        assert [state(owner, record_id, later) for later in range(revision + 1, 4)] == [B] * (3 - revision)
        settle(owner, (taken[0].event, receipt()))
    assert owner.status().unsent == 0


def test_a_hole_holds_back_its_own_record_only(owner: OutboxOwner) -> None:
    holed, other = new_id(), new_id()
    put(owner, holed, 1)
    put(owner, holed, 3)
    put(owner, other, 1)
    deliver(owner, holed, 1)
    deliver(owner, other, 1)
    assert state(owner, holed, 3) is EventState.BLOCKED
    assert claim(owner) == []
    put(owner, holed, 2)
    deliver(owner, holed, 2)
    assert state(owner, holed, 3) is EventState.READY


def test_a_rejected_revision_holds_back_its_own_record_only(owner: OutboxOwner) -> None:
    refused, other = put(owner), put(owner)
    put(owner, refused, 2)
    put(owner, other, 2)
    reject(owner, refused)
    deliver(owner, other, 1)
    assert state(owner, refused, 2) is EventState.BLOCKED
    assert state(owner, other, 2) is EventState.READY


def test_the_first_put_waits_when_the_revisions_come_out_of_order(owner: OutboxOwner) -> None:
    record_id = put(owner, revision=2)
    assert claim(owner) == []
    put(owner, record_id, 1)
    assert [item.event.revision for item in claim(owner)] == [1]


def test_oldest_first_and_no_more_than_asked_for(owner: OutboxOwner) -> None:
    ids = [put(owner) for _ in range(5)]
    taken = claim(owner, limit=2) + claim(owner, limit=2)
    assert [str(item.event.record_id) for item in taken] == ids[:4]


def test_a_batch_stays_below_its_bytes_but_holds_at_least_one(owner: OutboxOwner) -> None:
    for _ in range(4):
        put(owner)
    one = claim(owner, max_bytes=1)
    assert len(one) == 1
    assert len(claim(owner, max_bytes=one[0].wire_bytes * 2 + 10)) == 2


def test_a_correction_takes_the_place_of_what_was_rejected(owner: OutboxOwner) -> None:
    record_id = put(owner)
    reject(owner, record_id)
    put(owner, record_id, 2, supersedes=1)
    assert (state(owner, record_id, 1), state(owner, record_id, 2)) == (S, R)
    assert event(owner, record_id, 2).supersedes == 1
    deliver(owner, record_id, 2)
    assert owner.status().unsent == 0


def test_a_correction_is_as_late_as_what_it_corrects(owner: OutboxOwner) -> None:
    late, early = (registration(occurred_at=datetime.now(SHANGHAI) + timedelta(hours=hours)) for hours in (-2, 23))
    for one in (late, early):
        owner.outbox.put(one)
        reject(owner, one.record_id)
        put(owner, one.record_id, 2, supersedes=1)
        assert event(owner, one.record_id, 2).due_at == event(owner, one.record_id).due_at
    assert owner.status().due is Due.ALARM


def test_a_correction_says_which_receipt_came_last_and_what_it_stands_for(owner: OutboxOwner) -> None:
    record_id = put(owner)
    settle_claimed(owner, {(record_id, 1): receipt("R-1")})
    for revision in (2, 3):
        put(owner, record_id, revision, supersedes=2 if revision == 3 else None)
        reject(owner, record_id, revision)
    put(owner, record_id, 4)  # waits for the rejected one, and is said by its correction
    put(owner, record_id, 5, supersedes=3)
    put(owner, record_id, 6)
    (taken,) = claim(owner)
    assert (taken.event.revision, taken.previous_receipt, taken.supersedes) == (5, "R-1", 2)
    settle(owner, (taken.event, receipt("R-5")))
    (taken,) = claim(owner)
    assert (taken.event.revision, taken.previous_receipt, taken.supersedes) == (6, "R-5", None)


def test_only_what_says_everything_takes_the_place_of_what_waits(owner: OutboxOwner) -> None:
    record_id, stay = put(owner), "S-1"
    put(owner, record_id, 2)
    reject(owner, record_id)
    whole = registration(record_id, 3, stay=stay)
    moved = replace(whole, op="RC", text=whole.text.replace(b'"op": "UP"', b'"op": "RC"'))
    with pytest.raises(ContractError, match="others wait"):
        owner.outbox.put(moved, supersedes=1)
    assert [state(owner, record_id, n) for n in (1, 2)] == [J, B]
    after = registration(record_id, 4, stay=stay)
    assert owner.outbox.put(whole, supersedes=1, then=after) == owner.outbox.put(whole, supersedes=1, then=after)
    assert [state(owner, record_id, n) for n in (1, 2, 3, 4)] == [S, S, R, B]
    assert verify(owner).faults == ()


@pytest.mark.parametrize(("revision", "supersedes"), [(2, 2), (3, 1), (2, 7)])
def test_a_correction_of_something_else_changes_nothing(owner: OutboxOwner, revision: int, supersedes: int) -> None:
    record_id = put(owner)
    reject(owner, record_id)
    with pytest.raises(ContractError):
        put(owner, record_id, revision, supersedes=supersedes)
    assert state(owner, record_id) is EventState.REJECTED
    assert verify(owner).faults == ()


def test_what_was_not_rejected_cannot_be_corrected_away(owner: OutboxOwner) -> None:
    record_id = put(owner)
    with pytest.raises(ContractError, match="not rejected"):
        put(owner, record_id, 2, supersedes=1)
    assert state(owner, record_id) is EventState.READY


# ---- in flight -------------------------------------------------------------------------------------------------------


def test_what_was_in_flight_goes_again_at_the_start(tmp_path: Path) -> None:
    with opened(tmp_path) as owner:
        record_id = put(owner)
        claim(owner)
    with opened(tmp_path) as owner:
        assert owner.call(lambda store: claims.recover(store, owner.clock.wall())) == 1
        assert owner.call(lambda store: claims.recover(store, owner.clock.wall())) == 0
        assert [str(item.event.record_id) for item in claim(owner)] == [record_id]
        assert event(owner, record_id).attempts == 0


def test_an_unknown_outcome_is_charged_and_waits(owner: OutboxOwner) -> None:
    record_id = put(owner)
    (taken,) = claim(owner)
    settle(owner, (taken.event, Again("timeout")), wait_s=lambda tries: 100.0 * tries)
    again = event(owner, record_id)
    assert (again.state, again.attempts, again.batch, again.why) == (R, 1, None, "timeout")
    assert again.next_at == pytest.approx(owner.clock.wall() + 100, abs=5)
    assert claim(owner) == []
    assert len(claim(owner, wall=again.next_at)) == 1


def test_a_try_that_never_reached_the_authority_is_not_charged(owner: OutboxOwner) -> None:
    record_id = put(owner)
    (taken,) = claim(owner)
    settle(owner, (taken.event, Again("unreachable", charged=False)), wait_s=lambda tries: 100.0)
    assert event(owner, record_id).attempts == 0
    assert len(claim(owner)) == 1


def test_a_clock_set_back_three_days_stalls_nothing(owner: OutboxOwner) -> None:
    put(owner)
    assert claim(owner, wall=owner.clock.wall() - 200) == []  # no further than a wait may be: it is waited for
    assert len(claim(owner, wall=owner.clock.wall() - 3 * 86_400)) == 1


def test_still_in_flight_stays(owner: OutboxOwner) -> None:
    record_id = put(owner)
    (taken,) = claim(owner)
    settle(owner, (taken.event, StillInFlight()))
    assert state(owner, record_id) is EventState.INFLIGHT


def test_poison_needs_others_to_pass(owner: OutboxOwner) -> None:
    sick = put(owner)

    def fail() -> None:
        mine = [item.event for item in claim(owner) if str(item.event.record_id) == sick]
        settle(owner, (mine[0], Again("http 500")), poison_attempts=3)

    for _ in range(10):  # an outage: nobody passes
        fail()
    assert (state(owner, sick), event(owner, sick).attempts, event(owner, sick).strikes) == (R, 10, 0)
    for tries in range(3):
        settle(
            owner,
            *[
                (i.event, receipt() if str(i.event.record_id) == well else Again("", charged=False))
                for well in [put(owner)]
                for i in claim(owner)
            ],
        )
        fail()
        if tries < 2:
            fail()  # a second try without another delivery counts for nothing
    assert state(owner, sick) is EventState.REJECTED
    assert "poison after 15 tries: http 500" in str(event(owner, sick).why)


def test_a_record_that_cannot_be_opened_is_set_aside_and_others_go(owner: OutboxOwner) -> None:
    sick, well = put(owner), put(owner)
    number = event(owner, sick).id
    owner.call(lambda s: s._conn.execute("UPDATE payload SET sealed = zeroblob(99) WHERE event = ?", (number,)))
    assert [str(item.event.record_id) for item in claim(owner)] == [well]
    assert state(owner, sick) is EventState.QUARANTINED


# ---- what a person decides -------------------------------------------------------------------------------------------


def retry(owner: OutboxOwner, record_id: str) -> EventState:
    wall = owner.clock.wall()
    return owner.call(lambda store: decide.retry(store, owner.vault, UUID(record_id), wall, "uid 7")).state


def test_a_rejected_record_can_be_sent_again_and_the_chain_says_who(owner: OutboxOwner) -> None:
    record_id = put(owner)
    reject(owner, record_id)
    assert retry(owner, record_id) is EventState.READY
    assert owner.call(lambda store: store.chain_after(0, 100))[-1].detail == "retry by uid 7"
    deliver(owner, record_id)


def test_a_wait_can_be_cut_short(owner: OutboxOwner) -> None:
    record_id = put(owner)
    settle(owner, (claim(owner)[0].event, Again("timeout")), wait_s=lambda tries: 250.0)
    assert claim(owner) == []
    retry(owner, record_id)
    assert len(claim(owner)) == 1


def test_what_was_set_aside_goes_again_once_it_opens(owner: OutboxOwner) -> None:
    record_id = put(owner)
    whole = owner.vault
    object.__setattr__(owner, "vault", replace(whole, hotel="3101000000"))
    assert claim(owner) == []
    with pytest.raises(ContractError, match="still cannot be opened"):
        retry(owner, record_id)
    object.__setattr__(owner, "vault", whole)
    assert retry(owner, record_id) is EventState.READY
    assert verify(owner).faults == ()


@pytest.mark.parametrize("case", ["unknown", "delivered", "in flight", "hole"])
def test_what_cannot_be_tried_again_is_told(owner: OutboxOwner, case: str) -> None:
    record_id = new_id() if case == "unknown" else put(owner, revision=2 if case == "hole" else 1)
    if case == "delivered":
        deliver(owner, record_id)
    elif case == "in flight":
        claim(owner)
    with pytest.raises(ContractError):
        retry(owner, record_id)


# ---- flat, however long the table ------------------------------------------------------------------------------------


def test_every_question_of_the_sync_thread_is_answered_by_an_index(owner: OutboxOwner) -> None:
    asked: list[str] = []

    def record(store: Store) -> None:
        store._conn.set_trace_callback(asked.append)
        store.ready(1.0, 300.0, 50)
        store.next_ready_at()
        store.in_state(EventState.INFLIGHT)
        store.in_state(EventState.DELIVERED, 10, settled_before=1.0)
        store.find(UUID(int=1), 1)
        store.may_go(UUID(int=1), 3)
        store.waiting_since()
        store.waiting(10)
        store.counts()
        store._conn.set_trace_callback(None)

    owner.call(record)
    plans = {
        sql: [row[3] for row in owner.call(lambda s, sql=sql: s._conn.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall())]
        for sql in asked
    }
    assert len(plans) == 12
    for sql, plan in plans.items():
        if "FROM tally" not in sql:
            assert any("USING" in step and "INDEX event_" in step for step in plan), (sql, plan)
            assert not any(step == "SCAN event" or "TEMP B-TREE" in step for step in plan), (sql, plan)


def test_a_warning_of_the_authority_stays_with_the_delivered_record(owner: OutboxOwner) -> None:
    plain, warned = put(owner), put(owner)
    settle_claimed(owner, {(plain, 1): receipt(), (warned, 1): replace(receipt("R-2"), flag="E304")})
    assert (event(owner, plain).why, event(owner, warned).why) == (None, "E304")
    assert {event(owner, one).state for one in (plain, warned)} == {D}
