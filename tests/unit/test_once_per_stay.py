"""A guest who shows the code again gets no second registration for the same stay."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from kiosk.checkin.once import OncePerStay
from kiosk.checkin.samples import GUEST, STAY
from kiosk.config import KioskSection
from kiosk.model import Reason, Refusal, Registration, Reservation
from kiosk.registration import later
from kiosk.registration.later import Act, Earlier
from offline_queue.store import Store
from tests.outbox_kit import SHANGHAI, opened, registration


class Hotel:
    """A hotel's system that has not heard of any check-in yet."""

    def __init__(self, answer: Reservation | Refusal) -> None:
        self._answer = answer

    def find(self, identity: object, reference: str | None) -> Reservation | Refusal:
        return self._answer


def found(answer: Reservation | Refusal, *registered: str) -> Reservation | Refusal:
    return OncePerStay(Hotel(answer), lambda stay: stay in registered).find(GUEST, None)


def test_a_stay_that_is_registered_goes_to_the_desk() -> None:
    assert found(STAY, STAY.stay_id) == Refusal(Reason.ALREADY_IN_HOUSE)
    assert found(STAY, "S-other") == STAY


def test_a_friend_of_the_same_booking_is_still_registered() -> None:
    party = replace(STAY, party_size=2)
    assert found(party, STAY.stay_id) == party


def test_what_the_hotel_refuses_stays_refused() -> None:
    assert found(Refusal(Reason.NO_RESERVATION), STAY.stay_id) == Refusal(Reason.NO_RESERVATION)


def test_the_outbox_knows_which_stays_were_checked_in(tmp_path: Path) -> None:
    with opened(tmp_path) as owner:
        record = registration()
        assert not owner.call(lambda store: store.is_checked_in(record.stay_id))
        owner.outbox.put(record)
        assert owner.call(lambda store: store.is_checked_in(record.stay_id))
        assert not owner.call(lambda store: store.is_checked_in("another stay"))


def test_a_check_in_that_was_voided_does_not_keep_the_guest_out(tmp_path: Path) -> None:
    with opened(tmp_path) as owner:
        record = registration()
        owner.outbox.put(record)
        act = Act(KioskSection(), datetime.now(SHANGHAI), "clerk7", bytes(16))
        void = later.void(Earlier.standing([record.text]), "mistake", act)
        assert isinstance(void, Registration)
        owner.outbox.put(void)
        assert not owner.call(lambda store: store.is_checked_in(record.stay_id))


def test_the_answer_comes_at_once_however_many_guests_there_were(tmp_path: Path) -> None:
    with opened(tmp_path) as owner:
        owner.outbox.put(registration())

        def grow(store: Store) -> float:
            with store.transaction():
                for _ in range(15):  # 32,768 events
                    store._conn.execute(
                        "INSERT INTO event (record, revision, op, stay, state, next_at, due_at, wall, boot, mono, "
                        "content_hash) SELECT randomblob(16), 1, op, stay || 'x', state, next_at, due_at, wall, boot, "
                        "mono, content_hash FROM event"
                    )
            began = time.perf_counter()
            assert not store.is_checked_in("nobody's")
            return time.perf_counter() - began

        assert owner.call(grow) < 0.1
