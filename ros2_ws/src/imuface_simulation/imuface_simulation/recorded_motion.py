"""Head orientation from a recording: a CSV of quaternions, as in the Auritus data set (Saha et al., IMWUT 6, 2022).

One line per sample at 100 Hz, ``w,x,y,z`` of the rotation from head to world, no header.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

RATE = 100.0  # Hz
SHORTEST = 1.0  # s
SMOOTHING = 0.05  # s, standard deviation: real heads have no corners, tracked and interpolated ones do
FASTEST = math.radians(1000.0)  # rad/s; beyond it the tracker jumped
FOLDER_NAME = "Or_GT.csv"  # of the orientations in the folder of the data set


def read_orientations(path: str | PathLike[str]) -> Rotation:
    """Orientations (N) at 100 Hz from a CSV, or from the one in a folder of the data set.

    Raises ``OSError`` when the file cannot be read and ``ValueError``, naming file and line, when it is broken.
    """
    path = Path(path)
    if path.is_dir():
        path = path / FOLDER_NAME
    try:
        return _parse(path.read_bytes().decode("utf-8-sig"))
    except ValueError as error:
        raise ValueError(f"{path}: {error}; expected lines of a quaternion w,x,y,z at {RATE:g} Hz") from error


def _parse(text: str) -> Rotation:
    rows = [_quaternion(line, number) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if len(rows) < SHORTEST * RATE:
        raise ValueError(f"{len(rows)} samples, at least {SHORTEST * RATE:.0f} are needed")
    orientations = Rotation.from_quat(np.array(rows)[:, [1, 2, 3, 0]])
    steps = np.asarray((orientations[:-1].inv() * orientations[1:]).magnitude())
    fastest = int(np.argmax(steps))
    if steps[fastest] * RATE > FASTEST:
        raise ValueError(
            f"sample {fastest + 2}: the head turns by {math.degrees(steps[fastest]):.0f}° within one sample"
        )
    return orientations


def _quaternion(line: str, number: int) -> list[float]:
    try:
        values = [float(value) for value in line.split(",")]
    except ValueError as error:
        raise ValueError(f"line {number}: {error}") from error
    if len(values) != 4:
        raise ValueError(f"line {number}: {len(values)} values instead of 4; the file may be cut off")
    norm = math.hypot(*values)
    if not abs(norm - 1.0) < 0.05:
        raise ValueError(f"line {number}: the quaternion has length {norm:.3g}, not 1")
    return values


def looped(orientations: Rotation) -> tuple[Callable[[NDArray[np.float64]], Rotation], float]:
    """Endless smooth motion, forth and back, as a function of time in s, and its period in s.

    It is relative to the first sample, in which the head is taken to be upright.
    """
    from scipy.interpolate import CubicSpline  # here: few processes move a head as recorded
    from scipy.ndimage import gaussian_filter1d

    quaternions = (orientations * orientations[0].inv()).as_quat()
    flips = np.where(np.sum(quaternions[1:] * quaternions[:-1], axis=1) < 0.0, -1.0, 1.0)
    quaternions[1:] *= np.cumprod(flips)[:, None]  # q and -q are the same rotation: take the one nearby
    there_and_back = np.concatenate([quaternions, quaternions[-2:0:-1]])
    smooth = gaussian_filter1d(there_and_back, SMOOTHING * RATE, axis=0, mode="wrap")
    period = len(smooth) / RATE
    spline = CubicSpline(
        np.arange(len(smooth) + 1) / RATE, np.concatenate([smooth, smooth[:1]]), bc_type="periodic", axis=0
    )
    return lambda times: Rotation.from_quat(spline(times % period)), period
