"""Changes the kiosk's own key: a new one is made where the settings want it, every data key is wrapped by it, the old
one is overwritten. Guests go on checking in meanwhile.

1. ``queue.key.next`` is made, durable; from then on it seals, and both open.
2. Slice by slice each data key is wrapped anew, in the store and in the keyring of the second copy.
3. The write-ahead log is emptied, so that nothing wrapped by the old key is left in it.
4. ``queue.key`` is overwritten where it lies, then replaced by its successor.

Cut off anywhere, the next start has both keys again, or finishes step 4; ``resume`` goes on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from kiosk.errors import ContractError, OperationalError, OutboxUnavailable
from offline_queue import keys, sealing
from offline_queue.keys import KioskKeys
from offline_queue.owner import OutboxOwner
from offline_queue.rows import Wrapped
from offline_queue.sealing import Place
from offline_queue.store import Store
from offline_queue.vault import Vault

log = logging.getLogger(__name__)

SLICE = 200
"""Data keys in one transaction: a guest's put waits for some milliseconds at most."""


@dataclass(frozen=True, slots=True)
class Rotated:
    """What a change of the key did."""

    rewrapped: int
    unopened: int
    """Data keys that the old key did not open: their records were unreadable before."""
    kept_in: str
    """Where the new key is kept: file or tpm."""
    resumed: bool
    """A change that was cut off was finished."""


@dataclass(frozen=True, slots=True)
class _Progress:
    row: int = 0
    rewrapped: int = 0
    unopened: int = 0
    done: bool = False


def rotate(owner: OutboxOwner) -> Rotated:
    """Change the key, or finish a change that was cut off. Blocks its caller for all of it, the owner for slices.

    Raises:
        OutboxUnavailable: The new key cannot be made, or the disk refuses. Nothing is lost; call again.
        ContractError: Records of a damaged outbox are not brought back yet: they need the old key.
    """
    held = owner.vault.keys
    resumed = bool(held.old)
    _refuse_before_salvage(held)
    if not resumed:
        # On the caller's thread: a TPM takes its time, and a put must not wait for it
        successor = keys.make(keys.successor_of(held.path), owner.settings.key_store, owner.settings.tpm_tcti)
        owner.call(lambda _: held.succeed(successor))
    progress = _Progress()
    while not progress.done:
        progress = owner.call(_next_slice(owner, progress))
    return Rotated(progress.rewrapped, progress.unopened, held.newest.kept_in, resumed)


def resume(owner: OutboxOwner) -> None:
    """Go on with a change that was cut off, slice by slice between the owner's other work. Returns at once."""
    if owner.vault.keys.old:
        log.warning("outbox key: its change was cut off and goes on")
        _go_on(owner, _Progress())


def _go_on(owner: OutboxOwner, progress: _Progress) -> None:
    def work(store: Store) -> None:
        try:
            after = _next_slice(owner, progress)(store)
            if not after.done:
                _go_on(owner, after)
        except OperationalError as exc:
            log.warning("outbox key: %s. It is tried again at the next start, or by ./run queue rotate-keys", exc)

    owner.submit(work)


def _next_slice(owner: OutboxOwner, progress: _Progress) -> Callable[[Store], _Progress]:
    def work(store: Store) -> _Progress:
        found = store.wrapped_after(progress.row, SLICE)
        if not found:
            # In the same piece of work: whatever comes in later is wrapped by the new key
            _finish(owner, store)
            return replace(progress, done=True)
        changed = [(key, again) for key in found if (again := _again(owner.vault, key)) is not None]
        with store.transaction():
            store.rewrap(again for _, again in changed)
        same = [key for key, again in changed if again.part.wrapped == key.part.wrapped]
        return replace(
            progress,
            row=found[-1].row,
            rewrapped=progress.rewrapped + len(changed) - len(same),
            unopened=progress.unopened + sum(not key.destroyed for key in same),
        )

    return work


def _again(vault: Vault, key: Wrapped) -> Wrapped | None:
    """Return a data key as the newest key wraps it; None when there is nothing to change.

    What is destroyed, or was never to be opened, only loses the old key's name.
    """
    old = vault.keys.named(key.part.recipient)
    if old is None or old == vault.key:
        return None
    place = Place(key.record_id, key.revision, key.op, key.part.part, vault.hotel)
    part = None if key.destroyed else sealing.rewrap(key.part, place, old, vault.key)
    return replace(key, part=part or replace(key.part, recipient=vault.key.recipient))


def _finish(owner: OutboxOwner, store: Store) -> None:
    held = owner.vault.keys
    if not held.old:
        return
    _refuse_before_salvage(held)
    if not store.truncate_log():
        raise OutboxUnavailable("outbox key: the write-ahead log is in use; call ./run queue rotate-keys again")
    keys.destroy(held.path)
    keys.take_over(held.path)
    held.forget_old()


def _refuse_before_salvage(held: KioskKeys) -> None:
    if damaged := sorted(held.path.parent.glob("*.damaged-*")):
        raise ContractError(
            f"outbox key: {damaged[0].name} is not salvaged yet and holds what only this key opens. "
            "Fix: ./run queue salvage, then change the key"
        )
