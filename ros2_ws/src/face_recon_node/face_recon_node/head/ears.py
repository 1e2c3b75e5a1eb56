"""Where a head wears its earphones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

PINNA = 0.9
"""Whatever lies further out than this share of the half width of the head belongs to the outer ear."""


def earphones(vertices: NDArray[np.floating]) -> NDArray[np.float64]:
    """Places (2, 3) of the left and the right earphone on a head of vertices (V, 3), both in metres, face frame.

    An earbud's IMU sits in its shell, outside the canal: where the front edge of the outer ear stands out from the
    head, at half its height. A head without ears has its widest places there.
    """
    places = np.empty((2, 3))
    for place, outwards in zip(places, vertices[:, 1] * np.array([[1.0], [-1.0]]), strict=True):
        edge = PINNA * outwards.max()
        pinna = vertices[outwards >= edge]
        place[:] = pinna[:, 0].max(), edge, (pinna[:, 2].min() + pinna[:, 2].max()) / 2.0
    places[1, 1] *= -1.0
    return places
