"""Ridge regression: the best linear map from the last second of readings to the face."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from face_recon_node.rivals.person import Person, estimate_of, targets
from face_recon_node.rivals.readings import Standardised, windows
from face_recon_node.training.estimate import Estimate
from face_recon_node.training.stretch import Stretch

FRAMES = 30
"""Window: the last second."""
PENALTIES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
"""Of the squared coefficients, per training window, for inputs of unit variance; cross-validation chooses."""
_BLOCKS = 5
"""Of the cross-validation, consecutive, because neighbouring windows say the same."""
_MOST_WINDOWS = 30_000
_CHUNK = 4096


class RidgeRegression:
    """Linear regression of weights and landmarks on a window of readings, in closed form."""

    def fit(self, people: Sequence[Person], seed: int = 0) -> RidgeRegression:
        """Choose the penalty by cross-validation, then fit to everything; returns itself."""
        self._standardised = Standardised.of(people)
        frames = sum(len(stretch) for person in people for stretch in person.stretches)
        stride = max(1, frames // _MOST_WINDOWS)
        pairs = [
            (windows(self._standardised(stretch), FRAMES)[::stride].reshape(-1, 12 * FRAMES), face[::stride])
            for person in people
            for stretch, face in zip(person.stretches, targets(person), strict=True)
        ]
        inputs, faces = (np.concatenate([pair[index] for pair in pairs]) for index in range(2))
        if len(inputs) < 2 * _BLOCKS:
            raise ValueError(f"{frames} frames are too few for a ridge regression; record for longer")
        errors = np.zeros(len(PENALTIES))
        for block in np.array_split(np.arange(len(inputs)), _BLOCKS):
            system = _System(np.delete(inputs, block, axis=0), np.delete(faces, block, axis=0))
            for place, penalty in enumerate(PENALTIES):
                errors[place] += np.abs(system.solve(penalty)(inputs[block]) - faces[block]).mean()
        self._linear = _System(inputs, faces).solve(PENALTIES[int(np.argmin(errors))])
        return self

    def predict(self, stretch: Stretch, neutral: NDArray[np.float32]) -> Estimate:
        """The faces of a stretch."""
        inputs = windows(self._standardised(stretch), FRAMES)
        rows = range(0, len(inputs), _CHUNK)
        parts = [self._linear(inputs[row : row + _CHUNK].reshape(-1, 12 * FRAMES)) for row in rows]
        return estimate_of(np.concatenate(parts), neutral)

    def frames(self, stretch: Stretch) -> Iterator[None]:
        """One window a frame."""
        inputs = windows(self._standardised(stretch), FRAMES)
        for row in range(len(inputs)):
            self._linear(inputs[row : row + 1].reshape(1, -1))
            yield

    @property
    def parameters(self) -> int:
        """Coefficients and offsets."""
        return self._linear.coefficients.size + self._linear.face.size


class _Linear:
    def __init__(self, mean: NDArray, face: NDArray, coefficients: NDArray) -> None:
        self._mean, self.face, self.coefficients = mean, face, coefficients

    def __call__(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        return (inputs - self._mean) @ self.coefficients + self.face


class _System:
    """The normal equations, decomposed once for all penalties."""

    def __init__(self, inputs: NDArray[np.float32], faces: NDArray[np.float32]) -> None:
        self._mean, self._face = inputs.mean(axis=0), faces.mean(axis=0)
        inputs = inputs - self._mean
        self._count = len(inputs)
        self._values, self._vectors = np.linalg.eigh((inputs.T @ inputs).astype(np.float64))
        self._products = self._vectors.T @ (inputs.T @ (faces - self._face))

    def solve(self, penalty: float) -> _Linear:
        damped = np.maximum(self._values, 0.0)[:, None] + penalty * self._count
        return _Linear(self._mean, self._face, (self._vectors @ (self._products / damped)).astype(np.float32))
