"""Fidelity of faces whose mistake is known."""

from __future__ import annotations

import json

import numpy as np
import pytest
from face_recon_node.evaluation.fidelity import (
    EXPRESSIVE_MM,
    MOVING,
    ActionFidelity,
    Fidelity,
    correlate,
    fidelity,
    mean_fidelity,
)
from face_recon_node.evaluation.metrics import Estimate, Faces, measure
from face_recon_node.head import HeadModel
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from imuface_core.arkit import BLENDSHAPES, INDEX
from imuface_simulation import Performance
from numpy.typing import NDArray

HEAD = HeadModel.load()
# Binary fractions, so that figures come out exactly.
JAW = np.array([0.0, 0.25, 0.5, 0.75, 1.0, 0.5, 0.25, 0.75])
SMILE = np.array([0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0])


def face(**actions: NDArray | float) -> NDArray[np.float64]:
    """Weights (8, 52) with some actions."""
    weights = np.zeros((8, len(BLENDSHAPES)))
    for name, values in actions.items():
        weights[:, INDEX[name]] = values
    return weights


TRUE = face(jawOpen=JAW, mouthSmileLeft=SMILE, cheekPuff=0.3)


def of(*estimates: NDArray, truth: tuple[NDArray, ...] = (TRUE,)) -> Fidelity:
    """Fidelity of weights on the default head."""
    points, true_points = ([HEAD.landmarks(each) for each in weights] for weights in (estimates, truth))
    return fidelity(estimates, truth, points, true_points, HEAD.landmark_neutral)


def test_the_truth_is_perfect_and_what_rests_does_not_count() -> None:
    perfect = ActionFidelity(1.0, 1.0)
    assert of(TRUE) == Fidelity(1.0, 1.0, {"jawOpen": perfect, "mouthSmileLeft": perfect}, 0.0)


def test_a_face_of_half_the_size_follows_with_half_the_gain() -> None:
    found = of(0.5 * TRUE)
    assert set(found.actions.values()) == {ActionFidelity(1.0, 0.5)}
    assert (found.median_r, found.share_r70) == (1.0, 1.0)
    assert found.expressive_error_mm > EXPRESSIVE_MM / 2


def test_an_inverted_face_goes_against_the_truth() -> None:
    found = of(1.0 - TRUE)
    assert set(found.actions.values()) == {ActionFidelity(-1.0, -1.0)}
    assert (found.median_r, found.share_r70) == (-1.0, 0.0)


@pytest.mark.parametrize("level", [0.0, 0.1, 1 / 3])
def test_a_constant_is_no_motion_at_any_level(level: float) -> None:
    found = of(np.full_like(TRUE, level))
    assert set(found.actions.values()) == {ActionFidelity(0.0, 0.0)}
    assert (found.median_r, found.share_r70) == (0.0, 0.0)


def test_a_dead_face_scores_nothing_although_its_landmarks_are_near() -> None:
    times = np.arange(0.0, 90.0, 1 / 30)
    performance = Performance.study(7, 1, 90.0)
    true = performance.weights(times)
    noise = np.random.default_rng(0).normal(0.0, 0.15, true.shape)
    resting: NDArray = np.tile(np.median(true, axis=0), (len(true), 1))
    moving: NDArray = np.clip(true + noise, 0.0, 1.0)
    points = HEAD.landmarks(true)
    dead_mm, alive_mm = (
        measure([Estimate(HEAD.landmarks(face), face)], [Faces(points, true)], HEAD.landmark_neutral).landmark_error_mm
        for face in (resting, moving)
    )
    assert dead_mm < min(1.5, alive_mm)
    dead, alive = (of(face, truth=(true,)) for face in (resting, moving))
    assert (dead.median_r, dead.share_r70) == (0.0, 0.0)
    assert set(dead.actions.values()) == {ActionFidelity(0.0, 0.0)}
    assert alive.median_r > 0.6
    assert alive.expressive_error_mm < dead.expressive_error_mm


def test_correlation_and_gain_are_those_of_numpy() -> None:
    rng = np.random.default_rng(0)
    true = rng.uniform(0.0, 1.0, (200, 3))
    predicted = true @ rng.normal(0.0, 1.0, (3, 3)) + rng.normal(0.0, 0.3, (200, 3))
    r, gain = correlate(predicted, true)
    for k in range(3):
        assert r[k] == pytest.approx(np.corrcoef(predicted[:, k], true[:, k])[0, 1])
        assert gain[k] == pytest.approx(np.polyfit(true[:, k], predicted[:, k], 1)[0])


def test_an_action_counts_when_it_moves_enough() -> None:
    amplitude = 2.0 * MOVING  # standard deviation of a square wave is half of it
    truth = face(jawOpen=1.01 * amplitude * SMILE, mouthPucker=0.99 * amplitude * SMILE)
    assert list(of(truth, truth=(truth,)).actions) == ["jawOpen"]


def test_median_and_share_are_over_actions() -> None:
    truth = face(jawOpen=SMILE, cheekPuff=SMILE, mouthPucker=SMILE, browInnerUp=SMILE)
    found = of(face(jawOpen=SMILE, cheekPuff=1.0 - SMILE, mouthPucker=0.5 * SMILE), truth=(truth,))
    assert {name: action.r for name, action in found.actions.items()} == {
        "jawOpen": 1.0,
        "mouthPucker": 1.0,
        "browInnerUp": 0.0,
        "cheekPuff": -1.0,
    }
    assert (found.median_r, found.share_r70) == (0.5, 0.5)


def test_segments_are_joined_before_correlating() -> None:
    truth = tuple(face(jawOpen=level) for level in (0.25, 0.75))  # each at rest
    found = of(*(0.5 * weights for weights in truth), truth=truth)
    assert found.actions == {"jawOpen": ActionFidelity(1.0, 0.5)}


def test_only_expressive_frames_count_for_their_error() -> None:
    true = np.tile(HEAD.landmark_neutral, (4, 1, 1)).astype(np.float64)
    true[2:, :, 2] += 1e-3 * EXPRESSIVE_MM + 1e-6
    points = true.copy()
    points[:2, :, 0] += 0.05
    points[2, :, 1] += 0.001
    points[3, :, 1] += 0.003
    weights = np.zeros((4, 52))
    found = fidelity([weights], [weights], [points], [true], HEAD.landmark_neutral)
    assert found.expressive_error_mm == pytest.approx(2.0)


def test_the_face_furthest_from_rest_stands_for_expressive_ones_that_are_missing() -> None:
    true = np.tile(HEAD.landmark_neutral, (3, 1, 1)).astype(np.float64)
    true[1, :, 2] += 0.5e-3 * EXPRESSIVE_MM
    weights = np.zeros((3, 52))
    resting = [np.tile(HEAD.landmark_neutral, (3, 1, 1))]
    found = fidelity([weights], [weights], resting, [true], HEAD.landmark_neutral)
    assert found.expressive_error_mm == pytest.approx(0.5 * EXPRESSIVE_MM, rel=1e-4)
    assert (found.median_r, found.share_r70, found.actions) == (0.0, 0.0, {})


def test_the_mean_of_an_action_is_over_those_in_whom_it_moves() -> None:
    people = [
        Fidelity(0.75, 0.5, {"jawOpen": ActionFidelity(0.5, 0.25), "cheekPuff": ActionFidelity(1.0, 1.0)}, 2.0),
        Fidelity(0.25, 0.0, {"jawOpen": ActionFidelity(0.25, 0.75)}, 1.0),
        Fidelity(0.0, 0.0, {}, 3.0),
    ]
    actions = {"jawOpen": ActionFidelity(0.375, 0.5), "cheekPuff": ActionFidelity(1.0, 1.0)}
    assert mean_fidelity(people) == Fidelity(0.5, 0.25, actions, 2.0)
    assert mean_fidelity(people[:1]) == people[0]
    assert mean_fidelity(people[2:]) == people[2]


def test_json_has_these_keys_and_gives_the_same_again() -> None:
    found = of(0.5 * TRUE)
    content = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert set(content) == {"median_r", "share_r70", "actions", "expressive_error_mm"}
    assert content["actions"]["jawOpen"] == {"r": 1.0, "gain": 0.5}
    assert Fidelity.from_json(content) == found


@pytest.mark.parametrize("content", [{}, {"actions": {}}, {"actions": {"jawOpen": {"r": 1.0}}}, {"actions": 1}])
def test_other_json_is_refused(content: dict) -> None:
    with pytest.raises((TypeError, KeyError, AttributeError)):
        Fidelity.from_json(content)


def test_what_cannot_be_measured_is_refused() -> None:
    with pytest.raises(ValueError, match="no frames"):
        fidelity([], [], [], [], HEAD.landmark_neutral)
    with pytest.raises(ValueError, match="no frames"):
        of(TRUE[:0], truth=(TRUE[:0],))
    with pytest.raises(ValueError, match=r"shape \(3, 52\), its truth of \(5, 52\)"):
        of(TRUE[:3], TRUE[:5], truth=(TRUE[:5], TRUE[:3]))
    with pytest.raises(ValueError, match="nobody"):
        mean_fidelity([])


weights_of_any_size = arrays.arrays(
    np.float32, (5, 52), elements=st.floats(allow_nan=False, allow_infinity=False, width=32)
)


@given(weights_of_any_size, weights_of_any_size)
@settings(max_examples=60)
def test_everything_is_finite_whatever_the_faces(estimate: NDArray, true: NDArray) -> None:
    points, true_points = (np.tile(weights[:, :51, None], (1, 1, 3)) for weights in (estimate, true))
    found = fidelity([estimate], [true], [points], [true_points], HEAD.landmark_neutral)
    numbers = [found.median_r, found.share_r70, found.expressive_error_mm]
    numbers += [number for action in found.actions.values() for number in (action.r, action.gain)]
    assert np.isfinite(numbers).all()
    assert all(-1.0 <= action.r <= 1.0 for action in found.actions.values())
    assert mean_fidelity([found]) == found
