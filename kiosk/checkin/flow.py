"""The whole check-in on one page: ``step(state, event) -> (state, effects)``. Read this first.

    Welcome ─▶ Scanning ─▶ identity consent ─▶ Resolving ─▶ LookingUp ─▶ reservation ─▶ missing fields
                                                                                              │
    Done ◀─ IssuingKey ◀─ Saving ◀─ StaffNeeded (a person decides) ◀─┬─ Capturing ◀─ face consent ◀┘
                            ▲───────────────────────────────────────┘

Pure: no clock, no thread, no Qt, no disk. ``runner`` performs the effects and feeds the answers
back as events. An event that means nothing in a state is dropped, because devices answer late.
``onward`` asks a case's next open question, so a visit that staff have settled goes on exactly
where it stopped. ``./run flow`` draws this diagram from the code.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TypeAlias

from kiosk.checkin import policy
from kiosk.checkin.effects import *
from kiosk.checkin.events import *
from kiosk.checkin.policy import MAX_CAPTURE_ATTEMPTS, MAX_REFERENCE_TRIES, MAX_REFUSED_CODES, Settling
from kiosk.checkin.states import *
from kiosk.model import Case, Reason, RegistrationId, StaffDecision

Step: TypeAlias = tuple[State, tuple[Effect, ...]]


def step(state: State, event: Event) -> Step:
    """Return the next state and what must be done to honour it."""
    match state, event:
        # -- a code is presented
        case Welcome(), Started():
            return Scanning(), (StartScanner(),)
        case Welcome() | Scanning(), CodeRead(code):
            return AskingIdentityConsent(Case(code)), (StopDevices(),)
        case Welcome(), CodeRefused(reason):
            return Scanning(refused=reason, refusals=1), (StartScanner(),)
        case Scanning(), CodeRefused(reason):
            return _refuse_code(state, reason)
        case Scanning(), CodeHinted(hint):
            return replace(state, hint=hint), ()
        # -- whose is it, and may we ask
        case AskingIdentityConsent(visit), Consented(consent) if consent.purpose == "identity":
            return onward(replace(visit, identity_consent=consent))
        case AskingIdentityConsent(visit), Declined():
            return _refer(visit, Reason.IDENTITY_DECLINED, resume=state)
        case Resolving(visit), Resolved(identity, today, face_offered):
            return onward(replace(visit, identity=identity, today=today, face_offered=face_offered))
        case Resolving(visit), ResolveRefused(reason):
            return _refuse_identity(visit, reason)
        # -- which booking, which room
        case LookingUp(visit), ReservationFound(reservation):
            return onward(replace(visit, reservation=reservation))
        case LookingUp(visit, tries), ReservationMissing(reason):
            if reason in (Reason.NO_RESERVATION, Reason.NAME_DIFFERS) and tries < MAX_REFERENCE_TRIES:
                return AskingReference(visit, tries), ()
            return _refer(visit, reason)
        case AskingReference(visit, tries), ReferenceTyped(text) if visit.identity is not None:
            return LookingUp(visit, tries + 1), (FindReservation(visit.identity, text),)
        case AskingReference(visit), Declined():
            return _refer(visit, Reason.NO_RESERVATION, resume=state)
        case ShowingReservation(visit), ReservationConfirmed():
            return onward(replace(visit, confirmed=True))
        case ShowingReservation(visit), Declined():
            return _refer(visit, Reason.NO_RESERVATION, resume=state)
        case AskingFields(visit, names), FieldsChosen(values) if {name for name, _ in values} == set(names):
            return onward(replace(visit, declared=visit.declared + values))
        # -- a face, or a person
        case AskingFaceConsent(visit, attempts), Consented(consent) if consent.purpose == "face":
            return _look(replace(visit, face_consent=consent), attempts)
        case AskingFaceConsent(visit), Declined():
            return _refer(visit, Reason.FACE_DECLINED, resume=state)
        case FetchingPortrait(visit, attempts), PortraitFetched(portrait):
            if portrait is None:
                return _refer(replace(visit, face_consent=None), Reason.NO_PORTRAIT)
            return _look(replace(visit, portrait=portrait), attempts)
        case Capturing(), FaceHinted(hint):
            return replace(state, hint=hint), ()
        case Capturing(visit), FaceVerified(verification):
            return onward(replace(visit, verification=verification), StopDevices())
        case Capturing(visit, attempts), FaceRefused(reason):
            if attempts + 1 >= MAX_CAPTURE_ATTEMPTS or reason is Reason.FACE_UNAVAILABLE:
                return _refer(_faceless(visit), reason)
            return Capturing(visit, attempts + 1, refused=reason), _capture(visit)
        # -- record first, key second
        case Saving(visit), Saved(record_id) if visit.reservation is not None:
            return IssuingKey(visit, record_id), (IssueKey(visit.reservation, record_id),)
        case Saving(visit), SaveFailed(reason):
            return _refer(visit, reason)
        case Saving(visit, False), TimedOut():
            return Saving(visit, slow=True), (RingStaff(),)
        case IssuingKey(visit, record_id), KeyIssued():
            return _done(visit, record_id), ()
        case IssuingKey(visit, record_id), KeyFailed() | TimedOut():
            return _refer(visit, Reason.KEY_FAILED, record_id)
        # -- staff
        case StaffNeeded(reason, visit, record_id), StaffApproved(decision):
            return _approve(state, visit, record_id, decision)
        case StaffNeeded(reason, visit, record_id), StaffRetried():
            following, effects = _retry(visit, reason, record_id)
            return following, (CloseReferral("retried", reason, record_id), *effects)
        case StaffNeeded(reason, _, record_id), StaffEnded():
            return _leave(CloseReferral("ended", reason, record_id))
        case StaffNeeded(reason, _, record_id, resume), Back() if resume is not None:
            return resume, (CloseReferral("withdrawn", reason, record_id), *_again(resume))
        # -- from everywhere
        case Welcome() | Done(), HelpAsked():
            return _refer(None, Reason.HELP, resume=state)
        case StaffNeeded(reason, _, record_id), Expired():
            return _leave(CloseReferral("abandoned", reason, record_id))
        case Saving() | IssuingKey(), _:
            return state, ()  # a record under way ends in a key or a referral, whoever walks away
        case Done() | Scanning(), Finished() | Expired() | Back():
            return _leave()
        case Welcome() | StaffNeeded() | Done(), _:
            return state, ()
        case _, Back():
            return _back(state)
        case _, Expired():
            return _leave()
        case _, HelpAsked():
            return _refer(_case_of(state), Reason.HELP, resume=_calm(state))
        case _, Failed(reason):
            return _refer(_case_of(state), reason)
        case Resolving() | LookingUp() | FetchingPortrait() | Capturing(), TimedOut():
            return _refer(_case_of(state), _too_slow(state))
        case _:
            return state, ()


def onward(visit: Case, *first: Effect) -> Step:
    """Ask the next open question of a case, or save it when none is left."""
    if visit.identity is None:
        return Resolving(visit), (*first, ResolveCode(visit))
    if (reason := policy.obstacle(visit)) is not None:
        return _refer(visit, reason)
    if visit.reservation is None:
        return LookingUp(visit), (*first, FindReservation(visit.identity))
    if not visit.confirmed:
        return ShowingReservation(visit), first
    if names := policy.missing_fields(visit):
        return AskingFields(visit, names), first
    if visit.verification is not None:
        return Saving(visit), (*first, PutInOutbox(visit))
    if (reason := policy.no_face_because(visit)) is not None:
        return _refer(visit, reason)
    return AskingFaceConsent(visit), first


def _look(visit: Case, attempts: int) -> Step:
    """After the face consent: fetch the portrait if there is none yet, then capture."""
    if visit.portrait is None and visit.identity is not None and visit.face_consent is not None:
        if visit.identity.portrait is None:
            return FetchingPortrait(visit, attempts), (FetchPortrait(visit.identity, visit.face_consent),)
        visit = replace(visit, portrait=visit.identity.portrait)
    return Capturing(visit, attempts), _capture(visit)


def _capture(visit: Case) -> tuple[Effect, ...]:
    return (StartCapture(visit.portrait),) if visit.portrait is not None else ()


def _refer(
    visit: Case | None, reason: Reason, record_id: RegistrationId | None = None, resume: State | None = None
) -> Step:
    return StaffNeeded(reason, visit, record_id, resume), (StopDevices(), OpenReferral(reason, record_id))


def _refuse_code(state: Scanning, reason: Reason) -> Step:
    if state.refusals + 1 >= MAX_REFUSED_CODES:
        return _refer(None, reason)
    return Scanning(refused=reason, refusals=state.refusals + 1), (StartScanner(),)


def _refuse_identity(visit: Case, reason: Reason) -> Step:
    """Another code may help where the code was at fault; a person helps everywhere else."""
    if reason.value.startswith("code.") and reason is not Reason.CODE_FORGED:
        return Scanning(refused=reason, refusals=1), (StartScanner(),)
    return _refer(visit, reason)


def _approve(state: StaffNeeded, visit: Case | None, record_id: RegistrationId | None, decision: StaffDecision) -> Step:
    closed = CloseReferral("approved", state.reason, record_id)
    match policy.settling(state.reason):
        case Settling.KEY_BY_HAND if visit is not None and record_id is not None:
            return _done(visit, record_id, by_hand=True), (closed,)
        case Settling.VERIFY if visit is not None and visit.identity is not None:
            return onward(replace(_faceless(visit), verification=decision, no_face_because=state.reason), closed)
        case Settling.CLEAR if visit is not None:
            return onward(replace(visit, cleared=visit.cleared | {state.reason}), closed)
        case Settling.LOOK_UP if visit is not None:
            return onward(replace(visit, reservation=None, confirmed=False), closed)
        case _:
            return state, ()


def _retry(visit: Case | None, reason: Reason, record_id: RegistrationId | None) -> Step:
    """Try again what failed; a committed record is never put twice."""
    if visit is None:
        return Scanning(), (StartScanner(),)
    if record_id is not None and visit.reservation is not None:
        return IssuingKey(visit, record_id), (IssueKey(visit.reservation, record_id),)
    if visit.identity is None:
        return Scanning(), (StartScanner(),)
    if reason in (Reason.ROOM_NOT_READY, Reason.BALANCE_DUE):
        visit = replace(visit, reservation=None, confirmed=False)
    return onward(visit)


def _back(state: State) -> Step:
    match state:
        case AskingFields(visit):
            return ShowingReservation(replace(visit, confirmed=False)), ()
        case AskingFaceConsent(visit):
            declared = replace(visit, declared=())
            names = policy.missing_fields(declared)
            return (AskingFields(declared, names) if names else ShowingReservation(replace(visit, confirmed=False))), ()
        case FetchingPortrait(visit, attempts):
            return AskingFaceConsent(_faceless(visit), attempts), (StopDevices(),)
        case Capturing(visit, attempts):
            return AskingFaceConsent(_faceless(visit), attempts), (StopDevices(),)
        case _:
            return Scanning(), (StopDevices(), StartScanner())


def _again(state: State) -> tuple[Effect, ...]:
    return (StartScanner(),) if isinstance(state, Welcome | Scanning) else ()


def _calm(state: State) -> State:
    """Where a guest comes back to after help: a question, never a device at work."""
    match state:
        case FetchingPortrait(visit, attempts) | Capturing(visit, attempts):
            return AskingFaceConsent(_faceless(visit), attempts)
        case Resolving(visit):
            return AskingIdentityConsent(replace(visit, identity_consent=None))
        case LookingUp(visit, tries):
            return AskingReference(visit, min(tries, MAX_REFERENCE_TRIES - 1))
        case _:
            return state


def _faceless(visit: Case) -> Case:
    """Withdraw what the face consent allowed: nothing of it is kept."""
    return replace(visit, face_consent=None, portrait=None)


def _too_slow(state: State) -> Reason:
    blame = {Capturing: Reason.NO_FACE, FetchingPortrait: Reason.FACE_UNAVAILABLE, LookingUp: Reason.HOTEL_SYSTEM_DOWN}
    return blame.get(type(state), Reason.GATEWAY_DOWN)


def _leave(*first: Effect) -> Step:
    return Welcome(), (*first, StopDevices(), Forget(), StartScanner())


def _done(visit: Case, record_id: RegistrationId, *, by_hand: bool = False) -> Done:
    return Done(record_id, visit.reservation.room_no if visit.reservation else "", by_hand)


def _case_of(state: State) -> Case | None:
    """Return the visit's case for a referral; a face that was under way is not part of it."""
    visit: Case | None = getattr(state, "case", None)
    return _faceless(visit) if isinstance(state, FetchingPortrait | Capturing) and visit is not None else visit


@dataclass(frozen=True, slots=True)
class Ticket:
    """Which visit, and which turn of it, an effect belongs to. Every answer carries it back."""

    visit: int
    turn: int


LASTING = Saved | SaveFailed | KeyIssued | KeyFailed
"""Answers about a record are never stale within their visit: they hold until told."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One guest's turn at the kiosk, numbered so that answers cannot cross guests.

    ``turn`` grows with each batch of effects, so that within one visit the answer to an
    abandoned question (a code resolved after "back") cannot answer the next one.
    """

    ticket: Ticket = Ticket(0, 0)
    state: State = field(default_factory=Welcome)

    def advance(self, event: Event, answering: Ticket) -> tuple[Visit, tuple[Effect, ...]]:
        """Step, unless ``event`` answers an earlier visit or an earlier turn."""
        stale = answering.turn != self.ticket.turn and not isinstance(event, LASTING)
        if answering.visit != self.ticket.visit or stale:
            return self, ()
        state, effects = step(self.state, event)
        if isinstance(state, Welcome) and not isinstance(self.state, Welcome):
            return Visit(Ticket(self.ticket.visit + 1, 0), state), effects
        moved = bool(effects) or type(state) is not type(self.state)
        return Visit(Ticket(self.ticket.visit, self.ticket.turn + moved), state), effects
