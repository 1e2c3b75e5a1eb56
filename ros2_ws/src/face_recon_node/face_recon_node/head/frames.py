"""The face frame and the frame of the IMUFace paper.

Face frame (REP-155): origin at the sellion of the neutral face, x out of the face, y to the person's left, z up;
metres. Paper frame (arXiv:2501.02177, normalisation of the landmarks): origin at the nose tip, x axis along the
eyes, millimetres. The paper does not name the other axes; here x points to the person's left, y up and z out of the
face, which is right-handed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Indices into the 51 landmarks.
NOSE_TIP = 13
RIGHT_EYE_OUTER_CORNER = 19
LEFT_EYE_OUTER_CORNER = 28

_MILLIMETRES = 1000.0


def paper_frame(neutral: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Pose of the paper frame of a person, taken once from the neutral face, so that motion of the nose remains.

    Args:
        neutral: (51, 3) landmarks of the neutral face, metres, face frame.

    Returns:
        Rotation (3, 3), whose rows are the paper frame's axes in the face frame, and origin (3,) in metres in the
        face frame.

    Raises:
        ValueError: the eye corners coincide or stand above each other.
    """
    neutral = np.asarray(neutral, dtype=np.float64)
    along = neutral[LEFT_EYE_OUTER_CORNER] - neutral[RIGHT_EYE_OUTER_CORNER]
    out = np.cross(along, (0.0, 0.0, 1.0))
    if not np.linalg.norm(out) > 1e-6:
        raise ValueError("the outer eye corners do not define an axis along the eyes")
    x, z = along / np.linalg.norm(along), out / np.linalg.norm(out)
    return np.stack([x, np.cross(z, x), z]), neutral[NOSE_TIP]


def to_paper_frame(points: NDArray[np.floating], neutral: NDArray[np.floating]) -> NDArray[np.float64]:
    """Points (..., 3) in metres in the face frame to millimetres in the paper frame of the person."""
    rotation, origin = paper_frame(neutral)
    return (np.asarray(points, dtype=np.float64) - origin) @ rotation.T * _MILLIMETRES


def from_paper_frame(points: NDArray[np.floating], neutral: NDArray[np.floating]) -> NDArray[np.float64]:
    """Points (..., 3) in millimetres in the paper frame of the person to metres in the face frame."""
    rotation, origin = paper_frame(neutral)
    return np.asarray(points, dtype=np.float64) / _MILLIMETRES @ rotation + origin
