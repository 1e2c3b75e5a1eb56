"""The 1€ filter: still when the face is still, quick when it is quick."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

RESTART = 1.0  # s without a sample, after which what came before says nothing
_DERIVATIVE_CUTOFF = 1.0  # Hz


class OneEuro:
    """The 1€ filter (Casiez, Roussel, Vogel: "1€ Filter", CHI 2012) over a whole vector at once.

    A low-pass whose cutoff is ``min_cutoff`` (Hz) at rest and rises by ``beta`` (Hz for each unit per second) with the
    speed of the value. A ``min_cutoff`` of 0 lets everything through.
    """

    def __init__(self, min_cutoff: float, beta: float) -> None:
        self.min_cutoff, self.beta = min_cutoff, beta
        self._time = -math.inf
        self._value: NDArray[np.float64] = np.empty(0)
        self._speed: NDArray[np.float64] = np.empty(0)

    def __call__(self, values: NDArray[np.float64], time: float) -> NDArray[np.float64]:
        """Values (N,) at ``time`` (s), smoothed. It starts anew when time stands, jumps back or misses a second."""
        step = time - self._time
        self._time = time
        if self.min_cutoff <= 0.0 or not 0.0 < step <= RESTART:
            self._value, self._speed = values, np.zeros_like(values)
            return values
        speed = (values - self._value) / step
        self._speed = self._speed + _share(_DERIVATIVE_CUTOFF, step) * (speed - self._speed)
        cutoff = self.min_cutoff + self.beta * np.abs(self._speed)
        self._value = self._value + _share(cutoff, step) * (values - self._value)
        return self._value


def _share(cutoff: NDArray[np.float64] | float, step: float) -> NDArray[np.float64] | float:
    """How much of the new value a low-pass of this cutoff (Hz) takes in after a step (s)."""
    return 1.0 / (1.0 + 1.0 / (2.0 * math.pi * cutoff * step))
