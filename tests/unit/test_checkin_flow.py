"""The flow as stories. What must hold for every sequence of events is in ``test_checkin_promises``."""

from __future__ import annotations

import pytest

from kiosk.checkin import samples
from kiosk.checkin.effects import IssueKey, PutInOutbox
from kiosk.checkin.events import *
from kiosk.checkin.flow import Effect, Ticket, Visit, step
from kiosk.checkin.samples import CODE, FACE, GUEST, IDENTITIES, RECORD, STAY, STAYS, TODAY, consent
from kiosk.checkin.states import *
from kiosk.model import Reason, StaffDecision

DECISION = StaffDecision("clerk", "document_and_person_seen", samples.NOW)
TO_RESERVATION = (CodeRead(CODE), Consented(consent("identity")), Resolved(GUEST, TODAY, True), ReservationFound(STAY))
TO_CONSENT = (*TO_RESERVATION, ReservationConfirmed())
TO_CAPTURE = (*TO_CONSENT, Consented(consent("face")), PortraitFetched(b"portrait"))
TO_SAVING = (*TO_CAPTURE, FaceVerified(FACE))


def play(*events: Event, state: State | None = None) -> State:
    state = state or Welcome()
    for event in events:
        state, _ = step(state, event)
    return state


def effects_of(*events: Event) -> list[Effect]:
    state: State = Welcome()
    found: list[Effect] = []
    for event in events:
        state, effects = step(state, event)
        found += effects
    return found


def test_a_guest_with_a_code_and_a_face_gets_a_key() -> None:
    assert play(*TO_SAVING, Saved(RECORD), KeyIssued()) == Done(RECORD, STAY.room_no)


def test_presenting_a_code_on_the_welcome_screen_starts_the_visit() -> None:
    assert isinstance(play(CodeRead(CODE)), AskingIdentityConsent)


def test_a_guest_who_declines_the_face_gets_a_key_after_staff_looked() -> None:
    state = play(*TO_CONSENT, Declined())
    assert isinstance(state, StaffNeeded)
    assert state.reason is Reason.FACE_DECLINED
    saving = play(StaffApproved(DECISION), state=state)
    assert isinstance(saving, Saving)
    assert saving.case.verification == DECISION
    assert saving.case.no_face_because is Reason.FACE_DECLINED
    assert isinstance(play(Saved(RECORD), KeyIssued(), state=saving), Done)


def test_declining_can_be_taken_back() -> None:
    assert isinstance(play(*TO_CONSENT, Declined(), Back()), AskingFaceConsent)


def test_third_refused_face_calls_staff_and_keeps_what_was_done() -> None:
    end = play(*TO_CAPTURE, *[FaceRefused(Reason.NOT_MATCHED)] * 3)
    assert isinstance(end, StaffNeeded)
    assert end.reason is Reason.NOT_MATCHED
    assert end.case is not None
    assert end.case.reservation == STAY
    assert end.case.portrait is None


def test_withdrawing_and_agreeing_again_buys_no_new_attempts() -> None:
    state = play(*TO_CAPTURE, FaceRefused(Reason.NO_FACE), Back(), Consented(consent("face")), PortraitFetched(b"p"))
    assert isinstance(state, Capturing)
    assert state.attempts == 1


@pytest.mark.parametrize("kind", ["minor", "overseas"])
def test_a_person_for_staff_never_reaches_face_or_key(kind: str) -> None:
    state = play(CodeRead(CODE), Consented(consent("identity")), Resolved(IDENTITIES[kind], TODAY, True))
    assert isinstance(state, StaffNeeded)
    assert state.reason.value == f"identity.{kind}"
    assert play(StaffApproved(DECISION), state=state) == state


@pytest.mark.parametrize(("kind", "reason"), [("party", Reason.PARTY), ("balance", Reason.BALANCE_DUE)])
def test_a_stay_for_staff_goes_on_where_it_stopped_once_settled(kind: str, reason: Reason) -> None:
    state = play(*TO_RESERVATION[:3], ReservationFound(STAYS[kind]))
    assert isinstance(state, StaffNeeded)
    assert state.reason is reason
    assert isinstance(play(StaffApproved(DECISION), state=state), ShowingReservation)


def test_missing_ethnicity_is_asked_once_and_marked_declared() -> None:
    resolved = Resolved(IDENTITIES["no ethnicity"], TODAY, True)
    state = play(*TO_RESERVATION[:2], resolved, ReservationFound(STAY), ReservationConfirmed())
    assert state == AskingFields(state.case, ("ethnicity",))  # type: ignore[union-attr]
    after = play(FieldsChosen((("ethnicity", "11"),)), state=state)
    assert isinstance(after, AskingFaceConsent)
    assert after.case.declared == (("ethnicity", "11"),)


def test_no_portrait_means_no_face_screen() -> None:
    resolved = Resolved(IDENTITIES["no portrait"], TODAY, True)
    state = play(*TO_RESERVATION[:2], resolved, ReservationFound(STAY), ReservationConfirmed())
    assert isinstance(state, StaffNeeded)
    assert state.reason is Reason.NO_PORTRAIT


def test_three_wrong_references_call_staff() -> None:
    missing = ReservationMissing(Reason.NO_RESERVATION)
    state = play(*TO_RESERVATION[:3], missing)
    for _ in range(3):
        assert isinstance(state, AskingReference)
        state = play(ReferenceTyped("0000"), missing, state=state)
    assert isinstance(state, StaffNeeded)
    assert state.reason is Reason.NO_RESERVATION


def test_the_fifth_useless_code_calls_staff() -> None:
    state = play(*[CodeRefused(Reason.CODE_UNKNOWN)] * 5)
    assert isinstance(state, StaffNeeded)


def test_an_expired_code_asks_for_another_and_a_forged_one_for_a_person() -> None:
    asked = (CodeRead(CODE), Consented(consent("identity")))
    assert play(*asked, ResolveRefused(Reason.CODE_EXPIRED)) == Scanning(refused=Reason.CODE_EXPIRED, refusals=1)
    assert isinstance(play(*asked, ResolveRefused(Reason.CODE_FORGED)), StaffNeeded)


def test_a_consent_for_one_purpose_is_no_consent_for_another() -> None:
    asking = play(CodeRead(CODE))
    assert play(Consented(consent("face")), state=asking) == asking


def test_a_failed_key_is_tried_again_without_a_second_record() -> None:
    failed = (*TO_SAVING, Saved(RECORD), KeyFailed())
    effects = effects_of(*failed, StaffRetried(), KeyIssued())
    assert sum(isinstance(effect, PutInOutbox) for effect in effects) == 1
    assert sum(isinstance(effect, IssueKey) for effect in effects) == 2
    assert play(*failed, StaffApproved(DECISION)) == Done(RECORD, STAY.room_no, by_hand=True)


def test_a_guest_with_a_key_can_still_call_somebody_and_come_back_to_the_room_number() -> None:
    done = play(*TO_SAVING, Saved(RECORD), KeyIssued())
    called = play(HelpAsked(), state=done)
    assert isinstance(called, StaffNeeded)
    assert called.reason is Reason.HELP
    assert play(Back(), state=called) == done


def test_walking_away_while_saving_still_ends_in_a_key() -> None:
    assert isinstance(play(*TO_SAVING, Expired(), Back(), Saved(RECORD), Expired(), KeyIssued()), Done)


def test_an_answer_to_an_abandoned_question_changes_nothing() -> None:
    visit, _ = Visit().advance(CodeRead(CODE), Ticket(0, 0))
    visit, _ = visit.advance(Consented(consent("identity")), visit.ticket)
    asked = visit.ticket
    for event in (Back(), CodeRead(CODE), Consented(consent("identity"))):
        visit, _ = visit.advance(event, visit.ticket)
    assert isinstance(visit.state, Resolving)
    assert visit.advance(Resolved(GUEST, TODAY, True), asked) == (visit, ())


def test_going_back_to_the_code_forgets_whose_it_was() -> None:
    """What the identity consent promises: from the last question, back and back again, nothing of the guest is left."""
    resolved = Resolved(IDENTITIES["no ethnicity"], TODAY, True)
    state = play(*TO_RESERVATION[:2], resolved, ReservationFound(STAY), ReservationConfirmed())
    state = play(FieldsChosen((("ethnicity", "11"),)), state=state)
    assert isinstance(state, AskingFaceConsent)
    for expected in (AskingFields, ShowingReservation, Scanning):
        state = play(Back(), state=state)
        assert isinstance(state, expected)
    assert state == Scanning()
