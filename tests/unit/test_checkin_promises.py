"""What must hold for every sequence of events: by chance on long ways, and once more in every state there is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.checkin.effects import (
    CloseReferral,
    FetchPortrait,
    Forget,
    IssueKey,
    OpenReferral,
    PutInOutbox,
    StartCapture,
)
from kiosk.checkin.events import Back, Event, Expired, Failed, HelpAsked, Saved, StaffEnded
from kiosk.checkin.flow import LASTING, Ticket, Visit
from kiosk.checkin.samples import EVENTS, GUEST, IDENTITIES, RECORD
from kiosk.checkin.states import (
    AskingFaceConsent,
    Capturing,
    Done,
    FetchingPortrait,
    IssuingKey,
    Saving,
    StaffNeeded,
    State,
    Welcome,
)
from kiosk.model import Case, FaceVerification, Reason, StaffDecision
from tests.unit.journeys import CHANGES, SEQUENCES, WAYS, Change, changes_of


def only_a_verified_identity_with_a_face_or_a_person_reaches_the_outbox(change: Change) -> None:
    for put in (effect for effect in change.effects if isinstance(effect, PutInOutbox)):
        assert put.case.identity is not None
        assert put.case.identity_consent is not None
        assert put.case.reservation is not None
        assert put.case.confirmed
        assert isinstance(put.case.verification, FaceVerification | StaffDecision)
        if isinstance(put.case.verification, FaceVerification):
            assert put.case.face_consent is not None


def a_key_never_comes_before_the_record_is_saved(change: Change) -> None:
    if any(isinstance(effect, IssueKey) for effect in change.effects):
        saved = isinstance(change.before, Saving) and isinstance(change.event, Saved)
        again = isinstance(change.before, StaffNeeded) and change.before.record_id is not None
        assert saved or again


def every_saved_record_ends_in_a_key_or_a_referral(change: Change) -> None:
    before, after = change.before, change.after
    if isinstance(before, Saving) and isinstance(change.event, Saved):
        assert isinstance(after, IssuingKey)
    if isinstance(before, IssuingKey):
        assert isinstance(after, IssuingKey | Done) or (isinstance(after, StaffNeeded) and after.record_id == RECORD)
    if isinstance(before, StaffNeeded) and before.record_id is not None and after != before:
        assert CloseReferral in map(type, change.effects)
        assert isinstance(after, IssuingKey | Done | Welcome)


def no_face_is_asked_for_or_looked_at_without_consent(change: Change) -> None:
    if any(isinstance(effect, StartCapture | FetchPortrait) for effect in change.effects):
        assert isinstance(change.after, Capturing | FetchingPortrait)
        assert change.after.case.face_consent is not None


def a_person_for_staff_reaches_neither_face_nor_key_before_them(change: Change) -> None:
    case: Case | None = getattr(change.after, "case", None)
    if case is not None and isinstance(
        change.after, AskingFaceConsent | FetchingPortrait | Capturing | Saving | IssuingKey
    ):
        assert case.identity not in (IDENTITIES["minor"], IDENTITIES["overseas"])
        assert case.reservation is not None
        assert case.reservation.party_size == 1 or Reason.PARTY in case.cleared


def walking_away_forgets_the_guest(change: Change) -> None:
    if isinstance(change.event, Expired) and not isinstance(change.before, Saving | IssuingKey | Welcome):
        assert change.after == Welcome()
        assert Forget() in change.effects


def the_welcome_screen_remembers_nobody(change: Change) -> None:
    if isinstance(change.after, Welcome) and not isinstance(change.before, Welcome):
        at_help = isinstance(change.before, StaffNeeded) and change.before.resume == Welcome()
        assert Forget() in change.effects or at_help


def help_and_a_broken_part_lead_to_a_person_and_back_leads_somewhere(change: Change) -> None:
    under_way = isinstance(change.before, Saving | IssuingKey)
    if isinstance(change.event, HelpAsked) and not under_way:
        assert isinstance(change.after, StaffNeeded)
    if isinstance(change.event, Failed) and not under_way and not isinstance(change.before, Welcome | Done):
        assert isinstance(change.after, StaffNeeded)
    if isinstance(change.event, Back) and not under_way and not isinstance(change.before, Welcome):
        assert change.after != change.before or getattr(change.before, "resume", None) is None


def a_clerk_can_end_every_referral(change: Change) -> None:
    if isinstance(change.before, StaffNeeded) and isinstance(change.event, StaffEnded):
        assert change.after == Welcome()


def every_referral_that_opens_is_closed(change: Change) -> None:
    opened = sum(isinstance(effect, OpenReferral) - isinstance(effect, CloseReferral) for effect in change.effects)
    assert opened == isinstance(change.after, StaffNeeded) - isinstance(change.before, StaffNeeded)


def what_a_state_prints_never_names_the_guest(change: Change) -> None:
    printed = repr(change.after)
    assert GUEST.id_number not in printed
    assert GUEST.name not in printed


PROMISES: tuple[Callable[[Change], None], ...] = (
    only_a_verified_identity_with_a_face_or_a_person_reaches_the_outbox,
    a_key_never_comes_before_the_record_is_saved,
    every_saved_record_ends_in_a_key_or_a_referral,
    no_face_is_asked_for_or_looked_at_without_consent,
    a_person_for_staff_reaches_neither_face_nor_key_before_them,
    walking_away_forgets_the_guest,
    the_welcome_screen_remembers_nobody,
    help_and_a_broken_part_lead_to_a_person_and_back_leads_somewhere,
    a_clerk_can_end_every_referral,
    every_referral_that_opens_is_closed,
    what_a_state_prints_never_names_the_guest,
)


def test_the_sample_events_reach_every_state() -> None:
    assert {type(state) for state in WAYS} == set(get_args(State))


@pytest.mark.parametrize("promise", PROMISES)
def test_it_holds_in_every_state_for_every_event(promise: Callable[[Change], None]) -> None:
    for change in CHANGES:
        promise(change)


@given(SEQUENCES)
def test_it_holds_on_every_way(events: list[Event]) -> None:
    for change in changes_of(events):
        for promise in PROMISES:
            promise(change)


@given(SEQUENCES, st.sampled_from(EVENTS), st.integers(0, 99))
def test_an_answer_for_the_last_guest_cannot_touch_this_one(events: list[Event], late: Event, turn: int) -> None:
    visit = visited(events)
    assert visit.advance(late, Ticket(visit.ticket.visit - 1, turn)) == (visit, ())
    assert visit.advance(late, replace(visit.ticket, visit=visit.ticket.visit - 1)) == (visit, ())


@given(SEQUENCES, st.sampled_from(EVENTS))
def test_an_answer_to_an_abandoned_question_changes_nothing(events: list[Event], late: Event) -> None:
    visit = visited(events)
    if not isinstance(late, LASTING):
        assert visit.advance(late, replace(visit.ticket, turn=visit.ticket.turn - 1)) == (visit, ())


def test_no_state_is_a_dead_end() -> None:
    """From every state that events can reach, some sequence leads back to the welcome screen."""
    leads_to: dict[State, set[State]] = defaultdict(set)
    for change in CHANGES:
        leads_to[change.after].add(change.before)
    home, frontier = {Welcome()}, [Welcome()]
    while frontier:
        for before in leads_to[frontier.pop()] - home:
            home.add(before)
            frontier.append(before)
    assert WAYS.keys() - home == set()


def visited(events: list[Event]) -> Visit:
    """The visit after these events, each told in its turn."""
    visit = Visit(Ticket(7, 0))
    for event in events:
        visit, _ = visit.advance(event, visit.ticket)
    return visit
