"""How the head is turned, from the motion sensors of one or both earphones.

Gyroscopes are integrated and gravity corrects what they drift, except for the turn about the vertical, which nothing
measures: it goes back to straight ahead by itself, slowly. How an earbud sits is told by gravity while the head rests,
except for the turn about the vertical again: there the boards are taken to sit as docs/simulation.md draws them (y out
of the ear, z up).
"""

from __future__ import annotations

import math

import numpy as np
from face_recon_node.stream.calibration import CalibrationState, EarBaseline, EarCalibration
from imuface_core.earphone import EARS, STANDARD_GRAVITY, Ear
from imuface_core.stamps import SECOND
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

CALIBRATION = 2.0
"""s of a head that rests."""
SILENCE = 0.5
"""s after which an ear, or the head, counts as not measured."""
GRAVITY_TIME = 2.0
"""s in which gravity corrects the lean to 1/e."""
_STILL = 0.1  # share of gravity by which an acceleration may differ and still be taken for it
_BOARD: dict[Ear, NDArray[np.float64]] = {"left": np.eye(3), "right": np.diag([-1.0, -1.0, 1.0])}


class HeadPose:
    """The head's orientation against where it rested when each ear was calibrated; ``return_time`` (s) as above."""

    def __init__(self, return_time: float) -> None:
        self._return_time = return_time
        self._ears = {ear: _Ear(ear) for ear in EARS}
        self._orientation = Rotation.identity()
        self._stamp_ns: int | None = None

    def push(self, ear: Ear, stamp_ns: int, acceleration: NDArray, angular_velocity: NDArray) -> None:
        """Take a sample in m/s² and rad/s, earphone frame; what is not finite or comes late is left out."""
        sensor = self._ears[ear]
        if not sensor.push(stamp_ns, np.concatenate((acceleration, angular_velocity))):
            return
        # One step for each sample of one ear, the left one where it is there.
        if ear == "right" and self._ears["left"].knows(stamp_ns):
            return
        readings = np.array([other.reading for other in self._ears.values() if other.knows(stamp_ns)])
        if len(readings):
            self._step(stamp_ns, readings.mean(axis=0))

    def at(self, stamp_ns: int) -> tuple[float, float, float, float] | None:
        """Quaternion (x, y, z, w), axes of the face, at a stamp; None where it is not known."""
        if self._stamp_ns is None or abs(stamp_ns - self._stamp_ns) > SILENCE * SECOND:
            return None
        x, y, z, w = self._orientation.as_quat(canonical=True).tolist()
        return x, y, z, w

    def _step(self, stamp_ns: int, reading: NDArray[np.float64]) -> None:
        before, self._stamp_ns = self._stamp_ns, stamp_ns
        step = 0.0 if before is None else (stamp_ns - before) / SECOND
        if not 0.0 < step <= SILENCE:
            self._orientation = Rotation.identity()
            return
        acceleration, turn = reading[:3], reading[3:]
        size = float(np.linalg.norm(acceleration))
        if abs(size / STANDARD_GRAVITY - 1.0) < _STILL:
            up = self._orientation.inv().apply([0.0, 0.0, 1.0])
            turn = turn + np.cross(acceleration / size, up) / GRAVITY_TIME
        orientation = self._orientation * Rotation.from_rotvec(turn * step)
        ahead = orientation.apply([1.0, 0.0, 0.0])
        yaw = math.atan2(ahead[1], ahead[0])
        back = Rotation.from_rotvec([0.0, 0.0, -yaw * min(1.0, step / self._return_time)])
        self._orientation = back * orientation


class _Ear:
    """The latest reading of one ear, in the axes of the head."""

    def __init__(self, ear: Ear) -> None:
        self._ear = ear
        self._calibration = EarCalibration(ear, CALIBRATION, automatic=True)
        self._stamp_ns: int | None = None
        self.reading: NDArray[np.float64] = np.zeros(6)

    def push(self, stamp_ns: int, reading: NDArray[np.float64]) -> bool:
        """Take a reading (6,); whether it is one."""
        if not np.isfinite(reading).all() or (self._stamp_ns is not None and 0 <= self._stamp_ns - stamp_ns < SECOND):
            return False
        self._stamp_ns = stamp_ns
        if self._calibration.state == CalibrationState.RUNNING:
            self._calibration.push(reading, True)
        if (baseline := self._calibration.baseline) is not None:
            self.reading = self._in_the_head(baseline, reading)
        return True

    def knows(self, stamp_ns: int) -> bool:
        """Whether there is a reading about this stamp."""
        return (
            self._calibration.baseline is not None
            and self._stamp_ns is not None
            and abs(stamp_ns - self._stamp_ns) < SILENCE * SECOND
        )

    def _in_the_head(self, baseline: EarBaseline, reading: NDArray[np.float64]) -> NDArray[np.float64]:
        mount = _BOARD[self._ear] @ baseline.rotation
        return np.concatenate((mount @ reading[:3], mount @ (reading[3:] - baseline.reading[3:])))
