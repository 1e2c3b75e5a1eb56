"""How a bud sits in its ear: differently each time it is put in, not quite fixed afterwards."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from imuface_simulation.expressions import minimum_jerk

# All guesses; standard deviations are per component.
SEAT = np.radians(9.0)
GAIN = 0.17  # log-normal, of each axis of the bud's small motion
AXES = np.radians(5.0)  # by which these axes are turned
SETTLING = np.radians(0.6)  # tilt while the tip warms up and gives way
SETTLING_TIME = (40.0, 150.0)  # s, time constant
SLIP = np.radians(1.2)
SLIPS_PER_MINUTE = 0.04
_MINUTE = 60.0


class Mounting:
    """One bud put in once. ``mount`` decides how it sits, ``session`` when it slips."""

    seat: Rotation
    """How the board is turned from where it should be, head axes, when the bud has just been put in."""
    grip: NDArray[np.float64]
    """(3, 3): how the bud's motion follows from that of the canal, gains and axes."""

    def __init__(self, mount: np.random.Generator, session: np.random.Generator, worn: float) -> None:
        """``worn``: seconds since the bud was put in, when the session begins."""
        self.seat = Rotation.from_rotvec(mount.normal(0.0, SEAT, 3))
        turned = Rotation.from_rotvec(mount.normal(0.0, AXES, 3)).as_matrix()
        self.grip = turned @ np.diag(np.exp(mount.normal(0.0, GAIN, 3)))
        self._settling = mount.normal(0.0, SETTLING, 3)
        self._settling_time = mount.uniform(*SETTLING_TIME)
        self._worn = worn
        self._key = int(session.integers(1 << 32))
        self._slips: list[tuple[float, float, NDArray[np.float64]]] = []  # start s, length s, rotation vector
        self._minutes = 0  # for which the slips are known

    def drift(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """Rotation vectors (N, 3) in rad, head axes, by which the seat has moved at ``times`` (N,) of the session."""
        while self._minutes * _MINUTE <= times[-1]:
            rng = np.random.default_rng([self._key, self._minutes])
            if rng.random() < SLIPS_PER_MINUTE:
                start = (self._minutes + rng.random()) * _MINUTE
                self._slips.append((start, rng.uniform(0.15, 0.6), rng.normal(0.0, SLIP, 3)))
            self._minutes += 1
        moved = -np.expm1(-(times[:, None] + self._worn) / self._settling_time) * self._settling
        for start, length, step in self._slips:
            moved += minimum_jerk((times - start) / length)[:, None] * step
        return moved
