"""Our faces in the terms of hri_msgs."""

from __future__ import annotations

import numpy as np
import pytest
from face_recon_node.head import HeadModel
from hypothesis import given
from hypothesis import strategies as st
from imuface_core.arkit import INDEX
from imuface_hri.faces import facs, pictured
from imuface_hri.tables import LANDMARKS, PUPILS, UNITS


def test_the_face_is_seen_from_the_front() -> None:
    found = pictured(HeadModel.load().landmark_neutral, np.zeros(51))
    assert np.all((found > 0.0) & (found <= 1.0))
    x, y, confidence = (dict(zip((*LANDMARKS, *PUPILS), column, strict=True)) for column in found.T)
    # The person's right is on the left of the picture, and the brows are above the eyes, these above the mouth.
    assert x["RIGHT_EYE_OUTSIDE"] < x["RIGHT_PUPIL"] < x["RIGHT_EYE_INSIDE"] < x["NOSE"] < x["LEFT_EYE_INSIDE"]
    assert x["LEFT_EYE_INSIDE"] < x["LEFT_PUPIL"] < x["LEFT_EYE_OUTSIDE"]
    assert x["MOUTH_OUTER_RIGHT"] < x["MOUTH_INNER_RIGHT"] < x["MOUTH_INNER_LEFT"] < x["MOUTH_OUTER_LEFT"]
    assert y["RIGHT_EYEBROW_2"] < y["RIGHT_EYE_TOP_1"] < y["RIGHT_PUPIL"] < y["RIGHT_EYE_BOTTOM_1"] < y["NOSE"]
    assert y["NOSE"] < y["MOUTH_OUTER_TOP_3"] < y["MOUTH_OUTER_BOTTOM_3"]
    assert (x["SELLION"], y["SELLION"]) == pytest.approx((0.5, 0.35), abs=0.05)
    assert set(confidence.values()) == {1.0}


def test_confidence_falls_with_the_deviation() -> None:
    points = HeadModel.load().landmark_neutral
    sure, unsure, lost = (pictured(points, np.full(51, std))[13, 2] for std in (0.0, 3e-3, 1.0))
    assert (sure, unsure) == (1.0, pytest.approx(0.5))
    assert lost < 1e-3


def test_action_units_by_their_number() -> None:
    weights, std = np.zeros(52), np.full(52, 0.2)
    weights[[INDEX["mouthSmileLeft"], INDEX["mouthSmileRight"], INDEX["jawOpen"]]] = 1.0, 0.5, 0.25
    intensity, confidence = (dict(zip(UNITS, values, strict=True)) for values in facs(weights, std))
    assert (intensity[12], intensity[26]) == (0.75, 0.25)
    assert sum(value > 0 for value in intensity.values()) == 2
    assert confidence[12] == pytest.approx(0.5)


@given(seed=st.integers(0, 10_000), size=st.floats(0.0, 1e6))
def test_anything_finite_stays_within_bounds(seed: int, size: float) -> None:
    rng = np.random.default_rng(seed)
    found = pictured(rng.normal(0.0, size, (51, 3)), np.abs(rng.normal(0.0, size, 51)))
    units = np.concatenate(facs(rng.normal(0.0, size, 52), np.abs(rng.normal(0.0, size, 52))))
    for values in (found, units):
        assert np.all((values >= 0.0) & (values <= 1.0))
