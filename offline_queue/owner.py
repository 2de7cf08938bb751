"""One thread owns the store. Everybody else hands it work and waits, or does not wait."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from kiosk.config import OutboxSection
from kiosk.errors import OutboxUnavailable
from offline_queue.clock import Clock, SystemClock
from offline_queue.device_key import DeviceKey
from offline_queue.disk import Disk, DiskView
from offline_queue.due import Due, level, now_for, window_s
from offline_queue.hold import Hold
from offline_queue.outbox import Outbox
from offline_queue.states import UNSENT, EventState
from offline_queue.store import Store
from offline_queue.vault import Vault

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


class OutboxOwner:
    """The store, its thread and its key. Made once by the composition root."""

    def __init__(
        self,
        hold: Hold,
        thread: ThreadPoolExecutor,
        store: Store,
        vault: Vault,
        settings: OutboxSection,
        clock: Clock,
        disk: Disk,
    ) -> None:
        self._hold = hold
        self._thread = thread
        self._store = store
        self.vault = vault
        self.clock = clock
        self.settings = settings
        self.disk = disk
        self.outbox = Outbox(self, vault, settings, clock)
        self.line = LineView()
        """Replaced whole by the sync thread."""
        self.device_key: DeviceKey | None = None
        """Signs receipts of erasure; set once by the composition root. Without it they wait for their signature."""

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
        """Open the store under ``state_dir`` (made with mode 0700 when absent), or make it. Blocks below 1 s.

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
        hold = Hold(state_dir / LOCK_FILE)
        thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"outbox {kiosk_id}")
        disk = Disk(state_dir, settings)
        try:
            disk.make_room_to_start()
            key_file, store_file = state_dir / KEY_FILE, state_dir / STORE_FILE
            first_start = make_key and not key_file.exists() and not store_file.exists()
            vault = Vault.unlocked(hotel_code, key_file, settings, make_new=first_start)
            store = thread.submit(disk.spending, lambda: _open_store(store_file, vault, clock)).result()
        except BaseException:
            thread.shutdown()
            hold.release()
            raise
        return cls(hold, thread, store, vault, settings, clock, disk)

    def submit(self, work: Callable[[Store], T], *, spends: bool = True) -> Future[T]:
        """Run ``work`` on the owner thread, after what was handed in before. Raises OutboxUnavailable when closed.

        ``spends``: on a full disk it may take the ballast and is then done a second time, from its beginning.
        A guest's put may not: what is in the outbox already needs that room.
        """
        try:
            if spends:
                return self._thread.submit(self.disk.spending, lambda: work(self._store))
            return self._thread.submit(work, self._store)
        except RuntimeError as exc:
            raise OutboxUnavailable("outbox: closed; nothing was acknowledged") from exc

    def call(self, work: Callable[[Store], T], *, spends: bool = True) -> T:
        """Run ``work`` on the owner thread and wait for it. Not from the owner thread itself."""
        return self.submit(work, spends=spends).result()

    def status(self) -> Status:
        """Counts from the tally, the legal clock, the line. Blocks for a few index look-ups."""
        return self.call(self._status)

    def close(self) -> None:
        """Finish what was handed in, close the store, give the lock back. Safe to call twice."""
        try:
            self.submit(Store.close).result()
        except OutboxUnavailable:
            pass  # closed before, or a disk that cannot even close: the log is replayed at the next start
        finally:
            self._thread.shutdown()
            self._hold.release()

    def _status(self, store: Store) -> Status:
        counts, first = store.counts(), store.first_due()
        unsent, disk = sum(n for state, n in counts.items() if state in UNSENT), self.disk.look()
        if first is None:
            return Status(counts, unsent, Due.NONE, None, None, self.line, disk)
        now = now_for(first, self.clock)
        due = level(now, first.due_at, window_s(first.op, self.settings))
        return Status(counts, unsent, due, first.due_at, max(0.0, now - first.wall), self.line, disk)


def _open_store(path: Path, vault: Vault, clock: Clock) -> Store:
    store = Store(path, vault.hotel, clock.wall())
    last = store.last_recipient()
    if last is not None and vault.keys.named(last) is None:
        store.close()
        raise OutboxUnavailable(
            f"outbox key {KEY_FILE}: not the key that {path.name} was sealed with; nothing was changed. "
            "Bring the right one back from where the installer keeps it"
        )
    return store
