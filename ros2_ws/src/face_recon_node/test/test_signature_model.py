"""The signature model: any frames give a face with a confidence; a person's minutes make it theirs."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from face_recon_node.affect import EXPRESSIONS
from face_recon_node.data.segment import Segment, prepare
from face_recon_node.head import HeadModel
from face_recon_node.models.file import load, save
from face_recon_node.models.model import FacePrediction, Person
from face_recon_node.models.signature.model import SHORTEST, SignatureModel
from face_recon_node.models.signature.network import WIDTH
from face_recon_node.models.signature.readout import Readout
from face_recon_node.models.signature.signatures import WEIGHTS, Signatures
from face_recon_node.stream.alignment import RATE
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from imuface_simulation import PEOPLE, Performance, simulate
from numpy.typing import NDArray

PERSON = 3


@cache
def recorded() -> Segment:
    performance, person = Performance.study(PERSON, 1, 75.0), PEOPLE["anatomical"](PERSON)
    (segment,) = prepare(simulate(performance, person, 75.0, seed=PERSON, start_ns=10**9))
    return segment


def person(*segments: Segment) -> Person:
    return Person(segments or [recorded()], HeadModel.load().landmark_neutral)


def coming_and_going(frames: int = 240) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Readings and presence of ears that are there together, alone, not at all, and again."""
    present = np.ones((frames, 2), bool)
    for side, lost in ((0, slice(30, 60)), (1, slice(90, 130)), (0, slice(100, 120)), (0, slice(180, 181))):
        present[lost, side] = False
    segment = recorded()[300 : 300 + frames]
    return (segment.readings.reshape(-1, 2, 6) * present[:, :, None]).reshape(-1, 12), present


def seen(segment: Segment) -> dict[str, Segment]:
    """The same with both ears and with each alone."""
    return {"both": segment, "left": segment.without_ear(1), "right": segment.without_ear(0)}


def everything(said: FacePrediction) -> dict[str, NDArray]:
    assert said.weights_std is not None
    assert said.landmarks_std is not None
    assert said.affect is not None
    names = {"weights": said.weights, "weights_std": said.weights_std, "landmarks_std": said.landmarks_std}
    return names | vars(said.affect)


def assert_sane(said: FacePrediction, frames: int) -> None:
    parts = everything(said)
    shapes = {
        "weights": (WEIGHTS,),
        "weights_std": (WEIGHTS,),
        "landmarks_std": (51,),
        "expressions": (len(EXPRESSIONS),),
    }
    for name, values in parts.items():
        assert values.shape == (frames, *shapes.get(name, ())), name
        assert values.dtype == np.float32
        assert np.isfinite(values).all(), name
    assert 0.0 <= parts["weights"].min() <= parts["weights"].max() <= 1.0
    assert parts["weights_std"].min() > 0.0
    assert parts["landmarks_std"].min() > 0.0
    assert max(np.abs(parts[name]).max() for name in ("valence", "arousal")) <= 1.0
    assert parts["expressions"].min() >= 0.0
    np.testing.assert_allclose(parts["expressions"].sum(axis=1), 1.0, atol=1e-5)


@pytest.mark.parametrize("cuts", [range(1, 240), [1, 45, 46, 95, 110, 180, 239]])
@pytest.mark.parametrize("own", [False, True])
def test_a_stream_gives_what_the_whole_segment_gives(untrained: SignatureModel, cuts: Any, own: bool) -> None:
    model = untrained.fit([person()]) if own else untrained
    readings, present = coming_and_going()
    whole, stream = everything(model.stream().push(readings, present)), model.stream()
    parts = zip(np.split(readings, cuts), np.split(present, cuts), strict=True)
    found = [everything(stream.push(*part)) for part in parts]
    for name, values in whole.items():
        np.testing.assert_allclose(np.concatenate([part[name] for part in found]), values, atol=1e-5, err_msg=name)


def test_what_is_said_is_a_face_with_a_confidence(untrained: SignatureModel) -> None:
    for model in (untrained, untrained.fit([person()])):
        assert_sane(model.stream().push(*coming_and_going()), 240)


def test_without_an_ear_it_is_the_mean_face_with_its_spread(untrained: SignatureModel) -> None:
    model = untrained.fit([person()])
    readings, present = coming_and_going()
    nobody = ~present.any(axis=1)
    assert nobody.sum() == 20
    silent = (np.zeros((9, 12)), np.zeros((9, 2), bool))
    for said, rows in (
        (model.stream().push(readings, present), nobody),
        (model.stream().push(*silent), slice(None)),
    ):
        parts = {name: values[rows] for name, values in everything(said).items()}
        count = len(parts["weights"])
        np.testing.assert_array_equal(parts["weights"], np.tile(model.signatures.mean, (count, 1)))
        np.testing.assert_array_equal(parts["weights_std"], np.tile(model.signatures.spread, (count, 1)))
        np.testing.assert_array_equal(parts["expressions"], np.tile(model.confidence.expressions, (count, 1)))
        assert not parts["valence"].any()
        assert not parts["arousal"].any()
    stream = model.stream()
    stream.push(*silent)
    assert_sane(stream.push(*coming_and_going()), 240)


def test_a_silent_ear_changes_what_is_said(untrained: SignatureModel) -> None:
    ears = seen(recorded()[300:400]).values()
    said = [untrained.stream().push(each.readings, each.present).weights for each in ears]
    assert all(np.abs(one - other).max() > 1e-3 for one, other in combinations(said, 2))


finite = st.floats(width=32, allow_nan=False, allow_infinity=False)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    readings=st.lists(arrays.arrays(np.float32, (4, 12), elements=finite), min_size=1, max_size=3),
    present=arrays.arrays(bool, (3, 4, 2)),
)
@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
def test_any_finite_readings_give_a_face(
    untrained: SignatureModel, readings: list[NDArray[np.float32]], present: NDArray[np.bool_]
) -> None:
    stream = untrained.stream()
    for part, here in zip(readings, present, strict=False):
        assert_sane(stream.push(part, here), 4)
    assert_sane(stream.push(*coming_and_going()), 240)


@pytest.mark.parametrize(
    ("segments", "seconds"),
    [
        (lambda: [recorded()[: round(12 * RATE)]], 12),
        (lambda: [recorded().without_ear(1)], 0),
        (lambda: [recorded()[row : row + 50] for row in range(0, 2000, 50)], 0),
        (lambda: [], 0),
    ],
)
def test_too_little_of_the_true_face_is_refused_with_what_to_do(
    untrained: SignatureModel, segments: Callable[[], list[Segment]], seconds: int
) -> None:
    with pytest.raises(ValueError, match=rf"^{seconds} s of .* too few, {SHORTEST:.0f} are needed: record"):
        untrained.fit([Person(segments(), HeadModel.load().landmark_neutral)])


def test_one_person_makes_it_theirs_and_several_leave_it_nobodys(untrained: SignatureModel) -> None:
    nobodys, numbers = Signatures.fitted(untrained.population).to_dict(), untrained.parameters
    assert untrained.fit([person()]) is untrained
    assert untrained.face is not None
    assert untrained.profile is not None
    assert untrained.parameters > numbers
    np.testing.assert_allclose(untrained.face.neutral, HeadModel.load().landmark_neutral, atol=1e-4)
    assert not np.allclose(untrained.signatures.response, nobodys["response"], atol=1e-3)
    for people in ([person(), person()], []):
        untrained.fit([person()]).fit(people)
        assert untrained.face is untrained.profile is None
        assert untrained.parameters == numbers
        assert not any(array.any() for array in untrained.readout.to_dict().values())
        for name, array in untrained.signatures.to_dict().items():
            np.testing.assert_array_equal(array, nobodys[name])


def test_fitting_ends_up_the_same_whatever_came_before(untrained: SignatureModel) -> None:
    first = untrained.fit([person()], seed=1).to_arrays()
    untrained.fit([person(recorded()[:900])])
    for name, array in untrained.fit([person()], seed=2).to_arrays().items():
        np.testing.assert_array_equal(array, first[name])


def test_frames_with_one_ear_are_not_solved_from(untrained: SignatureModel) -> None:
    whole, after = recorded()[:900], recorded()[900:1800].without_ear(0)
    alone = untrained.fit([person(whole)]).to_arrays()
    for name, array in untrained.fit([person(whole, after)]).to_arrays().items():
        np.testing.assert_array_equal(array, alone[name])


def test_the_readout_gives_back_what_the_memory_holds_of_the_error() -> None:
    rng = np.random.default_rng(0)
    memory = rng.normal(0.3, 0.5, (9000, 2 * WIDTH)).astype(np.float32)
    true = np.zeros((2 * WIDTH, WEIGHTS), np.float32)
    true[:5] = rng.normal(0.0, 1.0, (5, WEIGHTS))
    errors = memory @ true + 0.2
    shares = []
    for frames in (300, 3000, 9000):
        readout = Readout.fitted(memory[:frames], errors[:frames])
        left = errors[:frames] - readout(memory[:frames])
        assert np.abs(left.mean(axis=0)).max() < 1e-4
        shares.append(float(np.square(left).mean() / errors[:frames].var(axis=0).mean()))
        # Shrunk towards no change, the more so the less data there is.
        assert 0.0 < np.sum(readout.coefficients[:5] * true[:5]) < np.sum(true[:5] ** 2)
    assert 1.0 > shares[0] > shares[1] > shares[2]
    assert not Readout.none()(memory[:9]).any()


def test_the_readout_is_learned_from_both_ears_and_used_with_both(untrained: SignatureModel) -> None:
    model, segment = untrained.fit([person()]), recorded()[300:400]
    assert model.readout.coefficients.any()
    with_it = {ear: model.stream().push(each.readings, each.present).weights for ear, each in seen(segment).items()}
    model.readout = Readout.none()
    without = {ear: model.stream().push(each.readings, each.present).weights for ear, each in seen(segment).items()}
    assert {ear: bool(np.abs(with_it[ear] - without[ear]).max() > 1e-4) for ear in with_it} == {
        "both": True, "left": False, "right": False
    }  # fmt: skip


def test_a_face_that_was_learned_from_comes_closer_with_the_readout(untrained: SignatureModel) -> None:
    model, segment = untrained.fit([person()]), recorded()
    errors = []
    for readout in (model.readout, Readout.none()):
        model.readout = readout
        errors.append(
            np.square(model.stream().push(segment.readings, segment.present).weights - segment.weights).mean()
        )
    assert errors[0] < errors[1]


@pytest.mark.parametrize("own", [False, True])
def test_a_model_comes_back_from_its_file(untrained: SignatureModel, tmp_path: Path, own: bool) -> None:
    model = untrained.fit([person()]) if own else untrained
    model.card["protocol"] = "a test"
    save(model, tmp_path / "anna.npz")
    found = load(tmp_path / "anna.npz")
    assert isinstance(found, SignatureModel)
    assert found.card == model.card
    assert found.parameters == model.parameters
    for name, array in model.signatures.to_dict().items():
        np.testing.assert_array_equal(getattr(found.signatures, name), array)
    for name, array in model.readout.to_dict().items():
        np.testing.assert_array_equal(getattr(found.readout, name), array)
    for name, array in vars(model.population).items():
        np.testing.assert_allclose(vars(found.population)[name], array, rtol=1e-6)
    for name, array in found.network.arrays.items():
        np.testing.assert_allclose(array, model.network.arrays[name], rtol=1e-3, atol=1e-6)
    again = everything(found.stream().push(*coming_and_going()))
    for name, values in everything(model.stream().push(*coming_and_going())).items():
        np.testing.assert_allclose(again[name], values, rtol=5e-3, atol=2e-3, err_msg=name)
    if own:
        assert model.face is not None
        assert found.face is not None
        assert model.profile is not None
        assert found.profile is not None
        np.testing.assert_array_equal(found.face.deltas, model.face.deltas)
        assert found.profile.to_dict() == model.profile.to_dict()
        refitted = found.fit([person()]).signatures
        np.testing.assert_allclose(refitted.response, model.signatures.response, atol=1e-4)
    else:
        assert found.face is found.profile is None


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_array_is_refused(
    untrained: SignatureModel,
    damage_one: Callable[[st.DataObject, dict[str, np.ndarray]], str],
    data: st.DataObject,
) -> None:
    arrays = dict(untrained.to_arrays())
    name = damage_one(data, arrays).partition(".")[2]
    with pytest.raises(ValueError, match=f"array '{name}'"):
        SignatureModel.from_arrays(arrays)
