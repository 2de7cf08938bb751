"""The runner: effects performed, late answers dropped, time passing, nothing about the guest in the journal."""

from __future__ import annotations

import logging
import queue
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kiosk.checkin import replay, samples
from kiosk.checkin.events import *
from kiosk.checkin.idle import IdleClock
from kiosk.checkin.journal import Journal, read
from kiosk.checkin.mail import Activity
from kiosk.checkin.runner import Runner
from kiosk.checkin.samples import CODE, FACE, GUEST, RECORD, STAY, TODAY, consent
from kiosk.checkin.shown import Offers, Shown
from kiosk.checkin.states import *
from kiosk.checkin.timeouts import Budgets
from kiosk.checkin.world import World
from kiosk.errors import DeviceUnavailable, GatewayUnavailable, OperationalError, OutboxUnavailable
from kiosk.model import Case, Reason, Refusal, Registration, RegistrationId, ScannedCode, StaffDecision
from kiosk.ports import CodeSeen, FaceDecided, FaceHintSeen, VisionDown, VisionReport, VisionUp

pytestmark = pytest.mark.timeout(60)

REGISTRATION = Registration(RECORD, 1, "CI", "S-1", datetime(2026, 6, 1, tzinfo=UTC), b"{}")


@dataclass
class Lobby:
    """A world that answers as the test says, and remembers what it was asked."""

    asked: list[str] = field(default_factory=list)
    watch: int = 0
    resolved: object = GUEST
    stay: object = STAY
    portrait: bytes | None = b"p"
    put_fails: int = 0
    key_fails: int = 0
    audited: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    registered: list[Registration] = field(default_factory=list)
    shown: queue.SimpleQueue[Shown] = field(default_factory=queue.SimpleQueue)

    def start(self, report: Callable[[VisionReport], None]) -> None:
        self.asked.append("start")

    def watch_codes(self, watch: int) -> None:
        self.asked.append("codes")
        self.watch = watch

    def watch_face(self, watch: int, reference: bytes) -> None:
        self.asked.append("face")
        self.watch = watch

    def rest(self) -> None:
        self.asked.append("rest")

    def wipe(self) -> None:
        self.asked.append("wipe")

    def close(self) -> None:
        self.asked.append("close")

    def find(self, identity: object, reference: str | None) -> object:
        return self._answer(self.stay)

    def put(self, registration: Registration) -> RegistrationId:
        self.registered.append(registration)
        if self.put_fails:
            self.put_fails -= 1
            raise OutboxUnavailable("disk is full")
        return registration.record_id

    def issue(self, room_no: str, until: datetime, record_id: RegistrationId) -> None:
        if self.key_fails:
            self.key_fails -= 1
            raise DeviceUnavailable("key encoder", "hopper is empty")

    def write(self, kind: str, **fields: object) -> None:
        self.audited.append((kind, fields))

    def recognise(self, payload: bytes) -> ScannedCode | Refusal:
        return Refusal(Reason.CODE_PAYMENT) if payload == b"pay" else ScannedCode("suishen", payload)

    def register(self, case: Case) -> Registration:
        return REGISTRATION

    def _answer(self, value: object) -> object:
        if isinstance(value, Exception):
            raise value
        return value

    def world(self) -> World:
        return World(
            vision=self,
            recognise=self.recognise,
            resolve=lambda code, given, visit: self._answer(self.resolved),  # type: ignore[arg-type,return-value]
            portrait=lambda identity, given: self._answer(self.portrait),  # type: ignore[arg-type,return-value]
            reservations=self,  # type: ignore[arg-type]
            register=self.register,
            outbox=self,
            keys=self,
            audit=self,
            offers=lambda: Offers(),
            today=lambda: TODAY,
            key_until=lambda stay: samples.NOW,
        )


class Guest:
    """Drives a runner the way screen and camera do."""

    def __init__(self, lobby: Lobby, runner: Runner) -> None:
        self.lobby, self.runner = lobby, runner
        self.now = lobby.shown.get(timeout=5)

    def until(self, kind: type[State]) -> Shown:
        while not isinstance(self.now.state, kind):
            self.now = self.lobby.shown.get(timeout=5)
        return self.now

    def says(self, event: Event) -> None:
        self.runner.send(event, self.now.ticket)

    def shows(self, payload: bytes) -> None:
        self.runner.tell(CodeSeen(self.lobby.watch, payload, "test", 0.0))

    def to_face_consent(self, payload: bytes = CODE.payload) -> None:
        self.shows(payload)
        self.until(AskingIdentityConsent)
        self.says(Consented(consent("identity")))
        self.until(ShowingReservation)
        self.says(ReservationConfirmed())
        self.until(AskingFaceConsent)

    def to_done(self) -> None:
        self.to_face_consent()
        self.says(Consented(consent("face")))
        self.until(Capturing)
        self.runner.tell(FaceDecided(self.lobby.watch, FACE))
        self.until(Done)


@pytest.fixture
def lobby() -> Lobby:
    return Lobby()


@pytest.fixture
def begin(lobby: Lobby, tmp_path: Path) -> Iterator[Callable[..., Guest]]:
    runners: list[Runner] = []

    def make(budgets: Budgets | None = None, warning_s: float = 20.0) -> Guest:
        runner = Runner(
            lobby.world(),
            lobby.shown.put,
            budgets=budgets or Budgets(),
            warning_s=warning_s,
            journal=Journal(tmp_path / "visits.jsonl"),
        )
        runners.append(runner)
        runner.start()
        return Guest(lobby, runner)

    yield make
    for runner in runners:
        runner.stop()


def test_a_whole_visit_and_the_wipe_after_it(lobby: Lobby, begin: Callable[..., Guest]) -> None:
    guest = begin()
    guest.to_done()
    assert lobby.asked[:3] == ["codes", "rest", "face"]
    guest.says(Finished())
    guest.until(Welcome)
    assert lobby.asked[-3:] == ["rest", "wipe", "codes"]


def test_both_consents_are_in_the_audit_with_the_hash_of_their_text(lobby: Lobby, begin: Callable[..., Guest]) -> None:
    begin().to_done()
    given = [(kind, fields["text_sha256"]) for kind, fields in lobby.audited if kind.startswith("consent.")]
    assert given == [("consent.identity", "0" * 64), ("consent.face", "0" * 64)]


def test_a_key_is_in_the_audit_with_its_record(lobby: Lobby, begin: Callable[..., Guest]) -> None:
    begin().to_done()
    assert ("key.issued", {"record": RECORD}) in lobby.audited


def test_a_late_face_result_cannot_finish_the_next_guests_visit(lobby: Lobby, begin: Callable[..., Guest]) -> None:
    guest = begin()
    guest.to_face_consent()
    guest.says(Consented(consent("face")))
    guest.until(Capturing)
    late = FaceDecided(lobby.watch, FACE)
    guest.says(Back())
    guest.until(AskingFaceConsent)
    guest.says(Consented(consent("face")))
    guest.until(Capturing)
    guest.runner.tell(late)
    guest.says(HelpAsked())
    assert guest.until(StaffNeeded).state.reason is Reason.HELP  # type: ignore[union-attr]
    assert lobby.registered == []


def test_the_same_useless_code_is_refused_once_however_long_it_is_held_up(
    lobby: Lobby, begin: Callable[..., Guest]
) -> None:
    guest = begin()
    guest.shows(b"pay")
    assert guest.until(Scanning).state == Scanning(refused=Reason.CODE_PAYMENT, refusals=1)
    for _ in range(6):
        guest.shows(b"pay")
    guest.shows(CODE.payload)
    guest.until(AskingIdentityConsent)


@pytest.mark.parametrize(
    ("broken", "reason"),
    [("resolved", Reason.GATEWAY_DOWN), ("stay", Reason.HOTEL_SYSTEM_DOWN)],
)
def test_a_service_that_is_down_leads_to_a_person(
    lobby: Lobby, begin: Callable[..., Guest], broken: str, reason: Reason
) -> None:
    setattr(lobby, broken, GatewayUnavailable("no answer within 5 s"))
    guest = begin()
    guest.shows(CODE.payload)
    guest.until(AskingIdentityConsent)
    guest.says(Consented(consent("identity")))
    state = guest.until(StaffNeeded).state
    assert isinstance(state, StaffNeeded)
    assert state.reason is reason
    assert lobby.audited[-1][0] == "referral.opened"


def test_a_full_disk_is_not_blamed_on_the_gateway(
    lobby: Lobby, begin: Callable[..., Guest], caplog: pytest.LogCaptureFixture
) -> None:
    lobby.resolved = OperationalError("state.db: replay memory: disk is full")
    guest = begin()
    guest.shows(CODE.payload)
    guest.until(AskingIdentityConsent)
    guest.says(Consented(consent("identity")))
    assert guest.until(StaffNeeded).state.reason is Reason.DEVICE_DOWN  # type: ignore[union-attr]
    assert "disk is full" in caplog.text


def test_a_bug_in_a_part_leads_to_a_person_and_not_to_a_hang(lobby: Lobby, begin: Callable[..., Guest]) -> None:
    lobby.stay = ZeroDivisionError("a bug")
    guest = begin()
    guest.shows(CODE.payload)
    guest.until(AskingIdentityConsent)
    guest.says(Consented(consent("identity")))
    assert guest.until(StaffNeeded).state.reason is Reason.HOTEL_SYSTEM_DOWN  # type: ignore[union-attr]


def test_a_full_disk_gives_no_key_and_the_retry_puts_the_same_bytes(lobby: Lobby, begin: Callable[..., Guest]) -> None:
    lobby.put_fails = 1
    guest = begin()
    guest.to_face_consent()
    guest.says(Consented(consent("face")))
    guest.until(Capturing)
    guest.runner.tell(FaceDecided(lobby.watch, FACE))
    assert guest.until(StaffNeeded).state.reason is Reason.SAVE_FAILED  # type: ignore[union-attr]
    guest.says(StaffRetried())
    guest.until(Done)
    assert lobby.registered == [REGISTRATION, REGISTRATION]


def test_a_camera_that_is_unplugged_while_it_looks_leads_to_staff_who_look_instead(
    lobby: Lobby, begin: Callable[..., Guest]
) -> None:
    guest = begin()
    guest.to_face_consent()
    guest.says(Consented(consent("face")))
    guest.until(Capturing)
    guest.runner.tell(VisionDown("unplugged"))
    state = guest.until(StaffNeeded).state
    assert isinstance(state, StaffNeeded)
    assert state.reason is Reason.FACE_UNAVAILABLE
    guest.says(StaffApproved(samples_decision()))
    guest.until(Done)


def test_a_camera_that_comes_back_looks_for_codes_again(lobby: Lobby, begin: Callable[..., Guest]) -> None:
    guest = begin()
    guest.runner.tell(VisionDown("unplugged"))
    guest.runner.tell(VisionUp())
    guest.shows(CODE.payload)
    while lobby.asked.count("codes") < 2:
        lobby.shown.get(timeout=5)
    guest.shows(CODE.payload)
    guest.until(AskingIdentityConsent)


def test_nobody_answers_so_the_guest_is_warned_and_then_forgotten(lobby: Lobby, begin: Callable[..., Guest]) -> None:
    guest = begin(Budgets(idle=0.05), warning_s=0.05)
    guest.shows(CODE.payload)
    guest.until(AskingIdentityConsent)
    while guest.now.idle_warning_s is None:
        guest.now = lobby.shown.get(timeout=5)
    guest.until(Welcome)
    assert "wipe" in lobby.asked


def test_still_here_takes_the_warning_back(lobby: Lobby, begin: Callable[..., Guest]) -> None:
    guest = begin(Budgets(idle=0.05), warning_s=30.0)
    guest.shows(CODE.payload)
    guest.until(AskingIdentityConsent)
    while guest.now.idle_warning_s is None:
        guest.now = lobby.shown.get(timeout=5)
    guest.runner.tell(Activity())
    guest.now = lobby.shown.get(timeout=5)
    assert guest.now.idle_warning_s is None
    assert isinstance(guest.now.state, AskingIdentityConsent)


def test_a_capture_that_never_answers_ends_with_a_person(lobby: Lobby, begin: Callable[..., Guest]) -> None:
    guest = begin(Budgets(capturing=0.05))
    guest.to_face_consent()
    guest.says(Consented(consent("face")))
    assert guest.until(StaffNeeded).state.reason is Reason.NO_FACE  # type: ignore[union-attr]


def test_the_journal_holds_no_guest_and_plays_again(
    lobby: Lobby, begin: Callable[..., Guest], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    guest = begin()
    guest.to_done()
    guest.says(Finished())
    guest.until(Welcome)
    guest.runner.stop()
    log = tmp_path / "visits.jsonl"
    text = log.read_text(encoding="utf-8")
    assert GUEST.name not in text
    assert GUEST.id_number not in text
    assert CODE.payload.decode() not in text
    assert [entry.next for entry in read(log)][-2:] == ["Done", "Welcome"]
    assert replay.main([str(log)]) == 0
    assert "as recorded" in capsys.readouterr().out


def test_each_refusal_is_a_line_in_the_log_and_a_hint_is_one_however_often_it_comes(
    lobby: Lobby, begin: Callable[..., Guest], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    guest = begin()
    guest.shows(b"pay")
    guest.until(Scanning)
    guest.to_face_consent()
    guest.says(Consented(consent("face")))
    guest.until(Capturing)
    for hint in (Reason.TWO_FACES, None, Reason.TWO_FACES):
        guest.runner.tell(FaceHintSeen(lobby.watch, hint))
    guest.runner.tell(FaceDecided(lobby.watch, Refusal(Reason.NOT_MATCHED)))
    while guest.now.state != Capturing(guest.now.state.case, 1, refused=Reason.NOT_MATCHED):  # type: ignore[union-attr]
        guest.now = lobby.shown.get(timeout=5)
    assert [line.getMessage() for line in caplog.records if line.name == "kiosk.checkin.troubles"] == [
        "number 101: CodeRefused: code.payment",
        "number 101: FaceHinted: face.two",
        "number 101: FaceRefused: face.not_matched",
    ]
    assert GUEST.name not in caplog.text


def test_elder_mode_doubles_a_guests_time_and_not_the_kiosks() -> None:
    now = 0.0
    clock = IdleClock(Budgets(idle=60, resolving=20), 20, now=lambda: now)
    clock.stretch = 2.0
    clock.rewind(Scanning())
    assert clock.wait_s() == 120
    clock.rewind(Resolving(Case(CODE)))
    assert clock.wait_s() == 20


def samples_decision() -> StaffDecision:
    return next(event for event in samples.EVENTS if isinstance(event, StaffApproved)).decision


def test_a_journal_that_has_grown_begins_anew_and_the_old_one_is_kept(tmp_path: Path) -> None:
    log = tmp_path / "visits.jsonl"
    log.write_text("x" * 100)
    Journal(log, max_bytes=99).close()
    assert log.read_text() == ""
    assert (tmp_path / "visits.jsonl.1").read_text() == "x" * 100
