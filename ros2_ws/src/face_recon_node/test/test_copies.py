"""Copies of a person's data: other seats, other faces on another sway, a head that moves."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from face_recon_node.head import HeadModel
from face_recon_node.tracking import EarResponse, facial_response
from face_recon_node.training import copies
from face_recon_node.training.copies import remix, reseated
from face_recon_node.training.population import SimulatedSession
from face_recon_node.training.stretch import Stretch, prepare


@cache
def session() -> Stretch:
    (stretch,) = prepare(SimulatedSession(12, 0.75, "still", lose_ear=False).record())
    return stretch


@cache
def response() -> EarResponse:
    return facial_response([session()], HeadModel.load().landmark_deltas)


def resting(monkeypatch: pytest.MonkeyPatch, activity: str) -> None:
    """Copies in which only this differs."""
    monkeypatch.setattr(copies, "MOVING", {activity: 1.0})
    monkeypatch.setattr(copies, "SPEED", 0.0)
    monkeypatch.setattr(copies, "EXPRESSION", 0.0)


def test_a_new_seat_keeps_shapes_and_silences() -> None:
    present = session().present.copy()
    present[200:300, 1] = False
    silent = replace(session(), present=present, readings=session().readings * np.repeat(present, 6, axis=1))
    for seed in range(4):
        moved = reseated(silent, np.random.default_rng(seed))
        assert moved.readings.shape == silent.readings.shape
        assert moved.readings.dtype == moved.features.dtype == np.float32
        assert moved.features.shape == silent.features.shape
        assert np.isfinite(moved.features).all()
        assert not (moved.present & ~silent.present).any()
        assert not moved.readings[np.repeat(~moved.present, 6, axis=1)].any()
        np.testing.assert_array_equal(moved.weights, silent.weights)
        assert np.abs(moved.readings - silent.readings).max() > 1e-3
    again = reseated(silent, np.random.default_rng(3))
    np.testing.assert_array_equal(again.features, moved.features)


def test_each_half_of_the_faces_comes_on_the_other_halfs_sway(monkeypatch: pytest.MonkeyPatch) -> None:
    resting(monkeypatch, "")
    first, second = remix(session(), response(), np.random.default_rng(0))
    rest = session().readings - response().readings(session().weights)
    count, cut = len(first), len(session()) - len(second) - 1
    np.testing.assert_allclose(first.weights, session().weights[:count], atol=1e-6)
    assert count == min(cut, len(session()) - cut) - (cut <= len(session()) - cut)
    sway = first.readings - response().readings(first.weights)
    np.testing.assert_allclose(sway, rest[-len(rest) + cut :][:count] if cut else rest[:count], atol=1e-4)
    assert first.landmarks is None


def test_faces_are_varied_and_stay_within_their_range() -> None:
    for seed in range(5):
        for copy in remix(session(), response(), np.random.default_rng(seed)):
            assert 0.0 <= copy.weights.min() <= copy.weights.max() <= 1.0
            assert len(copy) == len(copy.readings) == len(copy.features) == len(copy.weights)
            assert np.isfinite(copy.features).all()


def test_a_walking_head_carries_both_ears(monkeypatch: pytest.MonkeyPatch) -> None:
    resting(monkeypatch, "")
    still, _ = remix(session(), response(), np.random.default_rng(1))
    resting(monkeypatch, "walking")
    walking, _ = remix(session(), response(), np.random.default_rng(1))
    added = walking.readings - still.readings
    assert added[:, 2].std() > 0.5  # m/s², up and down
    # The ears do it together: their vertical accelerations agree, and so do the sizes of their turns.
    assert np.corrcoef(added[:, 2], added[:, 8])[0, 1] > 0.9
    left, right = np.linalg.norm(added[:, 3:6], axis=1), np.linalg.norm(added[:, 9:12], axis=1)
    np.testing.assert_allclose(left, right, rtol=1e-3, atol=1e-4)
    assert np.abs(added.mean(axis=0)[[2, 8]]).max() < 0.3  # without gravity


def test_the_turn_between_the_ears_is_found_from_what_they_share() -> None:
    rng = np.random.default_rng(0)
    turning = rng.normal(0.0, 0.1, (500, 3))
    angle = 2.8
    cosine, sine = np.cos(-angle), np.sin(-angle)
    right = np.stack(
        (cosine * turning[:, 0] - sine * turning[:, 1], sine * turning[:, 0] + cosine * turning[:, 1]), axis=1
    )
    sway = np.zeros((500, 12), np.float32)
    sway[:, 3:6], sway[:, 9:11] = turning, right
    assert copies._turn_between_ears(sway) == pytest.approx(angle, abs=1e-3)


def test_a_lost_ear_is_not_remixed() -> None:
    present = session().present.copy()
    present[5, 0] = False
    assert remix(replace(session(), present=present), response(), np.random.default_rng(0)) == []


def test_copies_lose_an_ear_for_a_while_or_throughout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "LOST", 1.0)
    shares = [reseated(session(), np.random.default_rng(seed)).present.mean(axis=0) for seed in range(12)]
    assert all((share == 1.0).sum() == 1 for share in shares)
    assert any((share == 0.0).any() for share in shares)
    assert any(((share > 0.0) & (share < 1.0)).any() for share in shares)
