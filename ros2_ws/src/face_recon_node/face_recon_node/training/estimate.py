"""What any model says about the faces of a stretch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Estimate:
    """Faces of n frames."""

    landmarks: NDArray[np.float32]
    """(n, 51, 3) metres, face frame."""
    weights: NDArray[np.float32]
    """(n, 52) ARKit weights, 0 to 1."""
    landmarks_std: NDArray[np.float32] | None = None
    """(n, 51) standard deviation of each coordinate of a landmark, metres; None: the model does not say."""
    weights_std: NDArray[np.float32] | None = None
    """(n, 52) standard deviation of each weight; None: the model does not say."""
