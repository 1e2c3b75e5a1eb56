"""Minutes recombined: the same faces, with the rest of other moments."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from face_recon_node.data.segment import Segment
from face_recon_node.models.signature.bands import AXES, CHANNELS, FaceBands, ReadingBands
from face_recon_node.models.signature.model import SignatureModel
from face_recon_node.models.signature.recombined import LEAD_IN, TIMES, Recombined
from face_recon_node.models.signature.signatures import WEIGHTS, Signatures
from numpy.typing import NDArray


def segment(frames: int, seed: int, still: bool = False) -> Segment:
    rng = np.random.default_rng(seed)
    weights = np.zeros((frames, WEIGHTS)) if still else rng.uniform(0.0, 1.0, (frames, WEIGHTS))
    readings = rng.normal(0.0, 1.0, (frames, 2 * AXES)).astype(np.float32)
    return Segment(np.arange(frames), readings, np.ones((frames, 2), bool), weights.astype(np.float32))


def read(part: Segment) -> NDArray[np.float32]:
    return ReadingBands().push(part.readings).reshape(-1, CHANNELS)


def contributed(signatures: Signatures, part: Segment) -> NDArray[np.float64]:
    bands = FaceBands().push(part.weights)
    return np.stack([bands[:, band] @ of.T for band, of in enumerate(signatures.response)], axis=1).reshape(
        -1, CHANNELS
    )


def test_a_face_that_rests_is_given_other_moments_rest(untrained: SignatureModel) -> None:
    parts = [segment(200, 1, still=True), segment(160, 2, still=True)]
    recombined = Recombined(untrained.signatures, parts)
    rest = np.concatenate([read(part)[LEAD_IN:] for part in parts])
    for number, begin in enumerate((0, 200 - LEAD_IN)):
        for time in range(1, TIMES + 1):
            found = recombined.channels(number, time)
            first = (begin - LEAD_IN + time * len(rest) // (TIMES + 1)) % len(rest)
            np.testing.assert_allclose(found, np.resize(np.roll(rest, -first, axis=0), found.shape), atol=1e-5)
            assert np.abs(found[LEAD_IN:] - read(parts[number])[LEAD_IN:]).max() > 0.1


def test_what_a_face_contributes_stays_with_it(untrained: SignatureModel) -> None:
    own, other = segment(300, 1), segment(300, 3)
    signatures = untrained.signatures
    one, two = (Recombined(signatures, [replace(own, weights=faces)]) for faces in (own.weights, other.weights))
    shift = (300 - LEAD_IN) // (TIMES + 1)
    rows = np.arange(100)
    for recombined, part in ((one, own), (two, replace(own, weights=other.weights))):
        face = contributed(signatures, part)
        expected = face[rows + LEAD_IN] + (read(part) - face)[LEAD_IN + shift + rows]
        np.testing.assert_allclose(recombined.channels(0, 1)[rows + LEAD_IN], expected, rtol=1e-4, atol=1e-3)


def test_each_time_is_another_and_none_has_more_frames(untrained: SignatureModel) -> None:
    recombined = Recombined(untrained.signatures, [segment(150, 1), segment(40, 2)])
    for number, frames in enumerate((150, 40)):
        found = [recombined.channels(number, time) for time in range(1, TIMES + 1)]
        assert all(each.shape == (frames, CHANNELS) and each.dtype == np.float32 for each in found)
        assert all(np.abs(each - found[0]).max() > 0.1 for each in found[1:])


@pytest.mark.parametrize("frames", [[], [LEAD_IN], [20, 30]])
def test_too_little_is_refused(untrained: SignatureModel, frames: list[int]) -> None:
    with pytest.raises(ValueError, match=f"no segments of more than {LEAD_IN} frames to recombine"):
        Recombined(untrained.signatures, [segment(count, count) for count in frames])
