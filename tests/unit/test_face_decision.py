"""Who is accepted, and that a site can only ask for more."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.config import DOUBT_FLOOR, PAD_FLOOR, SIMILARITY_FLOOR, FaceSection
from kiosk.face import thresholds
from kiosk.face.decision import Decision, Outcome, decide
from kiosk.face.thresholds import Thresholds
from kiosk.model import Reason

T = Thresholds(similarity=0.42, doubt=0.33, pad=0.55)
SCORES = st.floats(allow_nan=True, allow_infinity=True)


@pytest.mark.parametrize(
    ("similarity", "pad", "outcome", "reason"),
    [
        (0.42, 0.55, Outcome.ACCEPT, None),
        (1.0, 1.0, Outcome.ACCEPT, None),
        (0.4199, 1.0, Outcome.TRY_AGAIN, Reason.FACE_DOUBTFUL),
        (0.33, 1.0, Outcome.TRY_AGAIN, Reason.FACE_DOUBTFUL),
        (0.3299, 1.0, Outcome.NO_MATCH, Reason.NOT_MATCHED),
        (-1.0, 1.0, Outcome.NO_MATCH, Reason.NOT_MATCHED),
        (0.9, 0.5499, Outcome.TRY_AGAIN, Reason.NOT_LIVE),
        (0.35, 0.1, Outcome.TRY_AGAIN, Reason.NOT_LIVE),
        (0.1, 0.1, Outcome.NO_MATCH, Reason.NOT_MATCHED),
    ],
)
def test_three_outcomes(similarity: float, pad: float, outcome: Outcome, reason: Reason | None) -> None:
    assert decide(similarity, pad, T) == Decision(outcome, reason)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_score_that_is_no_number_never_helps(bad: float) -> None:
    doubtful = Decision(Outcome.TRY_AGAIN, Reason.FACE_DOUBTFUL)
    assert decide(bad, 0.99, T) == doubtful
    assert decide(0.99, bad, T) == doubtful


@given(SCORES, SCORES)
def test_accepted_means_alike_and_alive_and_nothing_else(similarity: float, pad: float) -> None:
    decision = decide(similarity, pad, T)
    alike_and_alive = math.isfinite(similarity) and similarity >= 0.42 and math.isfinite(pad) and pad >= 0.55
    assert (decision.outcome is Outcome.ACCEPT) == alike_and_alive
    assert (decision.reason is None) == (decision.outcome is Outcome.ACCEPT)


def test_the_numbers_are_those_that_were_fixed_before_the_demo() -> None:
    assert Thresholds() == T == Thresholds.of(FaceSection())
    assert (SIMILARITY_FLOOR, DOUBT_FLOOR, PAD_FLOOR) == (0.42, 0.33, 0.50)
    assert (thresholds.PAD_FRAMES, thresholds.MATCH_FRAMES) == (15, 2)
    assert (thresholds.MIN_FACE_SHARE * 1280, thresholds.MIN_FACE_PX, thresholds.MIN_CONTEXT) == (150, 60, 2.0)


def test_a_site_may_tighten() -> None:
    settings = FaceSection(similarity_threshold=0.6, doubt_threshold=0.5, pad_threshold=0.9)
    assert Thresholds.of(settings) == Thresholds(similarity=0.6, doubt=0.5, pad=0.9)


@pytest.mark.parametrize("value", [0.0, -1.0, 0.2, math.nan, -math.inf])
def test_no_settings_loosen_even_when_nobody_validated_them(value: float) -> None:
    settings = FaceSection.model_construct(similarity_threshold=value, doubt_threshold=value, pad_threshold=value)
    assert Thresholds.of(settings) == Thresholds(SIMILARITY_FLOOR, DOUBT_FLOOR, PAD_FLOOR)


def test_the_settings_themselves_refuse_less_than_the_floors() -> None:
    for name, value in (("similarity_threshold", 0.41), ("doubt_threshold", 0.32), ("pad_threshold", 0.49)):
        with pytest.raises(ValueError, match=name):
            FaceSection.model_validate({name: value})


def test_doubt_never_lies_above_acceptance() -> None:
    settings = FaceSection(similarity_threshold=0.45, doubt_threshold=0.9)
    assert Thresholds.of(settings).doubt == 0.45
