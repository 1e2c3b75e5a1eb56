"""What is shown of the person at one moment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

UPRIGHT = (0.0, 0.0, 0.0, 1.0)
"""The quaternion of a head that looks straight ahead."""


@dataclass(frozen=True)
class AvatarFrame:
    """A face and a head, as a protocol is to send them."""

    stamp_ns: int
    """ROS time, ns."""
    weights: NDArray[np.float64]
    """(52,) in the order of ``imuface_core.arkit.BLENDSHAPES``, 0..1, finite."""
    head: tuple[float, float, float, float] = UPRIGHT
    """Quaternion (x, y, z, w) of the head against where it rests; axes of the face (REP-103): x ahead, y left, z up."""
    tracking: bool = True
    """Whether the face is seen now; otherwise this is the last one that was."""

    def angles(self) -> tuple[float, float, float]:
        """How far the head is turned to the person's left, then bent down, then tilted to the right shoulder, rad."""
        if self.head == UPRIGHT:
            return 0.0, 0.0, 0.0
        left, down, right = Rotation.from_quat(self.head).as_euler("ZYX").tolist()
        return left, down, right
