"""Arrays out of a model file, which may be damaged."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray


def finite_array(arrays: Mapping[str, NDArray], name: str, shape: tuple[int, ...], lacking: str) -> NDArray[np.float64]:
    """The array of that name and shape; ``lacking`` begins the message when it is not there ("the ears lack").

    Raises:
        ValueError: it is missing, of another shape, or not finite.
    """
    array = np.asarray(arrays.get(name, ()), dtype=np.float64)
    if array.shape != shape or not np.isfinite(array).all():
        raise ValueError(f"{lacking} a finite {name} of shape {shape}")
    return array
