"""The recurrent network that knows one person."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from face_recon_node.network.imu_twin_trans import TRACKED, State
from face_recon_node.network.recurrent import Recurrent
from face_recon_node.stream.features import CHANNELS
from face_recon_node.tracking.mechanics import LATENTS
from face_recon_node.training.population import Example
from face_recon_node.training.trainer import TrainingConfig, fit


def example(seed: int = 0, count: int = 400) -> Example:
    """A tracker that says nothing, and a feature that only shows when one action begins and ends, as gyroscopes do."""
    rng = np.random.default_rng(seed)
    changes = np.cumsum(rng.integers(8, 25, count))
    weights = np.zeros((count, 52), np.float32)
    weights[:, 3] = np.searchsorted(changes, np.arange(count)) % 2
    features = np.zeros((count, len(CHANNELS)), np.float32)
    features[1:, 0] = 5.0 * np.diff(weights[:, 3])
    tracked = np.zeros((count, TRACKED), np.float32)
    tracked[:, 3] = 0.5
    return Example(features, tracked, weights)


def inputs(one: Example) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.from_numpy(one.features)[None], torch.from_numpy(one.tracked)[None]


def test_an_untrained_network_says_what_the_tracker_says() -> None:
    prediction, _ = Recurrent().eval()(*inputs(example()), [])
    assert torch.equal(prediction.weights[0], torch.from_numpy(example().tracked[:, :52]))
    np.testing.assert_allclose(prediction.weights_log_std[0].detach().exp(), 0.0498, rtol=0.01)
    np.testing.assert_allclose(prediction.landmarks_log_std[0].detach().exp(), 1.0, rtol=0.01)


def test_it_learns_what_only_memory_tells() -> None:
    torch.manual_seed(0)
    recurrent = Recurrent()
    config = TrainingConfig(steps=150, batch=8, piece=48, warm_up=8, untracked=0.0, learning_rate=0.01)
    deltas = np.random.default_rng(0).normal(0.0, 0.01, (52, 51, 3)).astype(np.float32)
    fit(recurrent, [example(seed) for seed in range(4)], deltas, config)
    unseen = example(9)
    with torch.inference_mode():
        weights = recurrent(*inputs(unseen), [])[0].weights[0].numpy()
    missed, constant = (np.abs(told - unseen.weights[40:, 3]).mean() for told in (weights[40:, 3], 0.5))
    assert missed < 0.7 * constant


def test_the_memory_is_of_one_size() -> None:
    state: State = []
    for seed in range(2):
        _, state = Recurrent().eval()(*inputs(example(seed, 30)), state)
        assert [part.shape for part in state] == [(1, 1, 64)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"encode": torch.zeros(52, LATENTS + 1)}, "of another shape"),
        ({"input_mean": torch.full((LATENTS + len(CHANNELS),), torch.nan)}, "not finite"),
        ({"input_std": torch.zeros(LATENTS + len(CHANNELS))}, "not positive"),
    ],
)
def test_a_damaged_state_is_refused(change: dict[str, torch.Tensor], message: str) -> None:
    state = Recurrent().state_dict()
    Recurrent.from_state(state)
    with pytest.raises(ValueError, match=message):
        Recurrent.from_state({**state, **change})
