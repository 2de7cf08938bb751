"""One thread owns the store. Everybody else hands it work and waits, or does not wait."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from kiosk.config import OutboxSection
from kiosk.errors import ContractError, OutboxDamaged, OutboxUnavailable
from offline_queue.clock import Clock, SystemClock
from offline_queue.crypto.device_key import DeviceKey
from offline_queue.crypto.vault import Vault
from offline_queue.delivery.authority_time import SKEW_SHOWN_S, AuthorityTime
from offline_queue.disk import Disk, DiskView
from offline_queue.due import Due, level, now_for, window_s
from offline_queue.lock import StoreLock
from offline_queue.outbox import Outbox
from offline_queue.recovery import quarantine
from offline_queue.recovery.keeper import KEYRING_FILE, Keeper
from offline_queue.recovery.mending import Mending, MendingView
from offline_queue.recovery.salvage import Site
from offline_queue.recovery.second_copy import CopyView, SecondCopy
from offline_queue.states import UNSENT, EventState
from offline_queue.store import Store
from offline_queue.turns import Turns

T = TypeVar("T")

STORE_FILE, KEY_FILE, LOCK_FILE, SOCKET_FILE = "queue.db", "queue.key", "queue.lock", "queue.sock"


@dataclass(frozen=True, slots=True)
class LineView:
    """What the sync thread last said of the line to the authority."""

    open: bool = True
    breaker: bool = False
    failures: int = 0
    why: str = ""
    retry_in_s: float = 0.0
    clock_off_s: float | None = None
    """How far this kiosk's clock is ahead of the authority's; None before it told its time."""
    tables: str = ""
    """Version of the authority's code tables on this kiosk."""
    receipts_checked: str = ""
    """The last day whose list of receipts was held against ours."""
    doubts: tuple[str, ...] = ()
    """What staff should know of lists and tables, in words of ours."""


@dataclass(frozen=True, slots=True)
class Status:
    """The outbox in numbers, for screens, the desk and ``queue status``."""

    counts: dict[EventState, int]
    unsent: int
    due: Due
    """Of the unsent record whose time ends first."""
    next_due_at: float | None
    """Unix seconds."""
    oldest_unsent_s: float | None
    """Age of that record since it was put."""
    line: LineView
    disk: DiskView
    mending: MendingView = field(default_factory=MendingView)
    """What was set aside and is brought back."""
    copy: CopyView = field(default_factory=CopyView)
    """How the second copy stands."""


class OutboxOwner:
    """The store, its thread and its key. Made once by the composition root."""

    def __init__(
        self,
        lock: StoreLock,
        thread: Turns,
        keeper: Keeper,
        vault: Vault,
        settings: OutboxSection,
        clock: Clock,
        disk: Disk,
    ) -> None:
        self._lock = lock
        self._thread = thread
        self._keeper = keeper
        self._ended = False
        self.vault = vault
        self.clock = clock
        self.settings = settings
        self.disk = disk
        self.outbox = Outbox(self, vault, settings, clock)
        self.line = LineView()
        """Replaced whole by the sync thread."""
        self.line_told_at = 0.0
        """When that was, monotonic."""
        self.authority_time: AuthorityTime | None = None
        """As the sync thread heard it last."""
        self.device_key: DeviceKey | None = None
        """Signs receipts of erasure; set once by the composition root. Without it they wait for their signature."""
        site = Site(
            lambda work: self.call(work, spends=False),
            vault,
            lambda op: window_s(op, settings),
            clock,
            keeper.path,
            settings.retention_days * 86_400,
        )
        self.mending = Mending(site, keeper.copy, came=lambda: self.outbox.on_put())
        """Brings back what was set aside."""

    @classmethod
    def open(
        cls,
        state_dir: Path,
        hotel_code: str,
        kiosk_id: str,
        settings: OutboxSection,
        *,
        clock: Clock | None = None,
        make_key: bool = True,
    ) -> OutboxOwner:
        """Open the store under ``state_dir`` (made with mode 0700 when absent), or make it.

        Blocks below 1 s; some seconds where a TPM holds the key, and for each GB that a migration changes.

        Args:
            state_dir: Where store, key and lock lie.
            hotel_code: Ten digits; a store belongs to one hotel for ever.
            kiosk_id: Names the owner thread.
            settings: ``config.outbox``.
            clock: The machine's when None.
            make_key: Make the key file when neither it nor a store exists yet.

        Raises:
            OutboxUnavailable: Held by another process, of another hotel, newer, damaged, or without its key.
            ConfigError: ``recipient_key_file`` holds no key to seal to.
        """
        clock = clock or SystemClock()
        state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = StoreLock(state_dir / LOCK_FILE)
        thread = Turns(f"outbox {kiosk_id}")
        disk = Disk(state_dir, settings)
        try:
            disk.make_room_to_start()
            key_file, store_file = state_dir / KEY_FILE, state_dir / STORE_FILE
            # A lost database is made again from what the key opens: a new key would open nothing of it
            known = (key_file, store_file, state_dir / KEYRING_FILE)
            anew = not any(file.exists() for file in known) and not quarantine.waiting(store_file)
            first_start = make_key and anew
            vault = Vault.unlocked(hotel_code, key_file, settings, make_new=first_start)
            keeper = Keeper(store_file, vault, settings, clock, anew=first_start)
            thread.enter(lambda: disk.spending(keeper.open)).wait()
        except BaseException:
            thread.shutdown()
            lock.release()
            raise
        owner = cls(lock, thread, keeper, vault, settings, clock, disk)
        owner.mending.start_if_needed()
        return owner

    def now(self) -> float:
        """The authority's time once it was heard, whatever the wall clock did since; else that. Unix seconds."""
        told = self.authority_time
        return self.clock.wall() if told is None else told.now(self.clock.mono())

    def skew_s(self) -> float:
        """How far the wall clock is ahead of the authority's, in seconds; 0 while right or unknown. Any thread."""
        told = self.authority_time
        off_s = 0.0 if told is None else told.off_s(self.clock.wall(), self.clock.mono())
        return off_s if abs(off_s) > SKEW_SHOWN_S else 0.0

    @property
    def generation(self) -> int:
        """Grows when a new store takes the place of a damaged one: events that were read before are void."""
        return self._keeper.generation

    @property
    def salvage_waits(self) -> bool:
        """Say whether what is missing may still come back. Owner thread."""
        return self._keeper.salvage_waits

    @property
    def second_copy(self) -> SecondCopy | None:
        """The segment journal with its keyring, if it is on. Owner thread."""
        return self._keeper.copy

    def forget_switched_off_copy(self) -> bool:
        """Say whether no key of what is erased is left by a second copy that is off now. Owner thread."""
        return self._keeper.forget_switched_off()

    def submit(self, work: Callable[[Store], T], *, spends: bool = True, again: bool = False) -> Future[T]:
        """Run ``work`` on the owner thread, after what was handed in before. Raises OutboxUnavailable when closed.

        When the store turns out to be damaged, a new one takes its place. ``again``: the work is then done in that
        one, as a put is; other work ends with OutboxDamaged, because what it was about is not there.
        ``spends``: on a full disk it may take the ballast and is then done a second time, from its beginning.
        A guest's put may not: what is in the outbox already needs that room.
        """
        try:
            return self._thread.submit(self._turn(work, spends=spends, again=again))
        except RuntimeError as exc:
            raise OutboxUnavailable("outbox: closed; nothing was acknowledged") from exc

    def call(self, work: Callable[[Store], T], *, spends: bool = True, again: bool = False) -> T:
        """Run ``work`` on the owner thread and wait for it. Not from the owner thread itself."""
        try:
            turn = self._thread.enter(self._turn(work, spends=spends, again=again))
        except RuntimeError as exc:
            raise OutboxUnavailable("outbox: closed; nothing was acknowledged") from exc
        return turn.wait()

    def _turn(self, work: Callable[[Store], T], *, spends: bool, again: bool) -> Callable[[], T]:
        if spends:
            return lambda: self.disk.spending(lambda: self._do(work, again=again))
        return lambda: self._do(work, again=again)

    def set_aside(self, why: str) -> None:
        """Put a new store in the place of one in which ``verify`` found faults; what is whole in it is brought back.

        Raises OutboxUnavailable: the disk refuses, the store stays as it is.
        """
        self.call(lambda _: self._keeper.replace(OutboxDamaged(f"outbox {STORE_FILE}: {why}")))
        self.mending.start()

    def status(self) -> Status:
        """Counts from the tally, the legal clock, the line. Blocks for a few index look-ups."""
        return self.call(self._status)

    def close(self) -> None:
        """Finish what was handed in, close the store, give the lock back. Safe to call twice."""
        self.mending.stop()
        try:
            self._thread.enter(self._end).wait()
        except RuntimeError:
            pass  # closed before
        finally:
            self._thread.shutdown()
            self._lock.release()

    def _end(self) -> None:
        # What another thread still hands in must not open the store once more
        self._ended = True
        self._keeper.close()

    def _do(self, work: Callable[[Store], T], *, again: bool) -> T:
        """Run work on the store as it is now. Owner thread."""
        if self._ended:
            raise OutboxUnavailable("outbox: closed; nothing was acknowledged")
        try:
            return self._once(work, puts=again)
        except OutboxDamaged as exc:
            self._keeper.replace(exc)
            self.mending.start()
            if not again:
                raise
            return self._once(work, puts=True)

    def _once(self, work: Callable[[Store], T], *, puts: bool) -> T:
        try:
            return work(self._keeper.store())
        except ContractError as exc:
            if puts and self._keeper.salvage_waits:  # a correction of what is not back yet
                raise OutboxUnavailable(
                    "outbox: what this record follows is still being salvaged; nothing was acknowledged. "
                    "Fix: try again in a minute"
                ) from exc
            raise

    def _status(self, store: Store) -> Status:
        mono = self.clock.mono()
        counts, first = store.counts(), store.first_due(self.clock.boot(), self.clock.wall() - mono)
        unsent, disk = sum(n for state, n in counts.items() if state in UNSENT), self.disk.look()
        line = replace(self.line, retry_in_s=max(0.0, self.line.retry_in_s - (mono - self.line_told_at)))
        mend = self.mending.view, self._keeper.copy_view
        if first is None:
            return Status(counts, unsent, Due.NONE, None, None, line, disk, *mend)
        now = now_for(first, self.clock)
        due = level(now, first.due_at, window_s(first.op, self.settings))
        return Status(counts, unsent, due, first.due_at, max(0.0, now - first.wall), line, disk, *mend)
