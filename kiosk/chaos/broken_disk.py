"""A disk that is full or broken for a while: any write, truncation or sync fails, once or until it is mended."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import apsw

from kiosk.chaos.authority import Books
from kiosk.chaos.binding import Connection, connecting
from kiosk.chaos.disk import Disk, Trouble
from kiosk.chaos.drawing import drawn
from kiosk.chaos.findings import Failure, Findings, Invariant
from kiosk.chaos.judge import judge
from kiosk.chaos.play import Player
from kiosk.chaos.powercuts import scratch
from kiosk.chaos.tape import Mood, Surface
from kiosk.errors import KioskError, OutboxUnavailable

SECTION = "broken-disk"
CASES = 300
_STEPS, _HEALED = 30, 8
_KINDS: dict[str, tuple[int, frozenset[str]]] = {
    "full": (apsw.SQLITE_FULL, frozenset({"write"})),
    "EIO on write": (apsw.SQLITE_IOERR_WRITE, frozenset({"write"})),
    "EIO on sync": (apsw.SQLITE_IOERR_FSYNC, frozenset({"sync"})),
    "EIO on truncate": (apsw.SQLITE_IOERR_TRUNCATE, frozenset({"truncate"})),
    "EIO on anything": (apsw.SQLITE_IOERR, frozenset({"write", "sync", "truncate"})),
}
_MOST_CALLS = 250


def run(seed: int, *, cases: int, until: float, only: int | None = None) -> Findings:
    """Break the disk in ``cases`` plays, or until the monotonic clock says ``until``."""
    began = time.monotonic()
    books, faults, refused, kinds = Books(), list[Failure](), 0, Counter[str]()
    numbers = range(cases) if only is None else [only]
    for number in numbers:
        if time.monotonic() > until and number > 0:
            break
        case = _Case(seed, number)
        case.play()
        books += case.books
        refused += case.refused
        kinds[case.kind] += case.hit
        faults += [Failure(SECTION, seed, number, f"{case.kind}: {fault}") for fault in case.faults]
    count = sum(1 for _ in kinds)
    return Findings(
        SECTION,
        f"{refused} calls refused by a disk that was "
        + ", ".join(f"{n} times {kind}" for kind, n in kinds.most_common()),
        {"broken_disk_refusals": refused, "broken_disk_kinds": count},
        books,
        (
            Invariant("a refusal has a name and acknowledges nothing", refused, _of(faults, "unnamed")),
            Invariant("what was acknowledged before, meanwhile and after is there", books.acknowledged, books.lost),
            Invariant("the outbox goes on when the disk does", count, _of(faults, "never mended")),
            Invariant("after a restart everything verifies", count, _of(faults, "after")),
        ),
        {},
        tuple(faults),
        time.monotonic() - began,
    )


def _of(faults: list[Failure], kind: str) -> int:
    return sum(f": {kind}" in fault.what for fault in faults)


class _Case:
    """One play on a disk that breaks in the middle and is mended towards the end."""

    def __init__(self, seed: int, number: int) -> None:
        self._dice = drawn(seed, "disk", number)
        self.kind = self._dice.choice(list(_KINDS))
        self.refused = self.hit = 0
        self.faults: list[str] = []
        self.books = Books()

    def play(self) -> None:
        with scratch() as scratched:
            folder = scratched / "play"
            folder.mkdir(mode=0o700)
            disk = Disk(folder)
            try:
                with (
                    connecting(folder, lambda path: Connection(path, disk.vfs)),
                    disk.listening(),
                    closing(Player(folder, self._dice)) as player,
                ):
                    self._play(scratched, disk, player)
            finally:
                disk.close()

    def _play(self, folder: Path, disk: Disk, player: Player) -> None:
        player.note("start")
        code, calls = _KINDS[self.kind]
        lasting = self._dice.random() < 0.5
        trouble = Trouble(code, calls, self._dice.randint(1, _MOST_CALLS if "write" in calls else 20), lasting)
        disk.trouble = trouble
        for _ in range(_STEPS):
            self._step(player)
        disk.trouble, self.hit = None, trouble.hit
        mended = [self._step(player) for _ in range(_HEALED)]
        if not all(mended[1:]):
            self.faults.append("never mended: it refuses on a good disk")
        self._judge(folder, disk, player)

    def _step(self, player: Player) -> bool:
        """Play one step; False when the disk refused it."""
        try:
            if player.troubled:
                player.mend()
            player.step()
        except OutboxUnavailable:
            self.refused += 1
            player.troubled = True
            return False
        except Exception as exc:  # whatever else comes out is what we look for
            self.faults.append(f"unnamed: {type(exc).__name__}: {exc}")
            player.troubled = True
            return False
        player.troubled = False
        return True

    def _judge(self, folder: Path, disk: Disk, player: Player) -> None:
        """Cut the power now, with and without what was never synced, and start again."""
        surface = Surface()
        for op in disk.tape:
            surface.take(op)
        step = len(player.diary.steps) - 1
        for mood in (Mood.KEEP, Mood.DROP, Mood.TEAR):
            image = surface.after_cut(self._dice, mood)
            try:
                verdict = judge(folder / "cut", image, player.diary, step, wall_off_s=player.clock.off_s)
            except KioskError as exc:
                self.faults.append(f"after a restart: {exc}")
                continue
            self.books += verdict.books
            self.faults += [f"after a restart: {fault}" for fault in verdict.faults]
