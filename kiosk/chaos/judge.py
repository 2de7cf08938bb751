"""Opens what a power cut left, by the product's code on the product's SQLite, and holds it against the diary."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from kiosk.chaos.authority import Authority, Books, Revision, audit
from kiosk.chaos.play import Diary, DrawnClock, Standing, claim, delivered, recover, settings, settle, standing
from kiosk.chaos.records import HOTEL, KIOSK
from kiosk.chaos.tape import Folder
from kiosk.errors import KioskError, OutboxDamaged
from offline_queue.crypto.sealing import TEXT
from offline_queue.database.verify import verify
from offline_queue.delivery.claims import Claimed
from offline_queue.owner import KEY_FILE, STORE_FILE, OutboxOwner
from offline_queue.recovery import quarantine
from offline_queue.recovery.keeper import COPY_FOLDER
from offline_queue.states import DONE, EventState
from offline_queue.store import Store

_SET_ASIDE = f"{STORE_FILE}.damaged-"
_SALVAGE_S = 20.0
_RECEIPTED = frozenset({EventState.DELIVERED, EventState.PURGED})
_ONE_TRANSACTION = frozenset({"check-in", "correction", "claim", "settle"})


@dataclass(frozen=True, slots=True)
class Verdict:
    """``faults`` is empty when every invariant holds."""

    faults: tuple[str, ...]
    books: Books = field(default_factory=Books)


def judge(folder: Path, image: Folder, diary: Diary, step: int, *, wall_off_s: float, spoilt: bool = False) -> Verdict:
    """Put the image into ``folder`` (emptied first), start there, check everything, then deliver what waits.

    Args:
        folder: On a fast disk, with nothing else in it.
        image: Files and their bytes.
        diary: Of the play that was cut.
        step: The last step that was acknowledged before the cut; -1: none.
        wall_off_s: How far ahead the play's clock was.
        spoilt: The image was spoilt on top of the cut: it may be set aside, as long as everything comes back.
    """
    lay(folder, image)
    copied = any(name.startswith(COPY_FOLDER) for name in image)
    acknowledged = _acknowledged(diary, step)
    try:
        owner = OutboxOwner.open(folder, HOTEL, KIOSK, settings(second_copy=copied), clock=DrawnClock(wall_off_s))
    except KioskError as exc:
        return Verdict((f"it does not open: {exc}",), Books(len(acknowledged), len(acknowledged)))
    try:
        return _mended_and_examined(owner, folder, diary, step, list(_keys_at_rest(image, diary, step)), spoilt=spoilt)
    except KioskError as exc:
        return Verdict((f"it breaks: {exc}",), Books(len(acknowledged), len(acknowledged)))
    finally:
        owner.close()


def _mended_and_examined(
    owner: OutboxOwner, folder: Path, diary: Diary, step: int, at_rest: list[str], *, spoilt: bool
) -> Verdict:
    faults = [] if spoilt else [f"set aside: {path.name}" for path in folder.iterdir() if _SET_ASIDE in path.name]
    faults += [] if spoilt else at_rest
    if owner.mending.wait(_SALVAGE_S).waiting:
        faults.append("set aside: and not salvaged in time")
    faults += [] if spoilt or not (folder / quarantine.FOLDER).exists() else ["set aside: and salvaged"]
    try:
        return _examined(owner, folder, diary, step, faults, whole=not spoilt)
    except OutboxDamaged:
        if not spoilt:
            raise
        owner.mending.wait(_SALVAGE_S)  # it was noticed late, and a new store took its place
        return _examined(owner, folder, diary, step, faults, whole=False)


def _examined(owner: OutboxOwner, folder: Path, diary: Diary, step: int, faults: list[str], *, whole: bool) -> Verdict:
    recover(owner)
    owner.call(Store.truncate_log)
    found, acknowledged = standing(owner), _acknowledged(diary, step)
    faults += _gone(found, acknowledged)
    missing = len([key for key in acknowledged if key not in found])
    # Of a spoilt one: what a bit hit is only noticed when it is opened, and then comes from the second copy
    faults += _stood(found if whole else _of(found, acknowledged), diary, step)
    if whole:
        faults += _halved(found, diary, step)
        faults += [f"verify: {fault}" for fault in verify(owner, pages=True).faults]
        faults += _texts(owner, found, acknowledged)
    faults += _keys_left(folder, diary, found)
    books = _delivered(owner, diary, step, acknowledged)
    faults += [] if books.clean else [f"after delivery: {books}"]
    return Verdict(
        tuple(faults), Books(len(acknowledged), missing + books.lost, books.duplicates, books.order_violations)
    )


def lay(folder: Path, image: Folder) -> None:
    """Make ``folder`` anew with these files in it, mode 0600."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    for name, data in image.items():
        (folder / name).parent.mkdir(mode=0o700, exist_ok=True)
        (folder / name).write_bytes(data)
        (folder / name).chmod(0o600)


def _acknowledged(diary: Diary, step: int) -> dict[Revision, bytes]:
    count = diary.steps[step].acknowledged if step >= 0 else 0
    return dict(list(diary.acknowledged.items())[:count])


def _gone(found: Standing, acknowledged: dict[Revision, bytes]) -> Iterator[str]:
    for record, revision in acknowledged.keys() - found.keys():
        yield f"acknowledged and gone: revision {revision} of {str(record)[:8]}"


def _stood(found: Standing, diary: Diary, step: int) -> Iterator[str]:
    """Each event stands as the last acknowledged step left it, or as the step that was cut would have."""
    before = _landed(diary.steps[step].standing) if step >= 0 else {}
    after = _landed(diary.steps[step + 1].standing) if step + 1 < len(diary.steps) else before
    for key in found.keys() | before.keys():
        if found.get(key) not in (before.get(key), after.get(key)):
            yield f"stands as {found.get(key)}, not as {before.get(key)} or {after.get(key)}: revision {key[1]}"


def _halved(found: Standing, diary: Diary, step: int) -> Iterator[str]:
    """A step of one transaction is done or not."""
    before = _landed(diary.steps[step].standing) if step >= 0 else {}
    cut = diary.steps[min(step + 1, len(diary.steps) - 1)]
    if cut.kind in _ONE_TRANSACTION and found not in (before, _landed(cut.standing)):
        yield f"half of a step ({cut.kind})"


def _landed(states: Standing) -> Standing:
    """What was in flight is ready again after a restart."""
    return {
        key: (EventState.READY if state is EventState.INFLIGHT else state, receipt)
        for key, (state, receipt) in states.items()
    }


def _texts(owner: OutboxOwner, found: Standing, acknowledged: dict[Revision, bytes]) -> Iterator[str]:
    for (record, revision), put in acknowledged.items():
        state, _ = found.get((record, revision), (EventState.PURGED, None))
        if state is EventState.PURGED or _replaced_and_purged(found, record, revision):
            continue
        text = owner.outbox.open_text(str(record), revision)  # type: ignore[arg-type]
        if text is None or hashlib.sha256(text).digest() != put:
            yield f"does not open as it was put: revision {revision}, {state}"


def _keys_at_rest(image: Folder, diary: Diary, step: int) -> Iterator[str]:
    """What a purge that was acknowledged erased is not on the disk, whatever the cut brought back."""
    disk = b"".join(data for name, data in image.items() if name != KEY_FILE)
    for key in diary.steps[step].erased if step >= 0 else ():
        if any(wrapped in disk for wrapped in diary.wrapped.get(key, {}).values()):
            yield "a key of an erased record is on the disk right after the cut"


def _replaced_and_purged(found: Standing, record: UUID, revision: int) -> bool:
    """A rejected revision is erased with the one that a person put in its place."""
    while found[record, revision][0] is EventState.SUPERSEDED:
        revision += 1
    return found[record, revision][0] is EventState.PURGED


def _keys_left(folder: Path, diary: Diary, found: Standing) -> Iterator[str]:
    """After the start has emptied the log, no byte on the disk is a key of what was erased."""
    disk = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != KEY_FILE)
    for key, (state, _) in found.items():
        for part, wrapped in diary.wrapped.get(key, {}).items():
            erased = state is EventState.PURGED or (state in _RECEIPTED and part != TEXT)
            if erased and wrapped in disk:
                places = [path.relative_to(folder) for path in folder.rglob("*") if _holds(path, wrapped)]
                yield f"a key of an erased {part} is on the disk, in {', '.join(map(str, places))}"


def _holds(path: Path, wrapped: bytes) -> bool:
    return path.is_file() and path.name != KEY_FILE and wrapped in path.read_bytes()


def _delivered(owner: OutboxOwner, diary: Diary, step: int, acknowledged: dict[Revision, bytes]) -> Books:
    """Deliver what waits to the authority as it was at the cut, and audit its ledger."""
    # A step reports before it writes: at any cut within it the authority has its records already
    authority = Authority(diary.authority.ledger[: diary.steps[min(step + 1, len(diary.steps) - 1)].reported])
    while taken := claim(owner, owner.clock.wall(), 50) or _mended(owner):
        settle(owner, owner.clock.wall(), [(item.event, delivered(authority, item.event)) for item in taken])
    after = standing(owner)
    late = {key for key, (state, _) in after.items() if state not in DONE | {EventState.REJECTED}} - _held(after)
    waiting = {key for key, (state, _) in after.items() if state is EventState.REJECTED} | _held(after)
    replaced = {key for key, (state, _) in after.items() if state is EventState.SUPERSEDED}
    there = {key: put for key, put in acknowledged.items() if key in after}
    books = audit(there, authority.ledger, excused=waiting, replaced=replaced)
    receipts = {(taken.record, taken.revision): taken.receipt_no for taken in authority.ledger}
    foreign = [key for key, (state, told) in after.items() if state in _RECEIPTED and receipts.get(key) != told]
    return books + Books(lost=len(late & acknowledged.keys()), duplicates=len(foreign))


def _mended(owner: OutboxOwner) -> list[Claimed]:
    """Claim what could not be opened before, and came back from the second copy."""
    owner.mending.wait(_SALVAGE_S)
    return claim(owner, owner.clock.wall(), 50)


def _of(states: Standing, acknowledged: dict[Revision, bytes]) -> Standing:
    return {key: state for key, state in states.items() if key in acknowledged}


def _held(states: Standing) -> set[Revision]:
    """Revisions behind one that waits for a person."""
    first = dict[UUID, int]()
    for (record, revision), (state, _) in states.items():
        if state is EventState.REJECTED:
            first[record] = min(revision, first.get(record, revision))
    held = {key for key, (state, _) in states.items() if state is EventState.BLOCKED}
    return {(record, revision) for record, revision in held if revision > first.get(record, revision)}
