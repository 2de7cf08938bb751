"""The nouns of the check-in: its states, its events, its effects. ``flow.py`` puts them in motion."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TypeAlias

from kiosk.model import (
    Case,
    Consent,
    FaceVerification,
    Hint,
    Identity,
    Reason,
    RegistrationId,
    Reservation,
    ScannedCode,
    StaffDecision,
)

# ---- States: what the kiosk is doing, and all it knows while it does -------------------------------------------------


@dataclass(frozen=True, slots=True)
class Welcome:
    """Nobody is here. A presented code or a touch begins a visit."""


@dataclass(frozen=True, slots=True)
class Scanning:
    """The guest is asked for a code."""

    hint: Hint | None = None
    refused: Reason | None = None
    """Why the last code could not be used."""
    refusals: int = 0


@dataclass(frozen=True, slots=True)
class AskingIdentityConsent:
    """May the code be resolved to a name and a number?"""

    case: Case


@dataclass(frozen=True, slots=True)
class Resolving:
    """The code is being verified, here or by the gateway."""

    case: Case


@dataclass(frozen=True, slots=True)
class LookingUp:
    """The hotel's system is asked for the booking."""

    case: Case
    tries: int = 0


@dataclass(frozen=True, slots=True)
class AskingReference:
    """No booking under the document: phone tail or confirmation number, please."""

    case: Case
    tries: int = 0
    """References already tried, 0..2."""


@dataclass(frozen=True, slots=True)
class ShowingReservation:
    """Is this your booking?"""

    case: Case


@dataclass(frozen=True, slots=True)
class AskingFields:
    """Legal fields that the source lacks, chosen by the guest and marked declared."""

    case: Case
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AskingFaceConsent:
    """Face or staff? Two equal answers."""

    case: Case
    attempts: int = 0
    """Attempts already used: withdrawing and agreeing again does not buy new ones."""


@dataclass(frozen=True, slots=True)
class FetchingPortrait:
    """The gateway is asked for the portrait, after the face consent."""

    case: Case
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Capturing:
    """The camera looks for a living face, the same as in the portrait."""

    case: Case
    attempts: int = 0
    """Attempts already used, 0..2."""
    hint: Reason | None = None
    """What to do now, from the frames."""
    refused: Reason | None = None
    """Why the attempt before this one failed."""


@dataclass(frozen=True, slots=True)
class Saving:
    """The record is being committed. Only its answer leads out of here."""

    case: Case
    slow: bool = False


@dataclass(frozen=True, slots=True)
class IssuingKey:
    """The record is safe; the key is being made."""

    case: Case
    record_id: RegistrationId


@dataclass(frozen=True, slots=True)
class Done:
    """Record and key are there."""

    record_id: RegistrationId
    room_no: str = field(repr=False)
    by_hand: bool = False
    """The desk handed the key over."""


@dataclass(frozen=True, slots=True)
class StaffNeeded:
    """A referral: a person settles it, the visit is kept."""

    reason: Reason
    case: Case | None = None
    record_id: RegistrationId | None = None
    """Set when the record is already committed."""
    resume: State | None = field(default=None, repr=False)
    """Where "back" leads, when the guest may change their mind."""


State: TypeAlias = (
    Welcome
    | Scanning
    | AskingIdentityConsent
    | Resolving
    | LookingUp
    | AskingReference
    | ShowingReservation
    | AskingFields
    | AskingFaceConsent
    | FetchingPortrait
    | Capturing
    | Saving
    | IssuingKey
    | Done
    | StaffNeeded
)


# ---- Events: what happened -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Started:
    """The guest touched "check in"."""


@dataclass(frozen=True, slots=True)
class CodeRead:
    """One of our formats recognised what was presented."""

    code: ScannedCode


@dataclass(frozen=True, slots=True)
class CodeRefused:
    """Something was presented that is no use here."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class CodeHinted:
    """The frames say what would help the reader."""

    hint: Hint | None


@dataclass(frozen=True, slots=True)
class Consented:
    """The guest agreed to the purpose that the consent names."""

    consent: Consent


@dataclass(frozen=True, slots=True)
class Declined:
    """The guest chose the other, equal way."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """The code is genuine and names a person."""

    identity: Identity
    today: date
    face_offered: bool


@dataclass(frozen=True, slots=True)
class ResolveRefused:
    """The code or its person cannot be accepted."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class ReservationFound:
    """The hotel's system knows the booking, and it is this guest's."""

    reservation: Reservation


@dataclass(frozen=True, slots=True)
class ReservationMissing:
    """No booking under what was asked, or not in this guest's name."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class ReferenceTyped:
    """Phone tail or confirmation number."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ReservationConfirmed:
    """Yes, that is my booking."""


@dataclass(frozen=True, slots=True)
class FieldsChosen:
    """The guest's own declarations: (field, value) pairs."""

    values: tuple[tuple[str, str], ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class PortraitFetched:
    """The gateway's portrait, JPEG; None when there is none."""

    portrait: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class FaceHinted:
    """What the guest can do, from the frames; None when all is well."""

    hint: Reason | None


@dataclass(frozen=True, slots=True)
class FaceVerified:
    """A living face, the same person."""

    verification: FaceVerification


@dataclass(frozen=True, slots=True)
class FaceRefused:
    """This attempt did not succeed."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Saved:
    """The record would survive a power cut."""

    record_id: RegistrationId


@dataclass(frozen=True, slots=True)
class SaveFailed:
    """Nothing was committed."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class KeyIssued:
    """The encoder made the key."""


@dataclass(frozen=True, slots=True)
class KeyFailed:
    """The encoder made no key."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A device or a service that this state waits for is gone."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Back:
    """To the question before this one."""


@dataclass(frozen=True, slots=True)
class HelpAsked:
    """The guest wants a person."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The guest has read the last screen and leaves."""


@dataclass(frozen=True, slots=True)
class Expired:
    """Nobody answered the question, nor the warning."""


@dataclass(frozen=True, slots=True)
class TimedOut:
    """The kiosk's own turn took longer than its budget."""


@dataclass(frozen=True, slots=True)
class StaffApproved:
    """A clerk settled the referral."""

    decision: StaffDecision


@dataclass(frozen=True, slots=True)
class StaffRetried:
    """A clerk lets the kiosk try again what failed."""


@dataclass(frozen=True, slots=True)
class StaffEnded:
    """A clerk ends the visit here."""


Event: TypeAlias = (
    Started
    | CodeRead
    | CodeRefused
    | CodeHinted
    | Consented
    | Declined
    | Resolved
    | ResolveRefused
    | ReservationFound
    | ReservationMissing
    | ReferenceTyped
    | ReservationConfirmed
    | FieldsChosen
    | PortraitFetched
    | FaceHinted
    | FaceVerified
    | FaceRefused
    | Saved
    | SaveFailed
    | KeyIssued
    | KeyFailed
    | Failed
    | Back
    | HelpAsked
    | Finished
    | Expired
    | TimedOut
    | StaffApproved
    | StaffRetried
    | StaffEnded
)


# ---- Effects: what must be done to honour a step ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StartScanner:
    """Look for codes. No face function may see a frame."""


@dataclass(frozen=True, slots=True)
class StopDevices:
    """Stop looking at anything."""


@dataclass(frozen=True, slots=True)
class ResolveCode:
    case: Case


@dataclass(frozen=True, slots=True)
class FindReservation:
    """Look the booking up by document number, or by the reference the guest typed."""

    identity: Identity
    reference: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class FetchPortrait:
    identity: Identity
    consent: Consent


@dataclass(frozen=True, slots=True)
class StartCapture:
    """Look for the face. ``portrait``: the reference, JPEG or WebP."""

    portrait: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class PutInOutbox:
    case: Case


@dataclass(frozen=True, slots=True)
class IssueKey:
    reservation: Reservation
    record_id: RegistrationId


@dataclass(frozen=True, slots=True)
class OpenReferral:
    """Call a person: ring, write it to the audit, show the ticket number."""

    reason: Reason
    record_id: RegistrationId | None = None


@dataclass(frozen=True, slots=True)
class CloseReferral:
    """How it ended: ``approved``, ``retried``, ``ended``, ``withdrawn`` or ``abandoned``."""

    outcome: str
    reason: Reason
    record_id: RegistrationId | None = None


@dataclass(frozen=True, slots=True)
class RingStaff:
    """Ring without taking the visit from the guest."""


@dataclass(frozen=True, slots=True)
class Forget:
    """The visit is over: wipe frames, templates, texts on the screen, everything that names the guest."""


Effect: TypeAlias = (
    StartScanner
    | StopDevices
    | ResolveCode
    | FindReservation
    | FetchPortrait
    | StartCapture
    | PutInOutbox
    | IssueKey
    | OpenReferral
    | CloseReferral
    | RingStaff
    | Forget
)

Step: TypeAlias = tuple[State, tuple[Effect, ...]]
