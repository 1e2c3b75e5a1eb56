"""What is said of the readings of an ear that sends, but not as it should."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from imuface_core.earphone import EARS
from imuface_driver import quality
from imuface_simulation import ACTIVITIES, PEOPLE, Performance, simulate

STAMPS = 10**18 + np.arange(150) * 9_615_385


def readings() -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    return generator.normal((0.0, 0.0, 9.8), 0.05, (150, 3)), generator.normal(0.0, 0.01, (150, 3))


def test_good_readings_are_not_blamed() -> None:
    assert quality.fault(STAMPS, *readings()) == ""
    assert quality.usual_norm(readings()[0]) == pytest.approx(9.8, abs=0.05)


@pytest.mark.parametrize("activity", ACTIVITIES)
def test_simulated_people_are_not_blamed(activity: str) -> None:
    recording = simulate(Performance.study(1, 1, 30.0), PEOPLE["anatomical"](1), 30.0, activity=activity)
    for ear in EARS:
        track = getattr(recording, ear)
        for begin in range(0, len(track.stamps) - 150, 150):
            part = slice(begin, begin + 150)
            assert quality.fault(track.stamps[part], track.acceleration[part], track.angular_velocity[part]) == ""


@pytest.mark.parametrize(("sensor", "axis", "name"), [(0, 1, "accelerometer y"), (1, 2, "gyroscope z")])
def test_a_stuck_axis_is_named(sensor: int, axis: int, name: str) -> None:
    both = readings()
    both[sensor][:, axis] = 0.25
    assert quality.fault(STAMPS, *both).startswith(f"no change in {name}: ")


def test_a_frozen_sensor_is_named() -> None:
    assert "the same reading again" in quality.fault(STAMPS, np.ones((150, 3)), np.zeros((150, 3)))


def test_a_range_that_is_too_small_is_named() -> None:
    acceleration, angular_velocity = readings()
    shaken = acceleration + 40.0 * np.sin(np.arange(150) / 10.0)[:, None]
    assert quality.fault(STAMPS, shaken, angular_velocity) == ""
    cut = np.clip(shaken, -38.0, 38.0)
    assert quality.fault(STAMPS, cut, angular_velocity).startswith("acceleration x is cut off at -38 m/s²")
    turned = np.clip(angular_velocity + 12.0 * np.sin(np.arange(150) / 10.0)[:, None], -8.7, 8.7)
    assert quality.fault(STAMPS, acceleration, turned).startswith("angular velocity x is cut off at -8.7 rad/s")


def test_a_gap_is_named_with_its_length() -> None:
    stamps = STAMPS + np.where(np.arange(150) > 70, 400_000_000, 0)
    assert quality.fault(stamps, *readings()).startswith("a gap of 0.41 s in the last 1.8 s")


@given(
    st.integers(0, 200).flatmap(lambda n: st.tuples(*(arrays(np.float64, (n, 3), elements=st.floats(-1e6, 1e6)),) * 2))
)
def test_any_readings_are_judged(both: tuple[np.ndarray, np.ndarray]) -> None:
    stamps = np.arange(len(both[0])) * 10_000_000
    assert "\n" not in quality.fault(stamps, *both)
