"""One attempt at a 1:1 verification, frame by frame: quality, then life, then likeness.

    frame ─▶ exactly one face, near, frontal, lit, sharp? ─no─▶ a hint for the guest
               │ yes: it counts
               ├─▶ PAD score ────────────────▶ median of 15 ─┐
               └─▶ best frame of each half ─▶ one template ──┴─▶ decide ─▶ FaceVerification | Refusal

Where the face is lost, jumps, or is joined by another one, the count begins again: the face that was found
alive must be the face that is compared.
"""

from __future__ import annotations

import statistics
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeAlias

import numpy as np

from kiosk.config import FaceSection
from kiosk.face import photos, quality
from kiosk.face.decision import Decision, Outcome, decide
from kiosk.face.detect import Face, Image
from kiosk.face.engine import FaceEngine, Reference, Seen
from kiosk.face.match import Template, similarity, unit
from kiosk.face.thresholds import MATCH_FRAMES, PAD_FRAMES, Thresholds
from kiosk.model import FaceVerification, Reason, Refusal

__all__ = ["Attempt", "FaceEngine", "FaceHint", "Looked"]

_MAX_STEP = 0.6
"""Of the face's width, between two frames; more is another face."""
_MAX_GROWTH = 1.4


@dataclass(frozen=True, slots=True)
class FaceHint:
    """The attempt goes on. ``reason``: what the guest can do; None for a frame that counts."""

    reason: Reason | None


Looked: TypeAlias = FaceHint | FaceVerification | Refusal


@dataclass(slots=True, eq=False)
class _Candidate:
    rank: float
    aligned: Image = field(repr=False)
    photo: Image = field(repr=False)

    def wipe(self) -> None:
        self.aligned.fill(0)
        self.photo.fill(0)


class Attempt:
    """Belongs to one thread. Call ``look`` with each frame until it returns no ``FaceHint``, then ``close``."""

    def __init__(self, engine: FaceEngine, settings: FaceSection, reference: bytes) -> None:
        self._engine = engine
        self._thresholds = Thresholds.of(settings)
        self._budget_s = settings.attempt_s
        self._reference: Reference | None = None
        self._ends_at: float | None = None
        self._outcome: FaceVerification | Refusal | None = None
        self._hints: Counter[Reason] = Counter()
        self._scores: list[float] = []
        self._best: list[_Candidate] = []
        """The best frame of each part of the count so far, in time."""
        self._last: Face | None = None
        self._compare_with(reference)

    def _compare_with(self, data: bytes) -> None:
        found = self._engine.reference(data)
        if isinstance(found, Reason):
            self._outcome = Refusal(found)
        else:
            self._reference = found

    def look(self, frame: Image, at: float) -> Looked:
        """Take in one frame: about 10 ms, and 60 ms more for the one that decides.

        Args:
            frame: BGR. Nothing of it is kept but small cuts, until ``close``.
            at: Its time in seconds, of a clock that never goes back.
        """
        if self._outcome is None and self._reference is not None:
            looked = self._look(frame, at, self._reference)
            if isinstance(looked, FaceHint):
                return looked
            self._outcome = looked
        if self._outcome is None:
            raise RuntimeError("the attempt was closed")
        self._forget()
        return self._outcome

    def _look(self, frame: Image, at: float, reference: Reference) -> Looked:
        if self._ends_at is None:
            self._ends_at = at + self._budget_s
        if not at < self._ends_at:
            return Refusal(self._why_not())
        seen = self._engine.look(frame)
        if isinstance(seen, Reason):
            self._hints[seen] += 1
            if seen in (Reason.NO_FACE, Reason.TWO_FACES):
                self._begin_again()
            return FaceHint(seen)
        self._count(frame, seen)
        return self._decide(reference) if len(self._scores) >= PAD_FRAMES else FaceHint(None)

    def _count(self, frame: Image, seen: Seen) -> None:
        if self._last is not None and not is_same_place(self._last, seen.face):
            self._begin_again()
        self._last = seen.face
        part = len(self._scores) * MATCH_FRAMES // PAD_FRAMES
        self._scores.append(self._engine.pad.score(frame, seen.face))
        rank = quality.rank(seen.face, seen.aligned)
        is_first = part == len(self._best)
        if is_first or rank > self._best[part].rank:
            candidate = _Candidate(rank, seen.aligned, photos.portrait(frame, seen.face))
            for beaten in self._best[part:]:
                beaten.wipe()
            self._best[part:] = [candidate]

    def _decide(self, reference: Reference) -> FaceVerification | Refusal:
        templates = [self._engine.matcher.template(candidate.aligned) for candidate in self._best]
        alike = similarity(unit(np.sum(templates, axis=0)), reference.template)
        pad_score = median(self._scores)
        decision = decide(alike, pad_score, self._thresholds)
        if decision.outcome is Outcome.ACCEPT and not is_one_person(templates, self._thresholds):
            decision = Decision(Outcome.TRY_AGAIN, Reason.FACE_DOUBTFUL)
        for template in templates:
            template.fill(0.0)
        if decision.reason is not None:
            return Refusal(decision.reason)
        return FaceVerification(
            similarity=alike,
            similarity_threshold=self._thresholds.similarity,
            pad_score=pad_score,
            pad_threshold=self._thresholds.pad,
            model_version=self._engine.model_version,
            live_photo=photos.jpeg(max(self._best, key=lambda candidate: candidate.rank).photo),
            reference_photo=reference.photo,
        )

    def _why_not(self) -> Reason:
        """What stood in the way most often."""
        return self._hints.most_common(1)[0][0] if self._hints else Reason.FACE_DOUBTFUL

    def _begin_again(self) -> None:
        self._scores.clear()
        for candidate in self._best:
            candidate.wipe()
        self._best.clear()
        self._last = None

    def _forget(self) -> None:
        self._begin_again()
        if self._reference is not None:
            self._reference.wipe()
            self._reference = None

    def close(self) -> None:
        """Overwrite the template and every cut, drop the result. Safe to call twice."""
        self._forget()
        self._outcome = None


def is_same_place(before: Face, now: Face) -> bool:
    """Whether a face can have moved from one to the other within one frame."""
    growth = now.width / before.width
    (x, y), (was_x, was_y) = now.middle, before.middle
    step = max(abs(x - was_x), abs(y - was_y)) / before.width
    return step <= _MAX_STEP and 1 / _MAX_GROWTH <= growth <= _MAX_GROWTH


def is_one_person(templates: list[Template], thresholds: Thresholds) -> bool:
    """Whether the frames that were compared show one person: nobody swapped the face while it was checked for life."""
    return all(similarity(first, second) >= thresholds.similarity for first, second in pairwise(templates))


def median(scores: list[float]) -> float:
    """The median, or NaN where any score is: ``statistics`` would sort a NaN to anywhere."""
    return statistics.median(scores) if np.isfinite(scores).all() else float("nan")
