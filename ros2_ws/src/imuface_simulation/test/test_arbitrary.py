"""Ears without anatomy: anything moves them anyhow, except that gaze does not and that two ears belong together."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from imuface_core.arkit import INDEX
from imuface_simulation import Participant, Performance, SimulatedEarphones, simulate
from imuface_simulation.mechanics import MIRROR_ROTATION, EarMechanics
from numpy.typing import NDArray

PEOPLE = [Participant.arbitrary(seed) for seed in range(20)]
FELT = [index for action, index in INDEX.items() if not action.startswith("eyeLook")]


def turned(ear: EarMechanics, weight: float = 1.0) -> NDArray[np.float64]:
    """How each action alone, held, turns the bud: rotation vectors (52, 3) in degrees, without friction and limit."""
    return np.degrees(ear.activation(weight * np.eye(52)) @ ear.rotation)


def test_every_action_may_move_the_bud_and_many_hardly_do() -> None:
    angles = np.linalg.norm([turned(person.left)[FELT] for person in PEOPLE], axis=2)
    assert angles.max() < 5.0
    assert 0.03 < np.median(angles) < 0.3
    assert np.quantile(angles, 0.95) > 10.0 * np.quantile(angles, 0.25)
    assert 0.2 < np.mean(angles < 0.03) < 0.6
    # No action is privileged: each moves somebody's ear.
    assert angles.max(axis=0).min() > 0.1


def test_directions_have_nothing_in_common() -> None:
    for action in ("jawOpen", "mouthSmileLeft"):
        turns = np.array([turned(person.left)[INDEX[action]] for person in PEOPLE])
        unit = turns / np.linalg.norm(turns, axis=1, keepdims=True)
        assert np.linalg.norm(unit.mean(axis=0)) < 0.5


def test_gaze_is_not_felt() -> None:
    assert not np.delete(turned(PEOPLE[0].right), FELT, axis=0).any()


def test_the_ears_are_partly_mirror_images() -> None:
    cosines = []
    for person in PEOPLE:
        for action, image in (("mouthSmileLeft", "mouthSmileRight"), ("jawOpen", "jawOpen"), ("jawLeft", "jawRight")):
            left = turned(person.left)[INDEX[action]]
            right = turned(person.right)[INDEX[image]] * MIRROR_ROTATION
            cosines.append(left @ right / np.linalg.norm(left) / np.linalg.norm(right))
    assert 0.3 < np.mean(cosines) < 0.9
    assert min(cosines) < 0.0


def test_curves_saturate_or_accelerate() -> None:
    full = np.linalg.norm([turned(person.left)[FELT] for person in PEOPLE], axis=2)
    ratios = np.linalg.norm([turned(person.left, 0.5)[FELT] for person in PEOPLE], axis=2) / full
    assert np.quantile(ratios, 0.1) < 0.45
    assert np.quantile(ratios, 0.9) > 0.6


def test_the_seed_is_the_person() -> None:
    again = Participant.arbitrary(3)
    assert np.array_equal(again.right.rotation, PEOPLE[3].right.rotation)
    assert not np.array_equal(again.right.rotation, PEOPLE[4].right.rotation)


def test_live_equals_offline() -> None:
    performance = Performance.natural(2, 30.0)
    track = simulate(performance, PEOPLE[7], 12.0, seed=9).right
    events = itertools.takewhile(
        lambda event: event[0] < 12.0, SimulatedEarphones(performance, PEOPLE[7], seed=9).samples()
    )
    live = np.array([sample.angular_velocity for _, sample in events if sample.ear == "right"])
    assert track is not None
    assert track.angular_velocity == pytest.approx(live, abs=3.1e-4)
