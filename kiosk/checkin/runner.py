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
from concurrent.futures import ThreadPoolExecutor

from kiosk.checkin import world as perform
from kiosk.checkin.effects import (
    Asked,
    CloseReferral,
    Effect,
    FetchPortrait,
    FindReservation,
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
from kiosk.checkin.world import World
from kiosk.model import Case, Reason, Refusal, Registration
from kiosk.ports import CodeHintSeen, CodeSeen, FaceDecided, FaceHintSeen, VisionDown, VisionUp

log = logging.getLogger(__name__)

WORKERS = 4
"""Calls that may block at once: one visit needs one, late answers of earlier visits may hold others."""


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
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="effect")
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

    def stop(self, timeout_s: float = 5.0) -> None:
        """End the runner. A put under way is waited for, up to ``timeout_s``."""
        self._inbox.put(Stop())
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._journal.close()

    # -- on the runner's thread

    def _run(self) -> None:
        self._offers = self._world.offers()
        self._perform((StartScanner(),))
        self._show()
        while True:
            try:
                mail = self._inbox.get(timeout=self._wait_s())
            except queue.Empty:
                self._tick()
                continue
            if isinstance(mail, Stop):
                return
            self._take(mail)

    def _take(self, mail: Mail) -> None:
        match mail:
            case Happened(event, ticket, touched):
                if touched:
                    self._idle.rewind(self._visit.state)
                self._advance(event, ticket)
            case Activity():
                self._idle.rewind(self._visit.state)
                self._show()
            case Stretched(factor):
                self._idle.stretch = factor
                self._idle.rewind(self._visit.state)
            case OffersChanged():
                self._offers = self._world.offers()
                self._show()
            case VisionDown() | VisionUp():
                self._vision_changed(up=isinstance(mail, VisionUp))
            case CodeSeen() | CodeHintSeen() | FaceHintSeen() | FaceDecided():
                if mail.watch == self._watch[0]:
                    self._see(mail, self._watch[1])
            case Stop():
                pass

    def _see(self, seen: CodeSeen | CodeHintSeen | FaceHintSeen | FaceDecided, ticket: Ticket) -> None:
        match seen:
            case CodeSeen(_, payload):
                if self._presentations.is_left_over(payload, time.monotonic()):
                    self._rearm_at = time.monotonic() + Presentations.LOOK_AGAIN_S
                    return
                self._idle.rewind(self._visit.state)
                self._advance(self._presentations.take(self._world.recognise(payload), payload), ticket)
            case CodeHintSeen(_, hint):
                self._advance(CodeHinted(hint), ticket)
            case FaceHintSeen(_, hint):
                self._advance(FaceHinted(hint), ticket)
            case FaceDecided(_, outcome):
                event = FaceRefused(outcome.reason) if isinstance(outcome, Refusal) else FaceVerified(outcome)
                self._advance(event, ticket)

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
            self._perform_one(effect)

    def _perform_one(self, effect: Effect) -> None:
        match effect:
            case StartScanner():
                self._world.vision.watch_codes(self._new_watch())
            case StartCapture(portrait):
                self._world.vision.watch_face(self._new_watch(), portrait)
            case StopDevices():
                self._new_watch()
                self._world.vision.rest()
            case Forget():
                self._world.vision.wipe()
                self._presentations.forget(time.monotonic())
                self._built.clear()
            case OpenReferral(reason, record_id):
                perform.audit(
                    self._world, "referral.opened", number=self._number(), reason=reason.value, record=record_id
                )
                self._ring(reason, self._number())
            case CloseReferral(outcome, reason, record_id):
                perform.audit(self._world, "referral.closed", outcome=outcome, reason=reason.value, record=record_id)
                self._ring(None, self._number())
            case RingStaff():
                self._ring(Reason.SAVE_FAILED, self._number())
            case _:
                self._ask(effect)

    def _ask(self, effect: Asked) -> None:
        """Let a worker perform what blocks."""
        world, visit = self._world, self._visit.ticket.visit
        match effect:
            case ResolveCode(case):
                self._presentations.resolving(case.code.payload)
                self._work(effect, lambda: perform.resolve(world, effect, visit))
            case FindReservation():
                self._work(effect, lambda: perform.find(world, effect))
            case FetchPortrait():
                self._work(effect, lambda: perform.fetch_portrait(world, effect))
            case PutInOutbox():
                self._work(effect, lambda: perform.put(world, effect, self._built))
            case IssueKey():
                self._work(effect, lambda: perform.issue(world, effect))

    def _work(self, effect: Effect, call: Callable[[], Event]) -> None:
        ticket = self._visit.ticket

        def answer() -> None:
            try:
                event = call()
            except Exception as error:  # the one catch-all of this worker: the guest goes to a person
                log.error("%s broke: %s", type(effect).__name__, type(error).__name__)
                event = perform.failure_of(effect)
            self._inbox.put(Happened(event, ticket))

        self._pool.submit(answer)

    def _new_watch(self) -> int:
        self._watch = (self._watch[0] + 1, self._visit.ticket)
        self._rearm_at = None
        return self._watch[0]

    def _wait_s(self) -> float | None:
        idle = self._idle.wait_s()
        if self._rearm_at is None:
            return idle
        rearm = max(0.0, self._rearm_at - time.monotonic())
        return rearm if idle is None else min(idle, rearm)

    def _tick(self) -> None:
        if self._rearm_at is not None and time.monotonic() >= self._rearm_at:
            self._world.vision.watch_codes(self._new_watch())
        event = self._idle.ended(self._visit.state)
        if event is not None:
            self._advance(event, self._visit.ticket)
        elif self._idle.left_s() is not None:
            self._show()

    # -- telling

    def _number(self) -> str:
        return f"{100 + self._visit.ticket.visit % 900}"

    def _show(self) -> None:
        now = self._visit
        self._publish(Shown(now.ticket, now.state, self._number(), self._idle.left_s(), self._offers))
