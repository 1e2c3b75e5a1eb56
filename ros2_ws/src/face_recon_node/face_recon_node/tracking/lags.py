"""Each frame beside those before it, which is how linear systems with a memory are written."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def lagged(values: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """(n, count k): each row of (n, k) with the ``count - 1`` rows before it, newest first; the first row repeats."""
    padded = np.concatenate((np.repeat(values[:1], count - 1, axis=0), values))
    return np.concatenate([padded[count - 1 - lag : len(padded) - lag] for lag in range(count)], axis=1)
