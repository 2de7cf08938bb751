"""Invented values for every kind of event: the diagram and the properties of the flow are made with them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

from kiosk.checkin.events import (
    Back,
    CodeHinted,
    CodeRead,
    CodeRefused,
    Consented,
    Declined,
    Event,
    Expired,
    FaceHinted,
    FaceRefused,
    FaceVerified,
    Failed,
    FieldsChosen,
    Finished,
    HelpAsked,
    KeyFailed,
    KeyIssued,
    PortraitFetched,
    ReferenceTyped,
    ReservationConfirmed,
    ReservationFound,
    ReservationMissing,
    Resolved,
    ResolveRefused,
    Saved,
    SaveFailed,
    StaffApproved,
    StaffEnded,
    StaffRetried,
    Started,
    TimedOut,
)
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

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
TODAY = date(2026, 6, 1)
CODE = ScannedCode("suishen", b"https://example.invalid/code?t=1")
GUEST = Identity("suishen", "甲", "11010519491231002X", date(1949, 12, 31), "2", ethnicity="01", portrait_ticket="t")
STAY = Reservation("S-1", "C-1", "0808", "大床房", 1, TODAY, date(2026, 6, 3))
FACE = FaceVerification(0.8, 0.42, 0.9, 0.55, "sample", b"live", b"reference")
RECORD = RegistrationId("r-1")


def consent(purpose: str) -> Consent:
    """Return an invented consent to ``purpose``."""
    return Consent(f"c-{purpose}", purpose, "1", "zh-CN", "0" * 64, NOW)


IDENTITIES = {
    "plain": GUEST,
    "no ethnicity": replace(GUEST, ethnicity=None),
    "no portrait": replace(GUEST, portrait_ticket=None),
    "portrait in the code": replace(GUEST, portrait=b"p", portrait_ticket=None),
    "minor": replace(GUEST, birth_date=date(2015, 1, 1)),
    "overseas": replace(GUEST, nationality="FRA"),
}
STAYS = {
    "plain": STAY,
    "party": replace(STAY, party_size=2),
    "balance": replace(STAY, balance_due_fen=100),
    "not ready": replace(STAY, room_ready=False),
}

EVENTS: tuple[Event, ...] = (
    Started(),
    CodeRead(CODE),
    CodeRefused(Reason.CODE_UNKNOWN),
    CodeHinted(Hint.CLOSER),
    Consented(consent("identity")),
    Consented(consent("face")),
    Declined(),
    *(Resolved(who, TODAY, face_offered=True) for who in IDENTITIES.values()),
    Resolved(GUEST, TODAY, face_offered=False),
    ResolveRefused(Reason.CODE_EXPIRED),
    ResolveRefused(Reason.CODE_FORGED),
    ResolveRefused(Reason.OUT_OF_REGION),
    *(ReservationFound(stay) for stay in STAYS.values()),
    ReservationMissing(Reason.NO_RESERVATION),
    ReservationMissing(Reason.NAME_DIFFERS),
    ReservationMissing(Reason.ALREADY_IN_HOUSE),
    ReferenceTyped("1234"),
    ReservationConfirmed(),
    FieldsChosen((("ethnicity", "01"),)),
    PortraitFetched(b"p"),
    PortraitFetched(None),
    FaceHinted(Reason.FACE_DARK),
    FaceVerified(FACE),
    FaceRefused(Reason.NOT_MATCHED),
    FaceRefused(Reason.FACE_UNAVAILABLE),
    Saved(RECORD),
    SaveFailed(Reason.SAVE_FAILED),
    SaveFailed(Reason.RECORD_INVALID),
    KeyIssued(),
    KeyFailed(),
    Failed(Reason.DEVICE_DOWN),
    Failed(Reason.FACE_UNAVAILABLE),
    Back(),
    HelpAsked(),
    Finished(),
    Expired(),
    TimedOut(),
    StaffApproved(StaffDecision("clerk", "document_and_person_seen", NOW)),
    StaffRetried(),
    StaffEnded(),
)
