"""Keeps a store open, whatever happens to its file: a damaged one is set aside, and a new one takes its place.

Owner thread only, but for ``view``.
"""

from __future__ import annotations

import contextlib
import logging
import os
from pathlib import Path

from kiosk.config import OutboxSection
from kiosk.errors import KioskError, OutboxDamaged, OutboxUnavailable
from offline_queue.clock import Clock
from offline_queue.crypto.vault import Vault
from offline_queue.database.witness import HeadWitness
from offline_queue.recovery import quarantine, switched_off
from offline_queue.recovery.pages import LogHealth, log_health
from offline_queue.recovery.second_copy import CopyView, SecondCopy
from offline_queue.store import Store

log = logging.getLogger(__name__)

WITNESS_FILE, KEYRING_FILE, COPY_FOLDER = "queue.head", "queue.keyring", "second-copy"
SET_ASIDE = "SET_ASIDE"
"""State of the new chain's entry that names the file that was set aside."""
_GENERATION = 1 << 32
"""Numbers of events that each store has for itself, so that a salvaged event keeps its own."""


class Keeper:
    """The store of one folder. Made once; ``open`` again after each failure."""

    def __init__(self, store: Path, vault: Vault, settings: OutboxSection, clock: Clock, *, anew: bool = False) -> None:
        """Prepare; nothing is opened yet. ``anew``: this kiosk never had an outbox."""
        self._anew = anew
        self.path = store
        self._name = str(store)
        self._vault = vault
        self._clock = clock
        self._suite = settings.suite
        self._store: Store | None = None
        self._inode = 0
        self._witnessed = 0
        """Last number of the chain that was set aside, as its witness knew it; 0 when it knew none."""
        folder = settings.second_copy_dir or store.parent / COPY_FOLDER
        self.copy = SecondCopy(folder, store.parent / KEYRING_FILE) if settings.second_copy else None
        self.generation = 0
        """Grows whenever a new store takes the place of a damaged one: what was known of events is void."""

    @property
    def copy_view(self) -> CopyView:
        return self.copy.view if self.copy is not None else CopyView()

    @property
    def salvage_waits(self) -> bool:
        """Say whether a database is set aside whose records are not all back."""
        return bool(quarantine.waiting(self.path))

    def store(self) -> Store:
        """Return the open store; open it again when it had to be closed.

        Raises OutboxDamaged when another file lies under its name, or none: what is written now would be lost.
        """
        if self._store is None:
            return self.open()
        if self._inode_there() != self._inode:
            raise OutboxDamaged(f"outbox {self.path.name}: the file was swapped or removed while it was open")
        return self._store

    def open(self) -> Store:
        """Open the store, or make a new one in the place of a damaged one. Raises OutboxUnavailable."""
        quarantine.finish_cut_off(self.path)
        if quarantine.waiting(self.path) and not self.path.exists():
            self._forget_witness()  # cut off between the renaming of the database and this
        try:
            self._look_at_log()
            self._take(self._opened())
            if self.copy is not None and self.copy.is_ahead:
                raise OutboxDamaged(
                    f"outbox {self.path.name}: an older copy: the second copy has seen more of its chain"
                )
            with contextlib.suppress(OSError):  # then it goes at the next start
                quarantine.drop_kept_log(self.path)
            self.forget_switched_off()
        except OutboxDamaged as exc:
            self.replace(exc, opening=True)
        assert self._store is not None  # noqa: S101 - taken or replaced
        return self._store

    def replace(self, damage: OutboxDamaged, *, opening: bool = False) -> None:
        """Set the damaged database aside and open a new one in its place. Raises OutboxUnavailable."""
        log.error("%s", damage)
        rescued = self._rescue()
        self._close_store()  # the second copy stays open: to read it all again would hold up the next guest
        self._witnessed = 0 if rescued else self._seen_by_witness()
        damaged = quarantine.set_aside(self.path, self._clock.wall(), opening=opening)
        self._forget_witness()
        self.generation += 1
        self._take(self._opened())
        log.error("outbox: %s is set aside, a new one takes the next guest; salvage follows", damaged.base.name)

    def forget_switched_off(self) -> bool:
        """Say whether no key of what is erased lies in the keyring of a second copy that is off now."""
        if self.copy is not None or self._store is None:
            return True
        try:
            switched_off.forget(self._store, self.path.with_name(KEYRING_FILE))
        except OutboxDamaged:
            raise
        except (OutboxUnavailable, OSError) as exc:
            log.warning("second copy: it is off, and its keyring cannot be emptied: %s", exc)
            return False
        return True

    def close(self) -> None:
        """Close what is open; a broken file must not stand in the way. Safe to call twice."""
        if self.copy is not None:
            self.copy.close()
        self._close_store()

    def _close_store(self) -> None:
        if self._store is not None:
            with contextlib.suppress(KioskError):
                self._store.close()
            self._store = None

    def _look_at_log(self) -> None:
        """Judge the log before SQLite may: it drops what comes behind a broken frame, and then the whole log."""
        if quarantine.log_without_base(self.path):
            raise OutboxDamaged(f"outbox {self.path.name}: gone or empty, and its log is not")
        try:
            health = log_health(self.path, quarantine.log_of(self.path))
            if health is LogHealth.TORN:
                with contextlib.suppress(OSError):  # a full disk must not stop the start: torn is nearly always torn
                    quarantine.keep_log(self.path)
        except OSError as exc:
            raise OutboxUnavailable(f"outbox {self.path.name}: its log: {exc.strerror}; check the disk") from exc
        if health is LogHealth.BROKEN:
            raise OutboxDamaged(f"outbox {self.path.name}: its log is broken in front of what was acknowledged")

    def _opened(self) -> Store:
        path, wall = self.path, self._clock.wall()
        witness = HeadWitness(path.with_name(WITNESS_FILE))
        if witness.seen() is None:
            self._tell_unwitnessed()
        store = Store(path, self._vault.hotel, wall, suite=self._suite, witness=witness)
        try:
            last = store.last_recipient()
            if last is not None and self._vault.keys.named(last) is None:
                raise OutboxUnavailable(
                    f"outbox key: not the key that {path.name} was sealed with; nothing was changed. "
                    "Bring the right one back from where the installer keeps it"
                )
            self._begin(store)
        except BaseException:
            store.close()
            raise
        return store

    def _tell_unwitnessed(self) -> None:
        """Say what nobody can know without the witness; the authority, which is told the chain's head, still can."""
        with contextlib.suppress(OSError):
            if self.path.stat().st_size:
                log.warning("outbox %s: no %s: whether it is the newest copy is unknown", self.path.name, WITNESS_FILE)
                return
        if not quarantine.waiting(self.path) and not self._anew:
            log.error(
                "outbox %s: gone without a trace, its key is not; a new one begins. If this kiosk has served guests, "
                "bring the file back, or compare the hotel's list of arrivals with ./run queue list",
                self.path.name,
            )

    def _begin(self, store: Store) -> None:
        """Let a store that was just made in the place of a damaged one leave that one's numbers free."""
        before = quarantine.waiting(self.path)
        if before and store.latest(1) == [] and store.fact("first_event") is None:
            with store.transaction():
                store.begin_at(before[-1].number * _GENERATION)
                store.remark(SET_ASIDE, before[-1].base.name, self._clock.wall())
                store.set_fact(quarantine.witnessed(before[-1]), str(self._witnessed))

    def _take(self, store: Store) -> None:
        self._store, self._inode = store, self.path.stat().st_ino
        if self.copy is not None:
            self.copy.follow(store)

    def _rescue(self) -> bool:
        """Save what is open from under another file's name: closing it would be the end of it. True when it is."""
        if self._store is None or self._inode_there() == self._inode:
            return False
        try:
            self._store.truncate_log()
            return quarantine.rescue(self.path, self._inode, self._clock.wall()) is not None
        except (KioskError, OSError) as exc:
            log.error("outbox: what was open could not be copied: %s", exc)
            return False

    def _seen_by_witness(self) -> int:
        try:
            witness = HeadWitness(self.path.with_name(WITNESS_FILE))
        except OutboxUnavailable:
            return 0
        try:
            return (witness.seen() or (0, b""))[0]
        finally:
            witness.close()

    def _inode_there(self) -> int:
        try:
            return os.stat(self._name).st_ino  # noqa: PTH116 - at every turn; a Path costs as much as the look itself
        except OSError:
            return 0

    def _forget_witness(self) -> None:
        try:
            self.path.with_name(WITNESS_FILE).unlink(missing_ok=True)
        except OSError as exc:
            raise OutboxUnavailable(
                f"outbox {WITNESS_FILE}: {exc.strerror}; check the disk and the mode of its folder"
            ) from exc
