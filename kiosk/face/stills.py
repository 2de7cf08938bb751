"""Judge still pictures: a reference and a probe from files, as ``./run face`` and its measurements need.

A probe stands for one camera frame and is held to the same tests, except that nobody aimed it; presentation
attack detection then rests on that single picture. Pictures such as no camera and no authority gives the
kiosk (grey, 16-bit, huge) are named, and never accepted.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

from kiosk.face import pictures, quality
from kiosk.face.decision import Outcome, decide
from kiosk.face.detect import Face, Image
from kiosk.face.engine import FaceEngine
from kiosk.face.match import Template, similarity
from kiosk.face.pictures import Picture, Unreadable
from kiosk.face.thresholds import Thresholds
from kiosk.model import Reason

_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Result:
    """One pair's answer."""

    reference: str
    probe: str
    similarity: float | None
    """Cosine; None unless both show exactly one face."""
    pad_score: float | None
    decision: str | None
    """``accept``, ``try_again`` or ``no_match``; None where a file could not be read."""
    reason: str | None
    """None exactly when it is accepted. A key of kiosk.model.Reason, or ``reference.`` / ``probe.`` and a word."""
    ms: float


@dataclass(frozen=True, slots=True, eq=False)
class Still:
    """What one picture gave. ``reason``: what speaks against it, whatever the other picture is."""

    reason: str | None = None
    was_read: bool = True
    template: Template | None = field(default=None, repr=False)
    pad_score: float | None = None


Role: TypeAlias = str


class Judge:
    """Judges pairs. A picture that comes again is not looked at again: the first pair with it pays the time."""

    def __init__(self, engine: FaceEngine, folder: Path, thresholds: Thresholds | None = None) -> None:
        self._engine = engine
        self._folder = folder
        self._thresholds = thresholds or Thresholds()
        self._seen: dict[tuple[Role, str], Still] = {}

    def judge(self, reference: str, probe: str) -> Result:
        """Compare two files, named relative to the folder. Raises nothing for any file."""
        start = time.perf_counter()
        first, second = self._still("reference", reference), self._still("probe", probe)
        alike = math.nan
        if first.template is not None and second.template is not None:
            alike = similarity(first.template, second.template)
        outcome, reason = self._decide(first, second, alike)
        ms = round((time.perf_counter() - start) * 1000, 1)
        return Result(reference, probe, _rounded(alike), _rounded(second.pad_score), outcome, reason, ms)

    def _decide(self, reference: Still, probe: Still, alike: float) -> tuple[str | None, str | None]:
        for still in (reference, probe):
            if not still.was_read:
                return None, still.reason
        for still in (reference, probe):
            if still.reason is not None:
                return Outcome.TRY_AGAIN.value, still.reason
        pad_score = math.nan if probe.pad_score is None else probe.pad_score
        decision = decide(alike, pad_score, self._thresholds)
        return decision.outcome.value, decision.reason

    def _still(self, role: Role, name: str) -> Still:
        if (role, name) not in self._seen:
            self._seen[role, name] = self._look(role, self._folder / name)
        return self._seen[role, name]

    def _look(self, role: Role, path: Path) -> Still:
        picture = read(path)
        if isinstance(picture, Unreadable):
            return Still(reason=f"{role}.{picture.value}", was_read=False)
        still = self._probe(picture.image) if role == "probe" else self._reference(picture.image)
        if still.template is not None and not picture.has_colour:
            return replace(still, reason=f"{role}.grey")
        return still

    def _reference(self, image: Image) -> Still:
        found = self._engine.reference_of(image)
        return Still(reason=found.value) if isinstance(found, Reason) else Still(template=found.template)

    def _probe(self, image: Image) -> Still:
        face = quality.one_face(self._engine.faces_of_still(image))
        if isinstance(face, Reason):
            return Still(reason=face.value)
        aligned = self._engine.matcher.align(image, face)
        return Still(
            reason=_against(image, face, aligned),
            template=self._engine.matcher.template(aligned),
            pad_score=self._engine.pad.score(image, face),
        )


def read(path: Path) -> Picture | Unreadable:
    """Read and decode a file, or say why not; never more of it than a picture may have."""
    try:
        with path.open("rb") as file:
            data = file.read(pictures.MAX_BYTES + 1)
    except FileNotFoundError:
        return Unreadable.MISSING
    except (OSError, ValueError):  # ValueError: a NUL in the name
        return Unreadable.BROKEN
    return pictures.decode(data)


def _against(image: Image, face: Face, aligned: Image) -> str | None:
    reason = quality.placed_badly(face, image.shape, centred=False) or quality.lit_or_held_badly(aligned)
    return reason and reason.value


def _rounded(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else round(value, _DIGITS)
