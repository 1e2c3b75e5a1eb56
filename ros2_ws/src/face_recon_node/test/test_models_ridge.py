"""Ridge regression, and the readings as the baselines see them."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from face_recon_node.data.segment import Segment, prepare
from face_recon_node.head import HeadModel
from face_recon_node.models.model import FacePrediction, Person
from face_recon_node.models.readings import ReadingStream, Standardised, windows
from face_recon_node.models.ridge import RidgeRegression
from imuface_simulation import Participant, Performance, simulate

NEUTRAL = HeadModel.load().landmark_neutral


def linear(count: int = 3000, seed: int = 0, size: float = 0.05) -> Segment:
    """One weight follows one reading, 0.1 s late."""
    rng = np.random.default_rng(seed)
    readings = rng.normal(size=(count, 12)).astype(np.float32)
    weights = np.full((count, 52), 0.5, np.float32)
    weights[3:, 0] += size * readings[:-3, 4]
    return Segment(np.arange(count), readings, np.ones((count, 2), bool), weights.clip(0.0, 1.0))


def fitted(*segments: Segment) -> RidgeRegression:
    return RidgeRegression().fit([Person(segments, NEUTRAL)])


def told(model: RidgeRegression, segment: Segment) -> FacePrediction:
    return model.stream().push(segment.readings, segment.present)


def test_a_linear_map_is_found() -> None:
    ridge, test = fitted(linear()), linear(500, 1)
    # Large readings are compressed, hence neither exact nor a maximum.
    assert np.abs(told(ridge, test).weights - test.weights)[30:].mean(axis=0).max() < 0.01
    assert ridge.parameters == 361 * 52


def test_weights_stay_within_their_range_and_nothing_is_said_of_their_deviation() -> None:
    found = told(fitted(linear(size=0.3)), linear(500, 1, 0.3))
    assert (found.weights.min(), found.weights.max()) == (0.0, 1.0)
    assert found.weights_std is None
    assert found.landmarks_std is None
    assert found.affect is None


def test_noise_is_penalised_to_a_constant() -> None:
    noise = linear()
    noise.readings[:] = noise.readings[np.random.default_rng(2).permutation(len(noise))]
    assert told(fitted(noise), linear(500, 1)).weights[:, 0].std() < 0.01


def test_the_penalty_is_chosen_by_what_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights that hardly move and cannot be told have no say."""
    segment = linear()
    segment.weights[:, 1:] += np.random.default_rng(3).normal(0.0, 1e-3, (len(segment), 51))
    chosen = fitted(segment).to_arrays()["coefficients"]
    monkeypatch.setattr("face_recon_node.models.ridge.PENALTIES", (0.001,))
    least = fitted(segment).to_arrays()["coefficients"]
    assert np.linalg.norm(chosen[:, 0]) > 0.97 * np.linalg.norm(least[:, 0])


def test_the_cut_into_calls_changes_nothing() -> None:
    segments = prepare(simulate(Performance.natural(1, 40.0), Participant.random(1), 40.0))
    ridge, segment = fitted(*segments), segments[0].without_ear(1)
    segment.present[:200] = segments[0].present[:200]
    segment.readings[:200] = segments[0].readings[:200]
    stream, cuts = ridge.stream(), [0, 1, 2, 2, 29, 30, 31, 60, 600, len(segment)]
    parts = [stream.push(segment.readings[i:j], segment.present[i:j]).weights for i, j in itertools.pairwise(cuts)]
    np.testing.assert_allclose(np.concatenate(parts), told(ridge, segment).weights, atol=1e-5)


def test_too_little_data_is_refused() -> None:
    with pytest.raises(ValueError, match="9 frames are too few"):
        fitted(linear(9))


def test_windows_end_at_their_frame() -> None:
    values = np.arange(1.0, 6.0, dtype=np.float32)[:, None]
    np.testing.assert_array_equal(windows(values, 3)[..., 0], [[1, 2, 3], [2, 3, 4], [3, 4, 5]])
    np.testing.assert_array_equal(windows(values, 3, led=True)[:2, :, 0], [[0, 0, 1], [0, 1, 2]])


def test_an_absent_ear_reads_the_mean_and_outliers_are_compressed() -> None:
    segment = linear()
    segment.readings[:] += 3.0
    segment.readings[100] = 1000.0
    segment.present[200:, 1] = False
    segment.readings[200:, 6:] = 0.0
    seen = Standardised.of([Person([segment], NEUTRAL)])(segment)
    assert not seen[200:, 6:].any()
    assert seen.max() < 6.0
    assert seen[:200, :6].argmax() // 6 == 100


def test_a_high_pass_takes_posture_away() -> None:
    segment = linear()
    segment.readings[:] += np.linspace(0.0, 50.0, len(segment))[:, None].astype(np.float32)
    standardised = Standardised.of([Person([segment], NEUTRAL)], 0.1)
    seen = standardised(segment)
    assert abs(seen[1500:].mean() - seen[500:1500].mean()) < 0.2
    stream = ReadingStream(standardised)
    frames = [stream.push(segment.readings[i : i + 1], segment.present[i : i + 1]) for i in range(100)]
    np.testing.assert_array_equal(np.concatenate(frames), seen[:100])
    everything = replace(standardised, high_pass_hz=0.0)(segment)
    assert everything[1500:].mean() - everything[500:1500].mean() > 0.5
