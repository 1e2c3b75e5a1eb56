"""Whether readings are in the units, and on the clock, that they should be in: the same words offline and live."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

import numpy as np
from imuface_core.earphone import EARS
from imuface_core.stamps import SECOND
from numpy.typing import ArrayLike, NDArray

GRAVITY_RANGE = (8.0, 11.6)
"""m/s². Outside it the readings are no accelerations in m/s², or the sensor is faulty."""
DEGREES = 0.2
"""Turns that the accelerometer sees, over those the gyroscope claims. In 15 s of simulated people, at rest to walking,
0.7 to 7 for rad/s and 0.01 to 0.13 for °/s."""
FASTEST = 2.0
"""rad/s that no head turns with half of the time."""
STEPS = 20
"""Steps of half a second from which on gravity's turns are compared with the gyroscope's."""
MEMORY = 15.0
"""s of readings that are judged live."""
APART = 2.0
"""s between the newest stamps of two ears that both send, from which on their clocks differ."""

_FEWEST = 30
_MOST = 4000


def acceleration_fault(acceleration: NDArray[np.float64]) -> str:
    """What is wrong with accelerations (n, 3), m/s², and what to do about it; empty when nothing is."""
    gravity = float(np.median(np.linalg.norm(acceleration, axis=1)))
    if GRAVITY_RANGE[0] <= gravity <= GRAVITY_RANGE[1]:
        return ""
    remedies = (
        (0.8, 1.2, "it is in g: multiply by 9.80665"),
        (800.0, 1200.0, "it is in mg: multiply by 0.00980665"),
        (0.0, 0.8, "gravity seems to be removed: give the raw acceleration"),
    )
    remedy = next((text for above, below, text in remedies if above <= gravity <= below), "check unit and sensor")
    return f"the acceleration is usually {gravity:.3g} m/s² instead of 9.81: {remedy}"


def rotation_fault(
    stamps: NDArray[np.int64], acceleration: NDArray[np.float64], angular_velocity: NDArray[np.float64]
) -> str:
    """What is wrong with angular velocities (n, 3), rad/s, beside accelerations (n, 3); stamps (n,) in ns."""
    ratio = _turn_ratio(stamps, acceleration, angular_velocity)
    if ratio is not None and ratio < DEGREES:
        return (
            f"gravity turns {ratio:.3f} times as fast as the angular velocity says: that is in °/s, "
            "multiply by 0.0174533"
        )
    turns = angular_velocity - np.median(angular_velocity, axis=0)
    usual = float(np.median(np.linalg.norm(turns, axis=1)))
    return f"the angular velocity is usually {usual:.3g} rad/s: is it in °/s? Give rad/s" if usual > FASTEST else ""


def readings_fault(
    stamps: NDArray[np.int64], acceleration: NDArray[np.float64], angular_velocity: NDArray[np.float64]
) -> str:
    """What is wrong with the readings of an ear, and what to do about it; empty when nothing is."""
    return acceleration_fault(acceleration) or rotation_fault(stamps, acceleration, angular_velocity)


def _turn_ratio(
    stamps: NDArray[np.int64], acceleration: NDArray[np.float64], angular_velocity: NDArray[np.float64]
) -> float | None:
    """How fast gravity turns in the IMU's frame over how fast the gyroscope says; None when that is hardly.

    A direction that is fixed in the world changes by u × ω in a frame that turns with ω: root mean squares, over
    steps of half a second. What head acceleration adds to u only makes the ratio larger.
    """
    step = SECOND // 2
    cell = (stamps - stamps[0]) // step
    cells, cell = np.unique(cell, return_inverse=True)
    count = np.bincount(cell)

    def means(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.stack([np.bincount(cell, column) for column in values.T], axis=1) / count[:, None]

    up = means(acceleration)
    up /= np.linalg.norm(up, axis=1, keepdims=True) + 1e-9
    rate = means(angular_velocity - np.median(angular_velocity, axis=0))
    following = np.diff(cells) == 1
    if following.sum() < STEPS:
        return None
    claimed = 0.25 * np.cross(up[1:] + up[:-1], rate[1:] + rate[:-1])[following] * step / SECOND
    seen = np.diff(up, axis=0)[following]
    claims = float(np.sqrt(np.square(claimed).sum(axis=1).mean()))
    return float(np.sqrt(np.square(seen).sum(axis=1).mean())) / claims if claims > 1e-3 else None


class LiveUnits:
    """Keeps the last readings of each ear as they came, and judges them when asked."""

    def __init__(self) -> None:
        self._samples: dict[str, deque[tuple[int, ArrayLike, ArrayLike]]] = {ear: deque(maxlen=_MOST) for ear in EARS}

    def push(self, ear: str, stamp_ns: int, acceleration: ArrayLike, angular_velocity: ArrayLike) -> None:
        """Take a sample: ROS time in ns, (3,) m/s², (3,) rad/s."""
        samples = self._samples[ear]
        if samples and not 0 <= stamp_ns - samples[-1][0] <= SECOND:
            samples.clear()
        samples.append((stamp_ns, acceleration, angular_velocity))
        while stamp_ns - samples[0][0] > MEMORY * SECOND:
            samples.popleft()

    def fault(self, ear: str) -> str:
        """What is wrong with the readings of an ear, and what to do about it; empty when nothing is."""
        samples = self._samples[ear]
        if len(samples) < _FEWEST:
            return ""
        columns = tuple(zip(*samples, strict=True))
        stamps = np.array(columns[0], np.int64)
        acceleration, angular_velocity = (np.array(column, np.float64) for column in columns[1:])
        if not (np.isfinite(acceleration).all() and np.isfinite(angular_velocity).all()):
            return ""  # dropped, counted and reported by the aligner
        return readings_fault(stamps, acceleration, angular_velocity)

    def clock_fault(self, sending: Iterable[str]) -> str:
        """Whether the stamps of the ears that send at present are of one clock; empty when they are."""
        newest = {ear: self._samples[ear][-1][0] for ear in sending if self._samples[ear]}
        if len(newest) < len(EARS):
            return ""
        apart = abs(newest[EARS[0]] - newest[EARS[1]]) / SECOND
        if apart < APART:
            return ""
        return f"the clocks of the left and the right ear are {_span(apart)} apart: bring them on one clock"


def _span(seconds: float) -> str:
    for unit, size in (("d", 86_400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.1f} s"
