"""The paper's frame against the face frame."""

from __future__ import annotations

import numpy as np
import pytest
from face_recon_node.head import HeadModel
from face_recon_node.head.frames import (
    LEFT_EYE_OUTER_CORNER,
    NOSE_TIP,
    RIGHT_EYE_OUTER_CORNER,
    from_paper_frame,
    paper_frame,
    to_paper_frame,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from imuface_core.arkit import INDEX

HEAD = HeadModel.load()
NEUTRAL = HEAD.landmark_neutral


def test_origin_axes_and_unit() -> None:
    points = to_paper_frame(NEUTRAL, NEUTRAL)
    np.testing.assert_allclose(points[NOSE_TIP], 0.0, atol=1e-9)
    eyes = points[LEFT_EYE_OUTER_CORNER] - points[RIGHT_EYE_OUTER_CORNER]
    width = float(1e3 * np.linalg.norm(NEUTRAL[LEFT_EYE_OUTER_CORNER] - NEUTRAL[RIGHT_EYE_OUTER_CORNER]))
    np.testing.assert_allclose(eyes, [width, 0, 0], atol=1e-4)
    assert points[LEFT_EYE_OUTER_CORNER, 1] > 20  # eyes above the nose tip
    assert points[LEFT_EYE_OUTER_CORNER, 2] < -20  # and behind it


def test_the_frame_is_right_handed_and_keeps_lengths() -> None:
    rotation, _ = paper_frame(NEUTRAL)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(rotation) == pytest.approx(1.0)


def test_motion_of_the_nose_remains() -> None:
    """The frame is that of the neutral face: a face that moves its nose does not drag the frame along."""
    weights = np.zeros(52)
    weights[[INDEX["noseSneerLeft"], INDEX["noseSneerRight"]]] = 1.0
    face = HEAD.landmarks(weights)
    moved = to_paper_frame(face, NEUTRAL) - to_paper_frame(NEUTRAL, NEUTRAL)
    np.testing.assert_allclose(np.linalg.norm(moved, axis=1), 1e3 * np.linalg.norm(face - NEUTRAL, axis=1), atol=1e-4)


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_there_and_back(seed: int) -> None:
    points = np.random.default_rng(seed).normal(0, 0.1, (4, 51, 3))
    np.testing.assert_allclose(from_paper_frame(to_paper_frame(points, NEUTRAL), NEUTRAL), points, atol=1e-12)


def test_a_face_without_an_eye_axis_is_refused() -> None:
    with pytest.raises(ValueError, match="axis along the eyes"):
        paper_frame(np.zeros((51, 3)))
