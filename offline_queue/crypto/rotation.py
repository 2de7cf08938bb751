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
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import UUID

from kiosk.errors import ContractError, KioskError, OutboxUnavailable
from offline_queue import keys
from offline_queue.crypto import sealing
from offline_queue.crypto.sealing import Place
from offline_queue.crypto.vault import Vault
from offline_queue.database.rows import Wrapped
from offline_queue.owner import STORE_FILE, OutboxOwner
from offline_queue.recovery import quarantine, second_copy
from offline_queue.recovery.keeper import KEYRING_FILE
from offline_queue.recovery.second_copy import SecondCopy
from offline_queue.store import Store

log = logging.getLogger(__name__)

SLICE = 200
"""Data keys in one transaction: a guest's put waits for some milliseconds at most."""
_MENDING_S, _MENDINGS = 20.0, 5
"""How long, and how often, records that are being brought back are waited for."""


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
    waits: int = 0
    """How often the end was reached while records were being brought back: they come after those that were wrapped."""
    done: bool = False


def rotate(owner: OutboxOwner) -> Rotated:
    """Change the key, or finish a change that was cut off. Blocks its caller for all of it, the owner for slices.

    Raises:
        OutboxUnavailable: The new key cannot be made, or the disk refuses. Nothing is lost; call again.
        ContractError: Records of a damaged outbox are not brought back yet: they need the old key.
    """
    owner.mending.wait(_MENDING_S)
    _refuse_before_salvage(owner)
    held = owner.vault.keys
    resumed = bool(held.old)
    if not resumed:
        # On the caller's thread: a TPM takes its time, and a put must not wait for it
        successor = keys.make(keys.successor_of(held.path), owner.settings.key_store, owner.settings.tpm_tcti)
        owner.call(lambda _: held.succeed(successor))
    progress = _Progress()
    while not progress.done:
        progress = owner.call(_next_slice(owner, progress))
        if progress.waits:
            owner.mending.wait(_MENDING_S)
        if progress.waits >= _MENDINGS:
            _refuse_before_salvage(owner)
    return Rotated(progress.rewrapped, progress.unopened, held.newest.kept_in, resumed)


def resume(owner: OutboxOwner) -> None:
    """Go on with a change that was cut off, on a thread that ends with it or with the outbox. Returns at once."""
    if owner.vault.keys.old:
        log.warning("outbox key: its change was cut off and goes on")
        threading.Thread(target=_resume, args=(owner,), name="outbox key").start()


def _resume(owner: OutboxOwner) -> None:
    owner.mending.wait()  # ends with the outbox, too
    try:
        rotate(owner)
    except KioskError as exc:
        log.warning("%s. The change of the key goes on at the next start, or by ./run queue rotate-keys", exc)


def _next_slice(owner: OutboxOwner, progress: _Progress) -> Callable[[Store], _Progress]:
    def work(store: Store) -> _Progress:
        found = store.wrapped_after(progress.row, SLICE)
        if not found and owner.second_copy is not None and owner.second_copy.catch_up():
            return progress
        if not found and owner.mending.view.running:
            return replace(progress, waits=progress.waits + 1)
        if not found:
            # In the same piece of work: whatever comes in later is wrapped by the new key
            _finish(owner, store)
            return replace(progress, done=True)
        changed = [(key, again) for key in found if (again := _again(owner.vault, key)) is not None]
        with store.transaction():
            store.rewrap(again for _, again in changed)
        same = [key for key, again in changed if again.part.wrapped == key.part.wrapped]
        if owner.second_copy is not None:
            _follow(owner.second_copy, [again for key, again in changed if again.part.wrapped != key.part.wrapped])
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
    _refuse_before_salvage(owner)
    if owner.second_copy is not None:
        _clear(owner.second_copy, store, {key.recipient for key in held.old})
    if not store.truncate_log():
        raise OutboxUnavailable("outbox key: the write-ahead log is in use; call ./run queue rotate-keys again")
    keys.destroy(held.path)
    keys.take_over(held.path)
    held.forget_old()


def _follow(copy: SecondCopy, rewrapped: list[Wrapped]) -> None:
    """Let the keyring keep up slice by slice: all of it at the end would hold up a guest for a second and more."""
    keyring = copy.keyring
    if keyring is None:
        return  # it is behind: ``_clear`` waits for it
    keys = [second_copy.slot(one.record_id.bytes, one.revision, one.part) for one in rewrapped]
    if keyring.put(key for key in keys if key.where in keyring):
        keyring.sync()


def _clear(copy: SecondCopy, store: Store, old: set[str]) -> None:
    """See that the old key wraps nothing in the second copy's keyring: what ``_follow`` left, after a kill for one."""
    if copy.keyring is None or copy.view.behind:
        why = copy.view.why or "it catches up"
        raise OutboxUnavailable(f"outbox key: the second copy is behind ({why}); change the key once it is not")
    left = copy.keyring.wrapped_by(old)
    for key in left:
        event = store.find(UUID(bytes=key.record), key.revision)
        parts = [] if event is None else store.keys_of(event.id)
        now = next((part for part in parts if part.part == key.part and any(part.wrapped)), None)
        # A key of nothing that is in the store opens nothing: mending would have brought it back
        if now is None:
            copy.keyring.destroy([key.where])
        else:
            copy.keyring.put([replace(key, recipient=now.recipient, key_id=now.key_id, wrapped=now.wrapped)])
    if left:
        copy.keyring.sync()


def _refuse_before_salvage(owner: OutboxOwner) -> None:
    """What is set aside, or comes back from the second copy, is wrapped by the old key."""
    if damaged := quarantine.waiting(owner.vault.keys.path.with_name(STORE_FILE)):
        raise ContractError(
            f"outbox key: {damaged[0].base.name} is not salvaged yet and holds what only this key opens. "
            "Fix: ./run queue salvage, then change the key"
        )
    if owner.second_copy is None and owner.vault.keys.path.with_name(KEYRING_FILE).exists():
        raise ContractError(
            f"outbox key: {KEYRING_FILE} holds keys of records that only the second copy brings back, and it is off. "
            "Fix: switch second_copy on and start once, then change the key; or remove the file, and those records"
        )
    if owner.mending.view.running:
        raise ContractError("outbox key: records are being brought back, and need it. Fix: change the key after that")
