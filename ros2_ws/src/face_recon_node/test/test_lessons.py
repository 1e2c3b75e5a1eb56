"""What the network learns from is what the model sees of the same sessions."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from face_recon_node.affect import EXPRESSIONS
from face_recon_node.data.segment import prepare
from face_recon_node.evaluation.affect import true_affect
from face_recon_node.models.signature.bands import AXES, BANDS, CHANNELS, ReadingBands
from face_recon_node.models.signature.model import MOST_CHANNEL, SignatureModel
from face_recon_node.models.signature.signatures import WEIGHTS, Population, Signatures
from face_recon_node.training import lessons, people
from face_recon_node.training.lessons import Calm, Lesson, gridded, in_common
from face_recon_node.training.people import SimulatedPerson
from imuface_core.recording import Recording


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "SECONDS", 15.0)
    monkeypatch.setattr(people, "MINUTES", {0.0: 0.4, 0.3: 0.6})


@cache
def calm(seed: int) -> Calm:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lessons, "CALM_SECONDS", 20.0)
        return Calm.of(SimulatedPerson(seed))


@cache
def recording(kind: str) -> Recording:
    return SimulatedPerson(4).calm(0, 60.0, kind)


@pytest.mark.parametrize("kind", ["study", "free"])
def test_readings_are_those_of_the_stream_up_to_the_place_of_the_calibration(kind: str) -> None:
    whole = recording(kind)
    assert whole.left is not None
    readings, weights = gridded(whole)
    assert readings.shape == (len(weights), 12)
    assert weights.shape == (len(readings), WEIGHTS)
    stamps = whole.left.stamps[len(whole.left.stamps) - len(readings) :]
    (segment,) = prepare(whole)
    _, ours, theirs = np.intersect1d(stamps, segment.stamps, return_indices=True)
    assert len(ours) > 0.97 * len(readings)
    np.testing.assert_allclose(weights[ours], segment.weights[theirs], atol=1e-6)
    seen, expected = readings[ours], segment.readings[theirs]
    for channel in np.flatnonzero(expected.std(axis=0) > 1e-3):
        assert np.corrcoef(seen[:, channel], expected[:, channel])[0, 1] > 0.999, channel
    np.testing.assert_allclose(seen - seen.mean(axis=0), expected - expected.mean(axis=0), atol=0.1)


@pytest.mark.usefixtures("short")
def test_a_lesson_is_what_the_model_would_see(untrained: SignatureModel) -> None:
    common = untrained.population
    for seed in range(3):
        own, session = SimulatedPerson(seed).sessions()
        lesson = Lesson.of(common, SimulatedPerson(seed))
        signatures = Signatures.fitted(common, *([part] for part in gridded(own)) if own else ())
        for name, array in signatures.to_dict().items():
            np.testing.assert_array_equal(getattr(lesson.signatures, name), array)
        readings, weights = gridded(session)
        frames = len(weights)
        channels = ReadingBands().push(readings).reshape(frames, CHANNELS) * signatures.channel_scale
        np.testing.assert_allclose(lesson.channels, channels.clip(-MOST_CHANNEL, MOST_CHANNEL), rtol=1e-3, atol=1e-3)
        np.testing.assert_allclose(lesson.weights, weights, atol=1e-3)
        shown = true_affect(np.arange(frames) * 33_333_333, weights)
        np.testing.assert_allclose(lesson.affect[:, 0], shown.valence, atol=2e-3)
        np.testing.assert_allclose(lesson.affect[:, 1], shown.arousal, atol=2e-3)
        assert np.mean(lesson.expression == shown.expression) > 0.99
        assert lesson.expression.max() < len(EXPRESSIONS)


@pytest.mark.usefixtures("short")
def test_a_lesson_comes_back_from_its_file(untrained: SignatureModel, tmp_path: Path) -> None:
    lesson = Lesson.of(untrained.population, SimulatedPerson(1))
    lesson.save(tmp_path / "1.npz")
    assert [entry.name for entry in tmp_path.iterdir()] == ["1.npz"]
    found = Lesson.load(tmp_path / "1.npz")
    for name in ("channels", "weights", "affect", "expression"):
        array = getattr(lesson, name)
        assert getattr(found, name).dtype == array.dtype
        np.testing.assert_array_equal(getattr(found, name), array)
    for name, array in lesson.signatures.to_dict().items():
        np.testing.assert_array_equal(getattr(found.signatures, name), array)


def test_what_people_have_in_common_is_a_prior() -> None:
    everybody = [calm(seed) for seed in (1, 2, 3)]
    common = in_common(everybody)
    again = Population.checked(vars(common))
    assert all(np.allclose(array, vars(again)[name]) for name, array in vars(common).items())
    np.testing.assert_allclose(common.response, np.mean([person.response for person in everybody], axis=0))
    for matrices in (common.response_covariance, common.face_covariance, common.rest):
        np.testing.assert_allclose(matrices, matrices.swapaxes(1, 2), atol=1e-12)
    for matrices in (common.response_covariance, common.face_covariance):
        assert np.linalg.eigvalsh(matrices).min() >= -1e-9
    assert np.diagonal(common.rest, axis1=1, axis2=2).min() > 0.0
    assert (common.spread >= 0.0).all()
    assert ((common.mean >= 0.0) & (common.mean <= 1.0)).all()
    assert common.rest.shape == (len(BANDS), AXES, AXES)
    # Somebody of whom nothing is known can be read with it.
    assert all(np.isfinite(array).all() for array in Signatures.fitted(common).to_dict().values())


def test_a_persons_ears_are_found_without_a_prior() -> None:
    one, same_person = calm(2), calm(2)
    np.testing.assert_array_equal(one.response, same_person.response)
    assert not np.allclose(one.response, calm(3).response)
    assert np.diagonal(one.rest, axis1=1, axis2=2).min() > 0.0
