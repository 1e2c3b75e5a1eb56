"""From motion to samples: the kinematics are right, and live and offline sessions are the same."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from imuface_core.earphone import STANDARD_GRAVITY
from imuface_core.recording import ImuTrack
from imuface_simulation import ACTIVITIES, Participant, Performance, SimulatedEarphones, simulate
from imuface_simulation.earphones import kinematics
from scipy.spatial.transform import Rotation

NEUTRAL = Performance(np.zeros((600, 52), np.float32))
PERSON = Participant.random(1)
RATE = 120.0


class TestKinematics:
    def test_at_rest_gravity_points_up_in_the_body_frame(self) -> None:
        tilted = Rotation.from_euler("xyz", [20.0, -30.0, 80.0], degrees=True)
        motion = kinematics(Rotation.concatenate([tilted] * 5), np.ones((5, 3)), RATE)
        assert motion[:, :3] == pytest.approx(np.tile(tilted.inv().apply([0, 0, STANDARD_GRAVITY]), (3, 1)))
        assert motion[:, 3:] == pytest.approx(np.zeros((3, 3)))

    def test_a_turntable_gives_its_rate_and_the_centripetal_acceleration(self) -> None:
        omega, radius = 2.0, 0.1
        times = np.arange(100) / RATE
        turning = Rotation.from_rotvec(np.outer(omega * times, [0, 0, 1]))
        motion = kinematics(turning, turning.apply([radius, 0, 0]), RATE)
        expected = [-(omega**2) * radius, 0.0, STANDARD_GRAVITY, 0.0, 0.0, omega]
        assert motion == pytest.approx(np.tile(expected, (98, 1)), abs=1e-4)

    def test_the_gyroscope_integrates_to_the_orientation(self) -> None:
        times = np.arange(0.0, 10.0, 1.0 / RATE)
        path = 0.3 * np.stack([np.sin(1.3 * times), np.cos(2.1 * times), np.sin(0.7 * times + 1.0)], axis=1)
        orientation = Rotation.from_rotvec(path)
        rates = kinematics(orientation, np.zeros((len(times), 3)), RATE)[:, 3:]
        integrated = orientation[1]
        for first, second in itertools.pairwise(rates):
            integrated = integrated * Rotation.from_rotvec(0.5 * (first + second) / RATE)
        assert np.degrees((integrated.inv() * orientation[-2]).magnitude()) < 0.02


class TestSessions:
    def test_a_still_neutral_face_feels_gravity(self) -> None:
        for seed in range(5):
            recording = simulate(NEUTRAL, PERSON, 10.0, seed=seed)
            for track in (recording.left, recording.right):
                assert track is not None
                # Zero-g offset and sensitivity error of the datasheet, 40 mg and 1 %, leave this much doubt.
                assert np.linalg.norm(track.acceleration.mean(axis=0)) == pytest.approx(STANDARD_GRAVITY, rel=0.08)
                assert np.abs(track.angular_velocity).max() < np.radians(12.0)

    def test_the_buds_sit_mirrored_upright_and_never_twice_alike(self) -> None:
        def up(track: ImuTrack | None) -> np.ndarray:
            assert track is not None
            return track.acceleration.mean(axis=0) / STANDARD_GRAVITY

        recordings = [simulate(NEUTRAL, PERSON, 4.0, seed=seed) for seed in range(20)]
        for ups in (np.array([up(r.left) for r in recordings]), np.array([up(r.right) for r in recordings])):
            assert ups[:, 2].mean() > 0.9
            assert 0.05 < ups[:, :2].std() < 0.4

    def test_the_gyroscope_predicts_where_the_accelerometer_finds_gravity(self) -> None:
        recording = simulate(NEUTRAL, PERSON, 30.0, seed=2, activity="nodding")
        track = recording.left
        assert track is not None
        rates = track.angular_velocity - track.angular_velocity.mean(axis=0)
        steps = np.diff(track.stamps) * 1e-9
        down = track.acceleration[:3].mean(axis=0)
        orientation, predicted = Rotation.identity(), [down]
        for i, step in enumerate(steps):
            orientation = orientation * Rotation.from_rotvec(0.5 * (rates[i] + rates[i + 1]) * step)
            predicted.append(orientation.inv().apply(down))
        moved = np.linalg.norm(track.acceleration - down, axis=1)
        missed = np.linalg.norm(track.acceleration - np.array(predicted), axis=1)
        assert np.sqrt(np.mean(moved**2)) > 0.2
        assert np.sqrt(np.mean(missed**2)) < 0.5 * np.sqrt(np.mean(moved**2))

    @pytest.mark.parametrize(("quiet", "loud"), [("still", "nodding"), ("nodding", "walking")])
    def test_activities_are_told_apart_by_their_motion(self, quiet: str, loud: str) -> None:
        def energy(activity: str) -> float:
            track = simulate(NEUTRAL, PERSON, 60.0, seed=3, activity=activity).left
            assert track is not None
            return float(track.acceleration.std(axis=0).sum())

        assert energy(loud) > 1.5 * energy(quiet)

    def test_the_face_is_in_the_samples(self) -> None:
        face = np.zeros((1200, 52), np.float32)
        face[:, 17] = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(1200) / 60.0)  # the jaw opens once a second
        moving = simulate(Performance(face), PERSON, 20.0, seed=1).left
        quiet = simulate(NEUTRAL, PERSON, 20.0, seed=1).left
        assert moving is not None
        assert quiet is not None
        # Same seed, same head, same noise: what differs is the face, at 1 Hz and its harmonics.
        difference = np.linalg.norm(moving.angular_velocity - quiet.angular_velocity, axis=1)
        assert np.degrees(difference.max()) > 0.5
        assert np.degrees(difference.max()) < 60.0

    @pytest.mark.parametrize("activity", ACTIVITIES)
    def test_live_equals_offline(self, activity: str) -> None:
        performance = Performance.natural(2, 30.0)
        recording = simulate(performance, PERSON, 12.0, seed=9, activity=activity, start_ns=5_000)
        live = itertools.takewhile(
            lambda event: event[0] < 12.0, SimulatedEarphones(performance, PERSON, seed=9, activity=activity).samples()
        )
        events = list(live)
        times = [time for time, _ in events]
        assert times == sorted(times)
        for ear, track in (("left", recording.left), ("right", recording.right)):
            assert track is not None
            own = [(time, sample) for time, sample in events if sample.ear == ear]
            assert [sample.sequence for _, sample in own] == list(range(len(own)))
            assert np.array_equal(track.stamps, 5_000 + np.rint([time * 1e9 for time, _ in own]).astype(np.int64))
            # The blocks differ, hence the last digit before rounding.
            acceleration = np.array([sample.acceleration for _, sample in own])
            angular_velocity = np.array([sample.angular_velocity for _, sample in own])
            assert np.mean(acceleration == track.acceleration) > 0.999
            assert track.acceleration == pytest.approx(acceleration, abs=1.3e-3)
            assert track.angular_velocity == pytest.approx(angular_velocity, abs=3.1e-4)

    def test_truth_is_the_performance_at_the_left_ear(self) -> None:
        performance = Performance.natural(4, 20.0)
        recording = simulate(performance, PERSON, 15.0, start_ns=10**18)
        assert recording.left is not None
        assert recording.blendshapes is not None
        assert np.array_equal(recording.blendshapes.stamps, recording.left.stamps)
        expected = performance.weights((recording.left.stamps - 10**18) * 1e-9)
        assert np.array_equal(recording.blendshapes.weights, expected)
        assert recording.landmarks is None

    def test_the_seed_decides(self) -> None:
        def samples(seed: int) -> np.ndarray:
            track = simulate(NEUTRAL, PERSON, 5.0, seed=seed).right
            assert track is not None
            return track.acceleration

        assert np.array_equal(samples(3), samples(3))
        assert not np.array_equal(samples(3)[:100], samples(4)[:100])

    @pytest.mark.parametrize("rate", [10.0, 50.0, 104.0])
    def test_the_rate_is_what_was_asked_for(self, rate: float) -> None:
        recording = simulate(NEUTRAL, PERSON, 6.0, rate=rate)
        for track in (recording.left, recording.right):
            assert track is not None
            assert len(track.stamps) == pytest.approx(6.0 * rate, abs=1)
            assert np.diff(track.stamps).min() > 0.8e9 / rate

    @pytest.mark.parametrize(
        ("arguments", "reason"),
        [
            ({"rate": 0.0}, "rate is 0.0 Hz, must be 10 to 208"),
            ({"rate": float("nan")}, "rate is nan Hz"),
            ({"activity": "flying"}, "activity is 'flying', must be one of still, nodding"),
            ({"duration": 0.0}, "duration is 0.0 s"),
            ({"duration": float("nan")}, "duration is nan s"),
        ],
    )
    def test_refuses_the_impossible(self, arguments: dict, reason: str) -> None:
        with pytest.raises(ValueError, match=reason):
            simulate(NEUTRAL, PERSON, **{"duration": 1.0, **arguments})
