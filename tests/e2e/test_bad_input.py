"""What goes wrong in a lobby, through real camera process, nets, TLS and disk: words for the guest, a masked log."""

from __future__ import annotations

import os
import secrets
import signal
from collections.abc import Iterator

import pytest

from kiosk.checkin import replay
from kiosk.checkin.events import Declined, Expired, Finished, ReferenceTyped, StaffApproved, StaffEnded, StaffRetried
from kiosk.checkin.states import (
    AskingIdentityConsent,
    AskingReference,
    Capturing,
    Done,
    LookingUp,
    Scanning,
    ShowingReservation,
    StaffNeeded,
    Welcome,
)
from kiosk.model import Reason, StaffDecision
from kiosk.sandbox.people import PEOPLE
from kiosk.sandbox.process import SandboxProcess
from offline_queue.store import Store
from tests.e2e.lobby import ASTRONAUT, HOPPER, House, eventually, face

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    with SandboxProcess(latency_ms=5) as running:
        yield running


@pytest.fixture
def lobby(sandbox: SandboxProcess) -> Iterator[House]:
    sandbox.clear_faults()
    with House(sandbox) as open_lobby:
        yield open_lobby


def decision(lobby: House, code: str = "document_and_person_seen") -> StaffApproved:
    return StaffApproved(StaffDecision("clerk", code, lobby.kiosk._now()))


def reason(lobby: House) -> Reason:
    state = lobby.until(StaffNeeded)
    assert isinstance(state, StaffNeeded)
    assert lobby.told("staff needed: number ", state.reason.value)
    return state.reason


def assert_nobody_is_named(lobby: House, who: str) -> None:
    text, person = lobby.log_text(), PEOPLE[who]
    assert text
    for value in (person.name, person.id_number, person.address):
        assert not value or value not in text


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b"WIFI:S:lobby;T:WPA;P:none;;", Reason.CODE_UNKNOWN),
        (b"https://qr.alipay.com/abcdef123", Reason.CODE_PAYMENT),
        (b"https://suishenma.sh.gov.cn/code?t=" + b"A" * 2100, Reason.CODE_TOO_LARGE),
    ],
    ids=["unknown", "payment", "oversize"],
)
def test_a_code_that_is_no_use_here_gets_words_and_another_chance(
    lobby: House, payload: bytes, expected: Reason
) -> None:
    lobby.stage.show_code(payload)
    state = lobby.until(Scanning)
    assert state == Scanning(refused=expected, refusals=1)
    assert lobby.told("CodeRefused", expected.value)
    assert payload.decode()[:40] not in lobby.log_text()
    lobby.stage.show_code(lobby.sandbox.issue_claim169("zhou"))
    lobby.until(AskingIdentityConsent)


@pytest.mark.parametrize("fault", ["forged", "altered", "wrong_issuer", "unknown_algorithm"])
def test_a_forged_eid_goes_to_a_person_in_neutral_words(lobby: House, fault: str) -> None:
    lobby.identify(lobby.sandbox.issue_claim169("zhou", fault=fault))
    assert reason(lobby) is Reason.CODE_FORGED
    assert_nobody_is_named(lobby, "zhou")


@pytest.mark.parametrize(("fault", "expected"), [("expired", Reason.CODE_EXPIRED), ("bomb", Reason.CODE_BROKEN)])
def test_an_expired_or_broken_eid_asks_for_another(lobby: House, fault: str, expected: Reason) -> None:
    lobby.stage.show_code(lobby.sandbox.issue_claim169("zhou", fault=fault))
    eventually("an answer", lambda: isinstance(lobby.now().state, AskingIdentityConsent | Scanning))
    if isinstance(lobby.now().state, AskingIdentityConsent):
        lobby.agrees("identity")
    state = lobby.until(Scanning)
    assert isinstance(state, Scanning)
    assert state.refused is expected
    assert lobby.told("ResolveRefused", expected.value)
    assert_nobody_is_named(lobby, "zhou")


def test_a_code_used_in_an_earlier_visit_is_refused_as_replayed(lobby: House) -> None:
    code = lobby.sandbox.issue_suishen("lin")
    lobby.identify(code)
    lobby.until(ShowingReservation)
    lobby.stage.show_nothing()
    lobby.says(Expired())
    lobby.until(Welcome)
    lobby.kiosk.runner._presentations._left.clear()
    lobby.stage.show_code(code)
    lobby.until(AskingIdentityConsent)
    lobby.agrees("identity")
    state = lobby.until(Scanning)
    assert isinstance(state, Scanning)
    assert state.refused is Reason.CODE_REPLAYED
    assert lobby.told("ResolveRefused", "code.replayed")
    assert code.decode() not in lobby.log_text()


@pytest.mark.parametrize(
    ("fault", "expected"),
    [("gateway_timeout", Reason.GATEWAY_DOWN), ("gateway_nonsense", Reason.GATEWAY_NONSENSE)],
)
def test_a_gateway_that_fails_leads_to_a_person(lobby: House, fault: str, expected: Reason) -> None:
    lobby.sandbox.fault(fault)
    lobby.identify(lobby.sandbox.issue_suishen("lin"))
    assert reason(lobby) is expected
    assert lobby.told("identity: ")
    assert_nobody_is_named(lobby, "lin")


def test_a_guest_without_a_booking_is_asked_for_a_reference(lobby: House) -> None:
    assert isinstance(lobby.identify(lobby.sandbox.issue_suishen("walkin")), AskingReference)
    assert lobby.told("ReservationMissing", "stay.no_reservation")
    for tries in (0, 1, 2):
        assert lobby.until(AskingReference).tries == tries  # type: ignore[attr-defined]
        lobby.says(ReferenceTyped("0000"))
        lobby.until(LookingUp)
        eventually("an answer", lambda: not isinstance(lobby.now().state, LookingUp))
    assert reason(lobby) is Reason.NO_RESERVATION
    assert_nobody_is_named(lobby, "walkin")


@pytest.mark.parametrize(
    ("person", "expected"),
    [
        ("minor", Reason.MINOR),
        ("party", Reason.PARTY),
        ("balance", Reason.BALANCE_DUE),
        ("notready", Reason.ROOM_NOT_READY),
        ("gd", Reason.OUT_OF_REGION),
    ],
)
def test_who_needs_a_person_gets_one_before_any_face_or_key(lobby: House, person: str, expected: Reason) -> None:
    lobby.identify(lobby.sandbox.issue_suishen(person))
    assert reason(lobby) is expected
    assert lobby.kiosk.keys.issued == []


def test_somebody_elses_face_is_not_matched_and_ends_with_staff(lobby: House) -> None:
    lobby.to_face_consent(lobby.sandbox.issue_suishen("lin"))
    lobby.stage.show_face(face(HOPPER))
    lobby.agrees("face")
    last = reason(lobby)
    assert last in {Reason.NOT_MATCHED, Reason.NOT_LIVE, Reason.FACE_DOUBTFUL}
    assert lobby.told("FaceRefused", last.value)
    assert lobby.kiosk.keys.issued == []


def test_two_faces_are_no_guest(lobby: House) -> None:
    lobby.to_face_consent(lobby.sandbox.issue_suishen("lin"))
    lobby.stage.show_faces([face(ASTRONAUT), face(HOPPER)])
    lobby.agrees("face")
    state = lobby.until(Capturing)
    eventually("the hint", lambda: getattr(lobby.now().state, "hint", None) is Reason.TWO_FACES)
    assert isinstance(state, Capturing)
    assert lobby.told("FaceHinted", "face.two")


def test_a_face_of_120_px_is_asked_to_come_closer(lobby: House) -> None:
    lobby.to_face_consent(lobby.sandbox.issue_suishen("lin"))
    lobby.stage.show_face(face(ASTRONAUT), face_px=120)
    lobby.agrees("face")
    eventually("the hint", lambda: getattr(lobby.now().state, "hint", None) is Reason.FACE_TOO_FAR)
    assert lobby.told("FaceHinted", "face.too_far")


def test_a_jammed_key_encoder_keeps_the_record_and_tries_the_key_again(lobby: House) -> None:
    lobby.kiosk.keys.jam()
    lobby.to_face_consent(lobby.sandbox.issue_suishen("lin"))
    lobby.stage.show_face(face(ASTRONAUT))
    lobby.agrees("face")
    assert reason(lobby) is Reason.KEY_FAILED
    assert lobby.told("key encoder: ")
    lobby.says(StaffRetried())
    lobby.until(Done)
    assert len(lobby.kiosk.keys.issued) == 1
    assert sum(lobby.kiosk.owner.status().counts.values()) == 1


def test_a_police_endpoint_that_is_down_holds_nobody_up_and_loses_nothing(lobby: House) -> None:
    lobby.sandbox.close_police()
    try:
        lobby.to_face_consent(lobby.sandbox.issue_claim169("zhou"))
        lobby.stage.show_face(face(HOPPER))
        lobby.agrees("face")
        done = lobby.until(Done)
        assert isinstance(done, Done)
        assert lobby.watch.receipts == []
        eventually("a line in the log", lambda: lobby.told("sync: endpoint: "))
        assert_nobody_is_named(lobby, "zhou")
    finally:
        lobby.sandbox.open_police()
    lobby.says(Finished())
    lobby.watch.wait("the receipt", lambda: any(r[0] == done.record_id for r in lobby.watch.receipts), 30)


def test_staff_finish_for_a_guest_who_declined(lobby: House) -> None:
    lobby.to_face_consent(lobby.sandbox.issue_suishen("shen"))
    lobby.says(Declined())
    assert reason(lobby) is Reason.FACE_DECLINED
    lobby.says(decision(lobby))
    done = lobby.until(Done)
    assert isinstance(done, Done)
    lobby.watch.wait("the receipt", lambda: any(r[0] == done.record_id for r in lobby.watch.receipts), 30)


def test_a_visit_that_staff_end_leaves_nothing(lobby: House) -> None:
    lobby.to_face_consent(lobby.sandbox.issue_suishen("shen"))
    lobby.says(Declined())
    reason(lobby)
    lobby.says(StaffEnded())
    lobby.until(Welcome)
    assert sum(lobby.kiosk.owner.status().counts.values()) == 0
    assert_nobody_is_named(lobby, "shen")


def test_noise_is_no_code(lobby: House) -> None:
    lobby.stage.show_code(secrets.token_bytes(600))
    state = lobby.until(Scanning)
    assert isinstance(state, Scanning)
    assert state.refused is Reason.CODE_UNKNOWN


def test_a_full_disk_gives_no_key_and_the_record_is_put_once_there_is_room(lobby: House) -> None:
    lobby.to_face_consent(lobby.sandbox.issue_claim169("zhou"))
    lobby.kiosk.owner.call(lambda store: fill(store, full=True))
    lobby.stage.show_face(face(HOPPER))
    lobby.agrees("face")  # the two photos need pages of their own
    assert reason(lobby) is Reason.SAVE_FAILED
    assert lobby.told("outbox: ")
    assert_nobody_is_named(lobby, "zhou")
    assert lobby.kiosk.keys.issued == []
    assert sum(lobby.kiosk.owner.status().counts.values()) == 0
    lobby.kiosk.owner.call(lambda store: fill(store, full=False))
    lobby.says(StaffRetried())
    lobby.until(Done)
    assert len(lobby.kiosk.keys.issued) == 1
    assert sum(lobby.kiosk.owner.status().counts.values()) == 1


def fill(store: Store, *, full: bool) -> None:
    """Let SQLite believe that the disk has no page left, or room again."""
    pages = store._conn.execute("PRAGMA page_count").fetchone()[0]
    store._conn.execute(f"PRAGMA max_page_count = {pages if full else 1_000_000}")


OF_A_PICTURE = (b"JFIF", b"Exif", b"/9j/4AAQ", b"WEBPVP8", b"\x89PNG")
"""What a photo begins with, as it is or in base64."""


@pytest.mark.parametrize(("who", "photo"), [("lin", ASTRONAUT), ("zhou", HOPPER)], ids=["suishen", "eid"])
def test_a_finished_visit_can_be_played_again_and_shows_nobody_on_disk(lobby: House, who: str, photo: str) -> None:
    issue = lobby.sandbox.issue_suishen if who == "lin" else lobby.sandbox.issue_claim169
    lobby.to_face_consent(issue(who))
    lobby.stage.show_face(face(photo))
    lobby.agrees("face")
    done = lobby.until(Done)
    assert isinstance(done, Done)
    lobby.watch.wait("the receipt", lambda: any(r[0] == done.record_id for r in lobby.watch.receipts), 30)
    lobby.stage.show_nothing()
    lobby.says(Finished())
    lobby.until(Welcome)
    assert replay.main([str(lobby.config.kiosk.state_dir / "log" / "visits.jsonl")]) == 0
    person = PEOPLE[who]
    named = [value.encode() for value in (person.name, person.id_number, person.address) if value]
    for path in lobby.config.kiosk.state_dir.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert not [value for value in (*named, *OF_A_PICTURE) if value in data], path.name


def test_a_camera_that_is_unplugged_says_so_and_comes_back(lobby: House) -> None:
    lobby.stage.unplug(2.0)
    eventually("codes not offered", lambda: not lobby.now().offers.codes)
    eventually("codes offered again", lambda: lobby.now().offers.codes)
    lobby.stage.show_code(lobby.sandbox.issue_claim169("zhou"))
    lobby.until(AskingIdentityConsent)


def test_a_vision_process_that_is_killed_while_it_looks_leads_to_a_person(lobby: House) -> None:
    lobby.to_face_consent(lobby.sandbox.issue_suishen("lin"))
    lobby.stage.show_nothing()
    lobby.agrees("face")
    lobby.until(Capturing)
    os.kill(lobby.kiosk.vision.pid, signal.SIGKILL)
    assert reason(lobby) is Reason.FACE_UNAVAILABLE
    eventually("eyes again", lambda: lobby.kiosk.offers().face)
