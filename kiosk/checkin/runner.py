"""Performs the flow's effects and feeds the answers back. One thread owns the visit; only frozen values cross.

Everything that happens arrives in one inbox: touches, staff, vision reports, answers of workers.
Each carries the ticket of the question it answers; ``Visit.advance`` drops what comes too late.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable

from kiosk.checkin import world as perform
from kiosk.checkin.effects import (
    Asked,
    CloseReferral,
    Effect,
    Forget,
    IssueKey,
    OpenReferral,
    PutInOutbox,
    ResolveCode,
    RingStaff,
    StartCapture,
    StartScanner,
    StopDevices,
)
from kiosk.checkin.events import (
    Back,
    CodeHinted,
    Consented,
    Event,
    FaceHinted,
    FaceRefused,
    FaceVerified,
    Failed,
    StaffRetried,
)
from kiosk.checkin.flow import Ticket, Visit
from kiosk.checkin.idle import IdleClock
from kiosk.checkin.journal import Journal, entry
from kiosk.checkin.mail import Activity, Happened, Mail, OffersChanged, Stop, Stretched
from kiosk.checkin.presentations import Presentations
from kiosk.checkin.shown import Offers, Shown
from kiosk.checkin.states import Capturing, Scanning, Welcome
from kiosk.checkin.timeouts import Budgets
from kiosk.checkin.troubles import Troubles
from kiosk.checkin.workers import Workers
from kiosk.checkin.world import World
from kiosk.errors import DeviceUnavailable, OperationalError, where
from kiosk.model import Case, Reason, Refusal, Registration
from kiosk.ports import CodeHintSeen, CodeSeen, FaceDecided, FaceHintSeen, VisionDown, VisionUp

log = logging.getLogger(__name__)

LEAVE_S = 12.0
"""How long ``stop`` waits for a record or a key under way: a put takes milliseconds, an encoder at most 10 s."""


class Runner:
    """The check-in at work.

    ``send`` and ``tell`` never block and may be called from any thread. ``publish`` is called on the
    runner's thread after each step; it must not block.
    """

    def __init__(
        self,
        world: World,
        publish: Callable[[Shown], None],
        *,
        budgets: Budgets,
        warning_s: float,
        journal: Journal | None = None,
        ring: Callable[[Reason | None, str], None] = lambda reason, number: None,
        first_visit: int = 1,
    ) -> None:
        self._world = world
        self._publish = publish
        self._journal = journal or Journal(None)
        self._ring = ring
        self._inbox: queue.SimpleQueue[Mail] = queue.SimpleQueue()
        self._visit = Visit(Ticket(first_visit, 0))
        self._watch = (0, self._visit.ticket)
        self._presentations = Presentations()
        self._troubles = Troubles()
        self._built: dict[Case, Registration] = {}
        self._offers = Offers()
        self._began = time.monotonic()
        self._idle = IdleClock(budgets, warning_s)
        self._rearm_at: float | None = None
        self._workers = Workers()
        self._ended = False
        self._broke_at: Ticket | None = None
        self._thread = threading.Thread(target=self._run, name="runner", daemon=True)

    # -- from any thread

    def start(self) -> None:
        """Begin: look for codes on the welcome screen."""
        self._thread.start()

    def send(self, event: Event, ticket: Ticket) -> None:
        """Tell what guest or staff did on the screen that ``ticket`` names."""
        self._inbox.put(Happened(event, ticket, touched=True))

    def tell(self, mail: Mail) -> None:
        """Tell what the vision process saw, that the guest is still there, or that what works now has changed."""
        self._inbox.put(mail)

    def stop(self, timeout_s: float = LEAVE_S) -> None:
        """End the runner. A record or a key under way is waited for, up to ``timeout_s``; nothing else is."""
        self._inbox.put(Stop())
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        if not self._workers.wait((PutInOutbox, IssueKey), timeout_s):
            log.error("a record or a key was still under way when the kiosk stopped")
        self._journal.close()

    # -- on the runner's thread

    def _run(self) -> None:
        self._safely(self._begin)
        while not self._ended:
            self._safely(self._turn)

    def _safely(self, work: Callable[[], None]) -> None:
        """Do a piece of work. A fault of ours in it must not leave a dead kiosk: the guest goes to a person, once."""
        try:
            work()
        except Exception as error:  # as above
            log.error("the check-in broke: %s", where(error))
            if self._visit.ticket != self._broke_at:
                self._broke_at = self._visit.ticket
                self._inbox.put(Happened(Failed(Reason.DEVICE_DOWN), self._broke_at))

    def _begin(self) -> None:
        self._perform((StartScanner(),))
        self._offers = self._world.offers()
        self._show()

    def _turn(self) -> None:
        """Take one mail, or let time pass. What the mail held is let go before the next one is waited for."""
        try:
            mail = self._inbox.get(timeout=self._wait_s())
        except queue.Empty:
            self._tick()
        else:
            self._take(mail)

    def _take(self, mail: Mail) -> None:
        match mail:
            case Happened(event, ticket, touched):
                if touched:
                    self._idle.touched(self._visit.state)
                self._advance(event, ticket)
            case Activity():
                self._idle.touched(self._visit.state)
                self._show()
            case Stretched(factor):
                self._idle.stretch = factor
                self._idle.touched(self._visit.state)
            case OffersChanged():
                self._offers = self._world.offers()
                self._show()
            case VisionDown() | VisionUp():
                self._vision_changed(up=isinstance(mail, VisionUp))
            case CodeSeen() | CodeHintSeen() | FaceHintSeen() | FaceDecided():
                if mail.watch == self._watch[0]:
                    self._see(mail, self._watch[1])
            case Stop():
                self._ended = True

    def _see(self, seen: CodeSeen | CodeHintSeen | FaceHintSeen | FaceDecided, ticket: Ticket) -> None:
        match seen:
            case CodeSeen(_, payload) if not self._wanted(payload):
                self._rearm_at = time.monotonic() + Presentations.LOOK_AGAIN_S
            case CodeSeen(_, payload):
                self._idle.touched(self._visit.state)
                self._advance(self._presentations.take(perform.recognise(self._world, payload), payload), ticket)
            case CodeHintSeen(_, hint):
                self._advance(CodeHinted(hint), ticket)
            case FaceHintSeen(_, hint):
                self._advance(FaceHinted(hint), ticket)
            case FaceDecided(_, outcome):
                event = FaceRefused(outcome.reason) if isinstance(outcome, Refusal) else FaceVerified(outcome)
                self._advance(event, ticket)

    def _wanted(self, payload: bytes) -> bool:
        begins = self._offers.records or not isinstance(self._visit.state, Welcome)
        return begins and not self._presentations.is_left_over(payload, time.monotonic())

    def _vision_changed(self, *, up: bool) -> None:
        self._offers = self._world.offers()
        state, ticket = self._visit.state, self._visit.ticket
        if up and isinstance(state, Welcome | Scanning):
            self._perform((StartScanner(),))
        elif not up and isinstance(state, Capturing):
            self._advance(Failed(Reason.FACE_UNAVAILABLE), ticket)
        elif not up and isinstance(state, Scanning):
            self._advance(Failed(Reason.DEVICE_DOWN), ticket)
        self._show()

    def _advance(self, event: Event, ticket: Ticket) -> None:
        before = self._visit
        after, effects = before.advance(event, ticket)
        if after == before and not effects:
            return
        if isinstance(event, Consented):
            perform.audit_consent(self._world, event.consent)
        if isinstance(event, Back | StaffRetried):
            self._presentations.clear()
        self._troubles.note(event, before.ticket, self._number())
        self._visit = after
        if not isinstance(event, CodeHinted | FaceHinted):
            ms = round((time.monotonic() - self._began) * 1000)
            self._journal.write(entry(before.ticket.visit, ms, before.state, event, after.state))
        if after.ticket != before.ticket:
            self._idle.rewind(self._visit.state)
        self._perform(effects)
        self._show()

    def _perform(self, effects: tuple[Effect, ...]) -> None:
        for effect in effects:
            try:
                self._perform_one(effect)
            except Exception as error:  # the others must be performed, and nobody shall wait for this one
                log.error("%s broke: %s", type(effect).__name__, where(error))
                self._inbox.put(Happened(perform.failure_of(effect), self._visit.ticket))

    def _perform_one(self, effect: Effect) -> None:
        match effect:
            case StartScanner():
                self._world.vision.watch_codes(self._new_watch())
                if isinstance(self._visit.state, Scanning) and not self._offers.codes:
                    raise DeviceUnavailable("camera", "no code can be looked for now")
            case StartCapture(portrait):
                if not self._offers.face:
                    raise DeviceUnavailable("camera", "no face can be looked at now")
                self._world.vision.watch_face(self._new_watch(), portrait)
            case StopDevices():
                self._new_watch()
                self._world.vision.rest()
            case Forget():
                self._built.clear()
                self._presentations.forget(time.monotonic())
                self._world.vision.wipe()
            case OpenReferral(reason, record):
                number = self._number()
                perform.audit(self._world, "referral.opened", number=number, reason=reason.value, record=record)
                self._ring(reason, number)
            case CloseReferral(outcome, reason, record):
                perform.audit(self._world, "referral.closed", outcome=outcome, reason=reason.value, record=record)
                self._ring(None, self._number())
            case RingStaff():
                self._ring(Reason.SAVE_FAILED, self._number())
            case _:
                self._ask(effect)

    def _ask(self, effect: Asked) -> None:
        """Let a worker perform what blocks."""
        if isinstance(effect, ResolveCode):
            self._presentations.resolving(effect.case.code.payload)
        ticket = self._visit.ticket

        def work() -> None:
            self._inbox.put(Happened(perform.answer(self._world, effect, ticket.visit, self._built), ticket))

        if not self._workers.start(type(effect), work):
            raise OperationalError("too many calls of this kind have not returned")

    def _new_watch(self) -> int:
        self._watch = (self._watch[0] + 1, self._visit.ticket)
        self._rearm_at = None
        return self._watch[0]

    def _wait_s(self) -> float | None:
        rearm = None if self._rearm_at is None else max(0.0, self._rearm_at - time.monotonic())
        return min((wait for wait in (self._idle.wait_s(), rearm) if wait is not None), default=None)

    def _tick(self) -> None:
        if self._rearm_at is not None and time.monotonic() >= self._rearm_at:
            self._world.vision.watch_codes(self._new_watch())
        event = self._idle.ended(self._visit.state)
        if event is not None:
            self._advance(event, self._visit.ticket)
        elif self._idle.left_s() is not None:
            self._show()

    def _number(self) -> str:
        return f"{100 + self._visit.ticket.visit % 900}"

    def _show(self) -> None:
        ticket, state = self._visit.ticket, self._visit.state
        try:
            self._publish(Shown(ticket, state, self._number(), self._idle.left_s(), self._offers))
        except Exception as error:  # the visit goes on; the next state is shown again
            log.error("the screen was not told: %s", where(error))
