"""From a visit's case to the frozen record: one check-in (CI) of one domestic guest. Pure.

``capturedOffline`` says that the identity was verified without the network. Times are the hotel's, Gregorian,
with their offset. What the guest chose on the screen is named in ``declared``.
"""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from kiosk.config import KioskSection
from kiosk.credentials import resident_id
from kiosk.model import (
    Case,
    Consent,
    FaceVerification,
    Identity,
    Photo,
    Reason,
    Refusal,
    Registration,
    RegistrationId,
    Reservation,
    StaffDecision,
    Verification,
)
from kiosk.registration.code_tables import BUILT_IN, CodeTables, address_of
from kiosk.registration.validators import findings

log = logging.getLogger(__name__)

CHECK_OUT = time(12, 0)
"""When a stay, and with it the room's key, ends on the day of departure, hotel time."""
RESIDENT_ID = "11"
OFFLINE_SOURCES = frozenset({"claim169"})
_EPOCH = datetime(2024, 1, 1, tzinfo=UTC)
_DOTS = dict.fromkeys(map(ord, "•‧・･∙⋅"), "·")
"""Signs that sources use for the dot in a name; the authority's is U+00B7."""
_PHOTO_ABSENT: dict[Reason | None, str] = {
    Reason.FACE_DECLINED: "declined",
    Reason.NO_PORTRAIT: "no_portrait",
    Reason.MINOR: "under_14",
    Reason.FACE_UNAVAILABLE: "no_camera",
}
"""Every other reason means that a face step was begun and not completed."""


def build(
    case: Case,
    kiosk: KioskSection,
    now: datetime,
    record_id: RegistrationId,
    salt: bytes,
    tables: CodeTables = BUILT_IN,
) -> Registration | Refusal:
    """Return the record, or RECORD_INVALID when something the law wants is missing or contradicts itself.

    Args:
        case: A visit with identity, consent, reservation and a face verification or a staff decision.
        kiosk: Whose record it is.
        now: When the guest checked in.
        record_id: A fresh UUID.
        salt: 16 random bytes, so that the hash of an erased record says nothing.
        tables: The authority's code tables.
    """
    whole = _whole(case)
    if isinstance(whole, str):
        return _invalid(record_id, whole)
    at = now.astimezone(ZoneInfo(kiosk.timezone))
    photos = _photos(whole.verification)
    record = _record(case, whole, kiosk, at, record_id, salt, photos)
    if broken := findings(record, photos, tables):
        return _invalid(record_id, ", ".join(f"{finding.code} {finding.field}" for finding in broken))
    text = json.dumps(record, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    return Registration(record_id, 1, "CI", whole.stay.stay_id, at, text, photos)


@dataclass(frozen=True, slots=True)
class _Whole:
    """What a visit must have brought together before there can be a record."""

    identity: Identity
    stay: Reservation
    consent: Consent
    verification: Verification


def _whole(case: Case) -> _Whole | str:
    """Return it, or what is missing: the authority's code and the field, never a value."""
    identity, stay, consent, verification = case.identity, case.reservation, case.identity_consent, case.verification
    if identity is None or stay is None or consent is None or verification is None:
        return "E400 the visit is not complete"
    if isinstance(verification, FaceVerification) and case.face_consent is None:
        return "E400 a face was used without a consent"
    if identity.nationality != "CHN" or not resident_id.is_valid(identity.id_number):
        return "E27 guest.idNumber"
    return _Whole(identity, stay, consent, verification)


def _record(
    case: Case,
    whole: _Whole,
    kiosk: KioskSection,
    at: datetime,
    record_id: RegistrationId,
    salt: bytes,
    photos: tuple[Photo, ...],
) -> dict[str, Any]:
    record: dict[str, Any] = {
        "recordId": record_id,
        "revision": 1,
        "salt": salt.hex(),
        "op": "CI",
        "stayId": whole.stay.stay_id,
        "hotelCode": kiosk.hotel_code,
        "kioskId": kiosk.kiosk_id,
        "occurredAt": _moment(at),
        "capturedOffline": whole.identity.source in OFFLINE_SOURCES,
        "guest": _guest(case, whole, kiosk, at, record_id),
        "photos": [{"kind": photo.kind, "sha256": hashlib.sha256(photo.jpeg).hexdigest()} for photo in photos],
        "verify": _verify(case, whole),
    }
    if not photos:
        record["photoAbsentReason"] = _PHOTO_ABSENT.get(case.no_face_because, "face_not_completed")
    return record


def guest_code(hotel_code: str, at: datetime, record_id: RegistrationId) -> str:
    """Return 22 digits: hotel code, seconds since 2024 (9), and 3 of the record's id for the kiosks of one hotel."""
    seconds = int((at - _EPOCH).total_seconds()) % 10**9
    return f"{hotel_code}{seconds:09d}{UUID(record_id).int % 1000:03d}"


def ends(stay: Reservation, zone: ZoneInfo) -> datetime:
    """Return when the stay is over."""
    return datetime.combine(stay.departure, CHECK_OUT, zone)


def _guest(
    case: Case, whole: _Whole, kiosk: KioskSection, at: datetime, record_id: RegistrationId
) -> dict[str, object]:
    return {
        "guestCode": guest_code(kiosk.hotel_code, at, record_id),
        "policeStation": kiosk.police_station,
        **_person(whole.identity, dict(case.declared)),
        **_room(whole.stay, at, ZoneInfo(kiosk.timezone)),
    }


def _person(identity: Identity, declared: dict[str, str]) -> dict[str, object]:
    number = identity.id_number
    given = {"ethnicity": declared["ethnicity"]} if identity.ethnicity is None and "ethnicity" in declared else {}
    guest: dict[str, object] = {
        "name": identity.name.translate(_DOTS),
        "sex": identity.sex,
        "ethnicity": identity.ethnicity or given.get("ethnicity", ""),
        "birthDate": identity.birth_date.isoformat(),
        "idType": RESIDENT_ID,
        "idNumber": number,
        "divisionCode": resident_id.division(number),
        "address": address_of(identity.address, number),
        "declared": sorted(given),
    }
    if identity.household_province is not None:
        guest["householdProvince"] = identity.household_province
    return guest


def _room(stay: Reservation, at: datetime, zone: ZoneInfo) -> dict[str, object]:
    """Return the room's side. A party's other guests register in visits of their own, cleared by staff."""
    return {
        "occupantIndex": 1,
        "partySize": stay.party_size,
        "roomNo": stay.room_no,
        "checkInAt": _moment(at),
        "plannedOutAt": _moment(ends(stay, zone)),
    }


def _verify(case: Case, whole: _Whole) -> dict[str, object]:
    said: dict[str, object] = {"credential": whole.identity.source, "identityConsentId": whole.consent.id}
    match whole.verification:
        case FaceVerification() as face:
            said |= {
                "method": "code+face",
                "similarity": round(face.similarity, 4),
                "similarityThreshold": face.similarity_threshold,
                "padScore": round(face.pad_score, 4),
                "padThreshold": face.pad_threshold,
                "modelVersion": face.model_version,
                "consentId": case.face_consent.id if case.face_consent is not None else "",
            }
        case StaffDecision() as decision:
            said |= {"method": "code+staff", "operator": decision.operator, "resolution": decision.code}
            if case.no_face_because is not None:
                said["reason"] = case.no_face_because.value
    return said


def _photos(verification: Verification) -> tuple[Photo, ...]:
    if not isinstance(verification, FaceVerification):
        return ()
    return Photo("id", verification.reference_photo), Photo("live", verification.live_photo)


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="seconds")


def _invalid(record_id: RegistrationId, why: str) -> Refusal:
    log.error("record %s was not built: %s", record_id, why)
    return Refusal(Reason.RECORD_INVALID)
