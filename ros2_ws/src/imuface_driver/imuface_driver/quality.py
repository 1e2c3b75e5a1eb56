"""What is wrong with the readings of one ear: gaps, axes that stand still, ranges that are too small.

Units, clocks and how the earphones are worn are judged by the face node.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

FEWEST = 60  # readings to judge
GAP, GAP_RATIO = 0.1, 4.0  # s, and times the usual interval, from which on an interval is a gap
# Beyond what a head at rest or in talk does: less than the smallest range of any IMU.
ACCELERATION_CUT = 15.0  # m/s²
ANGULAR_VELOCITY_CUT = 4.0  # rad/s
IN_A_ROW = 3  # readings at the very same extreme
AXES = "xyz"

Readings = NDArray[np.float64]


def usual_norm(acceleration: Readings) -> float:
    """Median length of accelerations (n, 3), m/s²: 9.8 of a head that is not shaken; NaN of none."""
    return float(np.median(np.linalg.norm(acceleration, axis=1))) if len(acceleration) else float("nan")


def fault(stamps: NDArray[np.int64], acceleration: Readings, angular_velocity: Readings) -> str:
    """What is wrong and what to do, in one line; empty when nothing is.

    ``stamps`` (n,) in ns, increasing; ``acceleration`` (n, 3) in m/s², ``angular_velocity`` (n, 3) in rad/s.
    """
    return next(_faults(stamps, acceleration, angular_velocity), "") if len(stamps) >= FEWEST else ""


def _faults(stamps: NDArray[np.int64], acceleration: Readings, angular_velocity: Readings) -> Iterator[str]:
    still = np.ptp(np.hstack([acceleration, angular_velocity]), axis=0) == 0.0
    names = [f"{sensor} {axis}" for sensor in ("accelerometer", "gyroscope") for axis in AXES]
    if still.all():
        yield "it sends the same reading again and again: switch it off and on"
    elif still.any():
        stuck = ", ".join(name for name, stands in zip(names, still, strict=True) if stands)
        yield f"no change in {stuck}: switch it off and on; if that does not help, its sensor is broken"
    for what, values, least, unit in (
        ("acceleration", acceleration, ACCELERATION_CUT, "m/s²"),
        ("angular velocity", angular_velocity, ANGULAR_VELOCITY_CUT, "rad/s"),
    ):
        for axis, column in zip(AXES, values.T, strict=True):
            for end in (float(column.min()), float(column.max())):
                if abs(end) > least and _longest_run(column == end) >= IN_A_ROW:
                    yield f"{what} {axis} is cut off at {end:.3g} {unit}: set the sensor to a wider range"
    intervals = np.diff(stamps) * 1e-9
    if intervals.max() > max(GAP, GAP_RATIO * np.median(intervals)):
        span = (stamps[-1] - stamps[0]) * 1e-9
        yield f"a gap of {intervals.max():.2f} s in the last {span:.1f} s: come nearer, and away from other radios"


def _longest_run(true: NDArray[np.bool_]) -> int:
    """The largest number of true values in a row."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], true, [False]])))
    return int((edges[1::2] - edges[::2]).max(initial=0))
