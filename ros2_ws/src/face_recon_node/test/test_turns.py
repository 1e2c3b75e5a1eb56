"""What both ears turn alike is the head, what they turn against each other the face."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from face_recon_node.stream.alignment import RATE
from face_recon_node.stream.turns import MOUNT_SECONDS, UNIT, EarTurns
from numpy.typing import NDArray

FRAMES = round(4 * MOUNT_SECONDS * RATE)
Array = NDArray[np.float64]


def swaying(frames: int = FRAMES, seed: int = 0) -> Array:
    """Angular velocity (n, 3) of a head, rad/s, about all axes."""
    rng, time = np.random.default_rng(seed), np.arange(frames)[:, None] / RATE
    waves = np.sin(2 * np.pi * (rng.uniform(0.2, 1.5, (3, 1, 3)) * time + rng.random((3, 1, 3))))
    return (rng.uniform(0.05, 0.2, (3, 1, 3)) * waves).sum(axis=0)


def readings(left: Array, right: Array) -> Array:
    made = np.random.default_rng(1).normal(0.0, 1.0, (len(left), 2, 6))  # accelerations do not matter
    made[:, 0, 3:], made[:, 1, 3:] = left, right
    return made


def both(frames: int) -> NDArray[np.bool_]:
    return np.ones((frames, 2), bool)


def rms(values: NDArray) -> float:
    """Of the last third, when the ears' turn against each other is known."""
    return float(np.sqrt(np.square(values[2 * len(values) // 3 :]).mean()))


@pytest.mark.parametrize("cuts", [range(1, 300), [1, 2, 100, 250]])
def test_a_stream_gives_what_the_whole_segment_gives(cuts: Any) -> None:
    values, present = readings(swaying(300), swaying(300, 2)), both(300)
    present[50:80, 0], present[70:120, 1] = False, False
    values = values * present[:, :, None]
    whole, turns = EarTurns().push(values, present), EarTurns()
    parts = [turns.push(*part) for part in zip(np.split(values, cuts), np.split(present, cuts), strict=True)]
    for found, expected in zip(zip(*parts, strict=True), whole, strict=True):
        assert expected.shape == (300, 3)
        np.testing.assert_allclose(np.concatenate(found), expected, atol=1e-9)


@pytest.mark.parametrize("degrees", [0.0, 35.0, -60.0])
def test_a_turn_of_the_head_is_common_however_the_ears_stand_about_the_vertical(degrees: float) -> None:
    head, angle = swaying(), np.deg2rad(degrees)
    turned = head.copy()
    turned[:, 0] = np.cos(angle) * head[:, 0] - np.sin(angle) * head[:, 1]
    turned[:, 1] = np.sin(angle) * head[:, 0] + np.cos(angle) * head[:, 1]
    common, difference = EarTurns().push(readings(head, turned), both(FRAMES))
    assert rms(difference) < 0.03 * rms(common)
    assert rms(common - head / UNIT) < 0.05 * rms(head / UNIT)


@pytest.mark.parametrize("side", [0, 1])
def test_a_face_on_one_ear_is_a_difference(side: int) -> None:
    head, face = swaying(), 0.1 * swaying(seed=5)
    moved = [head, head]
    moved[side] = head + face
    _, difference = EarTurns().push(readings(*moved), both(FRAMES))
    sign = 1.0 if side == 0 else -1.0
    assert np.corrcoef(sign * difference[-900:].ravel(), face[-900:].ravel())[0, 1] > 0.9
    assert rms(difference) == pytest.approx(rms(face / UNIT), rel=0.2)


@pytest.mark.parametrize("side", [0, 1])
def test_with_one_ear_all_is_common(side: int) -> None:
    head, present = swaying(), both(FRAMES)
    present[:, 1 - side] = False
    values = readings(head, head) * present[:, :, None]
    common, difference = EarTurns().push(values, present)
    assert not difference.any()
    assert rms(common - head / UNIT) < 0.1 * rms(head / UNIT)


def test_without_ears_there_is_nothing_and_a_bias_is_no_turn() -> None:
    common, difference = EarTurns().push(np.zeros((30, 2, 6)), np.zeros((30, 2), bool))
    assert not common.any()
    assert not difference.any()
    bias = np.tile([[0.02, -0.01, 0.03]], (FRAMES, 1))
    common, difference = EarTurns().push(readings(bias, -bias), both(FRAMES))
    assert rms(common) < 1e-3
    assert rms(difference) < 1e-3
