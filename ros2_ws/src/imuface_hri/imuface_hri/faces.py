"""What hri_msgs wants of a face, from what we know of it.

Source: the messages of ROS4HRI (docs/ros4hri.md).
"""

from __future__ import annotations

import numpy as np
from face_recon_node.affect import action_units
from numpy.typing import ArrayLike, NDArray

from imuface_hri.tables import LANDMARKS

FIELD = 0.3
"""m, width and height of the picture that the landmarks are in: the face from the front, however the head is turned."""
SELLION = (0.5, 0.35)
"""Where the neutral sellion is in it, from its upper left corner."""
UNSURE_POINT = 3e-3
"""m, standard deviation of a point with a confidence of a half."""
UNSURE_UNIT = 0.2
"""Standard deviation of an action unit with a confidence of a half."""

# A pupil is taken to be in the middle of its lids.
_LIDS = [[row for row, name in enumerate(LANDMARKS) if name.startswith(f"{side}_EYE_")] for side in ("RIGHT", "LEFT")]


def pictured(points: ArrayLike, std: ArrayLike) -> NDArray[np.float64]:
    """Landmarks (53, 3): x to the right and y down in parts of the picture, 0..1, and confidence 0..1.

    They are in the order of :data:`imuface_hri.tables.LANDMARKS`, then ``PUPILS``.

    Args:
        points: (51, 3) in metres, face frame.
        std: (51,) standard deviations, metres.
    """
    _, left, up = np.asarray(points, dtype=np.float64).T
    found = np.stack(
        [SELLION[0] + left / FIELD, SELLION[1] - up / FIELD, _confidence(std, UNSURE_POINT)],
        axis=1,
    )
    return np.clip([*found, *(found[lids].mean(axis=0) for lids in _LIDS)], 0.0, 1.0)


def facs(weights: ArrayLike, std: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Intensities and confidences (23,) of our action units, 0..1, in their order.

    Args:
        weights: (52,) of ARKit's actions.
        std: (52,) their standard deviations.
    """
    return np.clip(action_units(weights), 0.0, 1.0), _confidence(action_units(std), UNSURE_UNIT)


def _confidence(std: ArrayLike, unsure: float) -> NDArray[np.float64]:
    return np.asarray(1.0 / (1.0 + np.square(np.asarray(std, dtype=np.float64) / unsure)))
