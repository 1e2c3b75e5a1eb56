"""What moves the ears beside the face: a vector autoregression with heavy tails.

A head sways smoothly, both ears together, so the past says much about the next frame; what it does not say has the
covariance that a faint face has to be seen through. Nods, swallows and steps are rare and large. Student's t
distribution makes little of such frames (Lange, Little and Taylor 1989, JASA 84:881), where least squares would let
them decide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from face_recon_node.tracking.lags import lagged
from face_recon_node.tracking.mechanics import READING_LAGS

_TAILS = 4.0
"""Degrees of freedom of the noise: heads jerk and people swallow."""
_ROUNDS = 3
_PERSISTENCE = 0.9
_TIGHTNESS = 0.2
"""Prior of the coefficients (Litterman 1986, J. Bus. Econ. Stat. 4:25): each channel goes on like its latest value,
the others and older ones matter little until the data say so."""


def _trust(innovations: NDArray[np.float64], covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """How much each frame (n,) counts by its innovation (n, m): Student's t, near 1 for ordinary ones."""
    m = innovations.shape[1]
    distance = np.einsum("ti,ij,tj->t", innovations, np.linalg.inv(covariance), innovations)
    weight: NDArray[np.float64] = (_TAILS + m) / (_TAILS + distance)
    return weight


@dataclass(frozen=True)
class Sway:
    """Prediction of m channels from their latest values, and what it misses."""

    past: NDArray[np.float64]
    """(m, READING_LAGS m), newest first."""
    constant: NDArray[np.float64]
    """(m,)"""
    noise: NDArray[np.float64]
    """(m, m): scale matrix of the innovations' t distribution."""
    trusts: NDArray[np.float64]
    """How much each frame counted that it was learned from, all pieces but their first READING_LAGS frames in a row."""

    @classmethod
    def learned(cls, pieces: Sequence[NDArray[np.float64]]) -> Sway:
        """Learn from pieces (n, m) of consecutive frames."""
        inputs = np.concatenate([lagged(piece, READING_LAGS)[READING_LAGS - 1 : -1] for piece in pieces])
        inputs = np.concatenate((inputs, np.ones((len(inputs), 1))), axis=1)
        outputs = np.concatenate([piece[READING_LAGS:] for piece in pieces])
        m = outputs.shape[1]
        size = np.concatenate([np.diff(piece, axis=0) for piece in pieces]).std(axis=0) + 1e-6
        # Standard deviation of the coefficient of channel j, so many frames ago, in the prediction of i: [i, lag, j].
        spread = _TIGHTNESS * size[:, None, None] / (size * np.arange(1, READING_LAGS + 1)[:, None])
        expected = np.zeros((inputs.shape[1], m))
        expected[:m] = _PERSISTENCE * np.eye(m)
        error = outputs - inputs @ expected
        trusts = np.ones(len(outputs))
        noise = np.cov(error.T)
        for _ in range(_ROUNDS):
            trusts = _trust(error, noise)
            weighted = inputs * trusts[:, None]
            gram, target = inputs.T @ weighted, weighted.T @ outputs
            coefficients = np.empty_like(expected)
            for i in range(m):
                penalty = np.append(noise[i, i] / np.square(spread[i].ravel()), 1e-9)
                coefficients[:, i] = np.linalg.solve(gram + np.diag(penalty), target[:, i] + penalty * expected[:, i])
            error = outputs - inputs @ coefficients
            noise = (error * trusts[:, None]).T @ error / len(error) + 1e-9 * np.eye(m)
        return cls(coefficients[:-1].T, coefficients[-1], noise, trusts)

    def innovations(self, piece: NDArray[np.float64]) -> NDArray[np.float64]:
        """What the past does not say of all frames (n, m) but the first READING_LAGS."""
        return piece[READING_LAGS:] - lagged(piece, READING_LAGS)[READING_LAGS - 1 : -1] @ self.past.T - self.constant
