"""How the head is turned, from the gyroscopes and gravity.

Nothing in an earphone knows north: the heading begins at zero, wanders by some degrees, and a turn that is held fades
within a minute or so. Nod and tilt are held by gravity. The head counts as upright as it was during the calibration.
"""

from __future__ import annotations

import imufusion
import numpy as np
from imuface_core.earphone import STANDARD_GRAVITY
from imuface_core.stamps import SECOND
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from face_recon_node.stream.alignment import DISCONTINUITY_NS, PERIOD_NS, RATE

HEADINGS = (0.0, 180.0)
"""degrees: where the x axis of the left and of the right earphone points when upright, from straight ahead towards the
left. The y axis points out of either ear then."""
BIAS_SECONDS = (3.0, 60.0)
"""The gyroscopes' bias is their mean since the calibration, which counts for so long, over so long at most: a few
seconds of a head that sways do not tell it, but no head turns in one direction for ever."""
GAIN = 0.5
"""How fast gravity corrects nod and tilt: some 60 % of an error in two seconds."""

_MOST = 1000.0  # m/s² and rad/s: more is no reading, and what overflows would stay in the filter for ever


class HeadOrientation:
    """Follows the rotation from the face frame to an upright frame at rest (z up, x straight ahead at the start).

    ``headings``: see :data:`HEADINGS`.
    """

    def __init__(self, headings: tuple[float, float] = HEADINGS) -> None:
        self._to_face = Rotation.from_euler("z", np.array(headings)[:, None], degrees=True).as_matrix()
        self._filter = imufusion.Ahrs().set_settings(imufusion.AhrsSettings(gain=GAIN)).skip_startup()
        self._bias = np.zeros((2, 3))  # rad/s, face frame
        self._known = np.full((2, 1), BIAS_SECONDS[0])  # s, over which it is the mean
        self._last_ns: int | None = None

    def push(self, stamp_ns: int, readings: NDArray[np.float64], present: NDArray[np.bool_]) -> Rotation:
        """Take calibrated readings (2, 6) of both ears, of which (2,) ``present`` are there, at least one.

        Readings are deviations from the neutral ones in m/s² and rad/s, upright, one period before the stamp; the
        rotation returned is foretold for the stamp.
        """
        elapsed = 0 if self._last_ns is None else stamp_ns - self._last_ns
        # After a gap, or when a clock was set back, nobody knows how the head has turned.
        step = (elapsed if 0 < elapsed <= DISCONTINUITY_NS else PERIOD_NS) / SECOND
        self._last_ns = stamp_ns
        forces, rates = np.einsum("eij,ekj->kei", self._to_face, np.clip(readings, -_MOST, _MOST).reshape(2, 2, 3))
        self._known[present] = np.minimum(self._known[present] + step, BIAS_SECONDS[1])
        self._bias[present] += ((rates - self._bias) * step / self._known)[present]
        rate = (rates - self._bias)[present].mean(axis=0)
        upwards = forces[present].mean(axis=0) / STANDARD_GRAVITY + (0.0, 0.0, 1.0)
        before = self._filter.get_quaternion()
        self._filter.set_sample_period(step).update_no_magnetometer(np.degrees(rate), upwards)
        if not np.isfinite(self._filter.get_quaternion()).all():  # findings/imufusion_stays_nan.sh
            self._filter.set_quaternion(before)
        now = Rotation.from_quat(self._filter.get_quaternion(), scalar_first=True)
        return now * Rotation.from_rotvec(rate / RATE)

    def calibrated(self, side: int) -> None:
        """Forget the bias of the left (0) or the right (1) ear: another calibration has taken it off."""
        self._bias[side], self._known[side] = 0.0, BIAS_SECONDS[0]
