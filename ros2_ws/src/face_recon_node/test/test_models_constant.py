"""The constant faces, and what all baselines do when they are fitted."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from face_recon_node.data.segment import Segment, prepare
from face_recon_node.head import HeadModel
from face_recon_node.models.catalogue import NAMES, choose
from face_recon_node.models.model import Person
from imuface_simulation import Participant, Performance, simulate

NEUTRAL = HeadModel.load().landmark_neutral


@pytest.fixture(scope="module")
def segments() -> list[Segment]:
    return prepare(simulate(Performance.natural(1, 20.0), Participant.random(1), 20.0))


@pytest.mark.parametrize(("name", "centre"), [("median", np.median), ("mean", np.mean)])
def test_the_constant_is_the_middle(segments: list[Segment], name: str, centre: Callable[..., np.ndarray]) -> None:
    model = choose(name).fit([Person(segments, NEUTRAL), Person([segments[0][:100]], NEUTRAL)])
    expected = centre(np.concatenate([segment.weights for segment in [*segments, segments[0][:100]]]), axis=0)
    prediction = model.stream().push(segments[0].readings[:7], segments[0].present[:7])
    np.testing.assert_allclose(prediction.weights, np.tile(expected, (7, 1)), atol=1e-6)
    assert model.parameters == 52


def test_one_person_has_a_face_and_the_card_says_what_was_learned_from(segments: list[Segment]) -> None:
    person = Person(segments, NEUTRAL)
    model = choose("mean").fit([person], seed=3)
    minutes = sum(map(len, segments)) / 1800.0
    assert model.card == {"model": "mean", "minutes": pytest.approx(minutes, abs=0.01), "people": 1, "seed": 3}
    assert model.face is not None
    found = model.face.landmarks(segments[0].weights)
    np.testing.assert_allclose(found, segments[0].true_landmarks(HeadModel.load()), atol=1e-4)
    assert model.profile is None
    both = choose("mean").fit([person, person])
    assert both.face is None
    assert both.card["people"] == 2


@pytest.mark.parametrize("people", [[], [Person([], NEUTRAL)]])
@pytest.mark.parametrize("name", [name for name in NAMES if name != "signature"])
def test_nothing_to_learn_from_is_refused(people: list[Person], name: str) -> None:
    with pytest.raises(ValueError, match="no frames to learn from"):
        choose(name).fit(people)


def test_every_model_has_a_name_for_people() -> None:
    assert list(NAMES) == ["mean", "median", "ridge", "lstm", "imu_twin_trans", "signature"]
