"""Every screen there is, as invented guests would meet it: for ``./run screens`` and for tests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from kiosk.checkin import states
from kiosk.checkin.flow import Ticket
from kiosk.checkin.shown import Offers, Shown
from kiosk.checkin.states import State
from kiosk.model import Case, Consent, Hint, Identity, Reason, RegistrationId, Reservation, ScannedCode
from kiosk.staff.duty import Duty
from kiosk.staff.sheet import SheetState

NOW = datetime(2026, 6, 1, 6, 30, tzinfo=UTC)
RECORD = RegistrationId("00000000-0000-4000-8000-000000000001")
GUEST = Identity(
    "suishen", "林示例", "11010519491231002X", date(1949, 12, 31), "2", ethnicity="01", portrait_ticket="t"
)
STAY = Reservation("S-1", "SZ-20260601-1", "0808", "豪华大床房", 1, date(2026, 6, 1), date(2026, 6, 3))
CASE = Case(
    ScannedCode("suishen", b"an invented code"),
    identity_consent=Consent("c-1", "identity", "1", "zh-CN", "0" * 64, NOW),
    identity=GUEST,
    today=date(2026, 6, 1),
    face_offered=True,
    reservation=STAY,
    confirmed=True,
)
NUMBER = "417"
"""What a guest says at the desk."""
REFERRALS = (
    Reason.FACE_DECLINED,
    Reason.NOT_MATCHED,
    Reason.GATEWAY_DOWN,
    Reason.OUT_OF_REGION,
    Reason.NO_RESERVATION,
    Reason.ROOM_NOT_READY,
    Reason.KEY_FAILED,
    Reason.HELP,
)
CLOSED = SheetState()


@dataclass(frozen=True, slots=True)
class Scene:
    """One picture: what is shown, what the clerk sees, what somebody has typed."""

    name: str
    shown: Shown
    sheet: SheetState = CLOSED
    typed: tuple[str, ...] = ()
    """Controls touched before the picture is taken."""


def scenes() -> Iterator[Scene]:
    """Yield every screen once, in the order of a visit. The welcome screen is the first."""
    for turn, (name, shown) in enumerate(_moments()):
        yield Scene(name, replace(shown, ticket=Ticket(0, turn)), typed=TYPED.get(name, ()))
    refused = Shown(Ticket(0, 90), states.StaffNeeded(Reason.FACE_DECLINED, CASE), NUMBER)
    for turn, (name, sheet) in enumerate(_sheets(), 100):
        yield Scene(name, replace(refused, ticket=Ticket(0, turn)), sheet, TYPED.get(name, ()))


TYPED = {
    "reference": tuple(f"keypad_{digit}" for digit in "4821"),
    "staff-pin": tuple(f"pinKey_{digit}" for digit in "2580"),
}


def _moments() -> Iterator[tuple[str, Shown]]:
    def show(state: State, **more: object) -> Shown:
        return replace(Shown(Ticket(0, 0), state), **more)  # type: ignore[arg-type]

    resume = states.AskingFaceConsent(CASE)
    yield "welcome", show(states.Welcome())
    yield "welcome-offline", show(states.Welcome(), offers=Offers(online=False))
    yield "welcome-no-camera", show(states.Welcome(), offers=Offers(codes=False, face=False))
    yield "welcome-staff-only", show(states.Welcome(), offers=Offers(records=False))
    yield "scan", show(states.Scanning())
    yield "scan-hint", show(states.Scanning(hint=Hint.CLOSER))
    yield "scan-refused", show(states.Scanning(refused=Reason.CODE_PAYMENT, refusals=1))
    yield "consent-identity", show(states.AskingIdentityConsent(CASE))
    yield "resolving", show(states.Resolving(CASE))
    yield "looking-up", show(states.LookingUp(CASE))
    yield "reference", show(states.AskingReference(CASE))
    yield "reference-again", show(states.AskingReference(CASE, tries=1))
    yield "reservation", show(states.ShowingReservation(CASE))
    yield "fields", show(states.AskingFields(CASE, ("ethnicity",)))
    yield "consent-face", show(states.AskingFaceConsent(CASE))
    yield "portrait", show(states.FetchingPortrait(CASE))
    yield "capture", show(states.Capturing(CASE))
    yield "capture-hint", show(states.Capturing(CASE, hint=Reason.FACE_TOO_FAR))
    yield "capture-refused", show(states.Capturing(CASE, attempts=1, refused=Reason.NOT_MATCHED))
    yield "saving", show(states.Saving(CASE))
    yield "saving-slow", show(states.Saving(CASE, slow=True))
    yield "key", show(states.IssuingKey(CASE, RECORD))
    yield "done", show(states.Done(RECORD, "0808"))
    yield "done-by-hand", show(states.Done(RECORD, "0808", by_hand=True))
    for reason in REFERRALS:
        back = resume if reason in (Reason.FACE_DECLINED, Reason.HELP) else None
        yield f"referral-{_word(reason)}", show(states.StaffNeeded(reason, CASE, None, back), referral_no=NUMBER)
    yield "idle-warning", show(states.ShowingReservation(CASE), idle_warning_s=17)


def _sheets() -> Iterator[tuple[str, SheetState]]:
    pin = replace(CLOSED, stage="pin", reason=Reason.FACE_DECLINED)
    unlocked = replace(CLOSED, stage="unlocked", operator="chen", locks_in_s=52)
    yield "staff-pin", pin
    yield "staff-pin-wrong", replace(pin, message="pin.wrong")
    yield "staff-pin-locked", replace(pin, message="pin.locked", wait_s=287)
    face = Reason.FACE_DECLINED
    yield "staff-sheet", replace(unlocked, reason=face, resolutions=("document_and_person_seen",))
    yield "staff-sheet-party", replace(unlocked, reason=Reason.PARTY, resolutions=("party_registered_at_desk",))
    yield "staff-sheet-nobody", replace(unlocked, duty=Duty(3, "green", 42, disk_mb=48_000))
    late = Duty(2_000, "alarm", -4_310, 12, "breaker", 4_320, "staff_only", 187, mending=True, copy_behind=True)
    yield "staff-sheet-overdue", replace(unlocked, duty=late)


def _word(reason: Reason) -> str:
    return reason.value.split(".")[1].replace("_", "-")
