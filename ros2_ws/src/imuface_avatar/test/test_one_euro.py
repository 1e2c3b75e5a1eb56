"""The filter against that of its authors, and what it is for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from imuface_avatar.one_euro import OneEuro
from OneEuroFilter import OneEuroFilter

RATE = 30.0


@given(
    cutoff=st.floats(0.1, 20.0),
    beta=st.floats(0.0, 10.0),
    values=st.lists(st.floats(-1.0, 1.0), min_size=1, max_size=40),
    step=st.floats(0.005, 0.2),
)
def test_is_that_of_its_authors(cutoff: float, beta: float, values: list[float], step: float) -> None:
    theirs, ours = OneEuroFilter(1.0 / step, cutoff, beta), OneEuro(cutoff, beta)
    for number, value in enumerate(values, 1):
        expected = theirs(value, number * step)
        assert ours(np.array([value, -value]), number * step) == pytest.approx([expected, -expected], abs=1e-9)


def test_a_still_face_is_still_and_a_quick_one_is_hardly_late() -> None:
    rng = np.random.default_rng(0)
    times = np.arange(0.0, 20.0, 1.0 / RATE)
    noise = rng.normal(0.0, 0.02, len(times))
    smooth = OneEuro(1.5, 6.0)
    still = np.concatenate([smooth(np.array([value]), time) for value, time in zip(0.3 + noise, times, strict=True)])
    assert still[30:].std() < 0.6 * noise.std()
    smooth = OneEuro(1.5, 6.0)
    jump = np.concatenate([smooth(np.array([float(time >= 10.0)]), time) for time in times])
    assert times[np.argmax(jump > 0.5)] - 10.0 < 2.5 / RATE


@pytest.mark.parametrize("gap", [5.0, -3.0, 0.0])
def test_starts_anew_after_a_gap(gap: float) -> None:
    smooth = OneEuro(0.5, 0.0)
    smooth(np.zeros(2), 10.0)
    assert smooth(np.ones(2), 10.0 + gap).tolist() == [1.0, 1.0]


def test_no_cutoff_is_no_filter() -> None:
    smooth = OneEuro(0.0, 0.0)
    smooth(np.zeros(1), 1.0)
    assert smooth(np.ones(1), 1.03).tolist() == [1.0]
