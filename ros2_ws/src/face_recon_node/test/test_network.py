"""IMUTwinTrans and its model file."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from face_recon_node.network import FaceNetwork, IMUTwinTrans, NetworkConfig, Statistics
from face_recon_node.network.face_network import SHIPPED
from face_recon_node.stream.features import CHANNELS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SMALL = NetworkConfig(width=16, heads=2, time_blocks=1, frequency_blocks=1, fusion_blocks=1, window=20, kernel=5)


def network(seed: int = 0) -> FaceNetwork:
    torch.manual_seed(seed)
    statistics = Statistics(
        np.full(52, 0.1, np.float32), np.full(52, 0.2, np.float32), np.full(51, 1e-3, np.float32), 1.2, 0.8
    )
    return FaceNetwork(IMUTwinTrans(SMALL), statistics, {"simulated": True})


def features(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, len(CHANNELS))).astype(np.float32)


def test_shapes_and_ranges() -> None:
    prediction, _ = network().predict(features(40), [])
    assert prediction.weights.shape == (40, 52)
    assert prediction.weights_std.shape == (40, 52)
    assert prediction.landmarks_std.shape == (40, 51)
    assert ((prediction.weights >= 0.0) & (prediction.weights <= 1.0)).all()
    assert (prediction.weights_std > 0.0).all()
    assert ((prediction.landmarks_std > 0.0) & (prediction.landmarks_std < 0.1)).all()


def test_frame_by_frame_equals_all_at_once() -> None:
    net, x = network(), features(90)
    whole, _ = net.predict(x, [])
    state: list[torch.Tensor] = []
    frames = []
    for row in range(90):
        frame, state = net.predict(x[row : row + 1], state)
        frames.append(frame)
    for name in ("weights", "weights_std", "landmarks_std"):
        np.testing.assert_allclose(
            np.concatenate([getattr(frame, name) for frame in frames]), getattr(whole, name), rtol=1e-3, atol=1e-5
        )


def test_the_past_decides_and_the_future_does_not() -> None:
    net, x = network(), features(60)
    changed = x.copy()
    changed[30] += 3.0
    before, after = net.predict(x, [])[0].weights, net.predict(changed, [])[0].weights
    np.testing.assert_allclose(before[:30], after[:30], atol=1e-6)
    assert np.abs(before[45] - after[45]).max() > 1e-6


def test_what_is_kept_does_not_grow() -> None:
    net = network()
    state: list[torch.Tensor] = []
    sizes = []
    for row in range(3):
        _, state = net.predict(features(50, row), state)
        sizes.append(sum(part.numel() for part in state))
    assert sizes[0] == sizes[1] == sizes[2]


def test_a_saved_model_loads_to_the_same_predictions(tmp_path: Path) -> None:
    net = network()
    net.save(tmp_path / "model.pt")
    loaded = FaceNetwork.load(tmp_path / "model.pt")
    expected, got = net.predict(features(40), [])[0], loaded.predict(features(40), [])[0]
    np.testing.assert_allclose(got.weights, expected.weights, atol=5e-3)
    np.testing.assert_allclose(got.landmarks_std, expected.landmarks_std, rtol=2e-2)
    np.testing.assert_array_equal(loaded.statistics.landmarks_std, net.statistics.landmarks_std)
    assert loaded.statistics.weights_std_scale == pytest.approx(1.2)
    assert loaded.card == json.loads((tmp_path / "model.json").read_text()) == {"simulated": True}


def test_a_missing_model_is_named() -> None:
    with pytest.raises(FileNotFoundError, match=r"nowhere\.pt does not exist; train one"):
        FaceNetwork.load("nowhere.pt")


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@given(data=st.data())
def test_a_damaged_model_is_refused_by_name(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "damaged_model.pt"
    network().save(tmp_path / "model.pt")
    content = bytearray((tmp_path / "model.pt").read_bytes())
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(0, len(content) - 1))]
    else:
        content = bytearray(data.draw(st.binary(max_size=200)))
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"model\.pt"):
        FaceNetwork.load(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "other"}, "is not a model"),
        ({"version": 99}, "other features"),
        ({"channels": ["a"]}, "other features"),
        ({"config": {"width": -1}}, "damaged"),
        ({"config": {"depth": 3}}, "damaged"),
        ({"config": {"width": 32}}, "damaged"),
        ({"state": {}}, "damaged"),
        ({"statistics": {}}, "damaged"),
        ({"card": "{"}, "damaged"),
    ],
)
def test_a_model_with_wrong_parts_is_refused(tmp_path: Path, change: dict, message: str) -> None:
    path = tmp_path / "model.pt"
    network().save(path)
    torch.save({**torch.load(path, weights_only=True), **change}, path)
    with pytest.raises(ValueError, match=message):
        FaceNetwork.load(path)


def test_weights_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    net = network()
    with torch.no_grad():
        net.module.time_in.bias[0] = float("nan")
    net.save(tmp_path / "model.pt")
    with pytest.raises(ValueError, match="not finite"):
        FaceNetwork.load(tmp_path / "model.pt")


class _Intruder:
    def __reduce__(self) -> tuple:
        return (Path.touch, (Path("intruded"),))


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_nothing_in_a_model_file_is_executed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("plain.pt").write_bytes(pickle.dumps(_Intruder()))
    torch.save({"format": _Intruder()}, "zipped.pt")
    for name in ("plain.pt", "zipped.pt"):
        with pytest.raises(ValueError, match="is not a model"):
            FaceNetwork.load(name)
    assert not Path("intruded").exists()


def test_the_shipped_model_is_small_and_says_what_it_is() -> None:
    shipped = FaceNetwork.load()
    assert SHIPPED.stat().st_size < 1_500_000
    assert shipped.card["simulated"] is True
    assert shipped.card == json.loads(SHIPPED.with_suffix(".json").read_text())
    figures = shipped.card["figures"]
    error = figures["IMUTwinTrans"]["landmark_error_mm"]
    assert error < 0.88 * figures["constant, mean face"]["landmark_error_mm"]
    assert error < figures["ridge regression"]["landmark_error_mm"]
