"""Names of other standards as weighted sums of ARKit's actions."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from imuface_core.arkit import BLENDSHAPES, INDEX
from numpy.typing import NDArray

SAD_LEFT, SAD_RIGHT = "sadLeft", "sadRight"
"""The larger one of frown and stretch of a side: VRCFaceTracking's sad mouth, which is no sum."""
_COLUMNS = {name: column for column, name in enumerate((*BLENDSHAPES, SAD_LEFT, SAD_RIGHT))}
_SAD = np.array([[INDEX[f"mouth{action}{side}"] for action in ("Frown", "Stretch")] for side in ("Left", "Right")])
CONSTANT = ""
"""The key of what is added to a sum."""

Sum = Mapping[str, float]


class Blend:
    """Many sums at once, by their names; each is clipped to -1..1.

    Raises:
        KeyError: a sum names no action.
    """

    def __init__(self, sums: Mapping[str, Sum]) -> None:
        self.names = tuple(sums)
        self._constant = np.array([weights.get(CONSTANT, 0.0) for weights in sums.values()])
        self._matrix = np.zeros((len(sums), len(_COLUMNS)))
        for row, weights in zip(self._matrix, sums.values(), strict=True):
            for name, factor in weights.items():
                if name != CONSTANT:
                    row[_COLUMNS[name]] = factor

    def __call__(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """The sums (N,) for weights (52,)."""
        values: NDArray[np.float64] = self._matrix @ np.concatenate((weights, weights[_SAD].max(axis=1)))
        return np.clip(values + self._constant, -1.0, 1.0)
