"""The ears of a person: lawful in structure, different between people, tiny in size."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from imuface_core.arkit import INDEX
from imuface_simulation import Participant
from imuface_simulation.mechanics import MIRROR_ROTATION, EarMechanics, EarMotion
from numpy.typing import NDArray

RATE = 120.0
PEOPLE = [Participant.random(seed) for seed in range(60)]
FAINT = [Participant.faint(seed) for seed in range(60)]


def turned(ear: EarMechanics, **weights: float) -> NDArray[np.float64]:
    """Where the bud ends up, as a rotation vector in degrees, after a neutral second and two seconds of a face."""
    face = np.zeros((360, 52))
    for name, weight in weights.items():
        face[120:, INDEX[name]] = weight
    rotation, _ = EarMotion(ear, RATE).move(face)
    return np.degrees(rotation[-1])


def test_a_neutral_face_moves_nothing() -> None:
    rotation, shift = EarMotion(PEOPLE[0].left, RATE).move(np.zeros((10, 52)))
    assert not rotation.any()
    assert not shift.any()


@pytest.mark.parametrize(("people", "factor"), [(PEOPLE, 3.0), (FAINT, 1.0)], ids=["anatomical", "faint"])
def test_the_jaw_moves_the_bud_by_some_degrees(people: list[Participant], factor: float) -> None:
    angles = [np.linalg.norm(turned(person.left, jawOpen=1.0)) for person in people]
    assert 0.5 * factor < np.median(angles) < 1.5 * factor
    assert max(angles) < 4.0 * factor
    # People differ by about an order of magnitude.
    assert 4.0 < np.quantile(angles, 0.98) / np.quantile(angles, 0.02) < 40.0


def directions(ear: str, **weights: float) -> NDArray[np.float64]:
    """Where the bud of each person turns to, as unit vectors of the left ear."""
    turns = np.array([turned(getattr(person, ear), **weights) for person in PEOPLE])
    turns *= MIRROR_ROTATION if ear == "right" else 1.0
    return turns / np.linalg.norm(turns, axis=1, keepdims=True)


def test_people_share_the_main_direction_of_a_soft_movement() -> None:
    assert 0.6 < np.linalg.norm(directions("left", mouthSmileLeft=1.0).mean(axis=0)) < 0.95


def test_the_jaw_moves_some_ears_the_opposite_way() -> None:
    left, right = directions("left", jawOpen=1.0), directions("right", jawOpen=1.0)
    opposite = left @ np.median(left, axis=0) < 0.0
    assert 0.15 < opposite.mean() < 0.5
    # Both ears of a person mostly agree, not always.
    assert 0.03 < np.mean(np.sum(left * right, axis=1) < 0.0) < 0.3


def test_the_right_ear_mirrors_the_left_on_average() -> None:
    left = np.mean([turned(person.left, mouthSmileLeft=1.0) for person in PEOPLE], axis=0)
    right = np.mean([turned(person.right, mouthSmileRight=1.0) for person in PEOPLE], axis=0)
    assert right == pytest.approx(left * MIRROR_ROTATION, abs=0.1 * float(np.linalg.norm(left)))
    assert any(
        np.linalg.norm(turned(p.left, jawOpen=1.0)) > 1.3 * np.linalg.norm(turned(p.right, jawOpen=1.0)) for p in PEOPLE
    )


@pytest.mark.parametrize("action", ["mouthSmile", "browDown", "noseSneer", "cheekSquint", "mouthStretch"])
def test_a_one_sided_action_moves_its_own_side(action: str) -> None:
    for person in PEOPLE[:20]:
        for own, other in (("left", "right"), ("right", "left")):
            weights = {action + own.capitalize(): 0.8}
            near = np.linalg.norm(turned(getattr(person, own), **weights))
            far = np.linalg.norm(turned(getattr(person, other), **weights))
            assert 0.0 < far < near / 2.0


def test_a_jaw_to_the_left_moves_the_ears_differently() -> None:
    left = np.mean([turned(person.left, jawLeft=1.0) for person in PEOPLE], axis=0)
    right = np.mean([turned(person.right, jawLeft=1.0) for person in PEOPLE], axis=0)
    assert np.linalg.norm(left - right * MIRROR_ROTATION) > 0.3


@pytest.mark.parametrize("action", ["eyeLookUpLeft", "eyeLookInRight", "eyeLookOutLeft", "eyeLookDownRight"])
def test_gaze_does_not_move_the_ear(action: str) -> None:
    assert not turned(PEOPLE[0].left, **{action: 1.0}).any()


@pytest.mark.parametrize("action", ["eyeBlinkLeft", "eyeWideLeft", "tongueOut"])
def test_lids_and_tongue_hardly_move_the_ear(action: str) -> None:
    for people, limit in ((PEOPLE, 0.4), (FAINT, 0.2)):
        angles = [np.linalg.norm(turned(person.left, **{action: 1.0})) for person in people]
        assert 0.0 < np.median(angles) < limit


def test_the_jaw_shifts_default_ears_by_millimetres_as_published() -> None:
    face = np.zeros((360, 52))
    face[120:, INDEX["jawOpen"]] = 1.0
    shifts = np.array([EarMotion(person.left, RATE).move(face)[1][-1] for person in PEOPLE]) * 1e3
    # Grenness et al. 2002: up to 3.8 mm in 14 ears, 1.3 to 1.4 mm on average, across and upright.
    assert 0.6 < np.abs(shifts[:, 1:]).mean() < 1.6
    assert 2.0 < np.abs(shifts[:, 1:]).max() < 8.0


def test_actions_of_one_tissue_move_default_ears_apart_and_faint_ears_alike() -> None:
    for people, least, most in ((PEOPLE, 0.0, 0.98), (FAINT, 0.999, 1.0)):
        cosines = []
        for person in people:
            press, roll = (turned(person.left, **{name: 1.0}) for name in ("mouthPressLeft", "mouthRollLower"))
            cosines.append(press @ roll / np.linalg.norm(press) / np.linalg.norm(roll))
        assert least < np.median(cosines) <= most + 1e-9


def test_the_motion_is_nonlinear_and_lags() -> None:
    ear = PEOPLE[1].left
    half, full = turned(ear, jawOpen=0.5), turned(ear, jawOpen=1.0)
    # The condyle turns first and glides later, so that the path is curved, not only compressed.
    cosine = half @ full / np.linalg.norm(half) / np.linalg.norm(full)
    assert cosine < 0.999
    assert np.linalg.norm(half) != pytest.approx(0.5 * np.linalg.norm(full), rel=0.02)

    step = np.zeros((600, 52))
    step[120:, INDEX["mouthSmileLeft"]] = 1.0
    rotation, _ = EarMotion(ear, RATE).move(step)
    angle = np.linalg.norm(rotation, axis=1) / np.linalg.norm(rotation[-1])
    assert angle[121] < 0.5
    assert angle[180] < 0.999  # creeps on
    assert angle[-1] == pytest.approx(1.0)


def test_loading_and_unloading_take_different_paths() -> None:
    face = np.zeros((480, 52))
    face[:, INDEX["mouthSmileLeft"]] = np.concatenate([np.linspace(0, 1, 240), np.linspace(1, 0, 240)])
    rotation, _ = EarMotion(PEOPLE[2].left, RATE).move(face)
    angle = np.linalg.norm(rotation, axis=1)
    assert angle[360] > 1.05 * angle[119]


@pytest.mark.parametrize("seconds", [20.0, 80.0])
def test_friction_holds_the_bud_back_by_the_same_angle_however_slow(seconds: float) -> None:
    elastic = replace(PEOPLE[2].left, creep=np.zeros_like(PEOPLE[2].left.creep), friction=0.5, play=np.radians(0.03))
    half = round(0.5 * seconds * RATE)
    face = np.zeros((2 * half, 52))
    face[:, INDEX["mouthSmileLeft"]] = np.concatenate([np.linspace(0, 1, half), np.linspace(1, 0, half)])
    turns = np.degrees(EarMotion(elastic, RATE).move(face)[0])
    there, back = turns[half // 2], turns[half + half // 2]
    assert np.linalg.norm(there - back) == pytest.approx(2 * 0.5 * 0.03, rel=0.25)


def test_blocks_continue_each_other() -> None:
    rng = np.random.default_rng(0)
    face = np.cumsum(rng.normal(0.0, 0.01, (400, 52)), axis=0) ** 2
    whole = EarMotion(PEOPLE[3].right, RATE).move(face)
    motion = EarMotion(PEOPLE[3].right, RATE)
    parts = [motion.move(part) for part in np.split(face, [1, 50, 300])]
    for index in range(2):
        assert np.concatenate([part[index] for part in parts]) == pytest.approx(whole[index], abs=1e-15)


def test_the_seed_is_the_person() -> None:
    again = Participant.random(5)
    assert np.array_equal(again.left.rotation, PEOPLE[5].left.rotation)
    assert np.array_equal(again.right.shares, PEOPLE[5].right.shares)
    assert not np.array_equal(again.left.rotation, PEOPLE[6].left.rotation)
