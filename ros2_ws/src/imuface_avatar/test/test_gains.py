"""Gains: by name, said, and refused with the reason."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from imuface_avatar.gains import PRESETS, gains, stronger
from imuface_core.arkit import INDEX


def test_presets_and_own_gains() -> None:
    assert gains("measured", "").tolist() == [1.0] * 52
    assert stronger(gains("measured", "")) == ""
    own = gains("measured", "jawOpen=1.5 mouthSmileLeft=2")
    assert own[INDEX["jawOpen"]] == 1.5
    assert own.sum() == 52 + 0.5 + 1.0
    assert stronger(own) == "shown up to 2 times as strong as measured (jawOpen, mouthSmileLeft)"
    assert stronger(gains("lively", "")) == "shown up to 1.6 times as strong as measured (52 actions)"
    mouth = gains("mouth", "")
    assert mouth[INDEX["jawOpen"]] == 1.0
    assert mouth[INDEX["eyeBlinkLeft"]] == mouth[INDEX["browInnerUp"]] == 0.0


@pytest.mark.parametrize(
    ("own", "reason"),
    [
        ("jawOpn=2", "gain 'jawOpn=2': there is no action 'jawOpn', but jawOpen"),
        ("jawOpen", "gain 'jawOpen' is not of the form"),
        ("jawOpen=much", "gain 'jawOpen=much' is not of the form"),
        ("jawOpen=-1", "with a number of 0 to 10"),
        ("jawOpen=nan", "with a number of 0 to 10"),
        ("jawOpen=11", "with a number of 0 to 10"),
    ],
)
def test_refuses_what_is_no_gain(own: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        gains("measured", own)


@given(preset=st.sampled_from(sorted(PRESETS)), own=st.text(max_size=40))
def test_any_text_is_gains_or_a_value_error(preset: str, own: str) -> None:
    try:
        found = gains(preset, own)
    except ValueError:
        return
    assert found.shape == (52,)
    assert np.all((found >= 0.0) & (found <= 10.0))
