"""Ridge regression and the constant faces."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from face_recon_node.head import HeadModel
from face_recon_node.rivals.catalogue import RIVALS
from face_recon_node.rivals.person import Person
from face_recon_node.rivals.readings import Standardised, windows
from face_recon_node.rivals.ridge import RidgeRegression
from face_recon_node.training.stretch import Stretch

NEUTRAL = HeadModel.load().landmark_neutral


def linear(count: int = 3000, seed: int = 0) -> Stretch:
    """One weight and one landmark follow one reading, 0.1 s late."""
    rng = np.random.default_rng(seed)
    readings = rng.normal(size=(count, 12)).astype(np.float32)
    weights = np.full((count, 52), 0.5, np.float32)
    weights[3:, 0] += 0.05 * readings[:-3, 4]
    landmarks = np.tile(NEUTRAL, (count, 1, 1))
    landmarks[3:, 40, 2] += 0.01 * readings[:-3, 4]
    features = np.zeros((count, 1), np.float32)
    return Stretch(np.arange(count), readings, np.ones((count, 2), bool), features, weights, landmarks)


def test_a_linear_map_is_found() -> None:
    ridge = RidgeRegression().fit([Person([linear()], NEUTRAL)])
    test = linear(500, 1)
    found = ridge.predict(test, NEUTRAL)
    assert test.landmarks is not None
    # Large readings are compressed, hence neither exact nor a maximum.
    assert np.abs(found.weights - test.weights)[30:].mean(axis=0).max() < 0.01
    assert np.abs(found.landmarks - test.landmarks)[30:, 40, 2].mean() < 0.002
    assert ridge.parameters == 361 * 205


def test_noise_is_penalised_to_a_constant() -> None:
    noise = linear()
    shuffled = np.random.default_rng(2).permutation(len(noise))
    noise.readings[:] = noise.readings[shuffled]
    found = RidgeRegression().fit([Person([noise], NEUTRAL)]).predict(linear(500, 1), NEUTRAL)
    assert found.weights[:, 0].std() < 0.01


@pytest.mark.parametrize(("name", "centre"), [("constant", np.median), ("mean", np.mean)])
def test_the_constant_is_the_middle_displacement(name: str, centre: Callable[..., np.ndarray]) -> None:
    stretch = linear()
    assert stretch.landmarks is not None
    larger = (1.1 * NEUTRAL).astype(np.float32)
    found = RIVALS[name]().fit([Person([stretch], NEUTRAL)]).predict(stretch[:7], larger)
    expected = centre(stretch.landmarks - NEUTRAL, axis=0) + larger
    assert found.landmarks.shape == (7, 51, 3)
    np.testing.assert_allclose(found.landmarks[3], expected, atol=1e-6)
    np.testing.assert_allclose(found.weights[3], centre(stretch.weights, axis=0), atol=1e-6)


def test_windows_end_at_their_frame() -> None:
    values = np.arange(1.0, 6.0, dtype=np.float32)[:, None]
    np.testing.assert_array_equal(windows(values, 3)[..., 0], [[0, 0, 1], [0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4, 5]])


def test_an_absent_ear_reads_the_mean_and_outliers_are_compressed() -> None:
    stretch = linear()
    stretch.readings[:] += 3.0
    stretch.readings[100] = 1000.0
    stretch.present[200:, 1] = False
    stretch.readings[200:, 6:] = 0.0
    seen = Standardised.of([Person([stretch], NEUTRAL)])(stretch)
    assert not seen[200:, 6:].any()
    assert seen.max() < 6.0
    assert seen[:200, :6].argmax() // 6 == 100


def test_a_high_pass_takes_posture_away() -> None:
    stretch = linear()
    stretch.readings[:] += np.linspace(0.0, 50.0, len(stretch))[:, None].astype(np.float32)
    seen = Standardised.of([Person([stretch], NEUTRAL)], 0.1)(stretch)
    assert abs(seen[1500:].mean() - seen[500:1500].mean()) < 0.2
