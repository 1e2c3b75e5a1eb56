"""How sure a mean is: percentile bootstrap (Efron 1979, "Bootstrap methods: another look at the jackknife")."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_RESAMPLES = 1000


@dataclass(frozen=True)
class Interval:
    """A mean and its 95 % interval."""

    value: float
    low: float
    high: float


def interval(values: NDArray[np.float64], seed: int = 0) -> Interval:
    """The mean of values, with the interval that resampling them gives.

    Args:
        values: shape (n,). NaNs are left out; where nothing is left, the result is NaNs.
        seed: of the resampling. Values of equal number are resampled alike.
    """
    known = values[~np.isnan(values)]
    if not len(known):
        return Interval(math.nan, math.nan, math.nan)
    drawn = np.random.default_rng(seed).integers(len(known), size=(_RESAMPLES, len(known)))
    low, high = np.percentile(known[drawn].mean(axis=1), (2.5, 97.5))
    return Interval(float(known.mean()), float(low), float(high))
