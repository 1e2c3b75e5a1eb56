"""Ridge regression: the best linear map from the last second of readings to the face."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray

from face_recon_node.models.fitting import Baseline, finite_arrays
from face_recon_node.models.model import WEIGHTS, FaceStream, Person
from face_recon_node.models.readings import CHANNELS, Standardised, WindowStream, windows

FRAMES = 30
"""Window: the last second."""
PENALTIES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
"""Of the squared coefficients, per training window, for inputs of unit variance; cross-validation chooses."""
_SPREAD_FLOOR = 0.05
"""Added to the deviation by which each weight is standardised for that: what hardly moves should not decide."""
_BLOCKS = 5
"""Of the cross-validation, consecutive, because neighbouring windows say the same."""
_MOST_WINDOWS = 30_000


class RidgeRegression(Baseline):
    """Linear regression of the weights on a window of readings, in closed form."""

    name = "ridge"
    _standardised: Standardised
    _coefficients: NDArray[np.float32]
    """(30 * 12, 52)"""
    _offset: NDArray[np.float32]
    """(52,)"""

    def _learn(self, people: Sequence[Person], seed: int) -> None:
        """Choose the penalty by the squared error of cross-validation, then fit to everything."""
        self._standardised = Standardised.of(people)
        segments = [segment for person in people for segment in person.segments]
        frames = sum(map(len, segments))
        if frames < 2 * _BLOCKS:
            raise ValueError(f"{frames} frames are too few for a ridge regression; record for longer")
        stride = max(1, frames // _MOST_WINDOWS)
        seen = [windows(self._standardised(segment), FRAMES, led=True)[::stride] for segment in segments]
        inputs = np.concatenate([part.reshape(len(part), -1) for part in seen])
        weights = np.concatenate([segment.weights[::stride] for segment in segments])
        scale = weights.std(axis=0) + _SPREAD_FLOOR
        errors = np.zeros(len(PENALTIES))
        for block in np.array_split(np.arange(len(inputs)), _BLOCKS):
            rest = np.delete(inputs, block, axis=0), np.delete(weights, block, axis=0)
            for place, (coefficients, offset) in enumerate(_solutions(*rest, PENALTIES)):
                errors[place] += np.square((inputs[block] @ coefficients + offset - weights[block]) / scale).sum()
        best = PENALTIES[int(np.argmin(errors))]
        self._coefficients, self._offset = next(_solutions(inputs, weights, [best]))

    def stream(self) -> FaceStream:
        """A new stream, which remembers the last second."""
        return WindowStream(
            self._standardised, FRAMES, lambda seen: seen.reshape(len(seen), -1) @ self._coefficients + self._offset
        )

    @property
    def parameters(self) -> int:
        """Coefficients and offsets."""
        return self._coefficients.size + self._offset.size

    def to_arrays(self) -> dict[str, NDArray]:
        """The standardisation and the linear map."""
        return self._standardised.to_arrays() | {"coefficients": self._coefficients, "offset": self._offset}

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray]) -> Self:
        """The inverse of :meth:`to_arrays`; raises ``ValueError`` as :func:`finite_arrays` does."""
        model = cls()
        model._standardised = Standardised.from_arrays(arrays)
        shapes = {"coefficients": (FRAMES * CHANNELS, WEIGHTS), "offset": (WEIGHTS,)}
        model._coefficients, model._offset = finite_arrays(arrays, shapes)
        return model


def _solutions(
    inputs: NDArray[np.float32], weights: NDArray[np.float32], penalties: Sequence[float]
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Coefficients and offset for each penalty; the normal equations are decomposed once."""
    mean, face = inputs.mean(axis=0), weights.mean(axis=0)
    centred = inputs - mean
    values, vectors = np.linalg.eigh((centred.T @ centred).astype(np.float64))
    products = vectors.T @ (centred.T @ (weights - face))
    for penalty in penalties:
        damped = np.maximum(values, 0.0)[:, None] + penalty * len(inputs)
        coefficients = (vectors @ (products / damped)).astype(np.float32)
        yield coefficients, face - mean @ coefficients
