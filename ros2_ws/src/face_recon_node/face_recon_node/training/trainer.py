"""Trains IMUTwinTrans on simulated or recorded people."""

from __future__ import annotations

import copy
import json
import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from numpy.typing import NDArray
from torch import Tensor, nn

from face_recon_node.network import FaceNetwork, IMUTwinTrans, NetworkConfig, Statistics
from face_recon_node.network.imu_twin_trans import Prediction
from face_recon_node.network.recurrent import Recurrent
from face_recon_node.training.population import Example

logger = logging.getLogger(__name__)

CHECKPOINT_STEPS = 250
_MILLIMETRES = 1000.0


@dataclass(frozen=True)
class TrainingConfig:
    """Everything that decides about a training run but the recorded sessions."""

    seed: int = 0
    simulated: int = 240
    """Simulated participants to train on."""
    minutes: float = 3.0
    """Length of each one's session."""
    captures: tuple[str, ...] = ()
    """Live Link Face captures (files) whose pieces move the faces of some of the participants."""
    steps: int = 3500
    batch: int = 24
    """Pieces of stretches in a step."""
    piece: int = 128
    """Frames of a piece: 4.3 s."""
    warm_up: int = 32
    """Frames at the start of a piece without a loss, because the network has not seen what came before."""
    anatomical: int = 0
    """Further participants whose ears are of anatomy and whose faces are generated."""
    anyone: bool = False
    """Learn to do without any data of the person: ears of anatomy only, and no tracker."""
    start: str = ""
    """Model file to start from, whose size then counts instead of ``network``; empty: from scratch."""
    untracked: float = 0.3
    """Share of the pieces that are learned without the tracker of the person's ears."""
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
            captures = tuple(str(path) for path in content.get("captures", ()))
            network = NetworkConfig(**content.get("network", {}))
            return cls(**{**content, "captures": captures, "network": network})
        except (TypeError, ValueError, yaml.YAMLError) as error:
            raise ValueError(f"training configuration {path}: {error}") from error

    def write(self, path: Path) -> None:
        """Write the configuration as YAML."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump({**asdict(self), "captures": list(self.captures)}, sort_keys=False))


def train(
    examples: Sequence[Example],
    landmark_deltas: NDArray[np.float32],
    config: TrainingConfig,
    progress: Callable[[int, float], None] = lambda step, loss: None,
    checkpoint: Path | None = None,
) -> FaceNetwork:
    """Train a network from scratch.

    Args:
        examples: training data.
        landmark_deltas: (52, 51, 3) metres: how each ARKit action moves the landmarks.
        config: settings; the same on the same data gives the same network on the same machine.
        progress: called after each step with its number from 1 and its loss.
        checkpoint: file in which the state is kept every :data:`CHECKPOINT_STEPS` steps.

    Raises:
        ValueError: no example is as long as a piece.
    """
    torch.manual_seed(config.seed)
    if config.start:
        module = FaceNetwork.load(config.start).module
        fit(module, examples, landmark_deltas, config, progress, checkpoint)
        return FaceNetwork(module, statistics_of(examples, landmark_deltas), {})
    module = IMUTwinTrans(config.network)
    last = module.out[-1]
    assert isinstance(last, nn.Linear)
    with torch.no_grad():
        # Begin with what the tracker says.
        last.weight.mul_(0.1)
    _set_feature_statistics(module, examples)
    fit(module, examples, landmark_deltas, config, progress, checkpoint)
    return FaceNetwork(module, statistics_of(examples, landmark_deltas), {})


def fit(
    module: IMUTwinTrans | Recurrent,
    examples: Sequence[Example],
    landmark_deltas: NDArray[np.float32],
    config: TrainingConfig,
    progress: Callable[[int, float], None] = lambda step, loss: None,
    checkpoint: Path | None = None,
) -> None:
    """Train a network further; as :func:`train`.

    A run that was interrupted goes on from its checkpoint, if that was made with the same settings, to the same result.

    Raises:
        ValueError: no example is as long as a piece.
    """
    pieces = [example for example in examples if len(example.weights) >= config.piece]
    if not pieces:
        raise ValueError(f"no stretch of the data has {config.piece} frames; record for longer")
    rng = np.random.default_rng(config.seed)
    deltas = torch.from_numpy(landmark_deltas.reshape(len(landmark_deltas), -1) * _MILLIMETRES).float()
    optimizer = torch.optim.AdamW(module.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, config.steps))
    lengths = np.array([len(example.weights) - config.piece + 1 for example in pieces])
    training = _Training(module, optimizer, schedule, rng, config, sum(len(piece.weights) for piece in pieces))
    module.train()
    for step in range(training.resume(checkpoint) + 1, config.steps + 1):
        chosen = rng.choice(len(pieces), config.batch, p=lengths / lengths.sum())
        spans = [slice(begin, begin + config.piece) for begin in rng.integers(lengths[chosen])]
        batch = [(pieces[index], span) for index, span in zip(chosen, spans, strict=True)]
        features = torch.from_numpy(np.stack([example.features[span] for example, span in batch]))
        tracked = torch.from_numpy(np.stack([example.tracked[span] for example, span in batch]))
        truth = torch.from_numpy(np.stack([example.weights[span] for example, span in batch]))
        # A network that is nobody's has to do without a tracker.
        tracked[torch.from_numpy(rng.random(config.batch) < config.untracked)] = 0.0
        prediction, _ = module(features, tracked, [])
        loss = _loss(prediction, truth, deltas, config)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(module.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if checkpoint and step % CHECKPOINT_STEPS == 0:
            training.save(checkpoint, step)
        progress(step, float(loss.detach()))
    module.eval()


@dataclass(frozen=True)
class _Training:
    """What changes from step to step."""

    module: IMUTwinTrans | Recurrent
    optimizer: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler
    rng: np.random.Generator
    config: TrainingConfig
    frames: int

    def _key(self) -> str:
        return json.dumps([asdict(self.config), self.frames])

    def _state(self) -> dict[str, Any]:
        return {
            "module": self.module.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "rng": json.dumps(self.rng.bit_generator.state),
        }

    def _load(self, content: dict[str, Any]) -> None:
        self.module.load_state_dict(content["module"])
        self.optimizer.load_state_dict(content["optimizer"])
        self.schedule.load_state_dict(content["schedule"])
        self.rng.bit_generator.state = json.loads(content["rng"])

    def save(self, path: Path, step: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        whole = path.with_name(path.name + ".part")
        torch.save({"key": self._key(), "step": step, **self._state()}, whole)
        whole.replace(path)

    def resume(self, path: Path | None) -> int:
        """Load a checkpoint of the same run; the number of steps that are over."""
        if path is None or not path.is_file():
            return 0
        start = copy.deepcopy(self._state())
        try:
            content = torch.load(path, weights_only=True)
            if content["key"] != self._key():
                raise ValueError("it is of a run with other settings or data")
            self._load(content)
        except Exception as error:  # on a damaged file the unpickler raises whatever it trips over
            self._load(start)
            reason = str(error).partition("\n")[0]
            logger.warning("training starts anew: checkpoint %s cannot be used: %s", path, reason)
            return 0
        logger.warning("training goes on from checkpoint %s, step %d", path, content["step"])
        return int(content["step"])


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


def _set_feature_statistics(module: IMUTwinTrans, examples: Sequence[Example]) -> None:
    features = np.concatenate([example.features[::10] for example in examples]).astype(np.float64)
    module.feature_mean.copy_(torch.from_numpy(features.mean(axis=0)))
    module.feature_std.copy_(torch.from_numpy(np.maximum(features.std(axis=0), 0.05)))


def statistics_of(examples: Sequence[Example], landmark_deltas: NDArray[np.float32]) -> Statistics:
    """What the examples say about faces in general."""
    weights = np.concatenate([example.weights[::5] for example in examples])
    landmarks = weights @ landmark_deltas.reshape(len(landmark_deltas), -1)
    spread = np.sqrt(landmarks.reshape(len(weights), -1, 3).var(axis=0).mean(axis=-1))
    return Statistics(
        weights.mean(axis=0).astype(np.float32), weights.std(axis=0).astype(np.float32), spread.astype(np.float32)
    )
