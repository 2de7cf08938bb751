"""The values that travel through a check-in. Frozen, comparable, silent in ``repr`` about the guest."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import NewType, TypeAlias

RegistrationId = NewType("RegistrationId", str)
"""A record's UUID, ours: one per occupant and stay, never reused."""


class Reason(StrEnum):
    """Why a visit cannot simply go on. The value is the key of the guest's and the staff's words.

    A reason more: its words in ``ui/screen/i18n`` (a test names those that lack); if staff may settle it at the
    kiosk, what an approval means in ``kiosk.checkin.policy.SETTLINGS`` and its code in ``kiosk.staff.resolutions``.
    """

    # The code as shown: the guest can put these right
    CODE_UNKNOWN = "code.unknown"
    CODE_PAYMENT = "code.payment"
    CODE_TOO_LARGE = "code.too_large"
    CODE_HOST = "code.host_not_allowed"
    CODE_EXPIRED = "code.expired"
    CODE_NOT_YET_VALID = "code.not_yet_valid"
    CODE_FORGED = "code.not_genuine"
    CODE_REPLAYED = "code.replayed"
    CODE_BROKEN = "code.broken"
    # The identity
    IDENTITY_DECLINED = "identity.declined"
    PERSON_UNKNOWN = "identity.unknown_person"
    OUT_OF_REGION = "identity.out_of_region"
    IDENTITY_FAULTY = "identity.number_faulty"
    GATEWAY_DOWN = "identity.gateway_down"
    GATEWAY_NONSENSE = "identity.gateway_nonsense"
    MINOR = "identity.minor"
    OVERSEAS = "identity.overseas"
    # The stay
    NO_RESERVATION = "stay.no_reservation"
    NAME_DIFFERS = "stay.name_differs"
    HOTEL_SYSTEM_DOWN = "stay.hotel_system_down"
    PARTY = "stay.party"
    BALANCE_DUE = "stay.balance_due"
    ROOM_NOT_READY = "stay.room_not_ready"
    ALREADY_IN_HOUSE = "stay.already_in_house"
    # The face
    FACE_DECLINED = "face.declined"
    NO_PORTRAIT = "face.no_portrait"
    FACE_UNAVAILABLE = "face.unavailable"
    NO_FACE = "face.none"
    TWO_FACES = "face.two"
    FACE_TOO_FAR = "face.too_far"
    FACE_TOO_NEAR = "face.too_near"
    FACE_TURNED = "face.turned"
    FACE_BLURRED = "face.blurred"
    FACE_DARK = "face.too_dark"
    FACE_BRIGHT = "face.too_bright"
    FACE_OFF_CENTRE = "face.off_centre"
    NOT_LIVE = "face.not_live"
    FACE_DOUBTFUL = "face.doubtful"
    NOT_MATCHED = "face.not_matched"
    # The kiosk
    RECORD_INVALID = "record.invalid"
    SAVE_FAILED = "save.failed"
    KEY_FAILED = "key.failed"
    DEVICE_DOWN = "device.down"
    HELP = "help.asked"


class Hint(StrEnum):
    """What a guest can do about the code, measured on the frames."""

    BRIGHTER = "scan.brighter"
    DARKER = "scan.darker"
    CLOSER = "scan.closer"
    FLATTER = "scan.flatter"
    HOLD_STILL = "scan.hold_still"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A result the guest can cause: shown as words, never raised."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class ScannedCode:
    """A code that one of our formats recognises. ``payload``: its exact bytes, at most 4,296."""

    format: str
    """Name of the module in kiosk/credentials that recognised it."""
    payload: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Consent:
    """One voluntary, informed yes: which text, in which language, when."""

    id: str
    purpose: str
    """``identity`` or ``face``."""
    version: str
    language: str
    text_sha256: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the code says the guest is. Every field that names the person is left out of ``repr``."""

    source: str
    """The format that it came from: ``suishen`` or ``claim169``."""
    name: str = field(repr=False)
    id_number: str = field(repr=False)
    """18 characters of GB 11643; empty for an overseas guest."""
    birth_date: date = field(repr=False)
    sex: str = field(repr=False)
    """GB/T 2261.1: 1 male, 2 female, 0 unknown, 9 not stated."""
    nationality: str = "CHN"
    ethnicity: str | None = field(default=None, repr=False)
    """GB/T 3304, ``01``..``56``; None when the source does not say."""
    address: str | None = field(default=None, repr=False)
    household_province: str | None = field(default=None, repr=False)
    """First two digits of the division where the household is registered, as the gateway says."""
    portrait: bytes | None = field(default=None, repr=False)
    """JPEG or WebP that came with the code."""
    portrait_ticket: str | None = field(default=None, repr=False)
    """One-time right to ask the gateway for a portrait, after consent; None when the contract gives none."""


@dataclass(frozen=True, slots=True)
class Reservation:
    """A booking in the hotel's system, as far as a check-in needs it."""

    stay_id: str
    confirmation: str = field(repr=False)
    room_no: str
    room_type: str
    party_size: int
    arrival: date
    departure: date
    room_ready: bool = True
    balance_due_fen: int = 0
    """Chinese cents still to be paid at the desk."""


@dataclass(frozen=True, slots=True)
class FaceVerification:
    """An accepted 1:1 face verification of a bona fide capture."""

    similarity: float
    """Cosine, -1..1."""
    similarity_threshold: float
    pad_score: float
    """Median over the frames, 0..1, 1 is bona fide."""
    pad_threshold: float
    model_version: str
    live_photo: bytes = field(repr=False)
    """JPEG within the record's budget of 12 KB."""
    reference_photo: bytes = field(repr=False)
    """JPEG within the record's budget of 12 KB."""


@dataclass(frozen=True, slots=True)
class StaffDecision:
    """A person looked at document and guest instead of the machine."""

    operator: str
    code: str
    """Which resolution: a key of kiosk/staff/resolutions.py."""
    at: datetime


Verification: TypeAlias = FaceVerification | StaffDecision


@dataclass(frozen=True, slots=True)
class Case:
    """All that is known of one guest's visit. It is dropped whole when the visit ends."""

    code: ScannedCode
    identity_consent: Consent | None = None
    identity: Identity | None = None
    today: date | None = None
    """The day at the hotel on which the identity was resolved."""
    face_offered: bool = False
    """Camera, models and the house's policy allow the face step in this visit."""
    reservation: Reservation | None = None
    confirmed: bool = False
    declared: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """Fields that the source did not give and the guest chose: (name, value)."""
    face_consent: Consent | None = None
    portrait: bytes | None = field(default=None, repr=False)
    """The reference for the face: from the code, or fetched after the face consent."""
    verification: Verification | None = None
    no_face_because: Reason | None = None
    """Why staff decided instead of the camera; the record says so."""
    cleared: frozenset[Reason] = frozenset()
    """Referrals that staff have settled in this visit."""


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo that the record carries: ``kind`` is ``id`` or ``live``."""

    kind: str
    jpeg: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Registration:
    """The frozen legal record of one guest's stay, ready for the outbox.

    ``text`` is the record's exact JSON in UTF-8; its bytes never change once put, and
    ``contentHash`` is their SHA-256. ``photos`` are sealed apart, under keys of their own.
    """

    record_id: RegistrationId
    revision: int
    op: str
    """CI, CC, RC, EX, UP, VD, VI."""
    stay_id: str
    occurred_at: datetime
    text: bytes = field(repr=False)
    photos: tuple[Photo, ...] = field(default=(), repr=False)
