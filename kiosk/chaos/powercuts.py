"""Power cuts: plays are recorded once, cut at every kind of moment, and each image is started by the product's code."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

from kiosk.chaos.authority import Books
from kiosk.chaos.binding import Connection, Edit, connecting
from kiosk.chaos.disk import Disk
from kiosk.chaos.drawing import drawn
from kiosk.chaos.findings import Failure, Findings, Invariant
from kiosk.chaos.judge import Verdict, judge, lay
from kiosk.chaos.play import Diary, DrawnClock, Player, recover, settings
from kiosk.chaos.records import HOTEL, KIOSK, Guestbook
from kiosk.chaos.tape import Folder, Mood, Op, Surface
from kiosk.errors import KioskError
from offline_queue.owner import OutboxOwner
from offline_queue.store import Store

SECTION = "power-cuts"
STEPS = 100
CUTS = 170
"""Cuts of one play; a tenth of them is followed by cuts of the start after them."""
RESTARTED, CUTS_OF_A_RESTART = 20, 4
CUTS_OF_A_CONTROL = 60
COPIED = 0.3
"""Share of the plays that keep a second copy."""
FAST_DISK = Path("/dev/shm")  # noqa: S108 - a folder of ours is made in it, with mode 0700

_KINDS: dict[str, str | tuple[str, ...]] = {
    "every acknowledged record is there": "acknowledged and gone",
    "every acknowledged state and receipt is there, and no step is half done": ("stands as", "half of a step"),
    "tally, hash chain and pages verify": "verify",
    "what was put opens, byte for byte": "does not open as",
    "no data key of an erased part is left": "a key of an erased",
    "every image opens, and none is taken for damaged": ("it does not open", "it breaks", "set aside"),
    "delivered once, in order, with the receipt it has": "after delivery",
}


@dataclass(frozen=True, slots=True)
class Recording:
    """A play, what it did to the disk, and how far its clock had gone."""

    tape: list[Op]
    diary: Diary
    wall_off_s: float
    book: Guestbook
    """For further guests of the same play."""
    base: Folder = field(default_factory=dict)


@dataclass(slots=True)
class Outcome:
    """What the cuts of one play found."""

    case: int
    cuts: int = 0
    books: Books = field(default_factory=Books)
    faults: list[str] = field(default_factory=list)
    moods: Counter[str] = field(default_factory=Counter)

    def add(self, verdict: Verdict, mood: Mood) -> None:
        self.cuts += 1
        self.books += verdict.books
        self.faults += verdict.faults
        self.moods[mood.value] += 1


def run(seed: int, *, cuts: int, until: float, only: int | None = None, processes: int | None = None) -> Findings:
    """Cut until ``cuts`` are made or the monotonic clock says ``until``; every control is cut first.

    Args:
        seed: Draws everything.
        cuts: How many power cuts shall be made.
        until: ``time.monotonic()`` at which no further play begins.
        only: Just this case (a play), without controls.
        processes: Worker processes; as many as cores when None, this process alone when 0.
    """
    began = time.monotonic()
    if only is not None:
        outcomes, controls = [cut_play(seed, only)], {}
    else:
        controls = {name: control(seed, name) for name in CONTROLS}
        outcomes = list(_outcomes(seed, cuts, until, processes))
    made = sum(outcome.cuts for outcome in outcomes)
    books = sum((outcome.books for outcome in outcomes), Books())
    moods: Counter[str] = sum((outcome.moods for outcome in outcomes), Counter())
    seconds = time.monotonic() - began
    return Findings(
        SECTION,
        f"{made} power cuts in {len(outcomes)} plays of {STEPS} steps, from seed {seed}: "
        + ", ".join(f"{count} where the disk {mood}" for mood, count in moods.most_common()),
        {"power_cuts": made, "plays": len(outcomes), "cuts_per_s": round(made / max(seconds, 1e-9), 1)},
        books,
        tuple(_invariants(outcomes, made)),
        controls,
        tuple(Failure(SECTION, seed, outcome.case, fault) for outcome in outcomes for fault in outcome.faults[:2]),
        seconds,
    )


def _invariants(outcomes: list[Outcome], made: int) -> Iterator[Invariant]:
    for name, begins in _KINDS.items():
        yield Invariant(name, made, sum(fault.startswith(begins) for outcome in outcomes for fault in outcome.faults))


def _outcomes(seed: int, cuts: int, until: float, processes: int | None) -> Iterator[Outcome]:
    count = len(os.sched_getaffinity(0)) if processes is None else processes
    if count == 0:
        yield from _alone(seed, cuts, until)
        return
    made, case = 0, 0
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(count, mp_context=context) as pool:
        working: set[Future[Outcome]] = set()
        while True:
            while made < cuts and time.monotonic() < until and len(working) < 2 * count:
                working.add(pool.submit(cut_play, seed, case, until))
                case += 1
            if not working:
                return
            done, working = wait(working, return_when=FIRST_COMPLETED)
            for future in done:
                outcome = future.result()
                made += outcome.cuts
                yield outcome


def _alone(seed: int, cuts: int, until: float) -> Iterator[Outcome]:
    made, case = 0, 0
    while made < cuts and time.monotonic() < until:
        outcome = cut_play(seed, case, until)
        made, case = made + outcome.cuts, case + 1
        yield outcome


def cut_play(seed: int, case: int, until: float = float("inf")) -> Outcome:
    """Record one play and cut it."""
    dice = drawn(seed, "play", case)
    outcome = Outcome(case)
    with scratch() as folder:
        recording = record(folder / "play", dice, STEPS, second_copy=dice.random() < COPIED)
        restarts = 0
        for image, mood, step in images(recording, dice, CUTS):
            outcome.add(judge(folder / "cut", image, recording.diary, step, wall_off_s=recording.wall_off_s), mood)
            if dice.random() < RESTARTED / CUTS and restarts < RESTARTED:
                restarts += 1
                _cut_the_restart(folder, recording, image, step, dice, outcome)
            if time.monotonic() > until:
                break
    return outcome


def _cut_the_restart(
    folder: Path, recording: Recording, image: Folder, step: int, dice: Random, outcome: Outcome
) -> None:
    """Start from an image and cut that start, too."""
    try:
        again = record_restart(folder / "restart", image, recording)
    except KioskError as exc:
        outcome.faults.append(f"it does not open: {exc}")
        return
    for second, mood, _ in images(again, dice, CUTS_OF_A_RESTART):
        outcome.add(judge(folder / "cut", second, recording.diary, step, wall_off_s=recording.wall_off_s), mood)


def record(
    folder: Path,
    dice: Random,
    steps: int,
    *,
    lying: bool = False,
    edit: Edit = lambda sql: sql,
    second_copy: bool = False,
) -> Recording:
    """Play ``steps`` steps in ``folder``, which is made, and write down what they do to the disk."""
    folder.mkdir(mode=0o700)
    disk = Disk(folder, lying=lying)
    pages = dice.choice((20, 60, 1000))
    try:
        with (
            connecting(folder, lambda path: _opened(path, disk, edit, pages)),
            disk.listening(),
            closing(Player(folder, dice, outbox=settings(second_copy=second_copy))) as player,
        ):
            player.note("start")
            disk.mark(0)
            for number in range(1, steps):
                player.step()
                disk.mark(number)
    finally:
        disk.close()
    return Recording(disk.tape, player.diary, player.clock.off_s, player.book)


def record_restart(folder: Path, image: Folder, recording: Recording) -> Recording:
    """Start from an image and write down what the start does to the disk. Raises KioskError."""
    lay(folder, image)
    disk = Disk(folder)
    try:
        disk.know()
        with connecting(folder, lambda path: _opened(path, disk, lambda sql: sql, 1000)), disk.listening():
            copied = any("/" in name for name in image)
            clock = DrawnClock(recording.wall_off_s)
            owner = OutboxOwner.open(folder, HOTEL, KIOSK, settings(second_copy=copied), clock=clock)
            owner.mending.wait()
            recover(owner)
            owner.call(Store.truncate_log)
            owner.close()
        disk.look(deep=True)
    finally:
        disk.close()
    return replace(recording, tape=disk.tape, base=image)


def _opened(path: Path, disk: Disk, edit: Edit, pages: int) -> Connection:
    made = Connection(path, disk.vfs, edit)
    # Smaller than the product's, so that a short play meets the log's copying into the database
    made.execute(f"PRAGMA wal_autocheckpoint = {pages}").fetchall()
    return made


def images(recording: Recording, dice: Random, count: int) -> Iterator[tuple[Folder, Mood, int]]:
    """Yield ``count`` images of cuts at any operation, each with the last step that was acknowledged before it."""
    surface = Surface({name: bytearray(data) for name, data in recording.base.items()})
    at = 0
    for moment in sorted(dice.randint(0, len(recording.tape)) for _ in range(count)):
        while at < moment:
            surface.take(recording.tape[at])
            at += 1
        mood = dice.choice(list(Mood))
        yield surface.after_cut(dice, mood), mood, surface.step


def _careless(sql: str) -> str:
    return sql.replace("synchronous = FULL", "synchronous = NORMAL")


def _keeping_keys(sql: str) -> str:
    return sql.replace("zeroblob(length(wrapped))", "wrapped")


CONTROLS = ("synchronous_normal", "lying_fsync", "keys_not_overwritten")
"""Outboxes that are broken on purpose: the first two must lose acknowledged records, the third must keep keys."""


def control(seed: int, name: str) -> bool:
    """Cut a store that is broken on purpose. Returns whether it failed, as it must."""
    edits: dict[str, Edit] = {"synchronous_normal": _careless, "keys_not_overwritten": _keeping_keys}
    dice = drawn(seed, "control", name)
    with scratch() as folder:
        recording = record(folder / "play", dice, STEPS, lying=name == "lying_fsync", edit=edits.get(name, str))
        for image, _, step in images(recording, dice, CUTS_OF_A_CONTROL):
            verdict = judge(folder / "cut", image, recording.diary, step, wall_off_s=recording.wall_off_s)
            if name == "keys_not_overwritten":
                if any("a key of an erased" in fault for fault in verdict.faults):
                    return True
            elif verdict.books.lost:
                return True
    return False


@contextmanager
def scratch() -> Iterator[Path]:
    """Give a new folder on a disk that syncs at once; it is removed at the end of the block."""
    where = FAST_DISK if os.access(FAST_DISK, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="suizhu-chaos-", dir=where, ignore_cleanup_errors=True) as name:
        yield Path(name)
