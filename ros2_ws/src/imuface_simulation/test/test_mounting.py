"""What a bud does without the face: how it sits, settles and slips, and what swallowing and clenching do to it."""

from __future__ import annotations

import numpy as np
import pytest
from imuface_core.earphone import STANDARD_GRAVITY
from imuface_simulation import Participant, Performance, simulate
from imuface_simulation.habits import QUIET, Habits
from imuface_simulation.mounting import Mounting
from numpy.typing import NDArray

NEUTRAL = Performance(np.zeros((600, 52), np.float32))
PERSON = Participant.random(1)
HOUR = np.arange(0.0, 3600.0, 0.1)


def mounting(mount: int, session: int = 0, worn: float = 0.0) -> Mounting:
    return Mounting(np.random.default_rng(mount), np.random.default_rng(session), worn)


def up(seed: int, mount_seed: int | None = None) -> NDArray[np.float64]:
    """Mean acceleration of the left ear in g."""
    track = simulate(NEUTRAL, PERSON, 4.0, seed=seed, mount_seed=mount_seed).left
    assert track is not None
    mean: NDArray[np.float64] = track.acceleration.mean(axis=0) / STANDARD_GRAVITY
    return mean


def test_putting_the_bud_in_anew_changes_gains_and_axes_a_little() -> None:
    grips = np.array([mounting(seed).grip for seed in range(200)])
    gains = np.linalg.norm(grips, axis=1)
    assert np.log(gains).std() == pytest.approx(0.17, rel=0.15)
    assert np.median(gains) == pytest.approx(1.0, abs=0.05)
    assert 0.05 < grips[:, 0, 1].std() < 0.2


def test_a_bud_settles_by_about_a_degree_within_minutes() -> None:
    tilts = []
    for seed in range(50):
        first, later, last = mounting(seed).drift(np.array([0.0, 60.0, 119.0]))
        assert not first.any()
        tilts.append(np.degrees(np.linalg.norm(last)))
        # It slows down.
        if np.linalg.norm(last) < np.radians(1.5):
            assert np.linalg.norm(later) >= 0.4 * np.linalg.norm(last)
    assert 0.2 < np.median(tilts) < 1.5


def test_a_bud_worn_for_long_no_longer_settles() -> None:
    moved = np.ptp(mounting(3, worn=3600.0).drift(np.arange(0.0, 30.0)), axis=0)
    assert moved.max() < np.radians(0.01)


def test_a_bud_slips_rarely_and_stays_there() -> None:
    slips = []
    for session in range(20):
        drift = mounting(5, session, worn=36_000.0).drift(HOUR)
        moving = np.linalg.norm(np.diff(drift, axis=0), axis=1) > np.radians(0.02)
        slips.append(np.count_nonzero(np.diff(moving.astype(int)) == 1))
    assert 0.5 < np.mean(slips) < 5.0  # an hour


def test_time_may_come_in_pieces() -> None:
    whole = mounting(7, 8).drift(HOUR)
    pieces = mounting(7, 8)
    assert np.array_equal(np.concatenate([pieces.drift(part) for part in np.array_split(HOUR, 7)]), whole)
    habits = Habits(np.random.default_rng(2)).at(HOUR)
    again = Habits(np.random.default_rng(2))
    assert np.array_equal(np.concatenate([again.at(part) for part in np.array_split(HOUR, 7)]), habits)


def test_people_swallow_and_clench_now_and_then_but_not_during_the_calibration() -> None:
    rates = []
    for seed in range(20):
        active = Habits(np.random.default_rng(seed)).at(HOUR)
        assert active.min() == 0.0
        assert 0.3 < active.max() <= 1.0
        assert np.abs(np.diff(active, axis=0)).max() < 0.8  # no jumps within 0.1 s
        assert not active[HOUR < QUIET].any()
        rates.append(np.count_nonzero(np.diff((active > 0.0).astype(int), axis=0) == 1, axis=0) / 60.0)
    assert np.all(np.mean(rates, axis=0) > 0.3)
    assert np.max(np.sum(rates, axis=1)) < 4.0


def test_a_habit_moves_the_ear_but_not_the_face() -> None:
    calm = simulate(NEUTRAL, PERSON, 120.0, seed=4)
    assert calm.blendshapes is not None
    assert not calm.blendshapes.weights.any()
    habits = Habits(np.random.default_rng([4, 0x73657373]).spawn(5)[1]).at(np.arange(0.0, 120.0, 0.1))
    assert habits.any()
    assert calm.left is not None
    rates = calm.left.angular_velocity - np.median(calm.left.angular_velocity, axis=0)
    loudest = calm.left.stamps[np.argmax(np.linalg.norm(rates, axis=1))] * 1e-9
    assert habits[max(round(loudest * 10) - 10, 0) : round(loudest * 10) + 10].any()


class TestMountSeed:
    def test_none_follows_from_the_seed(self) -> None:
        assert np.abs(up(3) - up(3, 3)).max() < 0.03
        assert np.abs(up(3) - up(4)).max() > 0.03

    def test_sessions_of_one_mounting_share_seat_and_sensor(self) -> None:
        ups = np.array([up(seed, 9) for seed in range(8)])
        # The head's sway and what is left of the settling remain.
        assert ups.std(axis=0).max() < 0.025
        assert np.array([up(seed) for seed in range(8)]).std(axis=0).max() > 0.06

    def test_sessions_of_one_mounting_still_differ(self) -> None:
        first, second = (simulate(NEUTRAL, PERSON, 4.0, seed=seed, mount_seed=9).right for seed in (1, 2))
        assert first is not None
        assert second is not None
        assert not np.array_equal(first.angular_velocity[:100], second.angular_velocity[:100])
