"""Figures of known mistakes."""

from __future__ import annotations

import numpy as np
import pytest
from face_recon_node.evaluation.metrics import REGIONS, Estimate, Faces, covered, interocular, measure
from face_recon_node.head import HeadModel

NEUTRAL = HeadModel.load().landmark_neutral


def faces(count: int = 40) -> Faces:
    rng = np.random.default_rng(0)
    weights = rng.uniform(0.0, 1.0, (count, 52)).astype(np.float32)
    return Faces(HeadModel.load().landmarks(weights), weights)


def test_the_truth_has_no_error_and_the_jitter_of_the_truth() -> None:
    true = faces()
    figures = measure([Estimate(true.landmarks, true.weights)], [true], NEUTRAL)
    assert figures.landmark_error_mm == figures.weights_error == figures.nme_percent == 0.0
    assert figures.jitter_mm == figures.true_jitter_mm > 0.0


def test_a_shifted_region_shows_as_that_region() -> None:
    true = faces()
    landmarks = true.landmarks.copy()
    landmarks[:, REGIONS["mouth"], 2] += 0.003
    figures = measure([Estimate(landmarks, true.weights)], [true], NEUTRAL)
    assert figures.mouth_mm == pytest.approx(3.0, rel=1e-4)
    assert figures.brows_mm == figures.eyes_mm == figures.nose_mm == 0.0
    assert figures.landmark_error_mm == pytest.approx(3.0 * 20 / 51, rel=1e-4)
    assert figures.landmark_error_p95_mm == pytest.approx(figures.landmark_error_mm, rel=1e-4)
    expected = 100.0 * 0.003 * 20 / 51 / interocular(NEUTRAL)
    assert figures.nme_percent == pytest.approx(expected, rel=1e-4)
    assert figures.jitter_mm == pytest.approx(figures.true_jitter_mm, rel=1e-4)


def test_frames_count_alike_whatever_the_stretch() -> None:
    true = faces(30)
    short = Faces(true.landmarks[:10], true.weights[:10])
    off = Estimate(short.landmarks, np.clip(short.weights + 0.4, 0.0, 2.0))
    figures = measure([off, Estimate(true.landmarks, true.weights)], [short, true], NEUTRAL)
    assert figures.weights_error == pytest.approx(0.1, rel=1e-4)


def test_a_still_face_does_not_jitter() -> None:
    true = faces()
    still = Estimate(np.tile(NEUTRAL, (len(true.weights), 1, 1)), np.zeros_like(true.weights))
    assert measure([still], [true], NEUTRAL).jitter_mm == 0.0


def test_coverage_of_gaussian_errors() -> None:
    rng = np.random.default_rng(1)
    true = faces(400)
    stds = np.full((400, 51), 0.002, np.float32), np.full((400, 52), 0.1, np.float32)
    landmarks = true.landmarks + rng.normal(0.0, 0.002, true.landmarks.shape).astype(np.float32)
    weights = true.weights + rng.normal(0.0, 0.1, true.weights.shape).astype(np.float32)
    found = covered([Estimate(landmarks, weights, *stds)], [true])
    assert found is not None
    assert found.landmarks == pytest.approx(0.683, abs=0.01)
    assert found.weights == pytest.approx(0.683, abs=0.01)
    assert found.landmarks_two == pytest.approx(0.954, abs=0.01)
    assert found.weights_two == pytest.approx(0.954, abs=0.01)


def test_no_coverage_without_standard_deviations() -> None:
    true = faces()
    assert covered([Estimate(true.landmarks, true.weights)], [true]) is None


def test_regions_are_all_landmarks() -> None:
    assert sorted(np.r_[tuple(REGIONS.values())]) == list(range(51))
