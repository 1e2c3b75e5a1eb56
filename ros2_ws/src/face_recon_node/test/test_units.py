from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from face_recon_node.stream.units import LiveUnits
from hypothesis import given
from hypothesis import strategies as st
from imuface_core.earphone import EARS, STANDARD_GRAVITY
from imuface_core.recording import ImuTrack
from imuface_simulation import Participant, Performance, simulate

Change = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


@pytest.fixture(scope="module", params=["still", "talking"])
def tracks(request: pytest.FixtureRequest) -> tuple[ImuTrack, ImuTrack]:
    """Both ears of somebody for 20 s."""
    recording = simulate(Performance.natural(2, 20.0), Participant.random(9), 20.0, activity=request.param)
    assert recording.left is not None
    assert recording.right is not None
    return recording.left, recording.right


def live(tracks: tuple[ImuTrack, ImuTrack], change: Change = lambda a, w: (a, w), shift_ns: int = 0) -> LiveUnits:
    units = LiveUnits()
    for ear, track, shift in zip(EARS, tracks, (0, shift_ns), strict=True):
        acceleration, angular_velocity = change(track.acceleration, track.angular_velocity)
        for row in zip(track.stamps + 1 + shift, acceleration, angular_velocity, strict=True):
            units.push(ear, *row)
    return units


def test_readings_as_they_should_be_pass(tracks: tuple[ImuTrack, ImuTrack]) -> None:
    units = live(tracks)
    assert [units.fault(ear) for ear in EARS] == ["", ""]
    assert units.clock_fault(EARS) == ""


@pytest.mark.parametrize(
    ("change", "remedy"),
    [
        (lambda a, w: (a / STANDARD_GRAVITY, w), "it is in g: multiply by 9.80665"),
        (lambda a, w: (1000 * a / STANDARD_GRAVITY, w), "it is in mg: multiply by 0.00980665"),
        (lambda a, w: (a - a.mean(axis=0), w), "give the raw acceleration"),
        (lambda a, w: (2 * a, w), "check unit and sensor"),
    ],
)
def test_another_unit_is_named_with_its_factor(tracks: tuple[ImuTrack, ImuTrack], change: Change, remedy: str) -> None:
    units = live(tracks, change)
    for ear in EARS:
        assert remedy in units.fault(ear)


def test_degrees_are_told_once_the_head_moves() -> None:
    recording = simulate(Performance.natural(2, 20.0), Participant.random(9), 20.0, activity="nodding")
    assert recording.left is not None
    assert recording.right is not None
    units = live((recording.left, recording.right), lambda a, w: (a, np.degrees(w)))
    for ear in EARS:
        assert "°/s" in units.fault(ear)


@pytest.mark.parametrize(("hours", "words"), [(3, "3.0 h"), (-3, "3.0 h"), (72, "3.0 d"), (0.01, "36.0 s")])
def test_clocks_that_are_apart_are_told(tracks: tuple[ImuTrack, ImuTrack], hours: float, words: str) -> None:
    units = live(tracks, shift_ns=round(hours * 3600e9))
    assert words in units.clock_fault(EARS)
    assert units.clock_fault(["left"]) == ""


@given(
    st.lists(
        st.tuples(
            st.sampled_from(EARS),
            st.integers(-(2**62), 2**62),
            st.lists(st.floats(), min_size=3, max_size=3),
            st.lists(st.floats(), min_size=3, max_size=3),
        ),
        max_size=80,
    )
)
def test_any_samples_are_judged(samples: list[tuple[str, int, list[float], list[float]]]) -> None:
    units = LiveUnits()
    for sample in samples:
        units.push(*sample)
    for ear in EARS:
        assert isinstance(units.fault(ear), str)
    assert isinstance(units.clock_fault(EARS), str)
