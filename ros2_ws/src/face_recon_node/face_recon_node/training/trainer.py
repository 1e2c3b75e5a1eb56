"""Trains IMUTwinTrans on stretches of simulated or recorded people."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
import yaml
from numpy.typing import NDArray
from torch import Tensor

from face_recon_node.network import FaceNetwork, IMUTwinTrans, NetworkConfig, Statistics
from face_recon_node.network.imu_twin_trans import Prediction
from face_recon_node.training.data import Stretch

_MILLIMETRES = 1000.0


@dataclass(frozen=True)
class TrainingConfig:
    """Everything that decides about a training run but the recorded sessions."""

    seed: int = 0
    simulated: int = 240
    """Simulated participants to train on."""
    minutes: float = 3.0
    """Length of each one's session."""
    steps: int = 3500
    batch: int = 24
    """Pieces of stretches in a step."""
    piece: int = 128
    """Frames of a piece: 4.3 s."""
    warm_up: int = 32
    """Frames at the start of a piece without a loss, because the network has not seen what came before."""
    learning_rate: float = 2e-3
    weight_decay: float = 0.01
    weights_loss: float = 2.0
    """Importance of the ARKit weights' error beside the landmarks' error in millimetres."""
    uncertainty_loss: float = 0.05
    network: NetworkConfig = field(default_factory=NetworkConfig)

    def __post_init__(self) -> None:
        if self.simulated < 0 or not 0.2 <= self.minutes <= 600.0:
            raise ValueError(f"{self.simulated} simulated participants of {self.minutes} minutes are out of range")
        if not (self.steps >= 1 and self.batch >= 1 and 0 <= self.warm_up < self.piece):
            raise ValueError(f"training needs at least one step and piece, and a warm-up within a piece: {self}")

    @classmethod
    def read(cls, path: Path) -> TrainingConfig:
        """Read a YAML file as :meth:`write` makes it; what it does not name keeps its default.

        Raises:
            ValueError: not a mapping, an unknown name, or a value out of range.
        """
        try:
            content = yaml.safe_load(path.read_text())
            if not isinstance(content, dict):
                raise ValueError("is not a mapping")
            return cls(**{**content, "network": NetworkConfig(**content.get("network", {}))})
        except (TypeError, ValueError, yaml.YAMLError) as error:
            raise ValueError(f"training configuration {path}: {error}") from error

    def write(self, path: Path) -> None:
        """Write the configuration as YAML."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(asdict(self), sort_keys=False))


def train(
    stretches: Sequence[Stretch],
    landmark_deltas: NDArray[np.float32],
    config: TrainingConfig,
    progress: Callable[[int, float], None] = lambda step, loss: None,
) -> FaceNetwork:
    """Train a network from scratch.

    Args:
        stretches: training data.
        landmark_deltas: (52, 51, 3) metres: how each ARKit action moves the landmarks.
        config: settings; the same on the same data gives the same network on the same machine.
        progress: called after each step with its number from 1 and its loss.

    Raises:
        ValueError: no stretch is as long as a piece.
    """
    pieces = [stretch for stretch in stretches if len(stretch.stamps) >= config.piece]
    if not pieces:
        raise ValueError(f"no stretch of the data has {config.piece} frames; record for longer")
    torch.manual_seed(config.seed)
    rng = np.random.default_rng(config.seed)
    module = IMUTwinTrans(config.network)
    _set_feature_statistics(module, pieces)
    deltas = torch.from_numpy(landmark_deltas.reshape(len(landmark_deltas), -1) * _MILLIMETRES).float()
    optimizer = torch.optim.AdamW(module.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, config.steps))
    lengths = np.array([len(stretch.stamps) - config.piece + 1 for stretch in pieces])
    module.train()
    for step in range(1, config.steps + 1):
        chosen = rng.choice(len(pieces), config.batch, p=lengths / lengths.sum())
        spans = [slice(begin, begin + config.piece) for begin in rng.integers(lengths[chosen])]
        batch = [(pieces[index], span) for index, span in zip(chosen, spans, strict=True)]
        features = torch.from_numpy(np.stack([stretch.features[span] for stretch, span in batch]))
        truth = torch.from_numpy(np.stack([stretch.weights[span] for stretch, span in batch]))
        prediction, _ = module(features, [])
        loss = _loss(prediction, truth, deltas, config)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(module.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        progress(step, float(loss.detach()))
    return FaceNetwork(module, _statistics(stretches, landmark_deltas), {})


def _loss(prediction: Prediction, truth: Tensor, deltas: Tensor, config: TrainingConfig) -> Tensor:
    """Landmark distance, weights' error and the likelihood of both under the predicted standard deviations.

    The distance is the figure that counts, so the faces are trained on it alone; the standard deviations are fitted
    to the errors that remain (a Gaussian's negative log-likelihood), without a say in the faces.
    """
    kept = slice(config.warm_up, None)
    error = (prediction.weights - truth)[:, kept]
    points = (error @ deltas).unflatten(-1, (-1, 3))
    distance = torch.sqrt(points.square().sum(dim=-1) + 1e-4)
    weights_log_std = prediction.weights_log_std[:, kept]
    landmarks_log_std = prediction.landmarks_log_std[:, kept]
    likelihood = (
        (weights_log_std + 0.5 * error.detach().square() * torch.exp(-2.0 * weights_log_std)).mean()
        + (landmarks_log_std + distance.detach().square() / 6.0 * torch.exp(-2.0 * landmarks_log_std)).mean()
    )  # fmt: skip
    return distance.mean() + config.weights_loss * error.abs().mean() + config.uncertainty_loss * likelihood


def _rate(step: int, steps: int) -> float:
    """Share of the learning rate: a short rise, then half a cosine."""
    rise = max(1, min(200, steps // 20))
    return min(1.0, (step + 1) / rise) * 0.5 * (1.0 + math.cos(math.pi * min(1.0, step / steps)))


def _set_feature_statistics(module: IMUTwinTrans, stretches: Sequence[Stretch]) -> None:
    features = np.concatenate([stretch.features[::10] for stretch in stretches]).astype(np.float64)
    module.feature_mean.copy_(torch.from_numpy(features.mean(axis=0)))
    module.feature_std.copy_(torch.from_numpy(np.maximum(features.std(axis=0), 0.05)))


def _statistics(stretches: Sequence[Stretch], landmark_deltas: NDArray[np.float32]) -> Statistics:
    weights = np.concatenate([stretch.weights[::5] for stretch in stretches])
    landmarks = weights @ landmark_deltas.reshape(len(landmark_deltas), -1)
    spread = np.sqrt(landmarks.reshape(len(weights), -1, 3).var(axis=0).mean(axis=-1))
    return Statistics(
        weights.mean(axis=0).astype(np.float32), weights.std(axis=0).astype(np.float32), spread.astype(np.float32)
    )
