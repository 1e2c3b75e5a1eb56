"""Where earphones are on heads."""

from __future__ import annotations

import numpy as np
import pytest
from face_recon_node.head import HeadModel, Identity
from face_recon_node.head.ears import earphones

HEAD = HeadModel.load()


@pytest.mark.parametrize("age", [0.0, 0.5, 1.0])
def test_they_are_on_the_outside_of_the_ears(age: float) -> None:
    vertices = HEAD.with_identity(Identity(age=age)).neutral
    left, right = earphones(vertices)
    np.testing.assert_allclose(left, right * (1.0, -1.0, 1.0), atol=1e-3)
    size = np.ptp(vertices, axis=0)
    # Behind and below the sellion, in the middle of the head, further out than the cheekbones.
    assert -0.6 * size[0] < left[0] < -0.4 * size[0]
    assert -0.12 * size[2] < left[2] < 0.0
    assert 0.4 * size[1] < left[1] < 0.5 * size[1]
    # Where the ear is: within half a centimetre of the skin.
    assert np.linalg.norm(vertices - left, axis=1).min() < 0.01


def test_a_head_that_is_not_symmetric_has_two_different_ears() -> None:
    skewed = HEAD.neutral * np.where(HEAD.neutral[:, 1:2] > 0, 1.1, 1.0)
    left, right = earphones(skewed)
    assert left[1] == pytest.approx(-1.1 * right[1], rel=1e-3)
