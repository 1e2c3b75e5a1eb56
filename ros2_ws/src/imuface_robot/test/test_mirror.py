"""The robot's face after the person's."""

from __future__ import annotations

import numpy as np
import pytest
from imuface_core.arkit import BLENDSHAPES, INDEX
from imuface_robot.mirror import HOSTILE, Face, mirrored

ALL = np.ones(len(BLENDSHAPES))


def test_a_smile_is_given_back_weaker_and_a_blink_whole() -> None:
    shown = mirrored(ALL, Face("happy", 0.9, 0.9))
    assert shown[INDEX["mouthSmileLeft"]] == pytest.approx(0.7)
    assert shown[INDEX["eyeBlinkLeft"]] == 1.0
    assert shown[INDEX["jawOpen"]] == pytest.approx(0.4)


def test_lowered_brows_and_a_sneer_are_never_given_back() -> None:
    for name in ("browDownLeft", "browDownRight", "noseSneerLeft", "noseSneerRight"):
        assert mirrored(ALL, Face())[INDEX[name]] == 0.0


@pytest.mark.parametrize("face", [*(Face(name, 0.1) for name in sorted(HOSTILE)), None])
def test_anger_and_crisis_leave_a_calm_face(face: Face | None) -> None:
    shown = mirrored(ALL, face or Face("happy", 1.0), calm=face is None)
    moving = {name for name, weight in zip(BLENDSHAPES, shown, strict=True) if weight}
    assert moving == {"eyeBlinkLeft", "eyeBlinkRight", "browInnerUp"}


def test_weights_out_of_range_stay_in_it() -> None:
    for weights in (5.0 * ALL, -5.0 * ALL):
        shown = mirrored(weights, Face())
        assert ((shown >= 0.0) & (shown <= 1.0)).all()


def test_an_avatar_shows_the_whole_face_but_not_in_a_crisis() -> None:
    assert np.array_equal(mirrored(1.5 * ALL, Face("angry", 0.9), whole=True), ALL)
    assert mirrored(ALL, Face(), calm=True, whole=True)[INDEX["browDownLeft"]] == 0.0
