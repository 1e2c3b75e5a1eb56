"""Bands of time: recursive filters of readings and of faces that agree with each other."""

from __future__ import annotations

import numpy as np
import pytest
from face_recon_node.models.signature.bands import (
    AXES,
    BANDS,
    BIAS,
    DELAY,
    GYROSCOPES,
    PUSH,
    TILTS,
    TURNS,
    FaceBands,
    ReadingBands,
)
from face_recon_node.stream.alignment import RATE
from face_recon_node.training.lessons import gridded
from face_recon_node.training.people import SimulatedPerson
from numpy.typing import NDArray

RATES, TILTED, PUSHED = slice(0, 1 + len(TURNS)), slice(1 + len(TURNS), len(BANDS) - 1), len(BANDS) - 1


def course(frames: int, seed: int = 0) -> NDArray[np.float64]:
    """Weights (n, 52) of actions that come and go at their own pace, from a neutral face."""
    rng, time = np.random.default_rng(seed), np.arange(frames)[:, None] / RATE
    waves = np.sin(2.0 * np.pi * rng.uniform(0.05, 1.5, 52) * time)
    return rng.uniform(0.2, 1.0, 52) * np.square(waves)


def of_ears(
    faces: NDArray[np.float64], turn: NDArray[np.float64], tilt: NDArray[np.float64], push: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Readings (n, 12) of ears that turn, tilt and are pushed as a unit of each action says, each (6, 52)."""
    past = np.concatenate((np.zeros((4, 52)), faces))
    late = sum(share * past[4 - lag : len(past) - lag] for lag, share in enumerate(DELAY))
    change = np.diff(late, axis=0, prepend=0.0) * RATE
    jerk = np.diff(change, axis=0, prepend=0.0) * RATE
    readings = np.zeros((len(faces), 12))
    readings.reshape(-1, 2, 6)[..., 3:] = (change @ turn.T).reshape(-1, 2, 3)
    readings.reshape(-1, 2, 6)[..., :3] = (late @ tilt.T + jerk @ push.T).reshape(-1, 2, 3)
    return readings


@pytest.mark.parametrize(("kind", "columns"), [(ReadingBands, 12), (FaceBands, 52)])
def test_a_stream_gives_what_the_whole_segment_gives(kind: type[ReadingBands] | type[FaceBands], columns: int) -> None:
    values = np.random.default_rng(0).normal(0.0, 1.0, (200, columns))
    whole: NDArray = kind().push(values)
    assert whole.shape == (200, len(BANDS), AXES if columns == 12 else columns)
    for cuts in ([], range(1, 200), [1, 3, 77, 78, 150]):
        bands = kind()
        parts = [bands.push(part) for part in np.split(values, cuts)]
        np.testing.assert_allclose(np.concatenate(parts), whole, rtol=1e-6, atol=1e-6)


def test_the_bands_of_linear_ears_are_their_signatures_times_those_of_the_face() -> None:
    signature = np.random.default_rng(1).normal(0.0, 0.1, (AXES, 52))
    faces, nothing = course(900), np.zeros((AXES, 52))
    expected = np.einsum("nbw,aw->nba", FaceBands().push(faces), signature)
    for moved, rows in (("turn", RATES), ("tilt", TILTED), ("push", slice(PUSHED, None))):
        ears = {kind: signature if kind == moved else nothing for kind in ("turn", "tilt", "push")}
        seen = ReadingBands().push(of_ears(faces, **ears))
        assert np.abs(seen[:, rows]).max() > 0.1
        np.testing.assert_allclose(seen[:, rows], expected[:, rows], atol=1e-5 * np.abs(expected[:, rows]).max())
    # Ears that turn do not tilt, and the other way round.
    turned = ReadingBands().push(of_ears(faces, signature, nothing, nothing))
    assert not turned[:, RATES.stop :].any()


@pytest.mark.parametrize("axis", range(12))
def test_each_reading_has_its_place(axis: int) -> None:
    readings = np.zeros((60, 12))
    readings[30, axis] = 1.0
    bands = ReadingBands().push(readings)
    ear, place = divmod(axis, 6)
    found = np.argwhere(bands.any(axis=0))
    assert set(found[:, 1]) == {3 * ear + place % 3}
    assert set(found[:, 0]) == set(range(len(BANDS))[RATES] if place >= 3 else range(RATES.stop, len(BANDS)))
    assert not bands[:30].any()


def test_what_lasts_is_forgotten_and_a_turn_fades_with_its_time_constant() -> None:
    constant = ReadingBands().push(np.ones((round(20 * BIAS * RATE), 12)))
    np.testing.assert_allclose(constant[-1], 0.0, atol=1e-6)
    turned = np.zeros((round(RATE * 2 * max(TURNS)), 12))
    turned[0, GYROSCOPES] = RATE  # by 1 rad
    bands = ReadingBands().push(turned)
    for band, seconds in enumerate(TURNS, 1):
        assert bands[0, band] == pytest.approx(1.0, abs=0.01)
        assert bands[round(seconds * RATE), band] == pytest.approx(np.exp(-1.0), abs=0.02 + seconds / BIAS)
    tilted = ReadingBands().push(np.ones((round(PUSH * 3 * RATE), 12)))
    for band, (quick, slow) in enumerate(TILTS, TILTED.start):
        expected = np.exp(-3 * PUSH / slow) - np.exp(-3 * PUSH / quick)
        assert tilted[-1, band] == pytest.approx(expected, abs=0.05)
    assert (tilted[0, PUSHED] > 0.7).all()
    assert tilted[-1, PUSHED] == pytest.approx(np.exp(-3.0), abs=0.01)


@pytest.mark.parametrize("person", [3, 4])
def test_simulated_ears_follow_the_face_as_late_as_assumed(person: int) -> None:
    readings, weights = gridded(SimulatedPerson(person).calm(0, 90.0, "study"))
    rate = ReadingBands().push(readings)[30:-30, 0]
    faces = FaceBands().push(weights)[:, 0]
    rests = {}
    for shift in (-1, 0, 1):
        shifted = faces[30 + shift : len(faces) - 30 + shift]
        rests[shift] = np.square(rate - shifted @ np.linalg.lstsq(shifted, rate, rcond=1e-3)[0]).sum()
    assert min(rests, key=rests.__getitem__) == 0
