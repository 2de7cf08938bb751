"""Bytes that rot: bits flipped, sectors zeroed and files cut short, in the database and its log."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

from kiosk.chaos.authority import Books
from kiosk.chaos.drawing import drawn
from kiosk.chaos.findings import Failure, Findings, Invariant
from kiosk.chaos.judge import lay
from kiosk.chaos.play import DrawnClock, recover, settings, standing
from kiosk.chaos.powercuts import Recording, record, scratch
from kiosk.chaos.records import HOTEL, KIOSK
from kiosk.chaos.tape import SECTOR, Folder, Mood, Surface
from kiosk.errors import KioskError, OutboxUnavailable
from offline_queue.database.verify import verify
from offline_queue.owner import STORE_FILE, OutboxOwner
from offline_queue.states import EventState

SECTION = "flips"
CASES = 300
_STEPS, _CASES_OF_A_PLAY = 40, 15
_SALVAGE_S = 20.0
_WEIGHTS = {"one bit": 6, "three bits": 2, "a sector of zeros": 1, "cut short": 1}


def run(seed: int, *, cases: int, until: float, only: int | None = None) -> Findings:
    """Spoil ``cases`` stores, or until the monotonic clock says ``until``."""
    began = time.monotonic()
    ends, faults = Counter[str](), list[Failure]()
    hurt = acknowledged = 0
    for number, case in _played(seed, cases, until, only):
        ends[case.end] += 1
        hurt += case.hurt
        acknowledged += case.acknowledged
        faults += [Failure(SECTION, seed, number, fault) for fault in case.faults]
    done = ends.total()
    return Findings(
        SECTION,
        f"{done} spoilt stores: " + ", ".join(f"{count} {end}" for end, count in ends.most_common()),
        {"flips": done, "flips_hurt": hurt, **{f"flips_{end.replace(' ', '_')}": n for end, n in ends.items()}},
        Books(),
        (
            Invariant("a damaged store is refused or set aside by a named error", done, _of(faults, "unnamed")),
            Invariant("nothing is missing or altered without being told", acknowledged, _of(faults, "silently")),
            Invariant("the next guest is served", done, _of(faults, "no new record")),
            Invariant("what was set aside is salvaged, and the rest put away", done, _of(faults, "unmended")),
        ),
        {},
        tuple(faults),
        time.monotonic() - began,
    )


def _played(seed: int, cases: int, until: float, only: int | None) -> Iterator[tuple[int, _Case]]:
    """Play case after case; several spoil the same day."""
    numbers = range(cases) if only is None else range(only, only + 1)
    for first in range(numbers.start - numbers.start % _CASES_OF_A_PLAY, numbers.stop, _CASES_OF_A_PLAY):
        with scratch() as folder:
            recording = record(folder / "play", drawn(seed, "flips", first), _STEPS)
            for number in range(first, min(numbers.stop, first + _CASES_OF_A_PLAY)):
                if number not in numbers:
                    continue
                if time.monotonic() > until and number > numbers.start:
                    return
                case = _Case(recording, folder / "spoilt", drawn(seed, "flip", number))
                case.play()
                yield number, case


def _of(faults: list[Failure], kind: str) -> int:
    return sum(fault.what.startswith(kind) for fault in faults)


class _Case:
    """One store whose bytes are spoilt."""

    def __init__(self, recording: Recording, folder: Path, dice: Random) -> None:
        self._recording, self._folder, self._dice = recording, folder, dice
        self.end = ""
        self.acknowledged = 0
        self.hurt = 0
        """Acknowledged records that are gone or sealed for staff: the rot hit their own bytes."""
        self.faults: list[str] = []

    def play(self) -> None:
        image = self._spoilt(self._image())
        lay(self._folder, image)
        clock = DrawnClock(self._recording.wall_off_s)
        try:
            owner = OutboxOwner.open(self._folder, HOTEL, KIOSK, settings(), clock=clock)
        except KioskError as exc:
            self.end = "refused" if isinstance(exc, OutboxUnavailable) else "unnamed"
            return
        except Exception as exc:
            self.end = "unnamed"
            self.faults.append(f"unnamed: {type(exc).__name__} at the start")
            return
        try:
            self._look(owner)
        except OutboxUnavailable:
            self.end = "noticed while it runs"
        except Exception as exc:
            self.end = "unnamed"
            self.faults.append(f"unnamed: {type(exc).__name__}: {exc} while it runs")
        finally:
            owner.close()

    def _image(self) -> Folder:
        """The files as they were at any moment of the play's second half, with nothing lost."""
        surface, tape = Surface(), self._recording.tape
        for op in tape[: self._dice.randint(len(tape) // 2, len(tape))]:
            surface.take(op)
        self._step = surface.step
        return surface.after_cut(self._dice, Mood.KEEP)

    def _spoilt(self, image: Folder) -> Folder:
        names = [name for name in (STORE_FILE, f"{STORE_FILE}-wal") if len(image.get(name, b"")) > SECTOR]
        name = self._dice.choice(names)
        data, how = bytearray(image[name]), self._dice.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
        at = self._dice.randrange(len(data))
        if how == "cut short":
            del data[at:]
        elif how == "a sector of zeros":
            begin = at - at % SECTOR
            data[begin : begin + SECTOR] = bytes(min(SECTOR, len(data) - begin))
        else:
            for _ in range(1 if how == "one bit" else 3):
                data[self._dice.randrange(len(data))] ^= 1 << self._dice.randrange(8)
        return {**image, name: bytes(data)}

    def _look(self, owner: OutboxOwner) -> None:
        recover(owner)
        set_aside = self._set_aside(owner)
        noticed = set_aside or bool(verify(owner).faults)
        missing = list(self._unlike(owner))
        self.hurt = len(missing)
        self.end = "set aside and salvaged" if set_aside else "noticed by verify" if noticed else "unharmed"
        if missing and not noticed:
            # SQLite ends a spoilt log before its time, as after a power cut, and says nothing
            self.end = "taken for a power cut"
            self.faults.append(f"silently: {missing[0]}, and {len(missing) - 1} more")
        book = self._recording.book
        try:
            owner.outbox.put(book.check_in())
        except KioskError as exc:
            self.faults.append(f"no new record: {exc}")

    def _set_aside(self, owner: OutboxOwner) -> bool:
        """Wait until the product has dealt with what it set aside; say whether it did set anything aside."""
        if owner.mending.wait(_SALVAGE_S).waiting:
            self.faults.append("unmended: what was set aside was not salvaged in time")
        return any("quarantine" in path.name or "damaged" in path.name for path in self._folder.iterdir())

    def _unlike(self, owner: OutboxOwner) -> Iterator[str]:
        """Acknowledged records that are not there as they were put."""
        found, diary = standing(owner), self._recording.diary
        count = diary.steps[self._step].acknowledged if self._step >= 0 else 0
        self.acknowledged = count
        for (record_id, revision), put in list(diary.acknowledged.items())[:count]:
            state, _ = found.get((record_id, revision), (None, None))
            if state is None:
                yield f"revision {revision} is gone"
            elif state not in (EventState.PURGED, EventState.QUARANTINED, EventState.SUPERSEDED):
                text = owner.outbox.open_text(str(record_id), revision)  # type: ignore[arg-type]
                if text is None or hashlib.sha256(text).digest() != put:
                    yield f"revision {revision} does not open as it was put"
