"""Weighted sums of actions by name."""

from __future__ import annotations

import numpy as np
import pytest
from imuface_avatar.blend import CONSTANT, SAD_LEFT, Blend
from imuface_core.arkit import BLENDSHAPES, INDEX


def test_sums_by_name() -> None:
    weights = np.zeros(52)
    weights[[INDEX["jawOpen"], INDEX["mouthFrownLeft"], INDEX["mouthStretchLeft"]]] = 0.5, 0.25, 0.75
    blend = Blend({"a": {"jawOpen": 2.0, CONSTANT: -0.25}, "b": {SAD_LEFT: -1.0}, "c": {"jawOpen": 9.0}, "d": {}})
    assert blend.names == ("a", "b", "c", "d")
    assert blend(weights).tolist() == [0.75, -0.75, 1.0, 0.0]


def test_every_action_by_itself() -> None:
    blend = Blend({name: {name: 1.0} for name in reversed(BLENDSHAPES)})
    weights = np.linspace(0.0, 1.0, 52)
    assert blend(weights).tolist() == weights[::-1].tolist()


def test_a_misspelt_action_is_an_error() -> None:
    with pytest.raises(KeyError, match="jawOpn"):
        Blend({"a": {"jawOpn": 1.0}})
