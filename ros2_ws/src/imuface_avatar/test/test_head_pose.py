"""The head's pose from simulated earphones against the head that moved them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from imuface_avatar.head_pose import CALIBRATION, HeadPose
from imuface_core.earphone import EARS, STANDARD_GRAVITY, Ear
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

RATE = 30.0
START = 10**18
# How the boards sit: nearly as they should, as in the simulation.
SEATS: dict[Ear, Rotation] = {
    "left": Rotation.from_euler("xyz", [-12.0, 8.0, 3.0], degrees=True),
    "right": Rotation.from_euler("xyz", [12.0, -8.0, 177.0], degrees=True),
}
BIAS = np.array([0.02, -0.01, 0.03])  # rad/s


def play(pose: HeadPose, angles: NDArray[np.float64], ears: tuple[Ear, ...] = EARS) -> NDArray[np.float64]:
    """Let a head rest and then move through ``angles`` (N, 3): yaw, pitch, roll in rad; what the pose makes of it."""
    rest = np.zeros((round((CALIBRATION + 0.5) * RATE), 3))
    heads = Rotation.from_euler("ZYX", np.concatenate((rest, angles)))
    turns = (heads[:-1].inv() * heads[1:]).as_rotvec() * RATE
    found = []
    for number, turn in enumerate(turns, 1):
        stamp = START + round(number / RATE * 1e9)
        up = heads[number].inv().apply([0.0, 0.0, STANDARD_GRAVITY])
        for ear in ears:
            seat = SEATS[ear].inv()
            pose.push(ear, stamp, seat.apply(up), seat.apply(turn) + BIAS)
        quaternion = pose.at(stamp)
        found.append(Rotation.from_quat(quaternion or (0, 0, 0, 1)).as_euler("ZYX"))
    return np.array(found)[len(rest) - 1 :]


@pytest.mark.parametrize("ears", [("left", "right"), ("left",), ("right",)])
@pytest.mark.parametrize("axis", [0, 1, 2], ids=["yaw", "pitch", "roll"])
def test_follows_the_head(axis: int, ears: tuple[Ear, ...]) -> None:
    times = np.arange(0.0, 6.0, 1.0 / RATE)
    angles = np.zeros((len(times), 3))
    angles[:, axis] = np.radians(25.0) * np.sin(2.0 * math.pi * 0.5 * times)
    found = play(HeadPose(return_time=1000.0), angles, ears)
    assert np.degrees(np.abs(found - angles).max()) < 5.0


def test_a_bent_head_stays_bent_and_a_turned_one_comes_back() -> None:
    angles = np.tile(np.radians([30.0, 20.0, 0.0]), (round(40.0 * RATE), 1))
    angles[:30] *= np.linspace(0.0, 1.0, 30)[:, None]
    found = np.degrees(play(HeadPose(return_time=10.0), angles))
    assert found[45, 0] == pytest.approx(30.0, abs=6.0)
    assert abs(found[-1, 0]) < 4.0
    assert found[-1, 1] == pytest.approx(20.0, abs=3.0)


def test_is_not_known_without_earphones_or_before_they_are_calibrated() -> None:
    pose = HeadPose(15.0)
    assert pose.at(START) is None
    pose.push("left", START, np.array([0.0, 0.0, 9.81]), np.zeros(3))
    assert pose.at(START) is None
    play(pose, np.zeros((60, 3)))
    last = START + round((CALIBRATION + 2.5) * 1e9)
    assert pose.at(last) is not None
    assert pose.at(last + 10**9) is None


def test_broken_readings_change_nothing() -> None:
    pose = HeadPose(15.0)
    play(pose, np.zeros((30, 3)))
    stamp = START + round((CALIBRATION + 1.5) * 1e9)
    before = pose.at(stamp)
    for broken in (np.nan, np.inf):
        pose.push("left", stamp + 1, np.array([broken, 0.0, 9.81]), np.zeros(3))
        pose.push("right", stamp + 1, np.array([0.0, 0.0, 9.81]), np.array([0.0, broken, 0.0]))
    assert pose.at(stamp) == before
    pose.push("left", 0, np.array([0.0, 0.0, 9.81]), np.zeros(3))  # a clock that jumped
    assert pose.at(0) is not None
