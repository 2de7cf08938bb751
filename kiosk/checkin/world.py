"""The world as one check-in sees it: the ports it was given, and the effects performed on them.

Each function here blocks, runs on a worker thread of the runner, and answers with an event. What the
guest caused comes back as a refusal; what the world or we broke is caught here, once, and becomes the
event that leads to a person. No error text holds personal data.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from kiosk.checkin.effects import (
    Asked,
    Effect,
    FetchPortrait,
    FindReservation,
    IssueKey,
    PutInOutbox,
    ResolveCode,
    StartCapture,
)
from kiosk.checkin.events import (
    Event,
    Failed,
    KeyFailed,
    KeyIssued,
    PortraitFetched,
    ReservationFound,
    ReservationMissing,
    Resolved,
    ResolveRefused,
    Saved,
    SaveFailed,
)
from kiosk.checkin.shown import Offers
from kiosk.errors import ContractError, GatewayNonsense, GatewayUnavailable, KioskError, OperationalError, where
from kiosk.model import Case, Consent, Identity, Reason, Refusal, Registration, Reservation, ScannedCode
from kiosk.ports import Audit, KeyEncoder, Outbox, Reservations, Vision

log = logging.getLogger(__name__)

KEY_ISSUED = "key.issued"
"""Audit entry of a key that the encoder made; ``kiosk.checkin.keyless`` looks for it after a power cut."""


@dataclass(frozen=True, slots=True)
class World:
    """Everything outside, wired by the composition root."""

    vision: Vision
    recognise: Callable[[bytes], ScannedCode | Refusal]
    resolve: Callable[[ScannedCode, Consent, int], Identity | Refusal]
    portrait: Callable[[Identity, Consent], bytes | None]
    reservations: Reservations
    register: Callable[[Case], Registration | Refusal]
    outbox: Outbox
    keys: KeyEncoder
    audit: Audit
    offers: Callable[[], Offers]
    today: Callable[[], date]
    key_until: Callable[[Reservation], datetime]


def recognise(world: World, payload: bytes) -> ScannedCode | Refusal:
    """Say which of our formats a payload is. One that breaks us is no use here, and another may be shown."""
    try:
        return world.recognise(payload)
    except Exception as error:  # anybody may show anything
        log.error("a code broke the formats: %s", where(error))
        return Refusal(Reason.CODE_BROKEN)


def answer(world: World, effect: Asked, visit: int, built: dict[Case, Registration]) -> Event:
    """Perform what blocks and return its answer, whatever happens: the one catch-all of a worker."""
    try:
        match effect:
            case ResolveCode():
                return resolve(world, effect, visit)
            case FindReservation():
                return find(world, effect)
            case FetchPortrait():
                return fetch_portrait(world, effect)
            case PutInOutbox():
                return put(world, effect, built)
            case IssueKey():
                return issue(world, effect)
    except Exception as error:  # the guest goes to a person
        log.error("%s broke: %s", type(effect).__name__, where(error))
        return failure_of(effect)


def resolve(world: World, effect: ResolveCode, visit: int) -> Event:
    """Say whose the code is."""
    case = effect.case
    if case.identity_consent is None:
        return ResolveRefused(Reason.IDENTITY_DECLINED)
    try:
        answer = world.resolve(case.code, case.identity_consent, visit)
    except GatewayNonsense as error:
        log.error("identity: %s", error)
        return ResolveRefused(Reason.GATEWAY_NONSENSE)
    except GatewayUnavailable as error:
        log.warning("identity: %s", error)
        return ResolveRefused(Reason.GATEWAY_DOWN)
    except KioskError as error:  # ours, such as a disk that is full: the clerk must not blame the gateway
        log.error("identity: %s", error)
        return ResolveRefused(Reason.DEVICE_DOWN)
    if isinstance(answer, Refusal):
        return ResolveRefused(answer.reason)
    return Resolved(answer, world.today(), world.offers().face)


def find(world: World, effect: FindReservation) -> Event:
    """Look the booking up."""
    try:
        answer = world.reservations.find(effect.identity, effect.reference)
    except KioskError as error:
        log.warning("reservations: %s", error)
        return ReservationMissing(Reason.HOTEL_SYSTEM_DOWN)
    return ReservationMissing(answer.reason) if isinstance(answer, Refusal) else ReservationFound(answer)


def fetch_portrait(world: World, effect: FetchPortrait) -> Event:
    """Ask the gateway for the portrait."""
    try:
        return PortraitFetched(world.portrait(effect.identity, effect.consent))
    except KioskError as error:
        log.warning("portrait: %s", error)
        return Failed(Reason.FACE_UNAVAILABLE)


def put(world: World, effect: PutInOutbox, built: dict[Case, Registration]) -> Event:
    """Commit the record. A case that was built before is put again with the same bytes: no duplicates.

    ``built`` is the visit's memory of records under way, owned by the runner and cleared with the visit.
    """
    registration = built.get(effect.case)
    if registration is None:
        answer = world.register(effect.case)
        if isinstance(answer, Refusal):
            return SaveFailed(answer.reason)
        registration = built[effect.case] = answer
    try:
        return Saved(world.outbox.put(registration))
    except OperationalError as error:
        log.error("outbox: %s", error)
        return SaveFailed(Reason.SAVE_FAILED)
    except ContractError as error:
        log.error("outbox: %s", error)
        return SaveFailed(Reason.RECORD_INVALID)


def issue(world: World, effect: IssueKey) -> Event:
    """Make the key, after the record is safe."""
    try:
        world.keys.issue(effect.reservation.room_no, world.key_until(effect.reservation), effect.record_id)
    except KioskError as error:
        log.error("key encoder: %s", error)
        return KeyFailed()
    audit(world, KEY_ISSUED, record=effect.record_id)
    return KeyIssued()


def failure_of(effect: Effect) -> Event:
    """Return the event for an effect whose performance broke in a way nobody foresaw."""
    match effect:
        case ResolveCode():
            return ResolveRefused(Reason.GATEWAY_NONSENSE)
        case FindReservation():
            return ReservationMissing(Reason.HOTEL_SYSTEM_DOWN)
        case PutInOutbox():
            return SaveFailed(Reason.SAVE_FAILED)
        case IssueKey():
            return KeyFailed()
        case FetchPortrait() | StartCapture():
            return Failed(Reason.FACE_UNAVAILABLE)
        case _:
            return Failed(Reason.DEVICE_DOWN)


def audit_consent(world: World, given: Consent) -> None:
    """Write down that a guest agreed: which text, in which language."""
    audit(
        world,
        f"consent.{given.purpose}",
        consent=given.id,
        version=given.version,
        language=given.language,
        text_sha256=given.text_sha256,
    )


def audit(world: World, kind: str, **fields: str | int | float | bool | None) -> None:
    """Append to the audit. A disk that refuses, or a fault of ours, is logged; the guest is not held up."""
    try:
        world.audit.write(kind, **fields)
    except Exception as error:  # as above
        why = error.strerror if isinstance(error, OSError) else where(error)
        log.error("audit: %s could not be written: %s", kind, why)
