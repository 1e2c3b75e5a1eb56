"""Pictures of faces."""

from __future__ import annotations

import time

import numpy as np
import pytest
from face_recon_node.head import HeadModel
from face_recon_node.head.render import BACKGROUND, LANDMARK, VIEW_CENTRE_BELOW_SELLION, VIEW_HEIGHT, render_face, seen
from imuface_core.arkit import INDEX

HEAD = HeadModel.load()


def test_a_face_fills_the_middle_of_the_picture_in_time() -> None:
    start = time.process_time()
    picture = render_face(HEAD.neutral, HEAD.triangles, (240, 300))
    assert time.process_time() - start < 1.0
    assert picture.shape == (300, 240, 3)
    assert picture.dtype == np.uint8
    face = np.any(picture != BACKGROUND, axis=2)
    assert 0.35 < face.mean() < 0.7
    assert face[150, 120]
    assert not face[0].any()
    assert not face[:, 0].any()


def test_left_is_right_in_the_picture_and_lit_surfaces_differ() -> None:
    weights = np.zeros(52)
    weights[INDEX["mouthSmileLeft"]] = 1.0
    difference = np.abs(
        render_face(HEAD.vertices(weights), HEAD.triangles, (240, 300)).astype(int)
        - render_face(HEAD.neutral, HEAD.triangles, (240, 300)).astype(int)
    ).sum(axis=2)
    assert difference[:, 120:].sum() > 3 * difference[:, :120].sum()


def test_landmarks_are_drawn_where_they_are() -> None:
    sellion = np.zeros((1, 3))
    picture = render_face(HEAD.neutral, HEAD.triangles, (240, 300), sellion)
    row = round(150 - VIEW_CENTRE_BELOW_SELLION * 300 / VIEW_HEIGHT)
    assert np.abs(picture[row, 120].astype(int) - LANDMARK).max() < 30


def test_the_nearer_triangle_hides_the_other() -> None:
    square = np.array([[0, -1, -1], [0, 1, -1], [0, 1, 1], [0, -1, 1]]) * 0.05
    vertices = np.vstack([square, square + np.array([0.02, 0, 0])])
    triangles = np.array([[0, 1, 2], [0, 2, 3], [4, 5, 6], [4, 6, 7]])
    colors = np.repeat(np.array([[255, 0, 0], [0, 0, 255]], np.uint8), 4, axis=0)
    middle = render_face(vertices, triangles, (60, 60), colors=colors)[30, 30]
    assert middle[2] > middle[0]
    # From behind, the backs of both are not drawn.
    assert tuple(render_face(vertices, triangles, (60, 60), colors=colors, yaw=180.0)[30, 30]) == BACKGROUND


def test_turning_the_head_to_its_left_moves_the_nose_to_the_right_of_the_picture() -> None:
    tip = HEAD.landmark_neutral[13:14]
    dots = [np.all(render_face(HEAD.neutral, HEAD.triangles, (240, 300), tip, yaw=y) == LANDMARK, 2) for y in (0, 40)]
    columns = [np.flatnonzero(dot.any(axis=0)).mean() for dot in dots]
    assert columns[1] > columns[0] + 20


def test_broken_input_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected \(V, 3\) vertices"):
        render_face(HEAD.neutral[:, :2], HEAD.triangles)
    with pytest.raises(ValueError, match="not finite"):
        render_face(np.full_like(HEAD.neutral, np.nan), HEAD.triangles)


def test_from_the_front_the_face_is_seen_and_the_back_of_the_head_is_not() -> None:
    front, back = (seen(HEAD.neutral, HEAD.triangles, (yaw,)) for yaw in (0.0, 180.0))
    assert front[HEAD.landmark_indices].mean() > 0.95
    assert not back[HEAD.landmark_indices].any()
    assert not front[HEAD.neutral[:, 0] < -0.19].any()
    assert back[HEAD.neutral[:, 0] < -0.2].all()
