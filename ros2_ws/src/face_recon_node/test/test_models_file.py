"""Models come back from their files as they were; everything else is refused by name, with what to do."""

from __future__ import annotations

import json
import pickle
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from face_recon_node.data.segment import Segment, prepare
from face_recon_node.head import HeadModel
from face_recon_node.models.catalogue import choose, model_type
from face_recon_node.models.constant import MeanFace
from face_recon_node.models.file import load, save
from face_recon_node.models.imu_twin_trans import IMUTwinTrans
from face_recon_node.models.lstm import Lstm
from face_recon_node.models.model import FaceModel, Person
from face_recon_node.stream.profile import EarProfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from imuface_simulation import Participant, Performance, simulate

BASELINES = ["mean", "median", "ridge", "lstm", "imu_twin_trans"]
REMEDY = "make it again with `imuface adapt` or `imuface train`"


@pytest.fixture(scope="module")
def segments() -> list[Segment]:
    return prepare(simulate(Performance.natural(1, 25.0), Participant.random(1), 25.0))


@pytest.fixture(scope="module")
def models(segments: list[Segment]) -> dict[str, FaceModel]:
    person = Person(segments, HeadModel.load().landmark_neutral)
    with pytest.MonkeyPatch.context() as patch:
        for network in (Lstm, IMUTwinTrans):
            patch.setattr(network, "recipe", replace(network.recipe, least_steps=2, most_steps=2))
        return {name: choose(name).fit([person], seed=7) for name in BASELINES}


def mean(face: bool = True) -> MeanFace:
    """A model of which little is to be written."""
    segment = Segment(
        np.arange(2), np.zeros((2, 12), np.float32), np.ones((2, 2), bool), np.eye(2, 52, dtype=np.float32)
    )
    person = Person([segment], HeadModel.load().landmark_neutral)
    return MeanFace().fit([person] if face else [person, person])


@pytest.mark.parametrize("name", BASELINES)
def test_a_model_comes_back(models: dict[str, FaceModel], segments: list[Segment], name: str, tmp_path: Path) -> None:
    model, path = models[name], tmp_path / "new" / "anna.npz"
    save(model, path)
    found = load(str(path))
    assert type(found) is type(model)
    assert found.card == model.card == json.loads((path.parent / "anna.card.json").read_text())
    assert found.parameters == model.parameters
    assert model.face is not None
    assert found.face is not None
    np.testing.assert_array_equal(found.face.neutral, model.face.neutral)
    np.testing.assert_array_equal(found.face.deltas, model.face.deltas)
    shown = (segments[0].readings[:90], segments[0].present[:90])
    np.testing.assert_array_equal(found.stream().push(*shown).weights, model.stream().push(*shown).weights)
    assert sorted(entry.name for entry in path.parent.iterdir()) == ["anna.card.json", "anna.npz"]


@pytest.mark.parametrize("profile", [None, EarProfile(np.eye(3), 60.0)])
def test_face_and_profile_may_be_unknown(profile: EarProfile | None, tmp_path: Path) -> None:
    model = mean(face=False)
    model.profile = profile
    save(model, tmp_path / "model.npz")
    found = load(tmp_path / "model.npz")
    assert found.face is None
    if profile is None:
        assert found.profile is None
    else:
        assert found.profile is not None
        assert found.profile.to_dict() == profile.to_dict()


@pytest.mark.parametrize("name", BASELINES)
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_array_is_named(
    models: dict[str, FaceModel],
    damage_one: Callable[[st.DataObject, dict[str, np.ndarray]], str],
    name: str,
    data: st.DataObject,
) -> None:
    arrays = dict(models[name].to_arrays())
    damaged = damage_one(data, arrays)
    with pytest.raises(ValueError, match=f"array '{damaged}'"):
        model_type(name).from_arrays(arrays)


def test_numbers_too_large_are_refused() -> None:
    with pytest.raises(ValueError, match="array 'weights' holds numbers that are not finite"):
        MeanFace.from_arrays({"weights": np.full(52, 1e300)})


def changed(path: Path, header: dict[str, Any], arrays: dict[str, Any]) -> None:
    """A model file with other values in its header and other arrays; None takes one away."""
    save(mean(), path)
    with np.load(path) as archive:
        content = dict(archive)
    told = json.loads(content["header"].tobytes()) | header
    content |= {"header": np.frombuffer(json.dumps(told).encode(), np.uint8)} | arrays
    with path.open("wb") as stream:
        np.savez(stream, **{name: array for name, array in content.items() if array is not None})


@pytest.mark.parametrize(
    ("header", "arrays", "message"),
    [
        ({}, {"header": None}, "is not a model"),
        ({}, {"header": np.zeros(3)}, "cannot be used"),
        ({}, {"header": np.frombuffer(b"[]", np.uint8)}, "is not a model"),
        ({"format": "other"}, {}, "is not a model"),
        ({"version": 99}, {}, "another version"),
        ({"version": [2]}, {}, "another version"),
        ({"model": "cnn"}, {}, "no model 'cnn'; there are mean, median"),
        ({"model": ["mean"]}, {}, "no model"),
        ({"model": "ridge"}, {}, "no array 'reading_mean'"),
        ({}, {"model.weights": None}, "no array 'weights'"),
        ({}, {"model.weights": np.zeros(51)}, r"'weights' has the shape \(51,\) instead of \(52,\)"),
        ({}, {"model.weights": np.full(52, np.nan)}, "'weights' holds numbers that are not finite"),
        ({}, {"model.weights": np.full(52, "a")}, "cannot be used"),
        ({"card": []}, {}, "is damaged"),
        ({"card": None}, {}, "is damaged"),
        ({}, {"face.neutral": None}, "no array 'neutral'"),
        ({}, {"face.deltas": np.zeros((52, 51))}, "'deltas' has the shape"),
        ({"profile": {"version": 1}}, {}, "ear profile"),
        ({"profile": 1}, {}, "ear profile"),
    ],
)
def test_a_model_with_wrong_parts_is_refused(
    tmp_path: Path, header: dict[str, Any], arrays: dict[str, Any], message: str
) -> None:
    path = tmp_path / "anna.npz"
    changed(path, header, arrays)
    with pytest.raises(ValueError, match=rf"anna\.npz .*{message}.*; {REMEDY}"):
        load(path)


@pytest.mark.parametrize("content", [{"weights": np.zeros(3)}, {}])
def test_other_archives_are_refused(tmp_path: Path, content: dict[str, Any]) -> None:
    np.savez(tmp_path / "other.npz", **content)
    with pytest.raises(ValueError, match=rf"other\.npz .*not a model of this program; {REMEDY}"):
        load(tmp_path / "other.npz")


def test_a_plain_array_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "other.npy", np.zeros(3))
    with pytest.raises(ValueError, match=rf"other\.npy is not a model of this program or is damaged; {REMEDY}"):
        load(tmp_path / "other.npy")


def test_a_file_of_the_former_format_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "anna.pt"
    with zipfile.ZipFile(path, "w") as archive:  # as PyTorch laid it out
        archive.writestr("anna/data.pkl", b"")
        archive.writestr("anna/data/0", b"")
    with pytest.raises(ValueError, match=rf"anna\.pt .*made by an earlier version of this program; {REMEDY}"):
        load(path)


@pytest.mark.parametrize("path", [None, ""])
def test_without_a_path_the_shipped_model_is_loaded(
    path: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("face_recon_node.models.file.SHIPPED", tmp_path / "shipped.npz")
    save(mean(), tmp_path / "shipped.npz")
    assert isinstance(load(path), MeanFace)


def test_a_missing_model_is_named() -> None:
    with pytest.raises(FileNotFoundError, match=rf"nowhere\.npz does not exist; {REMEDY}"):
        load("nowhere.npz")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_file_is_refused_by_name(tmp_path: Path, data: st.DataObject) -> None:
    whole, path = tmp_path / "model.npz", tmp_path / "damaged.npz"
    if not whole.exists():
        save(mean(), whole)
    content = whole.read_bytes()
    if data.draw(st.booleans()):
        path.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    else:
        path.write_bytes(data.draw(st.binary(max_size=500)))
    with pytest.raises(ValueError, match=rf"damaged\.npz is not a model of this program or is damaged; {REMEDY}"):
        load(path)


class _Intruder:
    def __reduce__(self) -> tuple:
        return (Path.touch, (Path("intruded"),))


def test_nothing_in_a_model_file_is_executed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("plain.npz").write_bytes(pickle.dumps(_Intruder()))
    np.savez("zipped.npz", header=np.array(_Intruder(), object))
    for name in ("plain.npz", "zipped.npz"):
        with pytest.raises(ValueError, match="is not a model"):
            load(name)
    assert not Path("intruded").exists()
