"""A person's ears as a linear system: learned, tracked, kept in a file; on ears that are linear, and known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest
from face_recon_node.head import HeadModel
from face_recon_node.tracking import Mechanics, Tracker, facial_response, learn, tracker
from face_recon_node.tracking.mechanics import EARS_SEEN
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from imuface_driver.arkit import BLENDSHAPES
from imuface_driver.protocol import STANDARD_GRAVITY
from scipy.signal import lfilter

ACTIONS = [
    BLENDSHAPES.index(name)
    for name in ("jawOpen", "mouthPucker", "mouthSmileLeft", "mouthSmileRight", "browInnerUp", "noseSneerLeft")
]


@dataclass(frozen=True)
class Session:
    """What the mechanics are learned from."""

    readings: np.ndarray
    present: np.ndarray
    weights: np.ndarray

    def __getitem__(self, rows: slice) -> Session:
        return Session(self.readings[rows], self.present[rows], self.weights[rows])


def smooth(rng: np.random.Generator, rows: int, columns: int, time: float) -> np.ndarray:
    """Noise of unit variance that keeps its value for about ``time`` frames."""
    kept = np.exp(-1.0 / time)
    noise = rng.normal(size=(rows + round(5 * time), columns))
    return lfilter([np.sqrt(1.0 - kept**2)], [1.0, -kept], noise, axis=0)[-rows:]


def rigid(turns: np.ndarray, shifts: np.ndarray) -> np.ndarray:
    """Calibrated readings (n, 6) of an upright ear that turns (rad) and shifts (m) a little."""
    acceleration = 900.0 * (np.roll(shifts, -1, axis=0) - 2.0 * shifts + np.roll(shifts, 1, axis=0))
    acceleration[[0, -1]] = 0.0
    acceleration[:, 0] -= STANDARD_GRAVITY * turns[:, 1]
    acceleration[:, 1] += STANDARD_GRAVITY * turns[:, 0]
    return np.concatenate((acceleration, 30.0 * np.gradient(turns, axis=0)), axis=1)


def linear_ears(seconds: float, seed: int, jerks: bool = False) -> Session:
    """Six actions turn the ears linearly, those of one person whatever the seed, on a head that sways much more."""
    rng, person = np.random.default_rng(seed), np.random.default_rng(99)
    frames = round(30 * seconds)
    weights = np.zeros((frames, 52), np.float32)
    faces = lfilter([0.1], [1.0, -0.9], smooth(rng, frames, len(ACTIONS), 15.0), axis=0)
    weights[:, ACTIONS] = np.clip(0.4 + 0.3 * faces, 0.0, 1.0)
    sway = 0.01 * np.cumsum(smooth(rng, frames, 3, 20.0), axis=0) / 30.0
    sway -= np.linspace(0.0, 1.0, frames)[:, None] * sway[-1:] if frames else 0.0
    late = np.concatenate((weights[:1, ACTIONS], weights[:-1, ACTIONS]))
    ears = []
    for _ in range(2):
        turned, shifted = person.normal(size=(2, len(ACTIONS), 3))
        turns = 0.1 * late @ turned + sway
        ears.append(rigid(turns, 3e-4 * late @ shifted) if frames > 1 else np.zeros((frames, 6)))
    readings = np.concatenate(ears, axis=1) + rng.normal(0.0, 2e-3, (frames, 12))
    if jerks:
        for begin in rng.integers(0, frames - 15, frames // 300):
            readings[begin : begin + 15] += rng.normal(0.0, 1.0, 12)
    return Session(readings.astype(np.float32), np.ones((frames, 2), bool), weights)


@cache
def deltas() -> np.ndarray:
    return HeadModel.load().landmark_deltas


@cache
def mechanics() -> Mechanics:
    return learn([linear_ears(90.0, 0)], deltas())


@cache
def unseen() -> Session:
    return linear_ears(40.0, 1)


def error(weights: np.ndarray, truth: np.ndarray) -> float:
    """Root mean square of the actions that move."""
    return float(np.sqrt(np.square(weights - truth)[:, ACTIONS].mean()))


def seen_by(session: Session, left: bool, right: bool) -> Session:
    present = np.tile([left, right], (len(session.present), 1))
    return replace(session, present=present, readings=session.readings * np.repeat(present, 6, axis=1))


def test_the_response_of_rigid_ears_is_found_whatever_jerks() -> None:
    quiet = replace(unseen(), readings=linear_ears(40.0, 1).readings)
    for jerks in (False, True):
        response = facial_response([linear_ears(60.0, 0, jerks)], deltas())
        change = np.diff(quiet.readings, axis=0)
        missed = np.diff(quiet.readings - response.readings(quiet.weights), axis=0)
        explained = 1.0 - missed.var(axis=0) / change.var(axis=0)
        assert np.median(explained) > 0.9
    assert not response.readings(np.zeros((5, 52))).any()


def test_an_unquiet_head_is_not_taken_for_a_face(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    shaken = unseen().readings + 0.5 * np.tile(smooth(rng, len(unseen().readings), 6, 3.0), 2)
    quiet, trusted = Tracker(mechanics()).push(unseen().readings, unseen().present)
    tracked, deviations = Tracker(mechanics()).push(shaken, unseen().present)
    monkeypatch.setattr(tracker, "MAX_SURPRISE", 1.0)
    believed, _ = Tracker(mechanics()).push(shaken, unseen().present)
    truth, settled = unseen().weights, slice(300, None)
    assert (
        error(quiet, truth) < error(tracked[settled], truth[settled]) < 0.7 * error(believed[settled], truth[settled])
    )
    assert deviations[settled].mean() > trusted[settled].mean()


def test_the_face_is_seen_through_the_sway() -> None:
    tracked, deviations = Tracker(mechanics()).push(unseen().readings, unseen().present)
    assert tracked.shape == deviations.shape == (1200, 52)
    settled = slice(150, None)
    mean = np.broadcast_to(mechanics().mean, tracked.shape)
    found = error(tracked[settled], unseen().weights[settled])
    assert found < 0.7 * error(mean, unseen().weights)
    # What it says about its error comes from frames that it was not learned from.
    said = np.sqrt(np.square(deviations[settled][:, ACTIONS]).mean())
    assert 0.7 * found < said < 1.5 * found


@pytest.mark.parametrize("ear", ["left", "right"])
def test_one_ear_sees_less_than_two_and_more_than_none(ear: str) -> None:
    both, _ = Tracker(mechanics()).push(unseen().readings, unseen().present)
    alone = seen_by(unseen(), ear == "left", ear == "right")
    one, deviations = Tracker(mechanics()).push(alone.readings, alone.present)
    mean = np.broadcast_to(mechanics().mean, one.shape)
    truth = unseen().weights
    assert error(both, truth) < error(one, truth) < error(mean, truth)
    np.testing.assert_array_equal(deviations[0], mechanics().systems[ear].weights_std.astype(np.float32))


def test_a_lost_ear_leaves_the_face_as_it_was_and_the_other_goes_on() -> None:
    lost = np.ones((1200, 2), bool)
    lost[600:, 0] = False
    tracked, deviations = Tracker(mechanics()).push(unseen().readings, lost)
    whole, _ = Tracker(mechanics()).push(unseen().readings, unseen().present)
    np.testing.assert_array_equal(tracked[:600], whole[:600])
    steps = np.abs(np.diff(tracked, axis=0)).max(axis=1)
    assert steps[599] < 2.0 * steps[150:600].max()
    truth = unseen().weights[600:]
    assert error(tracked[600:], truth) < 0.97 * error(np.broadcast_to(mechanics().mean, truth.shape), truth)
    assert deviations[600:].mean() > deviations[:600].mean()


def test_without_ears_the_face_relaxes_to_the_persons_mean() -> None:
    tracker = Tracker(mechanics())
    tracker.push(unseen().readings[:300], unseen().present[:300])
    tracked, deviations = tracker.push(np.zeros((3000, 12)), np.zeros((3000, 2), bool))
    assert error(tracked[:1], unseen().weights[299:300]) < error(tracked[-1:], unseen().weights[299:300])
    np.testing.assert_allclose(tracked[-1], mechanics().mean, atol=1e-3)
    np.testing.assert_allclose(deviations[-1], mechanics().weights_std, rtol=1e-6)


def test_a_face_that_only_grew_relaxes_too() -> None:
    session = linear_ears(20.0, 3)
    growing = np.exp(np.linspace(-4.0, 0.0, len(session.weights)))[:, None]
    grown = replace(session, weights=session.weights * growing, readings=session.readings * (1.0 + growing))
    found = learn([grown], deltas())
    tracker = Tracker(found)
    tracker.push(grown.readings, grown.present)
    tracked, _ = tracker.push(np.zeros((6000, 12)), np.zeros((6000, 2), bool))
    assert np.abs(tracked[-1] - found.mean).max() < 0.3 + np.abs(tracked[0] - found.mean).max()


def test_frame_by_frame_equals_all_at_once() -> None:
    session = unseen()[:400]
    present = session.present.copy()
    present[100:200, 0] = present[150:260, 1] = False
    whole = Tracker(mechanics()).push(session.readings, present)
    tracker = Tracker(mechanics())
    frames = [tracker.push(session.readings[row : row + 1], present[row : row + 1]) for row in range(400)]
    for index in range(2):
        np.testing.assert_array_equal(np.concatenate([frame[index] for frame in frames]), whole[index])


@settings(max_examples=25, deadline=None)
@given(
    readings=arrays.arrays(np.float64, (40, 12), elements=st.floats(allow_nan=False, allow_infinity=False)),
    present=arrays.arrays(np.bool_, (40, 2)),
)
def test_finite_readings_give_finite_faces(readings: np.ndarray, present: np.ndarray) -> None:
    tracker = Tracker(mechanics())
    for values in tracker.push(readings, present):
        assert np.isfinite(values).all()
    after, _ = tracker.push(np.zeros((300, 12)), np.ones((300, 2), bool))
    assert np.isfinite(after).all()


def test_frames_without_both_ears_are_left_out() -> None:
    session = linear_ears(60.0, 0)
    present = session.present.copy()
    present[900:, 1] = False
    wrong = session.weights.copy()
    wrong[900:] = 1.0
    found = learn([replace(session, present=present, weights=wrong)], deltas())
    np.testing.assert_allclose(found.mean, session.weights[:900].mean(axis=0), atol=1e-6)


@pytest.mark.parametrize("seconds", [0.0, 3.0, 9.0])
def test_too_little_data_is_refused(seconds: float) -> None:
    sessions = [linear_ears(seconds, 0)] if seconds else []
    with pytest.raises(ValueError, match="less than 10 s with both ears and the true face: record for longer"):
        learn(sessions, deltas())


def test_errors_that_were_assessed_before_are_taken_over() -> None:
    found = learn([linear_ears(20.0, 5)], deltas(), mechanics())
    for name in EARS_SEEN:
        np.testing.assert_array_equal(found.systems[name].weights_std, mechanics().systems[name].weights_std)


def test_mechanics_survive_a_file() -> None:
    again = Mechanics.from_dict(mechanics().to_dict())
    expected, _ = Tracker(mechanics()).push(unseen().readings[:300], unseen().present[:300])
    got, _ = Tracker(again).push(unseen().readings[:300], unseen().present[:300])
    np.testing.assert_allclose(got, expected, atol=1e-3)


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_damaged_mechanics_are_refused_by_name(
    damage_one: Callable[[st.DataObject, dict], str], data: st.DataObject
) -> None:
    content = mechanics().to_dict()
    name = damage_one(data, content)
    with pytest.raises(ValueError, match=f"lack a finite {name} of shape"):
        Mechanics.from_dict(content)


def test_mechanics_without_noise_are_refused() -> None:
    content = mechanics().to_dict()
    for name in ("left.noise", "left.spread"):
        content[name] = np.zeros_like(content[name])
    with pytest.raises(ValueError, match="lack noise"):
        Mechanics.from_dict(content)
