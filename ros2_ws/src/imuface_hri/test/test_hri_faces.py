"""Our faces in the terms of hri_msgs."""

from __future__ import annotations

import numpy as np
import pytest
from face_recon_node.head import HeadModel
from hypothesis import given, settings
from hypothesis import strategies as st
from imuface_core.arkit import INDEX
from imuface_hri.faces import LANDMARKS, UNITS, facs, pictured


def test_the_face_is_seen_from_the_front() -> None:
    found = pictured(HeadModel.load().landmark_neutral, np.zeros(51))
    assert found.shape == (LANDMARKS, 3)
    assert np.all((found[17:] > 0.0) & (found[17:] <= 1.0))
    # The person's right is on the left of the picture, and the brows are above the eyes, these above the mouth.
    assert found[36, 0] < found[30, 0] < found[45, 0]
    assert found[19, 1] < found[37, 1] < found[30, 1] < found[51, 1] < found[57, 1]
    assert found[68, :2] == pytest.approx(found[36:42, :2].mean(axis=0))
    assert found[27, :2] == pytest.approx([0.5, 0.35], abs=0.05)
    assert not found[:17].any()  # the jaw's outline: nothing is known of it
    assert found[17:, 2].tolist() == [1.0] * 53


def test_confidence_falls_with_the_deviation() -> None:
    points = HeadModel.load().landmark_neutral
    sure, unsure, lost = (pictured(points, np.full(51, std))[30, 2] for std in (0.0, 3e-3, 1.0))
    assert (sure, unsure) == (1.0, pytest.approx(0.5))
    assert lost < 1e-3


def test_action_units_by_their_number() -> None:
    weights, std = np.zeros(52), np.full(52, 0.2)
    weights[[INDEX["mouthSmileLeft"], INDEX["mouthSmileRight"], INDEX["jawOpen"]]] = 1.0, 0.5, 0.25
    intensity, confidence = facs(weights, std)
    assert intensity.shape == confidence.shape == (UNITS,)
    assert (intensity[12], intensity[26]) == (0.75, 0.25)
    assert np.count_nonzero(intensity) == 2
    assert confidence[12] == pytest.approx(0.5)
    assert confidence[27] == 0.0  # not told


@settings(deadline=None)
@given(seed=st.integers(0, 10_000), size=st.floats(0.0, 1e6))
def test_anything_finite_stays_within_bounds(seed: int, size: float) -> None:
    rng = np.random.default_rng(seed)
    found = pictured(rng.normal(0.0, size, (51, 3)), np.abs(rng.normal(0.0, size, 51)))
    units = np.concatenate(facs(rng.normal(0.0, size, 52), np.abs(rng.normal(0.0, size, 52))))
    for values in (found, units):
        assert np.all((values >= 0.0) & (values <= 1.0))
