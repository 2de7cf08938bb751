"""Effects of the check-in: what must be done to honour a step."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from kiosk.model import Case, Consent, Identity, Reason, RegistrationId, Reservation


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
    """Call a person: ring, write it to the audit, show the referral number."""

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


Asked: TypeAlias = ResolveCode | FindReservation | FetchPortrait | PutInOutbox | IssueKey
"""Effects that block and answer with an event: a worker performs them."""

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
