"""From two scores to one of three outcomes. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from kiosk.face.thresholds import Thresholds
from kiosk.model import Reason


class Outcome(StrEnum):
    ACCEPT = "accept"
    TRY_AGAIN = "try_again"
    NO_MATCH = "no_match"


@dataclass(frozen=True, slots=True)
class Decision:
    outcome: Outcome
    reason: Reason | None = None
    """None exactly when it is accepted."""


def decide(similarity: float, pad_score: float, thresholds: Thresholds) -> Decision:
    """Accept only a face that is alike enough and bona fide; a score that is no number never helps.

    Args:
        similarity: Cosine of the two faces, -1..1.
        pad_score: Presentation attack detection, 0..1, 1 is bona fide.
        thresholds: What to compare with.
    """
    if not math.isfinite(similarity) or not math.isfinite(pad_score):
        return Decision(Outcome.TRY_AGAIN, Reason.FACE_DOUBTFUL)
    if similarity < thresholds.doubt:
        return Decision(Outcome.NO_MATCH, Reason.NOT_MATCHED)
    if pad_score < thresholds.pad:
        return Decision(Outcome.TRY_AGAIN, Reason.NOT_LIVE)
    if similarity < thresholds.similarity:
        return Decision(Outcome.TRY_AGAIN, Reason.FACE_DOUBTFUL)
    return Decision(Outcome.ACCEPT)
