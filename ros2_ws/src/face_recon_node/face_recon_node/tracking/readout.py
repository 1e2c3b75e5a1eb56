"""From tracked weights to faces: what a linear filter cannot say.

A Kalman filter knows faces by mean and covariance only. Real ones are never negative, rest most of the time, and which
actions go together differs from expression to expression; several of them turn the ears alike, and then the usual one
is the better guess. So the face is read from the latest tracked weights by regression with a kernel that is mostly
local and a little linear, learned from frames that were tracked by mechanics which had not seen them (Nyström's subset
of regressors: Rasmussen and Williams 2006, Gaussian Processes for Machine Learning, 8.3.1). What is made small is the
landmarks' mean distance, not its square, by least squares with weights (Weiszfeld 1937, Tohoku Math. J. 43:355): a face
that rests most of the time is then told to rest, not to be the mean of all faces. It is quick to learn and errs in
another way than the network, so that both together are better than either.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from face_recon_node.tracking.arrays import finite_array
from face_recon_node.tracking.mechanics import LATENTS, Mechanics

WEIGHTS = 52
LAGS = (0, 3, 8, 20)
"""Frames ago of what is read: a held face and a passing one differ in what came before."""
INPUTS = len(LAGS) * LATENTS
CENTRES = 800
_LINEAR = 0.1
"""Share of the linear kernel."""
_PENALTY = 1e-4
"""Per frame."""
_ROUNDS = 5
_CLOSE = 1e-4
"""m: frames with a smaller error than this weigh no more."""
_MOST_ROWS = 12_000
_JITTER = 1e-8


@dataclass(frozen=True)
class Readout:
    """Kernel regression from the latest tracked weights to the face."""

    tracked_mean: NDArray[np.float64]
    """(52,)"""
    encode: NDArray[np.float64]
    """(52, LATENTS): tracked weights to latents, which are all that a tracker says."""
    scale: NDArray[np.float64]
    """(INPUTS,): spread of the latents."""
    centres: NDArray[np.float64]
    """(m, INPUTS), scaled."""
    coefficients: NDArray[np.float64]
    """(m, 52)"""
    constant: NDArray[np.float64]
    """(52,)"""

    @classmethod
    def learned(
        cls,
        mechanics: Mechanics,
        deltas: NDArray[np.floating],
        pieces: Sequence[tuple[NDArray[np.floating], NDArray[np.floating]]],
    ) -> Readout:
        """Learn to read a person's face.

        Args:
            mechanics: of the person; they give the latents.
            deltas: (52, 51, 3) metres: how each ARKit action moves the landmarks.
            pieces: consecutive tracked weights and the true ones, (n, 52) each.
        """
        tracked_mean, encode = mechanics.mean, np.linalg.pinv(mechanics.decode).astype(np.float64)
        latents = np.concatenate([_remembered((tracked - tracked_mean) @ encode) for tracked, _ in pieces])
        weights = np.concatenate([true for _, true in pieces]).astype(np.float64)
        scale = latents.std(axis=0) + 1e-3
        rng = np.random.default_rng(0)
        rows = np.sort(rng.permutation(len(latents))[:_MOST_ROWS])
        inputs, truth = latents[rows] / scale, weights[rows]
        centres = inputs[rng.permutation(len(inputs))[:CENTRES]]
        # In coordinates in which the penalty is the sum of squares.
        values, vectors = np.linalg.eigh(_kernel(centres, centres))
        kept = values > _JITTER * values[-1]
        whitening = vectors[:, kept] / np.sqrt(values[kept])
        seen = np.column_stack((_kernel(inputs, centres) @ whitening, np.ones(len(inputs))))
        penalty = np.diag(np.append(np.full(whitening.shape[1], _PENALTY * len(rows)), _JITTER * len(rows)))
        importance = np.ones((len(rows), 1))
        for _ in range(_ROUNDS):
            weighted = seen * importance
            solution = np.linalg.solve(seen.T @ weighted + penalty, weighted.T @ truth)
            errors = (seen @ solution - truth) @ deltas.reshape(WEIGHTS, -1)
            distances = np.linalg.norm(errors.reshape(len(rows), -1, 3), axis=-1).mean(axis=1, keepdims=True)
            importance = 1.0 / (distances + _CLOSE)
            importance /= importance.mean()
        return cls(tracked_mean, encode, scale, centres, whitening @ solution[:-1], solution[-1])

    def stream(self) -> ReadoutStream:
        """A new stream of frames, with an empty memory."""
        return ReadoutStream(self)

    def to_dict(self) -> dict[str, NDArray[np.float32]]:
        """Plain arrays, for the model file."""
        return {field.name: getattr(self, field.name).astype(np.float32) for field in fields(self)}

    @classmethod
    def from_dict(cls, arrays: Mapping[str, NDArray]) -> Readout:
        """The inverse of :meth:`to_dict`.

        Raises:
            ValueError: an array is missing, of another shape, or not finite, or a scale is not positive.
        """
        count = len(np.atleast_1d(arrays.get("centres", ())))
        shapes = {
            "tracked_mean": (WEIGHTS,),
            "encode": (WEIGHTS, LATENTS),
            "scale": (INPUTS,),
            "centres": (count, INPUTS),
            "coefficients": (count, WEIGHTS),
            "constant": (WEIGHTS,),
        }
        lacking = "what is read off the tracker lacks"
        found = {name: finite_array(arrays, name, shape, lacking) for name, shape in shapes.items()}
        if not (found["scale"] > 0.0).all():
            raise ValueError("what is read off the tracker has a scale that is not positive")
        return cls(**found)


class ReadoutStream:
    """Consecutive frames of one person; remembers the latest."""

    def __init__(self, readout: Readout) -> None:
        self._readout = readout
        self._latents = np.zeros((LAGS[-1], LATENTS))

    def push(self, tracked: NDArray[np.floating]) -> NDArray[np.float32]:
        """ARKit weights (n, 52), 0 to 1, for the next n frames of tracked weights (n, 52)."""
        readout = self._readout
        recent = np.concatenate((self._latents, (tracked - readout.tracked_mean) @ readout.encode))
        self._latents = recent[-LAGS[-1] :]
        inputs = _remembered(recent)[LAGS[-1] :] / readout.scale
        weights = readout.constant + _kernel(inputs, readout.centres) @ readout.coefficients
        return np.clip(weights, 0.0, 1.0).astype(np.float32)


def _remembered(latents: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, INPUTS): each row of latents (n, LATENTS) with those LAGS frames before; zeros before the first."""
    padded = np.concatenate((np.zeros((LAGS[-1], latents.shape[1])), latents))
    return np.concatenate([padded[LAGS[-1] - lag : len(padded) - lag] for lag in LAGS], axis=1)


def _kernel(left: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, m) of inputs (n, k) and (m, k)."""
    products = left @ right.T
    squares = (left**2).sum(axis=1)[:, None] + (right**2).sum(axis=1) - 2.0 * products
    return np.exp(-np.maximum(squares, 0.0) / (2.0 * left.shape[1])) + _LINEAR / left.shape[1] * products
