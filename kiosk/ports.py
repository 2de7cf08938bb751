"""What the check-in needs from the outside world, and nothing more.

Calls that may take long come from a worker thread of the runner, the others from its own or the staff's,
none from the GUI thread. A value the guest can cause is returned (``Refusal``); an exception (kiosk.errors)
means the world or we broke.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeAlias, runtime_checkable

from kiosk.model import (
    Consent,
    FaceVerification,
    Hint,
    Identity,
    Reason,
    Refusal,
    Registration,
    RegistrationId,
    Reservation,
    ScannedCode,
)

# ---- Vision: the process that owns camera and nets -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CodeSeen:
    """A symbol was decoded. One presentation is reported once per watch."""

    watch: int
    payload: bytes = field(repr=False)
    decoder: str
    first_frame_at: float
    """``time.monotonic()`` of the first frame of this watch that showed the symbol."""


@dataclass(frozen=True, slots=True)
class CodeHintSeen:
    watch: int
    hint: Hint | None


@dataclass(frozen=True, slots=True)
class FaceHintSeen:
    """What the guest can do; None when the frames are good."""

    watch: int
    hint: Reason | None


@dataclass(frozen=True, slots=True)
class FaceDecided:
    """End of one attempt: an accepted verification, or why not."""

    watch: int
    outcome: FaceVerification | Refusal


@dataclass(frozen=True, slots=True)
class VisionDown:
    """The camera or the process is gone. It is being started again."""

    reason: str


@dataclass(frozen=True, slots=True)
class VisionUp:
    """Camera and process are back; whatever was watched must be asked for again."""


VisionReport: TypeAlias = CodeSeen | CodeHintSeen | FaceHintSeen | FaceDecided | VisionDown | VisionUp


@runtime_checkable
class Vision(Protocol):
    """Camera, decoders and nets, behind a process boundary. No call blocks longer than 50 ms.

    ``watch`` numbers are chosen by the caller and come back in each report, so that a late
    report cannot be taken for an answer to a newer question.
    """

    def start(self, report: Callable[[VisionReport], None]) -> None:
        """Start the process. ``report`` is called from a thread of the vision handle."""
        ...

    def watch_codes(self, watch: int) -> None:
        """Look for codes only. No face function sees a frame."""
        ...

    def watch_face(self, watch: int, reference: bytes) -> None:
        """One attempt at a 1:1 verification against ``reference`` (JPEG or WebP, one face)."""
        ...

    def rest(self) -> None:
        """Look at nothing, keep nothing: every shared frame is zeroed, references and templates are dropped."""
        ...

    def wipe(self) -> None:
        """End of a visit: nothing that was seen in it is kept, whatever was asked last."""
        ...

    def close(self) -> None:
        """End the process. Safe to call twice."""
        ...


# ---- Identity, hotel, authority --------------------------------------------------------------------------------------


class IdentityResolver(Protocol):
    """Says whose a code is. One per format, in kiosk/identity.

    Both calls block up to the resolver's own budget (config: 5 s a request).
    """

    def resolve(self, code: ScannedCode, consent: Consent, visit: int) -> Identity | Refusal:
        """Raises GatewayUnavailable or GatewayNonsense."""
        ...

    def portrait(self, identity: Identity, consent: Consent) -> bytes | None:
        """Return the portrait (JPEG or WebP) for a guest who consented to the face step, or None.

        Raises GatewayUnavailable or GatewayNonsense.
        """
        ...


class Reservations(Protocol):
    """The hotel's bookings, read only. Never found by a name alone.

    Blocks up to the adapter's budget. Raises GatewayUnavailable when the hotel's system is away.
    """

    def find(self, identity: Identity, reference: str | None) -> Reservation | Refusal:
        """Look up by document number, or by ``reference`` (phone tail or confirmation number).

        A booking found by reference counts only if the verified name is on it (NAME_DIFFERS otherwise).
        """
        ...


class Outbox(Protocol):
    """Durable queue of registrations that the authority has not yet receipted."""

    def put(self, registration: Registration) -> RegistrationId:
        """Return only once the registration would survive a power cut. Raises OutboxUnavailable."""
        ...


class KeyEncoder(Protocol):
    """Makes the room key."""

    def issue(self, room_no: str, until: datetime, record_id: RegistrationId) -> None:
        """Block until the key lies in the tray, at most 10 s. Raises DeviceUnavailable."""
        ...


class Audit(Protocol):
    """Who did what, when and why. Holds no personal data of guests."""

    def write(self, kind: str, **fields: str | int | float | bool | None) -> None:
        """Append and fsync one entry. ``kind`` is a dotted word: ``consent.identity``, ``referral.opened``."""
        ...
