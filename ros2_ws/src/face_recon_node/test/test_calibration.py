"""The neutral baseline of each ear."""

from __future__ import annotations

import numpy as np
import pytest
from face_recon_node.stream.calibration import (
    CalibrationState,
    Calibrator,
    EarBaseline,
    baseline_of,
    motion_of,
    upright_rotation,
)
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

BOTH = np.array([True, True])
MOUNT = Rotation.from_euler("xyz", [40.0, -25.0, 10.0], degrees=True)


def resting(rng: np.random.Generator, moving: float = 0.0) -> np.ndarray:
    """(2, 6) readings of earbuds that sit askew, with gyroscope bias and noise."""
    up = MOUNT.inv().apply([0.0, 0.0, 9.81])
    reading = np.concatenate((up, [0.02, -0.01, 0.03])) + rng.normal(0.0, [0.01] * 3 + [0.003] * 3, (2, 6))
    reading[:, 3:] += rng.normal(0.0, moving, (2, 3))
    return reading


@given(st.lists(st.floats(-1.0, 1.0), min_size=3, max_size=3).filter(lambda v: np.linalg.norm(v) > 1e-3))
def test_upright_rotation_is_the_rotation_that_turns_up_to_z(direction: list[float]) -> None:
    rotation = upright_rotation(np.array(direction))
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-6)
    assert np.linalg.det(rotation) == pytest.approx(1.0)
    np.testing.assert_allclose(rotation @ direction / np.linalg.norm(direction), [0.0, 0.0, 1.0], atol=2e-3)


def test_upside_down_is_turned_upright() -> None:
    np.testing.assert_allclose(upright_rotation(np.array([0.0, 0.0, -9.8])) @ [0, 0, -1], [0, 0, 1])


def test_baseline_takes_off_gravity_bias_and_tilt() -> None:
    rng = np.random.default_rng(0)
    baseline = baseline_of(np.array([resting(rng)[0] for _ in range(90)]))
    neutral = baseline.apply(resting(rng)[0])
    np.testing.assert_allclose(neutral, 0.0, atol=0.05)
    # A push upwards is upwards, however the earbud sits.
    pushed = baseline.reading.copy()
    pushed[:3] += MOUNT.inv().apply([0.0, 0.0, 1.0])
    np.testing.assert_allclose(baseline.apply(pushed)[:3], [0.0, 0.0, 1.0], atol=1e-2)


def test_mounting_is_removed_up_to_the_turn_about_the_vertical() -> None:
    rng = np.random.default_rng(1)
    motion = rng.normal(size=(50, 3))
    turned = []
    for mount in (MOUNT, Rotation.from_euler("xyz", [-20.0, 15.0, 0.0], degrees=True)):
        up = np.concatenate((mount.inv().apply([0.0, 0.0, 9.81]), np.zeros(3)))
        baseline = EarBaseline(upright_rotation(up[:3]), up)
        readings = up + np.concatenate((mount.inv().apply(motion), np.zeros((50, 3))), axis=1)
        turned.append(baseline.apply(readings)[:, :3])
    np.testing.assert_allclose(turned[0][:, 2], motion[:, 2], atol=1e-9)
    np.testing.assert_allclose(turned[1][:, 2], motion[:, 2], atol=1e-9)
    np.testing.assert_allclose(
        np.linalg.norm(turned[0][:, :2], axis=1), np.linalg.norm(turned[1][:, :2], axis=1), atol=1e-9
    )


@pytest.mark.parametrize("unit", [1.0 / 9.81, 0.0, 1000.0])
def test_what_is_not_gravity_is_refused(unit: float) -> None:
    readings = np.tile([0.0, 0.0, 9.81 * unit, 0.0, 0.0, 0.0], (10, 1))
    with pytest.raises(ValueError, match="usually"):
        baseline_of(readings)


def test_motion_is_a_share_of_the_limit() -> None:
    rng = np.random.default_rng(2)
    assert motion_of(np.array([resting(rng)[0] for _ in range(90)])) < 0.3
    assert motion_of(np.array([resting(rng, moving=0.5)[0] for _ in range(90)])) > 2.0


def test_it_starts_by_itself_and_ends_when_both_ears_were_still() -> None:
    rng = np.random.default_rng(3)
    calibrator = Calibrator(1.0)
    progress = []
    for _ in range(29):
        _, valid = calibrator.push(resting(rng), BOTH)
        assert not valid.any()
        progress.append(calibrator.progress)
    assert not calibrator.done
    assert progress == sorted(progress)
    readings, valid = calibrator.push(resting(rng), BOTH)
    assert calibrator.done
    assert calibrator.progress == 1.0
    assert valid.all()
    np.testing.assert_allclose(readings, 0.0, atol=0.06)


def test_it_waits_for_stillness_and_then_settles_for_the_quietest() -> None:
    rng = np.random.default_rng(4)
    calibrator = Calibrator(1.0)
    for _ in range(60):
        calibrator.push(resting(rng, moving=0.3), BOTH)
    assert not calibrator.ready
    for _ in range(40):
        calibrator.push(resting(rng), BOTH)
    assert calibrator.done
    assert "moving" not in calibrator.message

    calibrator = Calibrator(1.0)
    for _ in range(130):
        calibrator.push(resting(rng, moving=0.3), BOTH)
    assert calibrator.done
    assert "calibrated while moving" in calibrator.message


def test_one_ear_alone_is_calibrated_and_the_other_when_it_comes() -> None:
    rng = np.random.default_rng(5)
    calibrator = Calibrator(1.0)
    for _ in range(30):
        calibrator.push(resting(rng), np.array([False, True]))
    assert calibrator.done
    assert calibrator.ears[0].state == CalibrationState.RUNNING
    for _ in range(30):
        _, valid = calibrator.push(resting(rng), BOTH)
    assert valid.all()
    assert calibrator.replaced == 0


def test_a_request_replaces_the_baseline_only_when_it_succeeds() -> None:
    rng = np.random.default_rng(6)
    calibrator = Calibrator(1.0)
    for _ in range(30):
        calibrator.push(resting(rng), BOTH)
    calibrator.request(0.5)
    for _ in range(15):
        readings, valid = calibrator.push(resting(rng, moving=0.5), BOTH)
        assert valid.all()
    assert calibrator.failed
    assert "sit still" in calibrator.message
    assert calibrator.replaced == 0
    np.testing.assert_allclose(readings[:, :3], 0.0, atol=0.06)

    tilted = np.concatenate((MOUNT.inv().apply([0.0, 2.0, 9.6]), np.zeros(3)))
    calibrator.request()
    assert not calibrator.has_samples
    for _ in range(30):
        readings, _ = calibrator.push(np.tile(tilted, (2, 1)), BOTH)
    assert not calibrator.failed
    assert calibrator.replaced == 2
    np.testing.assert_allclose(readings, 0.0, atol=1e-9)


def test_a_cancelled_request_leaves_what_was_before() -> None:
    rng = np.random.default_rng(7)
    calibrator = Calibrator(1.0)
    for _ in range(30):
        calibrator.push(resting(rng), np.array([True, False]))  # the right ear has no baseline yet
    calibrator.request(2.0)
    for _ in range(30):
        calibrator.push(resting(rng), BOTH)
    calibrator.cancel()
    left, right = calibrator.ears
    assert left.state == CalibrationState.DONE
    assert left.message == "left ear: the earlier calibration stays"
    assert right.state == CalibrationState.RUNNING
    for _ in range(30):
        _, valid = calibrator.push(resting(rng), BOTH)
    assert valid.all()
    assert calibrator.done
    assert calibrator.replaced == 0


def test_a_request_without_gravity_fails_with_a_reason() -> None:
    calibrator = Calibrator(1.0)
    calibrator.request()
    for _ in range(30):
        calibrator.push(np.zeros((2, 6)), BOTH)
    assert calibrator.failed
    assert "gravity seems to be removed" in calibrator.message


@pytest.mark.parametrize("duration", [-1.0, 0.1, 1e6, float("nan")])
def test_impossible_durations_are_refused(duration: float) -> None:
    with pytest.raises(ValueError, match=r"must be 0\.5 to 60"):
        Calibrator(duration)
    with pytest.raises(ValueError, match=r"must be 0\.5 to 60"):
        Calibrator().request(duration)
