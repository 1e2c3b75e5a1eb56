"""IMUTwinTrans and its model file."""

from __future__ import annotations

import itertools
import json
import pickle
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from face_recon_node.head.personal import PersonalFace
from face_recon_node.network import FaceNetwork, IMUTwinTrans, NetworkConfig, Statistics
from face_recon_node.network.face_network import ADAPTABLE, SHIPPED
from face_recon_node.network.imu_twin_trans import TRACKED, State
from face_recon_node.network.recurrent import Recurrent
from face_recon_node.network.wearer import Shares, Wearer
from face_recon_node.stream.features import CHANNELS
from face_recon_node.stream.profile import EarProfile
from face_recon_node.tracking import Mechanics
from face_recon_node.tracking.mechanics import (
    EARS_SEEN,
    LATENT_LAGS,
    LATENTS,
    READING_LAGS,
    STATES,
    STEPS,
    EarSystem,
)
from face_recon_node.tracking.readout import Readout
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SMALL = NetworkConfig(width=16, heads=2, time_blocks=1, frequency_blocks=1, fusion_blocks=1, window=20, kernel=5)


def network(seed: int = 0) -> FaceNetwork:
    torch.manual_seed(seed)
    statistics = Statistics(
        np.full(52, 0.1, np.float32), np.full(52, 0.2, np.float32), np.full(51, 1e-3, np.float32), 1.2, 0.8
    )
    return FaceNetwork(IMUTwinTrans(SMALL), statistics, {"simulated": True})


def some_mechanics(seed: int = 0) -> Mechanics:
    """Ears that damp every reading and move the face by some of it."""
    rng = np.random.default_rng(seed)
    systems = {}
    for name, channels in EARS_SEEN.items():
        m = len(channels)
        past = np.concatenate((0.5 * np.eye(m), np.zeros((m, (READING_LAGS - 1) * m))), axis=1)
        shared = rng.normal(0.0, 0.02, (len(STEPS), STATES + m, m))
        spread, observed = np.zeros((len(STEPS), m, m)), np.zeros((m, STATES + m))
        systems[name] = EarSystem(past, np.zeros(m), np.eye(m), spread, shared, observed, np.full(52, 0.1))
    decode = rng.normal(0.0, 0.05, (LATENTS, 52))
    motion = 0.5 * np.eye(LATENTS, LATENT_LAGS * LATENTS)
    return Mechanics(np.full(52, 0.3), np.full(52, 0.2), decode, motion, systems)


def some_readout(seed: int = 0) -> Readout:
    rng = np.random.default_rng(seed)
    tracked, true = rng.uniform(0.0, 1.0, (2, 60, 52))
    return Readout.learned(some_mechanics(), np.full((52, 51, 3), 0.01), [(tracked, true)])


def some_recurrent(seed: int = 0) -> Recurrent:
    torch.manual_seed(seed)
    recurrent = Recurrent()
    for parameter in recurrent.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    torch.nn.init.normal_(recurrent.encode)
    return recurrent.eval()


WEARER = Wearer(
    some_mechanics(),
    some_readout(),
    (some_recurrent(), some_recurrent(1)),
    PersonalFace(np.arange(153, dtype=np.float32).reshape(51, 3), np.ones((52, 51, 3), np.float32)),
    Shares(0.2, 0.5, 0.3),
    EarProfile(np.eye(3), 60.0),
)


def personal(seed: int = 0) -> FaceNetwork:
    net = network(seed)
    return FaceNetwork(net.module, net.statistics, net.card, WEARER)


def features(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, len(CHANNELS))).astype(np.float32)


Inputs = tuple[np.ndarray, np.ndarray, np.ndarray]


def inputs(count: int, seed: int = 0) -> Inputs:
    """Features, readings, and whether each ear is there: the right one is lost for a while."""
    present = np.ones((count, 2), bool)
    present[count // 3 : count // 2, 1] = False
    readings = np.random.default_rng(seed + 1).normal(size=(count, 12)) * np.repeat(present, 6, axis=1)
    return features(count, seed), readings, present


def rows(values: Inputs, which: slice) -> Inputs:
    whole, readings, present = values
    return whole[which], readings[which], present[which]


def test_shapes_and_ranges() -> None:
    prediction = network().stream().push(*inputs(40))
    assert prediction.weights.shape == (40, 52)
    assert prediction.weights_std.shape == (40, 52)
    assert prediction.landmarks_std.shape == (40, 51)
    assert ((prediction.weights >= 0.0) & (prediction.weights <= 1.0)).all()
    assert (prediction.weights_std > 0.0).all()
    assert ((prediction.landmarks_std > 0.0) & (prediction.landmarks_std < 0.1)).all()


# Single frames go through another program than longer pieces.
@pytest.mark.parametrize("bounds", [range(91), [0, 1, 2, 30, 31, 32, 33, 70, 71, 90]], ids=["single", "mixed"])
@pytest.mark.parametrize("net", [network(), personal(), FaceNetwork.load()], ids=["nobody's", "personal", "shipped"])
def test_frame_by_frame_equals_all_at_once(net: FaceNetwork, bounds: Sequence[int]) -> None:
    x = inputs(90)
    whole = net.stream().push(*x)
    stream = net.stream()
    frames = [stream.push(*rows(x, slice(*piece))) for piece in itertools.pairwise(bounds)]
    for name in ("weights", "weights_std", "landmarks_std"):
        np.testing.assert_allclose(
            np.concatenate([getattr(frame, name) for frame in frames]), getattr(whole, name), rtol=1e-3, atol=1e-5
        )


def test_the_past_decides_and_the_future_does_not() -> None:
    net, x, changed = personal(), inputs(60), inputs(60)
    for values in changed[:2]:
        values[30] += 3.0
    before, after = net.stream().push(*x).weights, net.stream().push(*changed).weights
    np.testing.assert_allclose(before[:30], after[:30], atol=1e-6)
    assert np.abs(before[45] - after[45]).max() > 1e-6


def test_what_is_kept_does_not_grow() -> None:
    net = network()
    state: State = []
    sizes = []
    for row in range(3):
        _, state = net.module(torch.from_numpy(features(50, row))[None], torch.zeros(1, 50, TRACKED), state)
        sizes.append(sum(part.numel() for part in state))
    assert sizes[0] == sizes[1] == sizes[2]


def test_a_saved_model_loads_to_the_same_predictions(tmp_path: Path) -> None:
    net = network()
    net.save(tmp_path / "model.pt")
    loaded = FaceNetwork.load(tmp_path / "model.pt")
    expected, got = net.stream().push(*inputs(40)), loaded.stream().push(*inputs(40))
    np.testing.assert_allclose(got.weights, expected.weights, atol=5e-3)
    np.testing.assert_allclose(got.landmarks_std, expected.landmarks_std, rtol=2e-2)
    np.testing.assert_array_equal(loaded.statistics.landmarks_std, net.statistics.landmarks_std)
    assert loaded.statistics.weights_std_scale == pytest.approx(1.2)
    assert loaded.card == json.loads((tmp_path / "model.json").read_text()) == {"simulated": True}


def test_a_saved_personal_model_knows_the_person_again(tmp_path: Path) -> None:
    net = personal()
    net.save(tmp_path / "anna.pt")
    loaded = FaceNetwork.load(tmp_path / "anna.pt")
    assert loaded.face is not None
    assert loaded.profile is not None
    assert loaded.mechanics is not None
    np.testing.assert_array_equal(loaded.face.neutral, WEARER.face.neutral)
    np.testing.assert_array_equal(loaded.face.deltas, WEARER.face.deltas)
    np.testing.assert_allclose(loaded.profile.log_covariance, np.eye(3))
    assert loaded.wearer is not None
    assert loaded.wearer.shares == Shares(0.2, 0.5, 0.3)
    expected, got = net.stream().push(*inputs(40)), loaded.stream().push(*inputs(40))
    np.testing.assert_allclose(got.weights, expected.weights, atol=5e-3)


def test_a_network_that_is_nobodys_does_without_readings() -> None:
    x, _, present = inputs(40)
    expected = network().stream().push(*inputs(40))
    np.testing.assert_array_equal(network().stream().push(x, np.zeros((40, 12)), present).weights, expected.weights)


def test_standard_deviations_grow_while_an_ear_is_missing(tmp_path: Path) -> None:
    network().with_scales(1.2, 0.8, 1.5).save(tmp_path / "model.pt")
    plain, wider = (net.stream().push(*inputs(40)) for net in (network(), FaceNetwork.load(tmp_path / "model.pt")))
    missing = ~inputs(40)[2].all(axis=1)
    expected = np.where(missing, 1.5, 1.0)[:, None]
    np.testing.assert_allclose(wider.landmarks_std / plain.landmarks_std, np.tile(expected, 51), rtol=0.02)
    np.testing.assert_allclose(wider.weights_std / plain.weights_std, np.tile(expected, 52), rtol=0.02)


def test_opinions_are_mixed_by_their_shares_and_alike_of_one_ear() -> None:
    net, x = personal(), inputs(40)
    both = x[2][:, 0] & x[2][:, 1]

    def told(*shares: float) -> np.ndarray:
        wearer = replace(WEARER, shares=Shares(*shares))
        return FaceNetwork(net.module, net.statistics, net.card, wearer).stream().push(*x).weights

    network, readout, recurrent = told(1.0, 0.0, 0.0), told(0.0, 1.0, 0.0), told(0.0, 0.0, 1.0)
    for one, other in itertools.combinations((network, readout, recurrent), 2):
        assert np.abs(one - other)[both].max() > 0.01
    expected = 0.2 * network + 0.5 * readout + 0.3 * recurrent
    np.testing.assert_allclose(told(0.2, 0.5, 0.3)[both], expected[both], atol=1e-6)
    alike = told(1 / 3, 1 / 3, 1 / 3)
    np.testing.assert_allclose(alike, np.where(both[:, None], (network + readout + recurrent) / 3, network), atol=1e-6)
    np.testing.assert_array_equal(network[~both], readout[~both])


def test_both_networks_say_how_sure_the_face_is() -> None:
    net, x = personal(), inputs(40)
    surer = some_recurrent()
    with torch.no_grad():
        surer.out.bias[52:104] -= 2.0
    for recurrent, expected in (((surer,), np.e), ((surer, some_recurrent()), np.sqrt(np.e))):
        usual, own = (
            FaceNetwork(net.module, net.statistics, net.card, replace(WEARER, recurrent=networks)).stream().push(*x)
            for networks in ((some_recurrent(),) * len(recurrent), recurrent)
        )
        assert np.median(usual.weights_std / own.weights_std) == pytest.approx(expected, rel=0.01)


def test_recurrent_networks_are_averaged_and_remember_by_themselves() -> None:
    net, (features, readings, _) = personal(), inputs(40)
    present = np.ones((40, 2), bool)

    def told(*networks: Recurrent) -> np.ndarray:
        wearer = replace(WEARER, recurrent=networks, shares=Shares(0.0, 0.0, 1.0))
        stream = FaceNetwork(net.module, net.statistics, net.card, wearer).stream()
        return np.concatenate(
            [
                stream.push(features[span], readings[span], present[span]).weights
                for span in (slice(15), slice(15, None))
            ]
        )

    one, other = told(some_recurrent()), told(some_recurrent(1))
    assert np.abs(one - other).max() > 0.01
    np.testing.assert_allclose(told(some_recurrent(), some_recurrent(1)), (one + other) / 2.0, atol=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"shares": {"network": 1.5, "readout": -0.5, "recurrent": 0.0}}, r"shares \(1.5, -0.5, 0.0\)"),
        ({"shares": {"network": float("nan"), "readout": 0.5, "recurrent": 0.5}}, r"shares \(nan"),
        ({"shares": {"network": 1.0}}, "damaged"),
        ({"shares": None}, "damaged"),
        ({"recurrent": []}, "no recurrent network"),
        ({"recurrent": [{}]}, "recurrent network"),
        ({"recurrent": [{**some_recurrent().state_dict(), "encode": torch.zeros(3)}]}, "recurrent network"),
        ({"recurrent": [{**some_recurrent().state_dict(), "encode": torch.full((52, LATENTS), torch.inf)}]}, "finite"),
        ({"profile": {"version": 1}}, "ear profile"),
        ({"arrays": {}}, "the person's face"),
        ({"arrays": None}, "damaged"),
        ({"arrays": {"face.neutral": torch.zeros(51, 2), "face.deltas": torch.zeros(52, 51, 3)}}, r"\(51, 3\)"),
        ({"arrays": {"face.neutral": torch.zeros(51, 3), "face.deltas": torch.zeros(52, 51, 3)}}, "mechanics lack"),
    ],
)
def test_a_damaged_wearer_is_refused(tmp_path: Path, change: dict, message: str) -> None:
    path = tmp_path / "anna.pt"
    personal().save(path)
    content = torch.load(path, weights_only=True)
    torch.save({**content, "wearer": {**content["wearer"], **change}}, path)
    with pytest.raises(ValueError, match=rf"anna\.pt.*{message}"):
        FaceNetwork.load(path)


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
        ({"version": 99}, "another version"),
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


@pytest.mark.parametrize("path", [SHIPPED, ADAPTABLE])
def test_the_shipped_models_are_small_and_say_what_they_are(path: Path) -> None:
    shipped = FaceNetwork.load(path)
    assert path.stat().st_size < 1_500_000
    assert shipped.wearer is None
    assert shipped.card["simulated"] is True
    assert shipped.card == json.loads(path.with_suffix(".json").read_text())


def test_the_shipped_model_is_better_than_the_mean_face_and_ridge_regression() -> None:
    figures = FaceNetwork.load().card["figures"]
    error = figures["IMUTwinTrans"]["landmark_error_mm"]
    assert error < 0.88 * figures["constant, mean face"]["landmark_error_mm"]
    assert error < figures["ridge regression"]["landmark_error_mm"]
