"""The staff sheet: it asks for a PIN, offers what settles the reason, tells the audit, and locks by itself."""

from __future__ import annotations

import errno
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import argon2
import pytest

from kiosk.audit import AuditLog, verify
from kiosk.checkin import samples
from kiosk.checkin.events import Event, StaffApproved, StaffEnded, StaffRetried
from kiosk.checkin.flow import step
from kiosk.checkin.policy import SETTLINGS, Settling, settling
from kiosk.checkin.states import StaffNeeded
from kiosk.config import StaffSection
from kiosk.model import Case, Reason, RegistrationId, StaffDecision
from kiosk.staff import pin_command
from kiosk.staff.access import StaffAccess
from kiosk.staff.duty import Duty
from kiosk.staff.operators import Cost
from kiosk.staff.resolutions import CODES, offered
from kiosk.staff.sheet import SheetState, StaffSheet
from kiosk.state import Clocks, StateStore
from ui.screen.i18n import WORDS

CHEAP = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
LAN, FIT = "482915", "730264"
SEEN = "document_and_person_seen"


class Desk:
    """A sheet on a real audit, state file and operators file; the test is clerk and clock."""

    def __init__(self, folder: Path) -> None:
        self.at = 1_780_000_000.0
        self.said: list[Event] = []
        self.shown: list[SheetState] = []
        self.path = folder / "audit.jsonl"
        self.audit = AuditLog(self.path)
        self.state = StateStore(folder / "state.db", Clocks(lambda: self.at, lambda: self.at - 1e9, lambda: "boot"))
        file = folder / "operators.toml"
        roles = (("lan", "clerk", LAN), ("fit", "installer", FIT))
        file.write_text("".join(pin_command.entry(name, role, pin, CHEAP) for name, role, pin in roles))
        file.chmod(0o600)
        config = StaffSection(operators_file=file, pin_tries=3, lockout_s=300)
        access = StaffAccess(config, self.state, self.now, floor=Cost(8, 1))
        self.sheet = StaffSheet(access, self.audit, self.said.append, self.shown.append, 60, clock=lambda: self.at)

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.at, UTC)

    def passes(self, seconds: float, *, ticking: bool = True) -> None:
        self.at += seconds
        if ticking:
            self.sheet.tick()

    def unlocked(self, reason: Reason | None = Reason.FACE_DECLINED, pin: str = LAN) -> StaffSheet:
        self.sheet.open(reason)
        self.sheet.enter(pin)
        return self.sheet

    def told(self) -> list[tuple[str, dict[str, object]]]:
        entries = [json.loads(line) for line in self.path.read_bytes().splitlines()]
        return [(entry["kind"], entry["fields"]) for entry in entries]

    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.told()]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.state.close()
    made.audit.close()


def test_a_sheet_shows_nothing_of_the_guest_before_the_pin(desk: Desk) -> None:
    assert not desk.sheet.is_open
    desk.sheet.open(Reason.FACE_DECLINED)
    assert desk.sheet.is_open
    assert desk.shown == [SheetState(stage="pin")]


def test_the_right_pin_shows_the_reason_and_what_settles_it(desk: Desk) -> None:
    desk.unlocked()
    assert desk.shown[-1] == SheetState("unlocked", "", 0, "lan", 60, Reason.FACE_DECLINED, (SEEN,))
    assert desk.told() == [
        ("staff.unlocked", {"operator": "lan", "reason": "face.declined", "role": "clerk"}),
    ]


def test_an_approval_is_in_the_audit_with_who_and_why_and_then_goes_to_the_visit(desk: Desk) -> None:
    desk.unlocked().approve(SEEN)
    assert desk.said == [StaffApproved(StaffDecision("lan", SEEN, desk.now()))]
    assert desk.told()[1:] == [
        ("staff.approved", {"operator": "lan", "reason": "face.declined", "code": SEEN}),
        ("staff.closed", {"operator": "lan", "reason": "face.declined", "why": "decided"}),
    ]
    assert desk.shown[-1] == SheetState()
    assert verify(desk.path).broken_at is None


@pytest.mark.parametrize("code", ["key_handed_over", "booking_corrected", "", "anything"])
def test_a_code_that_does_not_settle_this_reason_is_refused(desk: Desk, code: str) -> None:
    desk.unlocked().approve(code)
    assert desk.said == []
    assert desk.kinds() == ["staff.unlocked"]
    assert desk.shown[-1].stage == "unlocked"


def test_retrying_and_ending_are_told_and_close_the_sheet(desk: Desk) -> None:
    desk.unlocked(Reason.KEY_FAILED).retry()
    desk.unlocked(Reason.MINOR).end()
    assert desk.said == [StaffRetried(), StaffEnded()]
    assert desk.kinds() == [
        "staff.unlocked", "staff.retried", "staff.closed", "staff.unlocked", "staff.ended", "staff.closed",
    ]  # fmt: skip
    assert not desk.sheet.is_open


def test_nothing_can_be_decided_without_a_pin(desk: Desk) -> None:
    desk.sheet.open(Reason.FACE_DECLINED)
    for act in (lambda: desk.sheet.approve(SEEN), desk.sheet.retry, desk.sheet.end):
        act()
    desk.sheet.enter("000000")
    desk.sheet.approve(SEEN)
    desk.sheet.close()
    desk.sheet.approve(SEEN)
    desk.sheet.enter(LAN)
    desk.sheet.approve(SEEN)
    assert desk.said == []
    assert not desk.sheet.is_open
    assert desk.kinds() == ["staff.pin_wrong"]


def test_without_a_referral_there_is_nothing_to_decide(desk: Desk) -> None:
    sheet = desk.unlocked(None)
    assert desk.shown[-1] == SheetState("unlocked", "", 0, "lan", 60, None, ())
    sheet.approve(SEEN)
    sheet.retry()
    sheet.end()
    assert desk.said == []


def test_an_installer_may_end_a_visit_and_approves_nobody(desk: Desk) -> None:
    sheet = desk.unlocked(pin=FIT)
    assert desk.shown[-1].resolutions == ()
    sheet.approve(SEEN)
    assert desk.said == []
    sheet.end()
    assert desk.said == [StaffEnded()]


def test_a_wrong_pin_is_told_and_counted(desk: Desk) -> None:
    desk.sheet.open(None)
    desk.sheet.enter("000000")
    assert desk.shown[-1] == SheetState("pin", "pin.wrong")
    assert desk.told() == [("staff.pin_wrong", {"reason": None, "tries_left": 2})]
    assert "000000" not in desk.path.read_text()


def test_too_many_wrong_pins_lock_the_sheet_and_it_counts_down(desk: Desk) -> None:
    desk.sheet.open(None)
    for _ in range(3):
        desk.sheet.enter("000000")
    assert desk.shown[-1] == SheetState("pin", "pin.locked", 300)
    assert desk.told()[-2:] == [
        ("staff.pin_wrong", {"reason": None, "tries_left": 0}),
        ("staff.pin_locked", {"reason": None, "wait_s": 300}),
    ]
    desk.passes(10)
    assert desk.shown[-1] == SheetState("pin", "pin.locked", 290)
    desk.sheet.enter(LAN)
    assert desk.shown[-1].stage == "pin"
    desk.sheet.close()
    desk.sheet.open(None)
    assert desk.shown[-1] == SheetState("pin", "pin.locked", 290)
    desk.passes(280)
    desk.sheet.open(None)
    desk.passes(10)
    assert desk.shown[-1] == SheetState("pin")
    desk.sheet.enter(LAN)
    assert desk.shown[-1].stage == "unlocked"
    assert desk.kinds().count("staff.pin_locked") == 1


def test_typing_is_not_disturbed_by_the_clock(desk: Desk) -> None:
    desk.sheet.open(None)
    desk.sheet.enter("000000")
    shown = len(desk.shown)
    for _ in range(30):
        desk.passes(1)
    assert len(desk.shown) == shown


def test_an_unlocked_sheet_counts_down_and_locks(desk: Desk) -> None:
    desk.unlocked()
    desk.passes(59)
    assert desk.shown[-1].locks_in_s == 1
    desk.passes(1)
    assert desk.shown[-1] == SheetState()
    assert desk.told()[-1] == (
        "staff.closed", {"operator": "lan", "reason": "face.declined", "why": "timed_out"},
    )  # fmt: skip
    desk.sheet.approve(SEEN)
    assert desk.said == []


def test_a_touch_of_staff_gives_the_time_again(desk: Desk) -> None:
    desk.unlocked()
    desk.passes(50)
    desk.sheet.approve("anything")
    desk.passes(50)
    assert desk.shown[-1].locks_in_s == 10
    desk.passes(10)
    assert not desk.sheet.is_open


def test_a_sheet_left_at_the_pin_gives_the_screen_back(desk: Desk) -> None:
    desk.sheet.open(Reason.FACE_DECLINED)
    desk.passes(60)
    assert desk.shown[-1] == SheetState()
    assert desk.told() == []


def test_closing_locks_and_a_closed_sheet_is_left_alone(desk: Desk) -> None:
    desk.unlocked()
    desk.sheet.close()
    assert desk.told()[-1][1]["why"] == "closed"
    shown, told = len(desk.shown), len(desk.told())
    desk.sheet.close()
    desk.passes(100)
    assert (len(desk.shown), len(desk.told())) == (shown, told)
    desk.sheet.open(Reason.FACE_DECLINED)
    assert desk.shown[-1] == SheetState(stage="pin")


def test_an_approval_that_the_audit_cannot_hold_does_not_count(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    desk.unlocked()
    desk.audit.close()
    desk.sheet.approve(SEEN)
    assert desk.said == []
    assert desk.shown[-1].stage == "unlocked"
    assert "audit: staff.approved could not be written" in caplog.text
    desk.sheet.end()
    assert desk.said == [StaffEnded()]
    assert not desk.sheet.is_open


def test_a_full_disk_does_not_keep_the_sheet_shut(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(kind: str, **fields: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(desk.audit, "write", full)
    desk.unlocked(Reason.SAVE_FAILED).retry()
    assert desk.said == [StaffRetried()]


@pytest.mark.parametrize("reason", list(Reason))
def test_codes_are_offered_exactly_where_an_approval_settles_something(reason: Reason) -> None:
    codes = offered(reason)
    assert bool(codes) == (settling(reason) is not Settling.DESK_ONLY)
    assert (SEEN in codes) == (settling(reason) is Settling.VERIFY)
    assert CODES.issuperset(codes)
    assert offered(None) == ()


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason.value.startswith("face.")])
def test_a_clerk_can_finish_for_every_guest_whose_face_the_camera_did_not_take(reason: Reason) -> None:
    """Too far, too dark, two faces: each can be what ends the third attempt."""
    assert offered(reason) == (SEEN,)


@pytest.mark.parametrize("reason", list(SETTLINGS))
def test_each_offered_code_moves_the_visit_on(reason: Reason) -> None:
    stay = samples.STAYS.get({"stay.party": "party", "stay.balance_due": "balance"}.get(reason.value, "plain"))
    case = Case(
        samples.CODE, samples.consent("identity"), samples.GUEST, samples.TODAY, face_offered=True, reservation=stay
    )
    record = RegistrationId("r-1") if reason is Reason.KEY_FAILED else None
    state = StaffNeeded(reason, case, record)
    for code in offered(reason):
        following, effects = step(state, StaffApproved(StaffDecision("lan", code, samples.NOW)))
        assert following != state
        assert effects


@pytest.mark.parametrize("language", list(WORDS))
def test_the_screen_has_words_for_each_code(language: str) -> None:
    assert {f"resolution.{code}" for code in CODES} <= WORDS[language].keys()


def test_an_unlocked_sheet_says_each_second_how_the_outbox_stands(desk: Desk) -> None:
    stands = Duty(waiting=1)
    desk.sheet._duty = lambda: stands
    desk.unlocked(None)
    assert desk.shown[-1].duty == Duty(waiting=1)
    stands = Duty(waiting=2, due="alarm")
    desk.passes(1)
    assert desk.shown[-1].duty == Duty(waiting=2, due="alarm")
    desk.sheet.close()
    assert desk.shown[-1].duty is None
