"""What actions do to a person's readings, solved in closed form: found where there is data, assumed where not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from face_recon_node.models.signature.bands import AXES, BANDS, CHANNELS, DELAY
from face_recon_node.models.signature.signatures import (
    CERTAINTIES,
    EARS_SEEN,
    EVIDENCE,
    SPREAD_FLOOR,
    TRUSTED,
    WEIGHTS,
    Population,
    Signatures,
)
from face_recon_node.stream.alignment import RATE
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

SHOWN = np.arange(0, WEIGHTS, 4)
"""Actions that the person shows."""
TURNED, TILTED = slice(0, 4), slice(4, 6)
Array = NDArray[np.float64]


def population(seed: int = 0) -> Population:
    rng, bands = np.random.default_rng(seed), len(BANDS)
    response = np.repeat(rng.normal(0.0, 0.1, (1, AXES, WEIGHTS)), bands, axis=0)
    apart, faces, axes = (np.tile(np.eye(size), (bands, 1, 1)) for size in (WEIGHTS, WEIGHTS, AXES))
    return Population(
        response, 0.03 * apart, 0.05 * faces, 1e-3 * axes, rng.uniform(0.0, 0.2, WEIGHTS), np.full(WEIGHTS, 0.15)
    )


def linear_ears(common: Population, seed: int = 1) -> Array:
    """Signatures (6, 52) of one person, of turns and tilts alike."""
    return common.response[0] + np.random.default_rng(seed).normal(0.0, 0.17, (AXES, WEIGHTS))


def session(signature: Array, seconds: float, seed: int = 2) -> tuple[Array, Array]:
    """Readings and weights of linear ears with a little noise; the actions that are shown come and go by themselves."""
    rng, frames = np.random.default_rng(seed), round(seconds * RATE)
    weights = np.zeros((frames, WEIGHTS))
    for action in SHOWN:
        for begin in rng.choice(frames, frames // 60):
            weights[begin : begin + rng.integers(10, 60), action] = rng.uniform(0.2, 1.0)
    # Nobody's face jumps.
    weights = np.apply_along_axis(np.convolve, 0, weights, np.hanning(9) / np.hanning(9).sum(), mode="same")
    past = np.concatenate((np.zeros((2, WEIGHTS)), weights))
    late = sum(share * past[2 - lag : len(past) - lag] for lag, share in enumerate(DELAY))
    moved = (late @ signature.T).reshape(-1, 2, 3)
    readings = np.empty((frames, 2, 6))
    readings[..., :3], readings[..., 3:] = moved, np.diff(moved, axis=0, prepend=0.0) * RATE
    return readings.reshape(-1, 12) + rng.normal(0.0, 0.01, (frames, 12)), weights


def fitted(seconds: float, common: Population | None = None) -> Signatures:
    common = common or population()
    return Signatures.fitted(common, *([part] for part in session(linear_ears(common), seconds)) if seconds else ())


def certain(signatures: Signatures) -> NDArray[np.float32]:
    """(3, bands, 52) share of each action's variance that some bands explain."""
    return signatures.certainty[:, : -2 * WEIGHTS].reshape(len(EARS_SEEN), -1, WEIGHTS)


def test_the_signatures_of_what_is_shown_are_found() -> None:
    common = population()
    signature = linear_ears(common)
    found = fitted(240.0, common).response
    for band in (*range(len(BANDS))[TURNED], *range(len(BANDS))[TILTED]):
        off = np.abs(found[band] - signature)[:, SHOWN].mean()
        assert off < 0.15 * np.abs(common.response[band] - signature)[:, SHOWN].mean(), BANDS[band]


def test_of_what_is_never_shown_the_population_is_assumed() -> None:
    common = population()
    hidden = np.setdiff1d(np.arange(WEIGHTS), SHOWN)
    found = fitted(60.0, common)
    np.testing.assert_allclose(found.response[..., hidden], common.response[..., hidden], atol=1e-4)


def test_without_data_everything_is_the_populations() -> None:
    common = population()
    for nobody in (Signatures.fitted(common), Signatures.fitted(common, [np.zeros((0, 12))], [np.zeros((0, WEIGHTS))])):
        np.testing.assert_allclose(nobody.response, common.response, rtol=1e-6)
        np.testing.assert_allclose(nobody.mean, common.mean, rtol=1e-6)
        np.testing.assert_allclose(nobody.spread, common.spread + SPREAD_FLOOR, rtol=1e-6)
        assert nobody.evidence.shape == (len(EARS_SEEN), EVIDENCE, CHANNELS)
        assert nobody.certainty.shape == (len(EARS_SEEN), CERTAINTIES)
        assert np.abs(nobody.evidence).max(axis=2)[:, :-WEIGHTS].all()
        assert not nobody.evidence[:, -WEIGHTS:].any()  # no regression without data


def test_the_face_of_little_data_is_nearly_the_populations_and_of_much_data_the_persons() -> None:
    common = population()
    _, weights = session(linear_ears(common), 20.0)
    shares = [600.0 / (600.0 + TRUSTED), 18000.0 / (18000.0 + TRUSTED)]
    for copies, share in zip((1, 30), shares, strict=True):
        readings = np.zeros((len(weights), 12))
        found = Signatures.fitted(common, [readings] * copies, [weights] * copies)
        np.testing.assert_allclose(found.mean, share * weights.mean(axis=0) + (1 - share) * common.mean, atol=1e-6)
        assert ((found.spread > SPREAD_FLOOR) & np.isfinite(found.spread)).all()


def test_more_data_is_more_certain_and_two_ears_are_more_certain_than_one() -> None:
    little, some, much = (
        certain(found)[..., SHOWN] for found in (Signatures.fitted(population()), fitted(40.0), fitted(240.0))
    )
    for both, left, right in (little, some, much):
        assert min(both.min(), left.min(), right.min()) > 0.0
        assert both.max() < 1.0
        assert (both >= np.maximum(left, right) - 1e-6).all()
    assert little.mean() < some.mean() < much.mean()


@pytest.mark.parametrize("seconds", [0.0, 40.0])
def test_the_evidence_of_one_ear_ignores_the_other(seconds: float) -> None:
    evidence = fitted(seconds).evidence.reshape(len(EARS_SEEN), EVIDENCE, len(BANDS), 2, AXES // 2)
    for number, ears in enumerate(EARS_SEEN):
        for side, present in enumerate(ears):
            assert evidence[number, ..., side, :].any() == present


def test_the_evidence_points_to_the_action_that_is_shown() -> None:
    common = population()
    signature = linear_ears(common)
    found = Signatures.fitted(common, *([part] for part in session(signature, 240.0)))
    for action in SHOWN[:5]:
        channels = np.zeros((len(BANDS), AXES))
        channels[2] = signature[:, action]
        said = found.evidence[0] @ channels.ravel()
        turned = said.reshape(-1, WEIGHTS)[2]
        assert np.argmax(turned) == action


def test_several_segments_do_not_run_into_each_other() -> None:
    common = population()
    readings, weights = session(linear_ears(common), 60.0)
    parts = Signatures.fitted(common, np.split(readings, [900]), np.split(weights, [900]))
    turned = Signatures.fitted(common, np.split(readings, [900])[::-1], np.split(weights, [900])[::-1])
    np.testing.assert_allclose(parts.response, turned.response, atol=1e-5)


def test_signatures_come_back_from_plain_arrays() -> None:
    for made in (fitted(20.0), Signatures.fitted(population())):
        again = Signatures.from_dict(made.to_dict())
        for name, array in made.to_dict().items():
            assert array.dtype == np.float32
            np.testing.assert_array_equal(getattr(again, name), array)
    common = population()
    again_common = Population.checked(vars(common))
    assert all(np.allclose(vars(again_common)[name], array) for name, array in vars(common).items())


@settings(max_examples=25)
@given(data=st.data())
def test_damaged_arrays_are_named(
    damage_one: Callable[[st.DataObject, dict[str, np.ndarray]], str], data: st.DataObject
) -> None:
    for content, read in (
        (Signatures.fitted(population()).to_dict(), Signatures.from_dict),
        (dict(vars(population())), Population.checked),
    ):
        name = damage_one(data, content)
        with pytest.raises(ValueError, match=f"array '{name}'"):
            read(content)
