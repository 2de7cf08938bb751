"""Events of the check-in: what happened, told by guests, devices, staff and the clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TypeAlias

from kiosk.model import (
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
