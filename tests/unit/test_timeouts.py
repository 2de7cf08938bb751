"""How long a kiosk waits is what its settings say."""

from __future__ import annotations

from kiosk.checkin.samples import CODE, RECORD
from kiosk.checkin.states import AskingIdentityConsent, Capturing, Done, FetchingPortrait, LookingUp, Resolving, State
from kiosk.checkin.timeouts import Budget, Budgets, Turn
from kiosk.config import FaceSection, GatewaySection, ReservationsSection, ScreenSection
from kiosk.model import Case

CASE = Case(CODE)


def waits(state: State) -> Budget:
    screen = ScreenSection(idle_s=33, result_s=44)
    gateway, hotel = GatewaySection(timeout_s=7), ReservationsSection(timeout_s=8)
    return Budgets.of(screen, gateway, hotel, FaceSection(attempt_s=9)).of_state(state)


def test_a_guest_has_the_time_of_the_settings_for_a_question_and_for_the_result() -> None:
    assert waits(AskingIdentityConsent(CASE)) == Budget(Turn.GUEST, 33)
    assert waits(Done(RECORD, "0808")) == Budget(Turn.READING, 44)


def test_the_kiosk_gives_up_only_after_whatever_it_waits_for_did() -> None:
    assert waits(Resolving(CASE)) == Budget(Turn.KIOSK, 28)  # three calls, one of them tried twice
    assert waits(LookingUp(CASE)) == Budget(Turn.KIOSK, 18)
    assert waits(FetchingPortrait(CASE)) == Budget(Turn.KIOSK, 16)
    assert waits(Capturing(CASE)) == Budget(Turn.KIOSK, 18)
