"""One person's landmarks as a linear function of their ARKit weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from face_recon_node.head.model import HeadModel, spread

_PRIOR = 0.02
"""Weight of the head model's own actions against the person's data: variance of an action that is seen often enough."""


@dataclass(frozen=True)
class PersonalFace:
    """A neutral face and what each facial action adds to it; metres, face frame."""

    neutral: NDArray[np.float32]
    """(51, 3)"""
    deltas: NDArray[np.float32]
    """(52, 51, 3)"""

    @classmethod
    def of_neutral(cls, head: HeadModel, neutral: NDArray[np.floating]) -> PersonalFace:
        """The head model's actions, scaled with the size of the face, on a person's neutral face (51, 3)."""
        scale = spread(neutral) / spread(head.landmark_neutral)
        return cls(np.asarray(neutral, np.float32), (head.landmark_deltas * scale).astype(np.float32))

    @classmethod
    def fitted(
        cls, head: HeadModel, weights: Sequence[NDArray[np.floating]], points: Sequence[NDArray[np.floating]]
    ) -> PersonalFace:
        """Fit to frames with true weights (n, 52) and true landmarks (n, 51, 3), by ridge regression.

        What the data say little about stays as the head model has it.
        """
        w = np.concatenate(weights).astype(np.float64)
        offsets = np.concatenate(points).astype(np.float64).reshape(len(w), -1)
        prior = head.landmark_deltas.reshape(w.shape[1], -1).astype(np.float64)
        prior = prior * (_size(offsets) / spread(head.landmark_neutral))
        mean, mean_offset = w.mean(axis=0), offsets.mean(axis=0)
        centred = w - mean
        gram = centred.T @ centred + _PRIOR**2 * len(w) * np.eye(w.shape[1])
        rest = (offsets - mean_offset) - centred @ prior
        deltas = prior + np.linalg.solve(gram, centred.T @ rest)
        neutral = (mean_offset - mean @ deltas).reshape(-1, 3)
        return cls(neutral.astype(np.float32), deltas.reshape(w.shape[1], -1, 3).astype(np.float32))

    def landmarks(self, weights: ArrayLike) -> NDArray[np.float32]:
        """Landmarks (..., 51, 3) in metres of weights (..., 52)."""
        weights = np.asarray(weights, dtype=np.float32)
        offsets = weights @ self.deltas.reshape(len(self.deltas), -1)
        return self.neutral + offsets.reshape(*weights.shape[:-1], -1, 3)


def _size(points: NDArray[np.float64]) -> float:
    return spread(points.mean(axis=0).reshape(-1, 3))
