"""The head's turn against heads that were turned by simulation."""

from __future__ import annotations

import heapq
from itertools import repeat

import numpy as np
import pytest
from face_recon_node.stream.alignment import PERIOD_NS, RATE, Aligner
from face_recon_node.stream.calibration import Calibrator
from face_recon_node.stream.orientation import HEADINGS, HeadOrientation
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from imuface_core.earphone import EARS, STANDARD_GRAVITY
from imuface_core.stamps import SECOND
from imuface_simulation import Participant, Performance, simulate
from imuface_simulation.earphones import SimulatedEarphones, kinematics
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

BOTH = np.ones(2, bool)
BIAS = np.array([0.01, -0.02, 0.005])  # rad/s


def readings(turns: NDArray[np.float64], headings: tuple[float, float] = HEADINGS) -> NDArray[np.float64]:
    """Calibrated readings (N-2, 2, 6) of a head of rotation vectors (N, 3), face to world, with a bias of each ear."""
    motion = kinematics(Rotation.from_rotvec(turns), np.zeros_like(turns), RATE).reshape(-1, 2, 3)
    motion[:, 0, 2] -= STANDARD_GRAVITY
    ears = [motion @ Rotation.from_euler("z", heading, degrees=True).as_matrix() for heading in headings]
    ears[0][:, 1] += BIAS
    ears[1][:, 1] -= 2.0 * BIAS
    return np.stack([ear.reshape(-1, 6) for ear in ears], axis=1)


def followed(head: HeadOrientation, motion: NDArray[np.float64], start_ns: int = SECOND) -> Rotation:
    """What is foretold for the steps after each reading."""
    stamps = start_ns + PERIOD_NS * np.arange(len(motion))
    rotations = [head.push(int(stamp), reading, BOTH) for stamp, reading in zip(stamps, motion, strict=True)]
    return Rotation.from_quat([rotation.as_quat() for rotation in rotations])


def tilt_between(one: Rotation, other: Rotation) -> NDArray[np.float64]:
    """Angles between what two heads take for upwards, degrees."""
    upwards = [rotation.inv().apply([0.0, 0.0, 1.0]) for rotation in (one, other)]
    return np.degrees(np.arccos(np.clip((upwards[0] * upwards[1]).sum(axis=1), -1.0, 1.0)))


def waving(axis: int, degrees: float, seconds: float = 40.0, hertz: float = 0.5) -> NDArray[np.float64]:
    """A head at rest for some seconds, then waving about one axis."""
    times = np.arange(round(seconds * RATE)) / RATE
    turns = np.zeros((len(times), 3))
    turns[:, axis] = np.radians(degrees) * np.sin(2.0 * np.pi * hertz * np.maximum(times - 5.0, 0.0))
    return turns


@pytest.mark.parametrize(("axis", "degrees"), [(0, 20.0), (1, 30.0), (2, 60.0)])
@pytest.mark.parametrize("headings", [HEADINGS, (90.0, -30.0)])
def test_a_head_that_waves_is_followed(axis: int, degrees: float, headings: tuple[float, float]) -> None:
    turns = waving(axis, degrees)
    found = followed(HeadOrientation(headings), readings(turns, headings))
    true = Rotation.from_rotvec(turns[2:])
    error = np.degrees((true.inv() * found).magnitude())[90:]
    assert np.median(error) < 4.0
    assert error.max() < 0.2 * degrees + 4.0


def test_gravity_holds_a_nod_and_a_held_turn_fades() -> None:
    def held(axis: int) -> NDArray[np.float64]:
        times = np.arange(round(300 * RATE)) / RATE
        turns = np.zeros((len(times), 3))
        turns[:, axis] = np.radians(25.0) * np.clip(times - 60.0, 0.0, 1.0)
        return turns

    nod = followed(HeadOrientation(), readings(held(1)))
    assert tilt_between(Rotation.from_rotvec(held(1)[2:]), nod)[-1] < 1.0
    turn = np.degrees(followed(HeadOrientation(), readings(held(2))).as_euler("ZYX")[:, 0])
    assert turn[round(62 * RATE)] - turn[round(59 * RATE)] == pytest.approx(25.0, abs=1.5)
    assert turn[-1] < 5.0


@pytest.mark.parametrize("activity", ["still", "nodding", "talking", "walking"])
def test_simulated_people(activity: str) -> None:
    seconds, seed = 90.0, 2
    performance, participant = Performance.natural(seed, seconds), Participant.random(seed)
    recording = simulate(performance, participant, seconds, seed=seed, activity=activity, start_ns=SECOND)
    aligner, calibrator, head = Aligner(), Calibrator(3.0), HeadOrientation()
    samples = heapq.merge(
        *(
            zip(track.stamps.tolist(), repeat(ear), track.acceleration, track.angular_velocity, strict=False)
            for ear, track in zip(EARS, (recording.left, recording.right), strict=True)
            if track is not None
        ),
        key=lambda sample: sample[:2],
    )
    found: dict[int, Rotation] = {}
    for stamp, ear, acceleration, angular_velocity in samples:
        for point in aligner.push(ear, stamp, acceleration, angular_velocity):
            calibrated, present = calibrator.push(point.readings, point.present)
            if present.any():
                found[point.stamp_ns] = head.push(point.stamp_ns, calibrated, present)
    times = (np.array(list(found)) - SECOND) / SECOND
    truth = SimulatedEarphones(performance, participant, seed=seed, activity=activity)._head
    true, _ = truth.at(times, performance.speaking(times))
    told = Rotation.from_quat([rotation.as_quat() for rotation in found.values()])
    heading = np.degrees(told.as_euler("ZYX")[:, 0] - true.as_euler("ZYX")[:, 0])
    # Most of it is how the head happened to be held during the calibration, which makes it upright by definition.
    assert np.median(tilt_between(true, told)) < 2.5
    assert np.abs(heading - heading[0]).max() < 8.0


def test_the_heading_outlives_a_gap_and_a_clock_that_is_set_back() -> None:
    head, turns = HeadOrientation(), waving(2, 60.0, seconds=5.5 + 1.0 / RATE)  # ends turned by 60°
    before = followed(head, readings(turns))[-1]
    rest = np.zeros((2, 6))
    for stamp in (60 * SECOND, SECOND):
        after = head.push(stamp, rest, BOTH)
        assert np.degrees((before.inv() * after).magnitude()) < 3.0


def test_another_calibration_takes_the_bias_off() -> None:
    head, drifting = HeadOrientation(), np.zeros((2, 6))
    drifting[:, 5] = 0.1
    followed(head, np.repeat(drifting[None], 600, axis=0))
    for side in (0, 1):
        head.calibrated(side)
    first, last = followed(head, np.zeros((300, 2, 6)), start_ns=100 * SECOND)[[0, -1]]
    assert np.degrees((first.inv() * last).magnitude()) < 0.1


def test_a_reading_that_the_filter_cannot_take_is_passed_over() -> None:
    """Upside down, and sideways by less than a float32 can square (findings/imufusion_stays_nan.sh)."""
    head, odd = HeadOrientation(), np.zeros((2, 6))
    odd[:, 2], odd[0, 0] = -20.0, 1e-29
    assert head.push(SECOND, odd, BOTH).magnitude() == 0.0
    turned = followed(head, readings(waving(1, 60.0, seconds=8.0)), start_ns=2 * SECOND)
    assert np.isfinite(turned.as_quat()).all()
    assert np.degrees(turned.magnitude()).max() > 20.0


@given(
    st.lists(
        st.tuples(
            arrays(float, (2, 6), elements=st.floats(allow_nan=False, allow_infinity=False)),
            st.sampled_from([(True, True), (True, False), (False, True)]),
            st.integers(1, 2**62),
        ),
        min_size=1,
        max_size=8,
    )
)
@settings(max_examples=100)
def test_any_readings_leave_a_rotation(samples: list[tuple[NDArray[np.float64], tuple[bool, bool], int]]) -> None:
    head = HeadOrientation()
    for values, present, stamp in samples:
        assert np.isfinite(head.push(stamp, values, np.array(present)).as_quat()).all()
    followed(head, np.zeros((3, 2, 6)))
