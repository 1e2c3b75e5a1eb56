"""Affect of known mistakes, and confidence of known honesty."""

from __future__ import annotations

import json

import numpy as np
import pytest
from face_recon_node.affect import EXPRESSIONS, AffectEstimator
from face_recon_node.evaluation.affect import (
    AffectFigures,
    AffectTrack,
    Bin,
    affect_figures,
    mean_affect,
    reliability,
    true_affect,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from imuface_core.arkit import BLENDSHAPES, INDEX
from numpy.typing import ArrayLike, NDArray

NEUTRAL, HAPPY, SAD = (EXPRESSIONS.index(name) for name in ("neutral", "happy", "sad"))
WAVE = np.array([-1.0, 0.0, 1.0, 0.0])


def track(
    labels: ArrayLike, confidence: ArrayLike = 1.0, valence: ArrayLike = 0.0, arousal: ArrayLike = 0.0
) -> AffectTrack:
    """Frames with these labels; what is one number is that in all of them."""
    expression = np.asarray(labels, np.intp)
    numbers = [
        np.broadcast_to(np.asarray(each, np.float64), expression.shape) for each in (valence, arousal, confidence)
    ]
    return AffectTrack(numbers[0], numbers[1], expression, numbers[2])


def runs(*lengths: tuple[int, int]) -> list[int]:
    """Labels that each last for some frames."""
    return [label for label, frames in lengths for _ in range(frames)]


def overlooked(estimate: AffectTrack, true: AffectTrack) -> float:
    return affect_figures([estimate], [true]).overconfident_neutral


def test_the_truth_is_perfect() -> None:
    true = track([NEUTRAL, HAPPY, SAD, SAD], 1.0, WAVE, -WAVE)
    assert affect_figures([true], [true]) == AffectFigures(1.0, 1.0, 1.0, 0.0, 1.0, 0.0)


def test_a_dead_face_is_wrong_where_something_shows() -> None:
    true = track(runs((NEUTRAL, 90), (HAPPY, 90)), 1.0, runs((0, 90), (1, 90)), runs((0, 90), (1, 90)))
    dead = track([NEUTRAL] * 180, 1.0, 0.1, 0.1)
    found = affect_figures([dead], [true])
    assert found == AffectFigures(0.0, 0.0, 1 / 3, 0.5, 0.5, 1.0)


def test_half_the_affect_correlates_and_the_opposite_does_so_negatively() -> None:
    true = track([HAPPY] * 4, 1.0, WAVE, WAVE)
    found = affect_figures([track([HAPPY] * 4, 1.0, 0.5 * WAVE, -WAVE)], [true])
    assert (found.valence_r, found.arousal_r) == (1.0, -1.0)


def test_constant_affect_has_no_correlation() -> None:
    steady, moving = track([HAPPY] * 4, 1.0, 0.1, 0.3), track([HAPPY] * 4, 1.0, WAVE, WAVE)
    for estimate, true in ((steady, moving), (moving, steady), (steady, steady)):
        found = affect_figures([estimate], [true])
        assert (found.valence_r, found.arousal_r) == (0.0, 0.0)


def test_macro_f1_is_over_the_labels_of_the_truth() -> None:
    true = track([NEUTRAL, NEUTRAL, NEUTRAL, HAPPY])
    estimate = track([NEUTRAL, NEUTRAL, SAD, HAPPY])
    assert affect_figures([estimate], [true]).macro_f1 == pytest.approx((2 * 2 / (2 + 3) + 1) / 2)
    assert affect_figures([track([SAD] * 4)], [true]).macro_f1 == 0.0


def test_segments_are_joined() -> None:
    true = [track([NEUTRAL] * 2, 1.0, -1.0, -1.0), track([HAPPY] * 6, 1.0, 1.0, 1.0)]
    estimates = [track([NEUTRAL] * 2, 1.0, -0.5, 0.5), track([SAD] * 6, 1.0, 0.5, -0.5)]
    found = affect_figures(estimates, true)
    assert (found.valence_r, found.arousal_r, found.accuracy) == (1.0, -1.0, 0.25)


def test_calibration_in_bins_that_include_their_upper_edge() -> None:
    estimate = track([HAPPY, HAPPY, SAD, SAD], [0.75, 0.8, 0.5, 0.0])
    true = track([HAPPY, SAD, SAD, HAPPY])
    assert reliability([estimate], [true]) == [
        Bin(0.05, 0.0, 0.0, 1),
        Bin(0.45, 0.5, 1.0, 1),
        Bin(0.75, 0.775, 0.5, 2),
    ]
    assert affect_figures([estimate], [true]).ece == pytest.approx((0.0 + 0.5 + 2 * 0.275) / 4)


def test_honest_confidence_has_a_small_calibration_error_and_boasting_a_large_one() -> None:
    rng = np.random.default_rng(0)
    true = rng.integers(0, len(EXPRESSIONS), 50_000)
    confidence = rng.uniform(0.0, 1.0, len(true))
    other = (true + rng.integers(1, len(EXPRESSIONS), len(true))) % len(EXPRESSIONS)
    labels = np.where(rng.uniform(0.0, 1.0, len(true)) < confidence, true, other)
    assert affect_figures([track(labels, confidence)], [track(true)]).ece < 0.01
    assert affect_figures([track(labels, 1.0)], [track(true)]).ece == pytest.approx(0.5, abs=0.01)
    assert sum(each.frames for each in reliability([track(labels, confidence)], [track(true)])) == len(true)


def test_neutral_is_overconfident_from_two_seconds_on() -> None:
    true = track(runs((NEUTRAL, 90), (HAPPY, 60), (NEUTRAL, 30), (SAD, 59), (NEUTRAL, 2), (HAPPY, 20), (SAD, 41)))
    shown = 60 + 59 + 61
    assert overlooked(track([NEUTRAL] * 302, 0.95), true) == (60 + 61) / shown
    assert overlooked(track([NEUTRAL] * 302, 0.9), true) == 0.0
    assert overlooked(true, true) == 0.0
    assert overlooked(track([SAD] * 302), true) == 0.0


def test_one_doubtful_frame_ends_a_run() -> None:
    true = track([HAPPY] * 110)
    sure = np.ones(110)
    sure[50] = 0.5
    assert overlooked(track([NEUTRAL] * 110, sure), true) == 0.0
    sure[50], sure[60] = 1.0, 0.5
    assert overlooked(track([NEUTRAL] * 110, sure), true) == 60 / 110


def test_runs_end_with_their_segment() -> None:
    halves = [track([NEUTRAL] * 40)] * 2, [track([HAPPY] * 40)] * 2
    assert affect_figures(*halves).overconfident_neutral == 0.0


def test_without_expressions_none_is_overlooked() -> None:
    assert overlooked(track([NEUTRAL] * 90), track([NEUTRAL] * 90)) == 0.0


def test_the_true_affect_is_that_of_exact_weights() -> None:
    weights = np.zeros((120, len(BLENDSHAPES)), np.float32)
    weights[30:90, [INDEX["mouthSmileLeft"], INDEX["mouthSmileRight"]]] = 0.9
    stamps = 1_700_000_000_000_000_000 + np.arange(120) * 33_333_333
    found = true_affect(stamps, weights)
    assert set(found.expression) == {NEUTRAL, HAPPY}
    assert found.valence.argmax() == 89
    estimator = AffectEstimator()
    for index, stamp in enumerate(stamps):
        affect = estimator.update(int(stamp), weights[index], np.zeros(len(BLENDSHAPES)))
        assert affect.valence == found.valence[index]
        assert affect.arousal == found.arousal[index]
        assert affect.expression == EXPRESSIONS[found.expression[index]]
    # What is known without error is certain; the estimator also doubts its own rules.
    assert (found.confidence == 1.0).all()
    again = affect_figures([found], [found])
    assert (again.valence_r, again.macro_f1, again.accuracy) == (1.0, 1.0, 1.0)


def test_means_are_over_people() -> None:
    people = [AffectFigures(1.0, 0.5, 0.25, 0.0, 1.0, 0.0), AffectFigures(0.0, 0.0, 0.75, 0.5, 0.5, 1.0)]
    assert mean_affect(people) == AffectFigures(0.5, 0.25, 0.5, 0.25, 0.75, 0.5)
    with pytest.raises(ValueError, match="nobody"):
        mean_affect([])


def test_json_has_these_keys_and_gives_the_same_again() -> None:
    found = affect_figures([track([NEUTRAL] * 4, 0.8, WAVE)], [track([HAPPY] * 4, 1.0, WAVE)])
    content = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert set(content) == {"valence_r", "arousal_r", "macro_f1", "ece", "accuracy", "overconfident_neutral"}
    assert AffectFigures.from_json(content) == found
    with pytest.raises(TypeError):
        AffectFigures.from_json({"ece": 0.0})


def test_what_cannot_be_measured_is_refused() -> None:
    with pytest.raises(ValueError, match="no frames"):
        affect_figures([], [])
    with pytest.raises(ValueError, match="its truth of"):
        affect_figures([track([HAPPY] * 3)], [track([HAPPY] * 4)])


@st.composite
def tracks(draw: st.DrawFn) -> AffectTrack:
    """Seventy frames of anything."""
    any_number = arrays.arrays(np.float32, 70, elements=st.floats(allow_nan=False, allow_infinity=False, width=32))
    labels = draw(arrays.arrays(np.intp, 70, elements=st.integers(0, len(EXPRESSIONS) - 1)))
    confidence: NDArray[np.float32] = draw(arrays.arrays(np.float32, 70, elements=st.floats(0.0, 1.0, width=32)))
    return AffectTrack(draw(any_number), draw(any_number), labels, confidence)


@given(tracks(), tracks())
@settings(max_examples=60)
def test_everything_is_finite_whatever_the_tracks(estimate: AffectTrack, true: AffectTrack) -> None:
    found = affect_figures([estimate], [true])
    assert -1.0 <= found.valence_r <= 1.0
    assert -1.0 <= found.arousal_r <= 1.0
    for share in (found.macro_f1, found.ece, found.accuracy, found.overconfident_neutral):
        assert 0.0 <= share <= 1.0
    assert mean_affect([found]) == found
