"""The network looks twice, a frame at a time or many at once, and keeps within its bounds."""

from __future__ import annotations

import numpy as np
import pytest
from face_recon_node.affect import EXPRESSIONS
from face_recon_node.models.signature.bands import CHANNELS, FaceBands
from face_recon_node.models.signature.model import SignatureModel
from face_recon_node.models.signature.network import (
    EXPLAINED,
    LOG_STD,
    WIDTH,
    Floats,
    LstmState,
    Reading,
    SignatureNetwork,
    Told,
    told,
)
from face_recon_node.models.signature.signatures import EARS_SEEN, WEIGHTS
from face_recon_node.stream.alignment import RATE

FRAMES = 90


def channels(size: float = 1.0) -> Floats:
    return np.random.default_rng(0).normal(0.0, size, (FRAMES, CHANNELS)).astype(np.float32)


def streamed(
    network: SignatureNetwork, seen: Floats, person: Told[Floats], cuts: list[int]
) -> tuple[Floats, Reading[Floats]]:
    """The guess and the reading of a stream, in pieces, whose first face had been held for long."""
    bands, guesses, readings = FaceBands(), [], []
    first: LstmState | None = None
    second: LstmState | None = None
    for number, piece in enumerate(np.split(seen, cuts)):
        hidden, guess, first = network.look(piece, person, first)
        faces = guess * person.spread + person.mean
        if number == 0:
            bands.push(np.repeat(faces[:1], round(300 * RATE), axis=0))
        guessed = bands.push(faces)[:, list(EXPLAINED)].astype(np.float32)
        reading, second = network.look_again(hidden, guess, guessed, piece, person, second)
        guesses.append(guess)
        readings.append(vars(reading))
    joined = Reading(*(np.concatenate([reading[name] for reading in readings]) for name in readings[0]))
    return np.concatenate(guesses), joined


@pytest.mark.parametrize("ears", range(len(EARS_SEEN)))
def test_how_a_stream_is_cut_changes_nothing(untrained: SignatureModel, ears: int) -> None:
    person, seen = told(untrained.signatures, ears), channels()
    whole, cut = (streamed(untrained.network, seen, person, cuts) for cuts in ([], [1, 2, 40]))
    np.testing.assert_allclose(cut[0], whole[0], atol=1e-5)
    for name, values in vars(whole[1]).items():
        np.testing.assert_allclose(getattr(cut[1], name), values, atol=1e-5, err_msg=name)


def test_shapes_and_bounds_hold_for_readings_beyond_all_measure(untrained: SignatureModel) -> None:
    guess, reading = streamed(untrained.network, channels(1e6), told(untrained.signatures, 0), [])
    assert guess.shape == reading.weights.shape == reading.weights_log_std.shape == (FRAMES, WEIGHTS)
    assert reading.affect.shape == (FRAMES, 2)
    assert reading.expressions.shape == (FRAMES, len(EXPRESSIONS))
    assert reading.memory.shape == (FRAMES, 2 * WIDTH)
    for part in (guess, *vars(reading).values()):
        assert part.dtype == np.float32
        assert np.isfinite(part).all()
    assert LOG_STD[0] <= reading.weights_log_std.min() <= reading.weights_log_std.max() <= LOG_STD[1]
