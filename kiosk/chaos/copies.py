"""The power is cut and the database lost on top of it: what was acknowledged comes back from the second copy."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator
from random import Random

from kiosk.chaos.authority import Books
from kiosk.chaos.drawing import drawn
from kiosk.chaos.findings import Failure, Findings, Invariant
from kiosk.chaos.judge import Verdict, judge
from kiosk.chaos.powercuts import images, record, scratch
from kiosk.chaos.tape import Folder
from offline_queue.owner import STORE_FILE
from offline_queue.recovery.keeper import COPY_FOLDER

SECTION = "second-copy"
CASES = 300
_STEPS, _CASES_OF_A_PLAY = 40, 12
_LOG = f"{STORE_FILE}-wal"
_BITS = 8
_OLDER = re.compile(
    r"stands as \(<EventState\.(READY|REJECTED|BLOCKED): .*, not as \(<EventState\.(READY|REJECTED|BLOCKED): "
)
"""An older copy came back, and with it a refusal or a try that was later: it is tried or refused once more."""
_LOSSES = (
    "database gone",
    "database and log gone",
    "log gone",
    "database is noise",
    "bits of the database",
    "a bit of the copy",
)


def run(seed: int, *, cases: int, until: float, only: int | None = None) -> Findings:
    """Lose ``cases`` databases, or until the monotonic clock says ``until``."""
    began = time.monotonic()
    books, faults, lost = Books(), list[Failure](), Counter[str]()
    for number, loss, verdict in _judged(seed, cases, until, only):
        books += verdict.books
        lost[loss] += 1
        faults += [Failure(SECTION, seed, number, f"{loss}: {fault}") for fault in verdict.faults]
    done = lost.total()
    return Findings(
        SECTION,
        f"{done} power cuts with a loss on top: " + ", ".join(f"{count} {loss}" for loss, count in lost.most_common()),
        {"databases_lost": done},
        books,
        (
            Invariant("everything acknowledged is back, in its state, and opens", books.acknowledged, len(faults)),
            Invariant(
                "it is delivered once and in order", books.acknowledged, books.duplicates + books.order_violations
            ),
        ),
        {},
        tuple(faults),
        time.monotonic() - began,
    )


def _judged(seed: int, cases: int, until: float, only: int | None) -> Iterator[tuple[int, str, Verdict]]:
    numbers = range(cases) if only is None else range(only, only + 1)
    for first in range(numbers.start - numbers.start % _CASES_OF_A_PLAY, numbers.stop, _CASES_OF_A_PLAY):
        dice = drawn(seed, "copies", first)
        with scratch() as folder:
            recording = record(folder / "play", dice, _STEPS, second_copy=True)
            cuts = list(images(recording, dice, _CASES_OF_A_PLAY))
            for number, (image, _, step) in enumerate(cuts, first):
                if number not in numbers:
                    continue
                if time.monotonic() > until and number > numbers.start:
                    return
                loss, spoilt = _spoilt(image, drawn(seed, "loss", number))
                off_s = recording.wall_off_s
                verdict = judge(folder / "cut", spoilt, recording.diary, step, wall_off_s=off_s, spoilt=True)
                faults = tuple(fault for fault in verdict.faults if not _OLDER.match(fault))
                yield number, loss, Verdict(faults, verdict.books)


def _spoilt(image: Folder, dice: Random) -> tuple[str, Folder]:
    loss, left = dice.choice(_LOSSES), dict(image)
    match loss:
        case "database gone":
            left.pop(STORE_FILE, None)
        case "database and log gone":
            left.pop(STORE_FILE, None)
            left.pop(_LOG, None)
        case "log gone":
            left.pop(_LOG, None)
        case _ if STORE_FILE not in image:
            pass  # the power was cut before there was one
        case "database is noise":
            left[STORE_FILE] = dice.randbytes(len(image[STORE_FILE]))
        case "bits of the database":
            left[STORE_FILE] = _flipped(image[STORE_FILE], dice, _BITS)
        case _:
            segments = [name for name in image if name.startswith(COPY_FOLDER)]
            if segments:
                name = dice.choice(segments)
                left[name] = _flipped(image[name], dice, 1)
    return loss, left


def _flipped(data: bytes, dice: Random, bits: int) -> bytes:
    flipped = bytearray(data)
    for _ in range(bits if data else 0):
        flipped[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    return bytes(flipped)
