"""The trainer that the networks among the baselines share, and how those predict that see a window."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from face_recon_node.head import HeadModel
from face_recon_node.models.fitting import Baseline, finite_arrays
from face_recon_node.models.model import WEIGHTS, FaceStream, Person
from face_recon_node.models.readings import CHANNELS, Standardised, WindowStream
from face_recon_node.stream.alignment import RATE

_WEIGHTS_LOSS = 2.0
_HELD_OUT = 0.1, 0.3
_LEAST_HELD_OUT = 8 * RATE
"""Frames; a tenth of half a minute would say nothing, so up to three tenths are held out."""
_CHECKS = 24
_MODULE = "module."


@dataclass(frozen=True)
class Recipe:
    """How a network is trained; it sees each frame of the training data about ``epochs`` times."""

    window: int = 30
    """Frames that the network sees in training."""
    told: int = 1
    """Of these, the last ones whose face it tells."""
    batch: int = 64
    learning_rate: float = 2e-3
    weight_decay: float = 0.01
    epochs: float = 10.0
    least_steps: int = 200
    most_steps: int = 3000
    high_pass_hz: float = 0.0
    """The readings' high-pass filter; 0: none."""
    patience: int = 8
    """Training ends after that many of 24 checks on the last tenth of the data without an improvement."""

    def steps(self, frames: int) -> int:
        """Length of the training on that many frames."""
        return int(np.clip(self.epochs * frames / (self.batch * self.told), self.least_steps, self.most_steps))


class FaceLayer(nn.Linear):
    """The last layer (..., width) to weights (..., 52), in units of ``spread``; at first it tells the constant face."""

    def __init__(self, width: int, centre: Tensor, spread: Tensor) -> None:
        super().__init__(width, WEIGHTS)
        nn.init.normal_(self.weight, std=0.01)
        nn.init.zeros_(self.bias)
        self.centre, self.spread = nn.Buffer(centre), nn.Buffer(spread)

    def forward(self, x: Tensor) -> Tensor:
        return self.centre + self.spread * super().forward(x)


class Network(Baseline):
    """A network with the paper's sort of training: from scratch, on this data, towards the landmarks.

    IMUFace (arXiv:2501.02177) regresses the landmarks. Here these are a linear map of the weights: the person's own
    or, with several people, the head model's. So the loss is the mean distance by which the weights' error moves the
    landmarks, in millimetres, plus twice the mean absolute error of the weights. The last tenth of each segment is
    held out (more when there is little data); the best state on it is kept.
    """

    recipe: ClassVar[Recipe]
    module_type: ClassVar[type[nn.Module]]
    """Made of centre and spread (52,) of the weights: standardised readings (batch, window, 12) to weights
    (batch, ``recipe.told`` or more, 52), the last ones of the window."""
    _standardised: Standardised
    _module: nn.Module

    def _learn(self, people: Sequence[Person], seed: int) -> None:
        torch.manual_seed(seed)
        rng, recipe = np.random.default_rng(seed), self.recipe
        self._standardised = Standardised.of(people, recipe.high_pass_hz)
        deltas = self.face.deltas if self.face else HeadModel.load().landmark_deltas
        task = _Task.of(people, self._standardised, recipe, deltas)
        known = task.weights[task.training]
        self._module = module = self.module_type(
            torch.from_numpy(np.median(known, axis=0)), torch.from_numpy(np.maximum(known.numpy().std(axis=0), 1e-3))
        )
        optimizer = torch.optim.AdamW(module.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
        steps = recipe.steps(len(task.training))
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, steps))
        # An untrained network tells the constant face: none may become worse than that.
        best, best_state, waited = task.validate(module), copy.deepcopy(module.state_dict()), 0
        for step in range(1, steps + 1):
            module.train()
            optimizer.zero_grad()
            task.loss(module, rng.choice(task.training, recipe.batch)).backward()
            torch.nn.utils.clip_grad_norm_(module.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            if step % max(1, steps // _CHECKS) == 0 or step == steps:
                error, waited = task.validate(module), waited + 1
                if error < best:
                    best, best_state, waited = error, copy.deepcopy(module.state_dict()), 0
                if waited >= recipe.patience:
                    break
        module.load_state_dict(best_state)
        module.eval()

    def stream(self) -> FaceStream:
        """A new stream, which remembers a window."""
        return WindowStream(self._standardised, self.recipe.window, self._weights)

    @torch.inference_mode()
    def _weights(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        return self._module(torch.from_numpy(windows.copy()))[:, -1].numpy()

    @property
    def parameters(self) -> int:
        """Of the module."""
        return sum(parameter.numel() for parameter in self._module.parameters())

    def to_arrays(self) -> dict[str, NDArray]:
        """The standardisation and the module's state."""
        state = {_MODULE + name: value.numpy() for name, value in self._module.state_dict().items()}
        return self._standardised.to_arrays() | state

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray]) -> Self:
        """The inverse of :meth:`to_arrays`; raises ``ValueError`` as :func:`finite_arrays` does."""
        model = cls()
        model._standardised = Standardised.from_arrays(arrays, cls.recipe.high_pass_hz)
        model._module = cls.module_type(torch.zeros(WEIGHTS), torch.ones(WEIGHTS)).eval()
        state = model._module.state_dict()
        found = finite_arrays(arrays, {_MODULE + name: tuple(value.shape) for name, value in state.items()})
        model._module.load_state_dict(dict(zip(state, map(torch.tensor, found), strict=True)))
        return model


@dataclass(frozen=True)
class _Task:
    """All readings with a window of zeros before each segment, and what is to be told of them."""

    recipe: Recipe
    readings: Tensor
    """(rows, 12) standardised."""
    weights: Tensor
    """(rows, 52)"""
    deltas: Tensor
    """(52, 153) millimetres."""
    training: NDArray[np.intp]
    """Rows at which windows may end."""
    held_out: NDArray[np.intp]

    @classmethod
    def of(
        cls, people: Sequence[Person], standardised: Standardised, recipe: Recipe, deltas: NDArray[np.float32]
    ) -> _Task:
        """The task of people's data and what a weight does to the landmarks (52, 51, 3) in metres."""
        segments = [segment for person in people for segment in person.segments]
        share = float(np.clip(_LEAST_HELD_OUT / sum(map(len, segments)), *_HELD_OUT))
        lead, count = recipe.window - 1, 0
        readings, weights, training, held_out = [], [], [], []
        for segment in segments:
            readings += [np.zeros((lead, CHANNELS), np.float32), standardised(segment)]
            weights += [np.tile(segment.weights[:1], (lead, 1)), segment.weights]
            begin = count + lead
            count = begin + len(segment)
            first, border = begin + min(recipe.told, len(segment)) - 1, begin + int((1.0 - share) * len(segment))
            training.append(np.arange(first, border))
            held_out.append(np.arange(max(first, border), count))
        rows = np.concatenate(training), np.concatenate(held_out)
        if not all(map(len, rows)):
            raise ValueError(f"{sum(map(len, segments))} frames are too few to train a network on; record for longer")
        return cls(
            recipe,
            torch.from_numpy(np.concatenate(readings)),
            torch.from_numpy(np.concatenate(weights)),
            torch.from_numpy(1000.0 * deltas.reshape(WEIGHTS, -1)),
            *rows,
        )

    def loss(self, module: nn.Module, ends: NDArray[np.intp]) -> Tensor:
        """Of what the module tells of the windows that end at these rows."""
        seen, told = (ends[:, None] + np.arange(1 - frames, 1) for frames in (self.recipe.window, self.recipe.told))
        error = module(self.readings[seen])[:, -self.recipe.told :] - self.weights[told]
        distance = torch.sqrt((error @ self.deltas).unflatten(-1, (-1, 3)).square().sum(dim=-1) + 1e-4)
        return distance.mean() + _WEIGHTS_LOSS * error.abs().mean()

    @torch.inference_mode()
    def validate(self, module: nn.Module) -> float:
        """The loss over what is held out."""
        module.eval()
        # At most some thousand frames say enough.
        chosen = self.held_out[:: self.recipe.told * max(1, len(self.held_out) // 3000)]
        parts = np.array_split(chosen, max(1, len(chosen) * self.recipe.window // 20_000))
        return sum(len(part) * float(self.loss(module, part)) for part in parts) / len(chosen)


def _rate(step: int, steps: int) -> float:
    """Share of the learning rate: a short rise, then half a cosine."""
    rise = max(1, steps // 20)
    return min(1.0, (step + 1) / rise) * 0.5 * (1.0 + math.cos(math.pi * min(1.0, step / steps)))
