"""What the network has to beat: faces that do not move, and a linear map of a window of readings."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from face_recon_node.training.data import Stretch

RIDGE_FRAMES = 30
"""Window of the ridge regression: the last second."""
_STRIDE = 3
"""Neighbouring windows say the same; the regression is fitted to every third."""


class RidgeRegression:
    """Linear regression of the weights on the last second of calibrated readings, fitted in closed form.

    Args:
        penalty: of the squared coefficients, per training window, for inputs of unit variance.
    """

    def __init__(self, penalty: float = 0.01) -> None:
        self._penalty = penalty

    def fit(self, stretches: Iterable[Stretch]) -> RidgeRegression:
        """Fit to the stretches; returns itself."""
        inputs = np.concatenate([_windows(stretch.readings)[::_STRIDE] for stretch in stretches])
        targets = np.concatenate([stretch.weights[::_STRIDE] for stretch in stretches])
        self._mean, self._target_mean = inputs.mean(axis=0), targets.mean(axis=0)
        self._scale = inputs.std(axis=0) + 1e-9
        inputs -= self._mean
        inputs /= self._scale
        gram = inputs.T @ inputs + self._penalty * len(inputs) * np.eye(inputs.shape[1], dtype=np.float32)
        self._coefficients = np.linalg.solve(gram, inputs.T @ (targets - self._target_mean))
        return self

    def predict(self, stretch: Stretch) -> NDArray[np.float32]:
        """Weights (n, 52) of each frame."""
        inputs = (_windows(stretch.readings) - self._mean) / self._scale
        return np.clip(inputs @ self._coefficients + self._target_mean, 0.0, 1.0).astype(np.float32)


def _windows(readings: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, RIDGE_FRAMES * 12): for each frame the readings up to it; before the first there was the baseline, 0."""
    padded = np.concatenate((np.zeros((RIDGE_FRAMES - 1, readings.shape[1]), np.float32), readings))
    return np.lib.stride_tricks.sliding_window_view(padded, RIDGE_FRAMES, axis=0).reshape(len(readings), -1)
