"""A guest's stay from check-in to check-out, and a visitor's, through the real outbox, sync and the sandbox's police.

In order, byte for byte, also when the earlier texts are erased; and nobody waits for somebody else's rejection.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from kiosk.audit import AuditLog
from kiosk.config import KioskSection, OutboxSection
from kiosk.model import Registration, RegistrationId
from kiosk.registration import later
from kiosk.registration.later import Act, Earlier, Visitor
from kiosk.sandbox.process import SandboxProcess
from offline_queue import retention
from offline_queue.answering.answers import Answers
from offline_queue.answering.inquiry import Inquiry
from offline_queue.database.verify import verify
from offline_queue.states import EventState
from tests.contract.sync_kit import Delivery, delivery
from tests.outbox_kit import SHANGHAI, event, invented_number, new_id, opened, registration, state

pytestmark = pytest.mark.timeout(120)
VISITOR = Visitor("访其人", "11", invented_number(900), "1208", "c-9")
_numbers = iter(range(1, 800))


@dataclass(frozen=True, slots=True)
class Guest:
    """One guest's record in the outbox, and how it goes on."""

    line: Delivery
    record_id: RegistrationId

    def standing(self) -> Earlier:
        """As staff see it: from the texts that are there, or from the row when they were erased."""
        outbox = self.line.owner.outbox
        last = self.last()
        texts = [outbox.open_text(self.record_id, revision) for revision in range(1, last + 1)]
        whole = [text for text in texts if text is not None]
        if texts[0] is None:
            return Earlier(self.record_id, last, event(self.line.owner, self.record_id, last).stay)
        return Earlier.standing(whole)

    def last(self) -> int:
        record = UUID(self.record_id)
        revisions = self.line.owner.call(lambda store: store.revisions(record))
        return max(one.revision for one in revisions)

    def put(self, built: later.Built, *, supersedes: int | None = None) -> int:
        assert isinstance(built, Registration), built
        self.line.owner.outbox.put(built, supersedes=supersedes)
        return built.revision

    def until(self, wanted: EventState, revision: int) -> None:
        self.line.until(
            f"{wanted} of revision {revision}",
            lambda: state(self.line.owner, self.record_id, revision) is wanted,
        )

    def police_ops(self) -> list[str]:
        return [record.op for record in self.line.sandbox.ledger().accepted(self.record_id)]


def act(**more: timedelta) -> Act:
    at = datetime.now(SHANGHAI) + more.get("later", timedelta())
    return Act(KioskSection(), at, "clerk7", secrets.token_bytes(16))


def check_in(line: Delivery, stay: str | None = None, **guest: object) -> Guest:
    number = invented_number(next(_numbers))
    record = registration(stay=stay, number=number, occurred_at=datetime.now(SHANGHAI) - timedelta(minutes=1), **guest)
    line.owner.outbox.put(record)
    return Guest(line, RegistrationId(record.record_id))


@pytest.fixture
def quiet(sandbox: SandboxProcess, tmp_path: Path) -> Iterator[Delivery]:
    """An outbox that is not delivered until the test starts it."""
    with delivery(sandbox, tmp_path, start=False) as made:
        yield made


def whole_stay(guest: Guest) -> list[str]:
    """Put everything that can happen in a stay, one after the other, without waiting for anything."""
    outbox = guest.standing
    guest.put(later.room_change(outbox(), "1209", act()))
    guest.put(later.extension(outbox(), datetime.now(SHANGHAI) + timedelta(days=3), act()))
    guest.put(later.correction(outbox(), {"name": "林随安安"}, act()))
    guest.put(later.check_out(outbox(), act()))
    return ["CI", "RC", "EX", "UP", "CC"]


def test_a_stay_from_check_in_to_check_out_arrives_in_order(quiet: Delivery) -> None:
    guest = check_in(quiet)
    ops = whole_stay(guest)
    quiet.sync.start()
    guest.until(EventState.DELIVERED, len(ops))
    ledger = quiet.sandbox.ledger()
    assert guest.police_ops() == ops
    assert ledger.order_faults() == ()
    mine = [event(quiet.owner, guest.record_id, revision) for revision in range(1, len(ops) + 1)]
    sent = [(one.revision, one.content_hash.hex(), one.receipt) for one in mine]
    assert [(r.revision, r.content_hash, r.receipt_no) for r in ledger.accepted(guest.record_id)] == sent
    assert [record.photos for record in ledger.accepted(guest.record_id)] == [2, 0, 0, 0, 0]
    assert verify(quiet.owner).faults == ()


def test_a_stay_goes_on_after_its_earlier_texts_were_erased(line: Delivery) -> None:
    guest = check_in(line)
    guest.until(EventState.DELIVERED, 1)
    erase(line, guest.record_id)
    assert guest.standing().guest == {}
    for built in (
        later.room_change(guest.standing(), "1209", act()),
        later.extension(Earlier(guest.record_id, 2, guest.standing().stay_id), act().at + timedelta(days=2), act()),
        later.check_out(Earlier(guest.record_id, 3, guest.standing().stay_id), act()),
    ):
        revision = guest.put(built)
    guest.until(EventState.DELIVERED, revision)
    assert guest.police_ops() == ["CI", "RC", "EX", "CC"]
    assert line.sandbox.ledger().order_faults() == ()


def erase(line: Delivery, record_id: str) -> None:
    """Erase what is delivered as retention does a month later: the row stays, with its receipt."""
    line.owner.call(lambda store: retention.purge(store, line.owner.clock.wall() + 60, 0))
    assert state(line.owner, record_id) is EventState.PURGED


def test_a_no_show_is_voided_with_its_reason_and_nothing_is_deleted(line: Delivery) -> None:
    guest = check_in(line)
    guest.until(EventState.DELIVERED, 1)
    guest.until(EventState.DELIVERED, guest.put(later.void(guest.standing(), "no_show", act())))
    assert guest.police_ops() == ["CI", "VD"]
    assert all(record.departed for record in line.sandbox.ledger().accepted(guest.record_id))
    moved = guest.put(later.room_change(guest.standing(), "1209", act()))
    guest.until(EventState.REJECTED, moved)
    assert "E400 op" in (event(line.owner, guest.record_id, moved).why or "")


def test_a_room_mates_rejection_holds_back_nobody(quiet: Delivery) -> None:
    stay = f"S-{new_id()}"
    refused = check_in(quiet, stay, partySize=2, roomNo="9999")
    other = check_in(quiet, stay, partySize=2, occupantIndex=2)
    refused.put(later.extension(refused.standing(), act().at + timedelta(days=2), act()))
    ops = whole_stay(other)
    quiet.sync.start()
    other.until(EventState.DELIVERED, len(ops))
    refused.until(EventState.REJECTED, 1)
    assert state(quiet.owner, refused.record_id, 2) is EventState.BLOCKED
    assert (refused.police_ops(), other.police_ops()) == ([], ops)


def test_a_rejected_check_in_is_mended_by_a_person_and_the_stay_goes_on(line: Delivery) -> None:
    guest = check_in(line, roomNo="9999")
    guest.until(EventState.REJECTED, 1)
    mended = guest.put(later.correction(guest.standing(), {"roomNo": "1208"}, act()), supersedes=1)
    guest.until(EventState.DELIVERED, mended)
    assert state(line.owner, guest.record_id) is EventState.SUPERSEDED
    guest.until(EventState.DELIVERED, guest.put(later.check_out(guest.standing(), act())))
    assert guest.police_ops() == ["UP", "CC"]


def test_a_clerk_carries_a_stay_to_its_end_by_command(line: Delivery, tmp_path: Path) -> None:
    guest = check_in(line, roomNo="9999")
    guest.until(EventState.REJECTED, 1)
    with closing(AuditLog(tmp_path / "audit.jsonl")) as audit:
        answers = Answers(line.owner, line.sync, audit, KioskSection(state_dir=tmp_path))

        def amend(op: str, value: str = "") -> None:
            inquiry = Inquiry("amend", guest.record_id, op=op, value=value, operator="li.na")
            (row,) = answers.rows(inquiry, "uid 0")
            guest.until(EventState.DELIVERED, int(str(row["revision"])))

        amend("UP", '{"roomNo": "1208"}')
        amend("RC", "1209")
        amend("EX", (datetime.now(SHANGHAI) + timedelta(days=2)).isoformat())
        amend("CC")
    assert guest.police_ops() == ["UP", "RC", "EX", "CC"]


def test_a_rejected_check_in_can_be_voided(line: Delivery) -> None:
    guest = check_in(line, roomNo="9999")
    guest.until(EventState.REJECTED, 1)
    guest.until(EventState.DELIVERED, guest.put(later.void(guest.standing(), "mistake", act()), supersedes=1))
    assert guest.police_ops() == ["VD"]


def test_a_visitor_comes_and_goes(line: Delivery) -> None:
    host = check_in(line)
    visitor = Guest(line, RegistrationId(new_id()))
    came = later.visitor_in(host.standing(), VISITOR, visitor.record_id, act())
    visitor.put(came)
    gone = visitor.put(later.visitor_out(visitor.standing(), act(later=timedelta(seconds=1))))
    visitor.until(EventState.DELIVERED, gone)
    assert visitor.police_ops() == ["VI", "VI"]
    assert {r.status for r in line.sandbox.ledger().accepted(visitor.record_id)} <= {"ACCEPTED", "ACCEPTED_WARN"}


def test_a_visitor_of_a_guest_who_is_not_registered_yet_is_delivered_with_a_warning(line: Delivery) -> None:
    visitor = Guest(line, RegistrationId(new_id()))
    stranger = Earlier(new_id(), 1, "S-nobody")
    visitor.until(EventState.DELIVERED, visitor.put(later.visitor_in(stranger, VISITOR, visitor.record_id, act())))
    (record,) = line.sandbox.ledger().accepted(visitor.record_id)
    assert (record.status, record.code) == ("ACCEPTED_WARN", "E21")


def test_revisions_that_were_put_in_the_wrong_order_wait_for_the_missing_one(line: Delivery) -> None:
    first = registration(number=invented_number(next(_numbers)), occurred_at=datetime.now(SHANGHAI))
    guest = Guest(line, RegistrationId(first.record_id))
    known = Earlier(first.record_id, 1, first.stay_id)
    guest.put(later.check_out(Earlier(first.record_id, 2, first.stay_id), act()))
    guest.put(later.extension(known, act().at + timedelta(days=2), act()))
    time.sleep(0.3)  # long enough for a batch, were one sent
    assert line.sandbox.ledger().tries(first.record_id) == ()
    line.owner.outbox.put(first)
    guest.until(EventState.DELIVERED, 3)
    assert guest.police_ops() == ["CI", "EX", "CC"]


def test_a_stay_whose_guest_is_sealed_to_the_authority_goes_on_and_ends(
    sandbox: SandboxProcess, tmp_path: Path
) -> None:
    settings = OutboxSection(recipient_key_file=sandbox.info.recipients_dir / "mlkem768-x25519.json")
    with opened(tmp_path, settings=settings) as owner:
        line = Delivery(owner, sandbox)
        guest = check_in(line)
        assert guest.standing().guest == {}, "staff see a sealed stub"
        guest.put(later.room_change(guest.standing(), "1209", act()))
        corrected = later.correction(guest.standing(), {"name": "林随安安"}, act())
        assert isinstance(corrected, later.Unfit), "the document is read again"
        last = guest.put(later.check_out(guest.standing(), act()))
        line.sync.start()
        try:
            guest.until(EventState.DELIVERED, last)
        finally:
            line.sync.stop()
        assert guest.police_ops() == ["CI", "RC", "CC"]


def test_the_life_cycle_survives_a_bad_week(quiet: Delivery) -> None:
    guests = [check_in(quiet) for _ in range(20)]
    (ops, *_) = [whole_stay(guest) for guest in guests]
    quiet.sandbox.mix(seed=20, scale=2.0)
    quiet.sync.start()
    quiet.until("everything", lambda: quiet.owner.status().unsent == 0, 90)
    ledger = quiet.sandbox.ledger()
    assert sum(len(ledger.tries(guest.record_id)) for guest in guests) > len(guests) * len(ops)  # some came again
    assert [guest.police_ops() for guest in guests] == [ops] * len(guests)
    assert ledger.order_faults() == ()
    assert verify(quiet.owner).faults == ()


def test_a_correction_stands_for_a_record_that_was_refused_before_the_authority_looked_at_it(line: Delivery) -> None:
    guest = check_in(line, address="随" * 6000)
    guest.until(EventState.REJECTED, 1)
    assert event(line.owner, guest.record_id).why == "http 413 E13"
    stay = guest.standing().stay_id
    for revision, address in ((2, "住" * 6000), (3, "虚构市随住路1号")):  # the first correction is no better
        line.owner.outbox.put(
            registration(guest.record_id, revision, stay=stay, address=address), supersedes=revision - 1
        )
        guest.until(EventState.DELIVERED if revision == 3 else EventState.REJECTED, revision)
    assert guest.police_ops() == ["UP"]


def test_what_waited_for_a_rejected_check_in_arrives_in_its_correction(line: Delivery, tmp_path: Path) -> None:
    guest = check_in(line, roomNo="9999")
    guest.until(EventState.REJECTED, 1)
    guest.put(later.extension(guest.standing(), act().at + timedelta(days=2), act()))
    guest.put(later.check_out(guest.standing(), act()))
    amend(line, tmp_path, guest.record_id, "UP", '{"roomNo": "1208"}')
    guest.until(EventState.DELIVERED, 5)
    assert guest.police_ops() == ["UP", "CC"]
    assert [one.revision for one in line.sandbox.ledger().accepted(guest.record_id)] == [4, 5]
    assert line.owner.status().unsent == 0


def amend(line: Delivery, folder: Path, record: str, op: str, value: str = "") -> None:
    """Say it as a clerk does."""
    with closing(AuditLog(folder / "audit.jsonl")) as audit:
        answers = Answers(line.owner, line.sync, audit, KioskSection(state_dir=folder))
        list(answers.rows(Inquiry("amend", record, op=op, value=value, operator="li.na"), "uid 0"))


def test_a_correction_stands_for_a_check_in_that_damage_took(line: Delivery, tmp_path: Path) -> None:
    lost = registration(number=invented_number(next(_numbers)))
    line.owner.outbox.put(registration(lost.record_id, 2, stay=lost.stay_id))
    amend(line, tmp_path, lost.record_id, "UP", '{"roomNo": "1209"}')
    guest = Guest(line, lost.record_id)
    guest.until(EventState.DELIVERED, 3)
    assert [one.revision for one in line.sandbox.ledger().accepted(lost.record_id)] == [3]


def test_a_rejected_visitor_who_left_is_void(line: Delivery, tmp_path: Path) -> None:
    host, visitor = check_in(line), Guest(line, RegistrationId(new_id()))
    visitor.put(later.visitor_in(host.standing(), replace(VISITOR, room_no="9999"), visitor.record_id, act()))
    visitor.until(EventState.REJECTED, 1)
    visitor.put(later.visitor_out(visitor.standing(), act()))
    amend(line, tmp_path, visitor.record_id, "VD", "mistake")
    visitor.until(EventState.DELIVERED, 3)
    assert visitor.police_ops() == ["VD"]
    assert state(line.owner, visitor.record_id, 2) is EventState.SUPERSEDED
