"""A person's own face from their landmarks, and ARKit weights from a camera's."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from face_recon_node.head import HeadModel
from face_recon_node.head.model import Identity, spread
from face_recon_node.head.personal import PersonalFace
from face_recon_node.head.weights import fit_weights, neutral_landmarks
from imuface_core.arkit import BLENDSHAPES


@cache
def head() -> HeadModel:
    return HeadModel.load()


@cache
def child() -> HeadModel:
    return head().with_identity(Identity(age=1 / 3, gender=1.0, weight=0.2))


def faces(count: int, seed: int = 0) -> np.ndarray:
    """Weights (count, 52): every face uses a few actions, one in three rests."""
    rng = np.random.default_rng(seed)
    weights = rng.uniform(0.0, 1.0, (count, 52)) * (rng.random((count, 52)) < 0.15)
    weights[::3] = 0.0
    return weights.astype(np.float32)


def distance_mm(points: np.ndarray, others: np.ndarray) -> float:
    return float(np.linalg.norm(points - others, axis=-1).mean() * 1000.0)


def test_a_face_is_found_from_its_landmarks() -> None:
    rng = np.random.default_rng(1)
    own = PersonalFace(
        child().landmark_neutral,
        (child().landmark_deltas * rng.uniform(0.5, 1.5, (52, 1, 1))).astype(np.float32),
    )
    weights = faces(4000)
    points = own.landmarks(weights) + rng.normal(0.0, 2e-4, (4000, 51, 3))
    found = PersonalFace.fitted(head(), [weights[:1500], weights[1500:]], [points[:1500], points[1500:]])
    assert distance_mm(found.neutral, own.neutral) < 0.1
    assert distance_mm(found.deltas, own.deltas) < 0.1
    unseen = faces(200, 2)
    assert distance_mm(found.landmarks(unseen), own.landmarks(unseen)) < 0.1
    scaled = PersonalFace.of_neutral(head(), own.neutral)
    assert distance_mm(scaled.landmarks(unseen), own.landmarks(unseen)) > 0.3


def test_what_the_data_say_nothing_about_stays_the_heads() -> None:
    weights = faces(500)
    weights[:, 10:] = 0.0
    found = PersonalFace.fitted(head(), [weights], [head().landmarks(weights)])
    np.testing.assert_allclose(found.deltas, head().landmark_deltas, atol=1e-4)
    assert distance_mm(found.neutral, head().landmark_neutral) < 0.05


def test_actions_are_scaled_with_the_size_of_the_face() -> None:
    neutral = head().landmark_neutral * 0.8
    face = PersonalFace.of_neutral(head(), neutral)
    np.testing.assert_allclose(face.neutral, neutral)
    np.testing.assert_allclose(face.deltas, 0.8 * head().landmark_deltas, rtol=1e-5, atol=1e-8)
    assert spread(face.neutral) == pytest.approx(0.8 * spread(head().landmark_neutral))


def test_landmarks_of_one_face_and_of_many() -> None:
    face = PersonalFace.of_neutral(head(), head().landmark_neutral)
    weights = faces(5)
    many = face.landmarks(weights)
    assert many.shape == (5, 51, 3)
    assert many.dtype == np.float32
    np.testing.assert_allclose(face.landmarks(weights[1]), many[1], atol=1e-8)
    np.testing.assert_array_equal(face.landmarks(np.zeros(52)), face.neutral)
    np.testing.assert_allclose(many, head().landmarks(weights), atol=1e-6)


def test_the_neutral_face_is_the_commonest_one() -> None:
    points = child().landmarks(faces(600)) + np.random.default_rng(3).normal(0.0, 2e-4, (600, 51, 3))
    # One face in three rests, and an open mouth is held for a while.
    points[:60] = child().landmarks(np.eye(52)[BLENDSHAPES.index("jawOpen")])
    assert distance_mm(neutral_landmarks(points), child().landmark_neutral) < 0.15


def test_weights_of_the_heads_own_landmarks_are_found() -> None:
    actions = [BLENDSHAPES.index(name) for name in ("jawOpen", "mouthPucker", "browInnerUp", "eyeBlinkLeft")]
    weights = np.zeros((300, 52), np.float32)
    weights[200:, actions] = np.random.default_rng(4).uniform(0.0, 1.0, (100, 4))
    found = fit_weights(head(), head().landmarks(weights))
    assert found.dtype == np.float32
    assert ((found >= 0.0) & (found <= 1.0)).all()
    assert np.abs(found[:200]).max() < 0.02
    resting = np.broadcast_to(head().landmark_neutral, (100, 51, 3))
    moved = head().landmarks(weights[200:])
    assert distance_mm(head().landmarks(found[200:]), moved) < 0.2 * distance_mm(resting, moved)
    for action in actions[:2]:
        assert np.corrcoef(found[200:, action], weights[200:, action])[0, 1] > 0.9


def test_weights_of_another_head_bring_ours_near_to_it() -> None:
    weights = faces(300, 5)
    points = child().landmarks(weights)
    found = fit_weights(head(), points)
    face = PersonalFace.of_neutral(head(), neutral_landmarks(points))
    left = distance_mm(face.landmarks(found), points)
    assert left < 0.3 * distance_mm(np.broadcast_to(face.neutral, points.shape), points)
