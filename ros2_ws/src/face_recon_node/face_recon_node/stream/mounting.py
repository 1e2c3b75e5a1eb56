"""How an earphone sits in its ear, from a minute of known movements: looking straight ahead, nodding, turning the head.

At rest gravity tells the vertical, as the neutral calibration does. Nods turn about the line through both ears, and
since they go down from there, this tells the head's left: the turn about the vertical that gravity leaves open.
Turning the head, about the vertical, tells whether gyroscope and accelerometer have the same axes at all.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from imuface_core.earphone import STANDARD_GRAVITY
from imuface_core.recording import ImuTrack
from numpy.typing import NDArray

from face_recon_node.stream.calibration import MAX_GYRO_RMS, upright_rotation
from face_recon_node.stream.units import acceleration_fault

REST = 2.0
"""s; the quietest stretch of this length is the look straight ahead."""
MOVING = 0.3
"""rad/s; slower is no nod and no turn."""
CLEAR = 2.0
"""A movement counts as a nod or a turn when its main axis is faster than all others together by this factor."""
ENOUGH = math.radians(30.0)
"""The angle that all nods, and all turns, must cover in sum, there and back."""
GAP = 0.5
"""s; movements further apart than this are two."""
OFF_AXIS = math.radians(20.0)
"""How far the axis of the turns may lean from the vertical of the look straight ahead."""


@dataclass(frozen=True)
class Mounting:
    """How one earphone sits."""

    rotation: NDArray[np.float64]
    """(3, 3): earphone frame to face frame (x ahead, y to the left, z up)."""
    heading: float
    """Degrees to the left of straight ahead to which its x axis points, once upright: a parameter of the face node."""
    spread: float
    """Degrees by which the axes of the single nods differ from their mean (root mean square)."""


def mounting(track: ImuTrack) -> Mounting:
    """From one ear of a recording in which the wearer looks straight ahead, nods downwards, and turns, some times each.

    The order does not matter. Raises ``ValueError`` in words for the wearer when one of them cannot be found, or when
    the readings contradict each other.
    """
    times = (track.stamps - track.stamps[0]) * 1e-9
    steps = np.diff(times, prepend=times[0])
    rest = _quietest(times, track.angular_velocity)
    if fault := acceleration_fault(track.acceleration[rest]):
        raise ValueError(fault)
    gravity = track.acceleration[rest].mean(axis=0)
    up = gravity / np.linalg.norm(gravity)
    rates = track.angular_velocity - track.angular_velocity[rest].mean(axis=0)

    turning = rates @ up
    nodding = rates - turning[:, None] * up
    turn_speed, nod_speed = np.abs(turning), np.linalg.norm(nodding, axis=1)
    turns = (turn_speed > MOVING) & (turn_speed > CLEAR * nod_speed)
    nods = (nod_speed > MOVING) & (nod_speed > CLEAR * turn_speed)
    for name, moving, speed in (("nods", nods, nod_speed), ("turns of the head", turns, turn_speed)):
        covered = float((speed * steps)[moving].sum())
        if covered < ENOUGH:
            raise ValueError(f"the {name} cover {math.degrees(covered):.0f}°: some of 20° and more are needed")
    lean = math.acos(min(abs(float(_main_axis(rates[turns]) @ up)), 1.0))
    if lean > OFF_AXIS:
        raise ValueError(f"the head turned about an axis {math.degrees(lean):.0f}° off the vertical: sit upright")

    axis = _main_axis(nodding[nods])
    episodes = _episodes(times, nods)
    angles = [np.cumsum((nodding[part] @ axis) * steps[part]) for part in episodes]
    down = sum(float(angle.sum()) for angle in angles) / sum(float(np.abs(angle).sum()) for angle in angles)
    if abs(down) < 0.3:
        raise ValueError("the nods go up as far as down: nod down from looking straight ahead, and back")
    left = math.copysign(1.0, down) * axis
    ahead = np.cross(left, up)
    _compare(track.acceleration, gravity, ahead, episodes, [math.copysign(1.0, down) * angle for angle in angles])

    rotation = np.stack([ahead, left, up])
    turned = rotation @ upright_rotation(up).T
    single = [abs(float(_main_axis(nodding[part]) @ axis)) for part in episodes]
    spread = math.sqrt(np.mean([math.acos(min(cosine, 1.0)) ** 2 for cosine in single]))
    return Mounting(rotation, math.degrees(math.atan2(turned[1, 0], turned[0, 0])), math.degrees(spread))


def _quietest(times: NDArray[np.float64], rates: NDArray[np.float64]) -> slice:
    """The stretch of :data:`REST` in which the earphone turned least. Raises ``ValueError`` when there is none."""
    ends = np.searchsorted(times, times + REST)
    whole = np.flatnonzero(ends < len(times))
    if not len(whole):
        raise ValueError(f"the recording lasts {times[-1]:.1f} s: look straight ahead, nod and turn, some seconds each")
    sums, squares = (np.concatenate([np.zeros((1, 3)), np.cumsum(rates**power, axis=0)]) for power in (1, 2))
    counts = (ends - np.arange(len(times)))[whole, None]
    mean = (sums[ends[whole]] - sums[whole]) / counts
    variance = ((squares[ends[whole]] - squares[whole]) / counts - mean**2).sum(axis=1)
    best = int(np.argmin(variance))
    if variance[best] > MAX_GYRO_RMS**2:
        raise ValueError(
            f"the head never rested for {REST:.0f} s: look straight ahead without moving, then nod and turn"
        )
    return slice(int(whole[best]), int(ends[whole[best]]))


def _main_axis(rates: NDArray[np.float64]) -> NDArray[np.float64]:
    """The unit vector (3,) about which rotations (N, 3) turn, up to its sign."""
    return np.linalg.svd(rates, full_matrices=False)[2][0]


def _episodes(times: NDArray[np.float64], moving: NDArray[np.bool_]) -> list[slice]:
    """Stretches of movement, with the pauses of less than :data:`GAP` in them."""
    rows = np.flatnonzero(moving)
    parts = np.split(rows, np.flatnonzero(np.diff(times[rows]) > GAP) + 1)
    return [slice(int(part[0]), int(part[-1]) + 1) for part in parts]


def _compare(
    acceleration: NDArray[np.float64],
    gravity: NDArray[np.float64],
    ahead: NDArray[np.float64],
    episodes: list[slice],
    angles: list[NDArray[np.float64]],
) -> None:
    """Raise ``ValueError`` unless gravity moves backwards in the head as the gyroscope says that it nods down."""
    angle = np.concatenate(angles)
    force = np.concatenate([(acceleration[part] - gravity) @ ahead for part in episodes]) / STANDARD_GRAVITY
    if not -float(force @ angle) > 0.3 * float(angle @ angle):
        raise ValueError("gravity does not move as the gyroscope turns: their axes, signs or units do not agree")
