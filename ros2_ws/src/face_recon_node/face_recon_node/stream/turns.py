"""How both ears turn together, and against each other: the head turns both alike, their difference is mostly facial."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from face_recon_node.stream.alignment import RATE

BIAS_SECONDS = 10.0
"""High-pass of the gyroscopes: a few seconds of calibration cannot tell their bias from the head's sway, but no ear
turns in one direction for ever."""
MOUNT_SECONDS = 30.0
"""Memory of the estimate of how the ears are turned against each other about the vertical."""
UNIT = 0.05
"""rad/s: what a face typically gives."""
_NO_TURN = np.array([2e-4, 0.0])
"""rad²/s²: the prior, no turn about the vertical, counts like a resting head's sway."""


class EarTurns:
    """Splits consecutive angular velocities of both ears; a segment at once gives the same as frame by frame."""

    def __init__(self) -> None:
        self._bias, self._mount = np.zeros((1, 6)), np.zeros((1, 2))

    def push(self, readings: NDArray[np.floating], present: NDArray[np.bool_]) -> tuple[NDArray, NDArray]:
        """What is common and the difference (n, 3) in UNIT, of calibrated readings (n, 2, 6) and presence (n, 2).

        What is common to one ear is what it shows, and there is no difference then.
        """
        rates = readings[..., 3:].reshape(-1, 6).astype(np.float64)
        bias, self._bias = _low(rates, self._bias, BIAS_SECONDS)
        left, right = (rates - bias).reshape(-1, 2, 3).swapaxes(0, 1)
        # Gravity leaves the angle about the vertical open in the calibration. Head motion, which both ears share, shows
        # it: it is that of the least-squares rotation between the horizontal angular velocities (Kabsch, in the plane).
        products = np.stack(
            (left[:, 0] * right[:, 0] + left[:, 1] * right[:, 1], right[:, 0] * left[:, 1] - right[:, 1] * left[:, 0]),
            axis=1,
        )
        smooth, self._mount = _low(products, self._mount, MOUNT_SECONDS)
        turn = smooth + _NO_TURN
        cosine, sine = (turn / np.linalg.norm(turn, axis=1, keepdims=True)).T
        turned = np.stack(
            (cosine * right[:, 0] - sine * right[:, 1], sine * right[:, 0] + cosine * right[:, 1], right[:, 2]), axis=1
        )
        left, right = left * present[:, :1], turned * present[:, 1:]
        both = present.all(axis=1, keepdims=True)
        common = (left + right) / np.maximum(present.sum(axis=1, keepdims=True), 1)
        return common / UNIT, (left - right) * both / UNIT


def _low(values: NDArray, state: NDArray, seconds: float) -> tuple[NDArray, NDArray]:
    decay = float(np.exp(-1.0 / (RATE * seconds)))
    low, state = lfilter([1.0 - decay], [1.0, -decay], values, axis=0, zi=state)
    return low, state
