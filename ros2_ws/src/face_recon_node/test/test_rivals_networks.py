"""The networks among the rivals learn, repeat themselves, and predict the same frame by frame."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from face_recon_node.head import HeadModel
from face_recon_node.rivals.catalogue import RIVALS
from face_recon_node.rivals.network import NetworkRival
from face_recon_node.rivals.person import Person
from face_recon_node.training.stretch import Stretch

NEUTRAL = HeadModel.load().landmark_neutral
NETWORKS = [name for name in RIVALS if name not in ("mean", "constant", "ridge")]


def moving(count: int = 1200, seed: int = 0) -> Stretch:
    """A mouth that opens with an oscillating reading."""
    rng = np.random.default_rng(seed)
    phase = np.cumsum(rng.uniform(0.05, 0.4, count))
    readings = rng.normal(0.0, 0.1, (count, 12)).astype(np.float32)
    readings[:, 3] += np.cos(phase)
    weights = np.zeros((count, 52), np.float32)
    weights[:, 17] = 0.5 + 0.4 * np.cos(phase)
    landmarks = HeadModel.load().landmarks(weights)
    features = np.zeros((count, 1), np.float32)
    return Stretch(np.arange(count), readings, np.ones((count, 2), bool), features, weights, landmarks)


def shortened(name: str, steps: int) -> NetworkRival:
    rival = RIVALS[name]()
    assert isinstance(rival, NetworkRival)
    rival.recipe = replace(rival.recipe, least_steps=steps, most_steps=steps)
    return rival


@pytest.mark.parametrize("name", [name for name in NETWORKS if name != "frequency"])
def test_a_network_learns(name: str) -> None:
    rival = shortened(name, 60).fit([Person([moving()], NEUTRAL)])
    test = moving(400, 1)
    found = rival.predict(test, NEUTRAL)
    assert test.landmarks is not None
    error = np.linalg.norm(found.landmarks - test.landmarks, axis=-1).mean()
    constant = np.linalg.norm(np.median(test.landmarks, axis=0) - test.landmarks, axis=-1).mean()
    assert error < 0.6 * constant
    assert found.landmarks.shape == (400, 51, 3)
    assert found.weights.min() >= 0.0
    assert found.weights.max() <= 1.0


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_repeats_itself_and_travels(name: str) -> None:
    person, test = Person([moving(400)], NEUTRAL), moving(90, 1)
    first, second, other = (shortened(name, 3).fit([person], seed).predict(test, NEUTRAL) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.landmarks, second.landmarks)
    assert np.abs(first.landmarks - other.landmarks).max() > 0.0
    rival = shortened(name, 3).fit([person])
    sent = pickle.loads(pickle.dumps(rival))
    np.testing.assert_array_equal(sent.predict(test, NEUTRAL).landmarks, first.landmarks)
    assert sum(1 for _ in rival.frames(test[:10])) == 10
    assert 10_000 < rival.parameters < 300_000


@pytest.mark.parametrize("name", NETWORKS)
def test_the_future_does_not_matter(name: str) -> None:
    rival = shortened(name, 3).fit([Person([moving(400)], NEUTRAL)])
    whole = moving(200, 1)
    begun = rival.predict(whole[:150], NEUTRAL)
    np.testing.assert_allclose(rival.predict(whole, NEUTRAL).landmarks[:150], begun.landmarks, atol=1e-6)


@pytest.mark.parametrize("make", [RIVALS[name] for name in NETWORKS])
def test_too_little_data_is_refused(make: Callable[[], NetworkRival]) -> None:
    with pytest.raises(ValueError, match="too few to train"):
        make().fit([Person([moving(9)[:1]], NEUTRAL)])
