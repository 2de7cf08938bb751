"""States of the check-in: what the kiosk is doing, and all it knows while it does."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from kiosk.model import Case, Hint, Reason, RegistrationId


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
