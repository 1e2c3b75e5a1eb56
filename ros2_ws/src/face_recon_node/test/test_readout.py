"""What is read off the tracker: faces that a linear decoding cannot tell apart, streams, files."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from face_recon_node.tracking.mechanics import LATENT_LAGS, LATENTS, Mechanics
from face_recon_node.tracking.readout import LAGS, Readout
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays


@cache
def mechanics() -> Mechanics:
    """Ears through which the first 16 weights are seen."""
    return Mechanics(
        np.full(52, 0.2), np.full(52, 0.2), np.eye(LATENTS, 52), np.zeros((LATENTS, LATENT_LAGS * LATENTS)), {}
    )


def faces(seed: int, count: int = 1500) -> tuple[np.ndarray, np.ndarray]:
    """Tracked and true weights: action 0 is used in one way or not at all, action 30 goes along with it unseen."""
    rng = np.random.default_rng(seed)
    used = np.repeat(rng.random(count // 30) < 0.5, 30)
    true = np.zeros((count, 52))
    true[:, 0] = 0.8 * used
    true[:, 30] = 0.5 * used
    tracked = np.full((count, 52), 0.2)
    tracked[:, 0] = 0.3 + 0.4 * used + rng.normal(0.0, 0.1, count)
    return tracked, true


DELTAS = np.random.default_rng(0).normal(0.0, 0.005, (52, 51, 3))


@cache
def readout() -> Readout:
    return Readout.learned(mechanics(), DELTAS, [faces(0), faces(1)])


def test_what_is_read_is_nearer_to_the_face_than_what_was_tracked() -> None:
    tracked, true = faces(2)
    read = readout().stream().push(tracked)
    settled = slice(LAGS[-1], None)
    error = np.abs(read - true)[settled].mean(axis=0)
    assert error[0] < 0.55 * np.abs(tracked - true)[settled, 0].mean()
    assert error[30] < 0.3 * true[:, 30].std()
    assert error[40] < 1e-3
    assert read.dtype == np.float32
    assert 0.0 <= read.min() <= read.max() <= 1.0


def test_the_best_linear_reading_is_beaten() -> None:
    tracked, true = faces(0)
    design = np.stack((tracked[:, 0], np.ones(len(tracked))), axis=1)
    linear = np.linalg.lstsq(design, true[:, 0], rcond=None)[0]
    unseen, truth = faces(3)
    missed = np.abs(np.stack((unseen[:, 0], np.ones(len(unseen))), axis=1) @ linear - truth[:, 0]).mean()
    assert np.abs(readout().stream().push(unseen)[:, 0] - truth[:, 0]).mean() < 0.8 * missed


def test_a_face_that_mostly_rests_is_told_to_rest_where_nothing_is_seen() -> None:
    tracked, true = np.full((1500, 52), 0.2), np.zeros((1500, 52))
    true[::3, 5] = 0.9
    read = Readout.learned(mechanics(), DELTAS, [(tracked, true)]).stream().push(tracked)[LAGS[-1] :, 5]
    assert read.max() < 0.1 < true[:, 5].mean()


def test_frame_by_frame_equals_all_at_once() -> None:
    tracked, _ = faces(4, 90)
    whole = readout().stream().push(tracked)
    stream = readout().stream()
    frames = np.concatenate([stream.push(tracked[row : row + 1]) for row in range(len(tracked))])
    np.testing.assert_allclose(frames, whole, atol=1e-6)


def test_few_frames_suffice_to_learn_from() -> None:
    tracked, true = faces(0, 60)
    read = Readout.learned(mechanics(), DELTAS, [(tracked, true)]).stream().push(tracked)
    assert np.isfinite(read).all()


@settings(max_examples=25, deadline=None)
@given(arrays.arrays(np.float64, (30, 52), elements=st.floats(-0.5, 1.5)))
def test_any_tracked_face_gives_a_face(tracked: np.ndarray) -> None:
    read = readout().stream().push(tracked)
    assert np.isfinite(read).all()
    assert 0.0 <= read.min() <= read.max() <= 1.0


def test_a_readout_survives_a_file() -> None:
    tracked, _ = faces(5, 90)
    again = Readout.from_dict(readout().to_dict())
    np.testing.assert_allclose(again.stream().push(tracked), readout().stream().push(tracked), atol=1e-3)


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_a_damaged_readout_is_refused_by_name(
    damage_one: Callable[[st.DataObject, dict], str], data: st.DataObject
) -> None:
    content = readout().to_dict()
    damage_one(data, content)
    with pytest.raises(ValueError, match="lacks a finite"):
        Readout.from_dict(content)


def test_a_scale_of_nothing_is_refused() -> None:
    content = readout().to_dict()
    content["scale"] = np.zeros_like(content["scale"])
    with pytest.raises(ValueError, match="scale that is not positive"):
        Readout.from_dict(content)
