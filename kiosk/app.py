"""The composition root: the only file that knows everything. It wires, it decides nothing.

``Kiosk`` is what runs beside the screen: vision process, runner, outbox, sync, staff sheet.
``kiosk/start.py`` puts the screen in front of it.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import secrets
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from drivers.key_encoder.absent import AbsentKeyEncoder
from kiosk import capabilities, dumps, unfinished
from kiosk.audit import AUDIT_FILE, AuditLog
from kiosk.checkin import consent
from kiosk.checkin.events import Event
from kiosk.checkin.flow import Ticket
from kiosk.checkin.journal import Journal
from kiosk.checkin.mail import OffersChanged
from kiosk.checkin.once import OncePerStay
from kiosk.checkin.runner import Runner
from kiosk.checkin.shown import Offers, Shown
from kiosk.checkin.states import StaffNeeded
from kiosk.checkin.timeouts import Budgets
from kiosk.checkin.world import World
from kiosk.commissioning.finding import Finding
from kiosk.commissioning.reachability import Reachability
from kiosk.commissioning.startup import startup_findings, tell
from kiosk.config import Config
from kiosk.credentials.recognise import recognise
from kiosk.errors import KioskError
from kiosk.identity.resolvers import Resolvers
from kiosk.model import Case, Consent, Reason, Refusal, Registration, RegistrationId
from kiosk.ports import KeyEncoder, VisionDown, VisionReport, VisionUp
from kiosk.registration import code_tables
from kiosk.registration.record import build, ends
from kiosk.staff.access import StaffAccess
from kiosk.staff.duty import Duty
from kiosk.staff.sheet import SheetState, StaffSheet
from kiosk.state import StateStore
from kiosk.vision_process import VisionProcess
from offline_queue.answering.control import ControlServer
from offline_queue.crypto import device_key, rotation
from offline_queue.disk import DiskWatch
from offline_queue.owner import SOCKET_FILE, OutboxOwner
from offline_queue.sync import SyncThread

log = logging.getLogger(__name__)


def first_visit() -> int:
    """Return where this run begins to number its visits, so far from other runs' that none meets a number again.

    The replay memory outlives a run: it takes a code answered under the same number for the same visit's.
    """
    return secrets.randbelow(10**12) + 1


class Kiosk:
    """Everything that runs beside the screen. ``start`` blocks a few seconds; ``stop`` ends every thread and child.

    ``show`` and ``show_sheet`` are called from threads of the kiosk and must not block.
    """

    def __init__(
        self,
        config: Config,
        show: Callable[[Shown], None],
        show_sheet: Callable[[SheetState], None],
        *,
        observe: Callable[[VisionReport], None] = lambda report: None,
        receipted: Callable[[str, str], None] = lambda record_id, receipt_no: None,
    ) -> None:
        self._zone = ZoneInfo(config.kiosk.timezone)
        self._config = config
        self._show = show
        self._show_sheet = show_sheet
        self._observe = observe
        self._receipted = receipted
        self._findings: list[Finding] = []
        self._seeing = False
        self._online = True
        self._shown: Shown | None = None
        self._asked: Ticket | None = None
        """The question that the staff sheet was opened for. Staff thread only."""
        self._closers: list[tuple[str, Callable[[], None]]] = []
        self._staff_hand = ThreadPoolExecutor(1, thread_name_prefix="staff")
        self._ticking = threading.Event()

    def start(self) -> None:
        """Open the outbox first, then everything else. Raises KioskError; ``stop`` closes what was opened."""
        config = self._config
        dumps.forbid(also_debuggers=config.kiosk.mode == "production")
        state_dir = config.kiosk.state_dir
        state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.owner = OutboxOwner.open(state_dir, config.kiosk.hotel_code, config.kiosk.kiosk_id, config.outbox)
        self._closing("outbox", self.owner.close)
        self.owner.device_key = device_key.configured(config.reporting)
        rotation.resume(self.owner)
        self.audit = AuditLog(state_dir / AUDIT_FILE)
        self._closing("audit", self.audit.close)
        self.state = StateStore(state_dir / "state.db")
        self._closing("state", self.state.close)
        self._findings = startup_findings(config)
        tell(self._findings)
        self._start_reporting()
        self._start_checkin()
        self._start_staff()
        unfinished.refer(self.owner, self.audit, state_dir)
        self.runner.start()
        disk = DiskWatch(self.owner.disk, lambda view: self.runner.tell(OffersChanged()))
        disk.start()
        self._closing("disk", disk.stop)
        self._reachability = Reachability(config.gateway, self._online_changed)
        self._reachability.start()
        self._closing("reachability", self._reachability.stop)

    def _start_reporting(self) -> None:
        config = self._config
        module = importlib.import_module(f"offline_queue.endpoints.{config.reporting.endpoint}")
        self.sync = SyncThread(
            self.owner,
            module.make(config.reporting),
            config.reporting,
            on_receipt=self._receipted,
            tables_in=config.kiosk.state_dir,
        )
        self.sync.start()
        self._closing("sync", self.sync.stop)
        socket, kiosk = config.kiosk.state_dir / SOCKET_FILE, config.kiosk
        control = ControlServer(self.owner, socket, sync=self.sync, audit=self.audit, kiosk=kiosk)
        control.start()
        self._closing("control", control.stop)

    def _start_checkin(self) -> None:
        config = self._config
        self.vision = VisionProcess(config)
        self._closing("vision", self.vision.close)
        resolvers = Resolvers(config, self.state, self._now)
        self._closing("identity", resolvers.close)
        reservations = importlib.import_module(f"kiosk.reservations.{config.reservations.driver}").make(config)
        self._closing("reservations", getattr(reservations, "close", lambda: None))
        self.keys = self._key_encoder()
        world = World(
            vision=self.vision,
            recognise=partial(recognise, config=config.credentials),
            resolve=resolvers.resolve,
            portrait=resolvers.portrait,
            reservations=OncePerStay(reservations, self._is_registered),
            register=self._register,
            outbox=self.owner.outbox,
            keys=self.keys,
            audit=self.audit,
            offers=self.offers,
            today=lambda: self._now().date(),
            key_until=lambda reservation: ends(reservation, self._zone),
        )
        self.runner = Runner(
            world,
            self._publish,
            budgets=Budgets.of(config.screen, config.gateway, config.reservations, config.face),
            warning_s=config.screen.idle_warning_s,
            journal=Journal(config.kiosk.state_dir / "log" / "visits.jsonl"),
            ring=self._ring,
            first_visit=first_visit(),
        )
        self._closing("runner", self.runner.stop)
        self.vision.start(self._report)

    def _start_staff(self) -> None:
        config = self._config.staff
        self.access = StaffAccess(config, self.state, self._now)
        self.sheet = StaffSheet(
            self.access, self.audit, self._staff_says, self._show_sheet, config.unlock_s, duty=self._duty
        )
        self._closing("staff", self._end_staff)
        threading.Thread(target=self._tick_sheet, name="sheet clock", daemon=True).start()

    def stop(self) -> None:
        """End everything in the opposite order. A part that will not end is logged and left behind."""
        self._ticking.set()
        while self._closers:
            name, close = self._closers.pop()
            try:
                close()
            except Exception as error:  # the others must still be closed
                log.error("%s did not close: %s", name, type(error).__name__)

    def offers(self) -> Offers:
        """Say what works now."""
        return capabilities.offers(
            self._findings,
            seeing=self._seeing,
            face_capable=self.vision.face_capable,
            online=self._online,
            room=self.owner.disk.view.level.serves,
        )

    # -- what the screen may do

    def staff(self, call: Callable[[StaffSheet], None]) -> None:
        """Run a call on the staff sheet's own thread: hashing a PIN takes longer than a frame."""
        with contextlib.suppress(RuntimeError):  # the kiosk is stopping
            self._staff_hand.submit(self._staff_call, call)

    def _staff_call(self, call: Callable[[StaffSheet], None]) -> None:
        try:
            call(self.sheet)
        except Exception as error:  # the sheet must go on answering
            log.error("staff sheet: %s", error if isinstance(error, KioskError) else type(error).__name__)

    def open_sheet(self) -> None:
        """A clerk opens the sheet: with the reason, if a guest waits."""
        self.staff(self._open_sheet)

    def _open_sheet(self, sheet: StaffSheet) -> None:
        """On the staff thread. What is decided there answers the question that is up now, whatever comes meanwhile."""
        shown = self._shown
        self._asked = shown.ticket if shown is not None else None
        waits = shown.state if shown is not None else None
        sheet.open(waits.reason if isinstance(waits, StaffNeeded) else None)

    def new_consent(self, purpose: str, language: str) -> Consent:
        """Return the consent to the text that is on the screen, given now."""
        return consent.give(purpose, language, self._now())

    # -- wiring

    def _now(self) -> datetime:
        return datetime.now(self._zone)

    def _closing(self, name: str, close: Callable[[], None]) -> None:
        self._closers.append((name, close))

    def _key_encoder(self) -> KeyEncoder:
        """Build the driver. One that cannot be built takes keys away, not the kiosk: the desk hands them out."""
        driver = importlib.import_module(f"drivers.key_encoder.{self._config.key_encoder.driver}")
        try:
            encoder: KeyEncoder = driver.make(self._config)
        except KioskError as error:
            log.error("key encoder: %s", error)
            return AbsentKeyEncoder(str(error))
        return encoder

    def _register(self, case: Case) -> Registration | Refusal:
        kiosk, record_id = self._config.kiosk, RegistrationId(str(uuid.uuid4()))
        now = self._now() - timedelta(seconds=self.owner.skew_s())  # a clock known to be wrong dates no legal record
        return build(case, kiosk, now, record_id, secrets.token_bytes(16), code_tables.load(kiosk.state_dir))

    def _is_registered(self, stay: str) -> bool:
        return self.owner.call(lambda store: store.is_checked_in(stay))

    def _report(self, report: VisionReport) -> None:
        if isinstance(report, VisionDown | VisionUp):
            self._seeing = isinstance(report, VisionUp)
        self._observe(report)
        self.runner.tell(report)

    def _online_changed(self, online: bool) -> None:
        self._online = online
        self.runner.tell(OffersChanged())

    def _publish(self, shown: Shown) -> None:
        self._shown = shown
        self._show(shown)

    def _ring(self, reason: Reason | None, number: str) -> None:
        if reason is not None:
            log.warning("staff needed: number %s, %s", number, reason.value)
        else:
            self.staff(StaffSheet.close)  # also one whose opening still waits for its thread

    def _duty(self) -> Duty | None:
        try:
            return capabilities.duty(self.owner.status(), self.owner.clock.wall())
        except KioskError as error:  # the sheet must open all the same
            log.error("staff sheet: %s", error)
            return None

    def _staff_says(self, event: Event) -> None:
        if self._asked is not None:
            self.runner.send(event, self._asked)

    def _tick_sheet(self) -> None:
        while not self._ticking.wait(1.0):
            self.staff(StaffSheet.tick)

    def _end_staff(self) -> None:
        self._staff_hand.shutdown(wait=True, cancel_futures=True)
