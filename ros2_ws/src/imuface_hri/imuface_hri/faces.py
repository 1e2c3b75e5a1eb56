"""What hri_msgs wants of a face, from what we know of it.

Source: the messages of ROS4HRI (docs/avatars.md).
"""

from __future__ import annotations

import numpy as np
from face_recon_node.affect import ACTION_UNITS, action_units
from numpy.typing import ArrayLike, NDArray

LANDMARKS = 70
"""Of hri_msgs: the 68 of iBUG, then the pupils."""
UNITS = 99
"""Action units of hri_msgs, by their number."""
FIELD = 0.3
"""m, width and height of the picture that the landmarks are in: the face from the front, however the head is turned."""
SELLION = (0.5, 0.35)
"""Where the neutral sellion is in it, from its upper left corner."""
UNSURE_POINT = 3e-3
"""m, standard deviation of a point with a confidence of a half."""
UNSURE_UNIT = 0.2
"""Standard deviation of an action unit with a confidence of a half."""

_JAW = 17  # points of iBUG's that we do not have; they stay at 0 with no confidence
_EYES = {68: slice(36, 42), 69: slice(42, 48)}  # a pupil is taken to be in the middle of its lids
_NUMBERS = list(ACTION_UNITS)


def pictured(points: ArrayLike, std: ArrayLike) -> NDArray[np.float64]:
    """Landmarks (70, 3): x to the right and y down in parts of the picture, 0..1, and confidence 0..1.

    Args:
        points: (51, 3) in metres, face frame.
        std: (51,) standard deviations, metres.
    """
    found = np.zeros((LANDMARKS, 3))
    _, left, up = np.asarray(points, dtype=np.float64).T
    ours = found[_JAW : _JAW + len(left)]
    ours[:, 0], ours[:, 1] = SELLION[0] + left / FIELD, SELLION[1] - up / FIELD
    ours[:, 2] = _confidence(std, UNSURE_POINT)
    for pupil, lids in _EYES.items():
        found[pupil] = found[lids].mean(axis=0)
    return np.clip(found, 0.0, 1.0)


def facs(weights: ArrayLike, std: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Intensities and confidences (99,) of action units, 0..1, by their number; unknown ones are 0 with confidence 0.

    Args:
        weights: (52,) of ARKit's actions.
        std: (52,) their standard deviations.
    """
    intensity, confidence = np.zeros(UNITS), np.zeros(UNITS)
    intensity[_NUMBERS] = np.clip(action_units(weights), 0.0, 1.0)
    confidence[_NUMBERS] = _confidence(action_units(std), UNSURE_UNIT)
    return intensity, confidence


def _confidence(std: ArrayLike, unsure: float) -> NDArray[np.float64]:
    return np.asarray(1.0 / (1.0 + np.square(np.asarray(std, dtype=np.float64) / unsure)))
