"""The networks among the baselines learn, repeat themselves, and predict the same frame by frame."""

from __future__ import annotations

import itertools
import pickle
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from face_recon_node.data.segment import Segment, prepare
from face_recon_node.head import HeadModel
from face_recon_node.models.imu_twin_trans import IMUTwinTrans
from face_recon_node.models.lstm import Lstm
from face_recon_node.models.model import Person
from face_recon_node.models.windowed import Network
from imuface_simulation import Participant, Performance, simulate

HEAD = HeadModel.load()
NETWORKS = [Lstm, IMUTwinTrans]
Steps = Callable[[int], None]


def moving(count: int = 1200, seed: int = 0) -> Segment:
    """A mouth that opens with an oscillating reading."""
    rng = np.random.default_rng(seed)
    phase = np.cumsum(rng.uniform(0.05, 0.4, count))
    readings = rng.normal(0.0, 0.1, (count, 12)).astype(np.float32)
    readings[:, 3] += np.cos(phase)
    weights = np.zeros((count, 52), np.float32)
    weights[:, 17] = 0.5 + 0.4 * np.cos(phase)
    return Segment(np.arange(count), readings, np.ones((count, 2), bool), weights)


def person(*segments: Segment) -> Person:
    return Person(segments, HEAD.landmark_neutral)


def told(model: Network, segment: Segment) -> np.ndarray:
    return model.stream().push(segment.readings, segment.present).weights


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Steps:
    """Sets how long networks are trained; it is checked four times whether that helps."""
    monkeypatch.setattr("face_recon_node.models.windowed._CHECKS", 4)

    def steps(count: int) -> None:
        for network in NETWORKS:
            tiny = replace(network.recipe, least_steps=count, most_steps=count, batch=16, learning_rate=4e-3)
            monkeypatch.setattr(network, "recipe", tiny)

    return steps


@pytest.mark.parametrize(("network", "people"), [(Lstm, 1), (Lstm, 2), (IMUTwinTrans, 1)])
def test_a_network_learns(network: type[Network], people: int, steps: Steps) -> None:
    steps(50)
    model, test = network().fit([person(moving(1200 // people, seed)) for seed in range(people)]), moving(400, 9)
    found, true = told(model, test), HEAD.landmarks(test.weights)
    error = np.linalg.norm(HEAD.landmarks(found) - true, axis=-1).mean()
    assert error < 0.6 * np.linalg.norm(np.median(true, axis=0) - true, axis=-1).mean()
    assert found.shape == (400, 52)
    assert found.min() >= 0.0
    assert found.max() <= 1.0


@pytest.mark.parametrize("network", NETWORKS)
def test_an_untrained_network_tells_the_constant_face(
    network: type[Network], steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps(1)
    monkeypatch.setattr(network, "recipe", replace(network.recipe, learning_rate=0.0))
    segment = moving(400)
    found = told(network().fit([person(segment)]), segment)
    assert np.abs(found - np.median(segment.weights, axis=0)).max() < 0.2
    assert found[:, :17].max() < 1e-3


@pytest.mark.parametrize("network", NETWORKS)
def test_a_network_repeats_itself_and_travels(network: type[Network], steps: Steps) -> None:
    steps(3)
    someone, test = person(moving(400)), moving(90, 1)
    first, second, other = (network().fit([someone], seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(told(first, test), told(second, test))
    np.testing.assert_array_equal(told(pickle.loads(pickle.dumps(first)), test), told(first, test))
    assert np.abs(told(first, test) - told(other, test)).max() > 0.0
    assert 10_000 < first.parameters < 300_000


@pytest.mark.parametrize("cuts", [range(91), [0, 1, 2, 59, 60, 61, 90]], ids=["single", "mixed"])
@pytest.mark.parametrize("network", NETWORKS)
def test_the_cut_into_calls_changes_nothing(network: type[Network], cuts: list[int], steps: Steps) -> None:
    steps(3)
    whole = prepare(simulate(Performance.natural(1, 25.0), Participant.random(1), 25.0))[0]
    model, segment = network().fit([person(whole)]), whole[:90]
    segment.present[30:50, 1] = False
    segment.readings[30:50, 6:] = 0.0
    stream = model.stream()
    parts = [stream.push(segment.readings[i:j], segment.present[i:j]).weights for i, j in itertools.pairwise(cuts)]
    np.testing.assert_allclose(np.concatenate(parts), told(model, segment), atol=1e-5)
    # Hence the future does not matter either, and every stream begins anew.
    np.testing.assert_allclose(told(model, segment[:40]), told(model, segment)[:40], atol=1e-5)


def test_training_ends_when_it_no_longer_helps(steps: Steps, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the best state is kept: with targets that readings do not tell, the constant face or nearly so."""
    steps(48)
    noise = moving(600)
    noise.weights[:, 17] = noise.weights[np.random.default_rng(1).permutation(600), 17]
    monkeypatch.setattr(Lstm, "recipe", replace(Lstm.recipe, patience=1))
    step, taken = torch.optim.AdamW.step, []

    def counted(optimizer: torch.optim.AdamW) -> None:
        taken.append(optimizer)
        step(optimizer)

    monkeypatch.setattr(torch.optim.AdamW, "step", counted)
    model = Lstm().fit([person(noise)])
    assert len(taken) < 48
    assert told(model, noise)[:, 17].std() < 0.1


@pytest.mark.parametrize("network", NETWORKS)
def test_too_little_data_is_refused(network: type[Network]) -> None:
    with pytest.raises(ValueError, match="1 frames are too few to train"):
        network().fit([person(moving(9)[:1])])
