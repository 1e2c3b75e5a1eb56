"""The trainer that all networks among the rivals share, and how they predict."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from face_recon_node.rivals.person import TARGETS, WEIGHTS, Person, estimate_of, targets
from face_recon_node.rivals.readings import Standardised, windows
from face_recon_node.stream.alignment import RATE
from face_recon_node.training.estimate import Estimate
from face_recon_node.training.stretch import Stretch

_WEIGHTS_LOSS = 2.0
_HELD_OUT = 0.1, 0.3
_LEAST_HELD_OUT = 8 * RATE
"""Frames; a tenth of half a minute would say nothing, so up to three tenths are held out."""
_CHECKS = 24
_CHUNK = 512


@dataclass(frozen=True)
class Recipe:
    """How a network is trained; it sees each frame of the training data about ``epochs * share`` times."""

    window: int = 30
    """Frames that the network sees."""
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


class NetworkRival:
    """A network that looks at a window of readings, with the paper's sort of training: from scratch, on this data.

    The loss is the mean distance of the landmarks in millimetres plus twice the mean absolute error of the weights.
    The last tenth of each stretch is held out (more when there is little data); the best state on it is kept.

    Args:
        make: makes the untrained module: readings (batch, window, 12) to faces (batch, told, 205), standardised.
        recipe: how it is trained.
    """

    def __init__(self, make: Callable[[], nn.Module], recipe: Recipe) -> None:
        self._make, self.recipe = make, recipe

    def fit(self, people: Sequence[Person], seed: int = 0) -> NetworkRival:
        """Train; the same data and seed give the same network on the same machine. Returns itself."""
        torch.manual_seed(seed)
        rng = np.random.default_rng(seed)
        recipe = self.recipe
        self._standardised = Standardised.of(people, recipe.high_pass_hz)
        inputs, faces, training, validation = self._windows(people)
        self._face = torch.from_numpy(np.median(faces[training], axis=0))
        self._spread = torch.from_numpy(np.maximum(faces[training].std(axis=0), 1e-3))
        self._module: nn.Module = self._make()
        optimizer = torch.optim.AdamW(
            self._module.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
        )
        steps = recipe.steps(len(training))
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, steps))
        # An untrained network tells the constant face: none may become worse than that.
        best, best_state, waited = self._validate(inputs, faces, validation), self._state(), 0
        for step in range(1, steps + 1):
            self._module.train()
            ends = rng.choice(training, recipe.batch)
            loss = self._loss(inputs, faces, ends)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self._module.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            if step % max(1, steps // _CHECKS) == 0 or step == steps:
                error = self._validate(inputs, faces, validation)
                if error < best:
                    best, best_state, waited = error, self._state(), 0
                else:
                    waited += 1
                if waited >= recipe.patience:
                    break
        self._module.load_state_dict(best_state)
        self._module.eval()
        return self

    @torch.inference_mode()
    def predict(self, stretch: Stretch, neutral: NDArray[np.float32]) -> Estimate:
        """The faces of a stretch, a window for each frame, or all at once when the network tells many frames."""
        values = self._standardised(stretch)
        if self.recipe.told > 1:
            return estimate_of(self._faces(values[None])[0], neutral)
        inputs = windows(values, self.recipe.window)
        parts = [self._faces(inputs[row : row + _CHUNK])[:, -1] for row in range(0, len(inputs), _CHUNK)]
        return estimate_of(np.concatenate(parts), neutral)

    @torch.inference_mode()
    def frames(self, stretch: Stretch) -> Iterator[None]:
        """One window a frame."""
        inputs = windows(self._standardised(stretch), self.recipe.window)
        for row in range(len(inputs)):
            self._faces(inputs[row : row + 1])
            yield

    @property
    def parameters(self) -> int:
        """Of the module."""
        return sum(parameter.numel() for parameter in self._module.parameters())

    def _state(self) -> dict[str, Tensor]:
        return copy.deepcopy(self._module.state_dict())

    def _faces(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        return (self._module(torch.from_numpy(inputs.copy())) * self._spread + self._face).numpy()

    def _windows(self, people: Sequence[Person]) -> tuple[NDArray, NDArray, NDArray[np.intp], NDArray[np.intp]]:
        """All readings with a window of zeros before each stretch, their faces, and the rows to train and check on."""
        readings, faces, training, validation = [], [], [], []
        frames = sum(len(stretch) for person in people for stretch in person.stretches)
        share = float(np.clip(_LEAST_HELD_OUT / max(1, frames), *_HELD_OUT))
        count = 0
        for person in people:
            for stretch, face in zip(person.stretches, targets(person), strict=True):
                lead = self.recipe.window - 1
                readings += [np.zeros((lead, 12), np.float32), self._standardised(stretch)]
                faces += [np.tile(face[:1], (lead, 1)), face]
                begin = count + lead
                count = begin + len(stretch)
                held_out = begin + int((1.0 - share) * len(stretch))
                first = begin + min(self.recipe.told, len(stretch)) - 1
                training.append(np.arange(first, held_out))
                validation.append(np.arange(max(first, held_out), count))
        rows = np.concatenate(training), np.concatenate(validation)
        if not all(map(len, rows)):
            raise ValueError(f"{count} frames are too few to train a network on; record for longer")
        return np.concatenate(readings), np.concatenate(faces), *rows

    def _loss(self, readings: NDArray, faces: NDArray, ends: NDArray[np.intp]) -> Tensor:
        seen = ends[:, None] + np.arange(1 - self.recipe.window, 1)
        told = ends[:, None] + np.arange(1 - self.recipe.told, 1)
        output = self._module(torch.from_numpy(readings[seen]))
        error = (output - (torch.from_numpy(faces[told]) - self._face) / self._spread) * self._spread
        distance = torch.sqrt(error[..., WEIGHTS:].unflatten(-1, (-1, 3)).square().sum(dim=-1) + 1e-4)
        return distance.mean() + _WEIGHTS_LOSS * error[..., :WEIGHTS].abs().mean()

    @torch.inference_mode()
    def _validate(self, readings: NDArray, faces: NDArray, ends: NDArray[np.intp]) -> float:
        self._module.eval()
        # At most some thousand frames say enough.
        chosen = ends[:: max(1, len(ends) * self.recipe.told // (3000 * self.recipe.told))][:: self.recipe.told]
        losses = [
            (len(part), float(self._loss(readings, faces, part)))
            for part in np.array_split(chosen, max(1, len(chosen) * self.recipe.window // 20_000))
        ]
        return sum(count * loss for count, loss in losses) / len(chosen)


def _rate(step: int, steps: int) -> float:
    """Share of the learning rate: a short rise, then half a cosine."""
    rise = max(1, steps // 20)
    return min(1.0, (step + 1) / rise) * 0.5 * (1.0 + math.cos(math.pi * min(1.0, step / steps)))


def head(width: int) -> nn.Linear:
    """The last layer; at first it tells the constant face."""
    layer = nn.Linear(width, TARGETS)
    nn.init.normal_(layer.weight, std=0.01)
    nn.init.zeros_(layer.bias)
    return layer
