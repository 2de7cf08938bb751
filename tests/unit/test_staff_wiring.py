"""Between the staff sheet and the check-in: a decision answers the question the clerk saw, and no other guest's."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from kiosk.app import Kiosk
from kiosk.checkin.events import Event, StaffApproved
from kiosk.checkin.flow import Ticket
from kiosk.checkin.shown import Shown
from kiosk.checkin.states import StaffNeeded, Welcome
from kiosk.config import Config
from kiosk.model import Reason
from kiosk.staff.operators import Operator
from kiosk.staff.sheet import SheetState, StaffSheet

pytestmark = pytest.mark.timeout(30)

ANNA, BEN = Ticket(1, 4), Ticket(2, 6)
PIN, SEEN = "4711", "document_and_person_seen"


class Desk:
    """The kiosk's own wiring, with a door that knows one PIN and nobody behind the inbox."""

    def __init__(self) -> None:
        self.sent: list[tuple[Event, Ticket]] = []
        self.sheets: list[SheetState] = []
        self.audited: list[str] = []
        self.kiosk = Kiosk(Config(), lambda shown: None, self.sheets.append)
        self.kiosk.runner = self  # type: ignore[assignment]
        self.kiosk.sheet = StaffSheet(self, self, self.kiosk._staff_says, self.sheets.append, 60)  # type: ignore[arg-type]

    def send(self, event: Event, ticket: Ticket) -> None:
        self.sent.append((event, ticket))

    def write(self, kind: str, **fields: object) -> None:
        self.audited.append(kind)

    def check(self, pin: str) -> Operator:
        assert pin == PIN
        return Operator("lan", "clerk")

    def locked_for_s(self) -> int:
        return 0

    def now(self) -> datetime:
        return datetime(2026, 6, 1, tzinfo=UTC)

    def settle(self) -> None:
        """Wait until the staff thread has done what it was given."""
        done = threading.Event()
        self.kiosk.staff(lambda sheet: done.set())
        assert done.wait(5)

    def waits(self, ticket: Ticket, reason: Reason) -> None:
        self.kiosk._publish(Shown(ticket, StaffNeeded(reason)))

    def unlock(self) -> None:
        self.kiosk.open_sheet()
        self.kiosk.staff(lambda sheet: sheet.enter(PIN))
        self.settle()


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk()
    yield made
    made.kiosk._end_staff()


def test_an_approval_answers_the_question_that_the_clerk_saw(desk: Desk) -> None:
    desk.waits(ANNA, Reason.FACE_DECLINED)
    desk.unlock()
    desk.kiosk.staff(lambda sheet: sheet.approve(SEEN))
    desk.settle()
    assert [(type(event), ticket) for event, ticket in desk.sent] == [(StaffApproved, ANNA)]


def test_an_approval_for_one_guest_never_carries_the_ticket_of_the_next(desk: Desk) -> None:
    desk.waits(ANNA, Reason.FACE_DECLINED)
    desk.unlock()
    desk.kiosk._publish(Shown(Ticket(2, 0), Welcome()))
    desk.waits(BEN, Reason.NOT_MATCHED)
    desk.kiosk.staff(lambda sheet: sheet.approve(SEEN))
    desk.settle()
    assert [ticket for _, ticket in desk.sent] == [ANNA]


def test_a_sheet_whose_opening_still_waits_is_shut_when_the_referral_ends(desk: Desk) -> None:
    busy = threading.Event()
    desk.waits(ANNA, Reason.FACE_DECLINED)
    desk.kiosk.staff(lambda sheet: busy.wait(5))  # a PIN is being hashed
    desk.kiosk.open_sheet()
    desk.kiosk._ring(None, "101")
    busy.set()
    desk.settle()
    assert not desk.kiosk.sheet.is_open


def test_an_unlocked_sheet_locks_when_the_visit_ends(desk: Desk) -> None:
    desk.waits(ANNA, Reason.FACE_DECLINED)
    desk.unlock()
    assert desk.sheets[-1].stage == "unlocked"
    desk.kiosk._ring(None, "101")
    desk.settle()
    assert desk.sheets[-1] == SheetState()
    desk.kiosk.open_sheet()
    desk.settle()
    assert desk.sheets[-1] == SheetState("pin")
