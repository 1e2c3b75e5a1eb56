"""Personal models: adapted to short simulated sessions, in the small; and the command."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, astuple, replace
from functools import cache, partial
from pathlib import Path

import numpy as np
import pytest
import torch
import typer
from face_recon_node.commands.adapt import adapt as adapt_command
from face_recon_node.head import HeadModel
from face_recon_node.head.model import Identity
from face_recon_node.network import FaceNetwork, IMUTwinTrans, NetworkConfig, Statistics
from face_recon_node.network.recurrent import Recurrent
from face_recon_node.network.wearer import Wearer
from face_recon_node.tracking import learn
from face_recon_node.training import evaluation, personal, run
from face_recon_node.training.personal import AdaptConfig, adapt, chosen_shares, cross_fitted, estimate
from face_recon_node.training.population import SimulatedSession
from face_recon_node.training.stretch import Stretch, prepare
from imuface_driver.recording import LandmarkTrack, Recording
from imuface_driver.session import write_session
from typer.testing import CliRunner

QUICK = partial(
    AdaptConfig,
    min_steps=30,
    max_steps=30,
    min_recurrent_steps=30,
    max_recurrent_steps=30,
    batch=4,
    piece=96,
    warm_up=16,
)
TINY = NetworkConfig(width=16, heads=2, time_blocks=1, frequency_blocks=1, fusion_blocks=1, window=16, kernel=3)


@cache
def head() -> HeadModel:
    return HeadModel.load().with_identity(Identity(age=0.5, gender=1.0, weight=0.3))


@cache
def recording(minutes: float = 0.75) -> Recording:
    """A person with a head of their own."""
    made = SimulatedSession(12, minutes, "still", lose_ear=False).record()
    assert made.blendshapes is not None
    points = head().landmarks(made.blendshapes.weights).astype(np.float32)
    return replace(made, landmarks=LandmarkTrack(made.blendshapes.stamps, points))


@cache
def session() -> Stretch:
    (stretch,) = prepare(recording())
    return stretch


@cache
def base() -> FaceNetwork:
    torch.manual_seed(0)
    spread = Statistics(np.zeros(52, np.float32), np.full(52, 0.2, np.float32), np.full(51, 1e-3, np.float32))
    return FaceNetwork(IMUTwinTrans(TINY), spread, {"model": "untuned"})


@cache
def anna() -> FaceNetwork:
    return adapt(base(), [session()], config=QUICK())


def wearer(network: FaceNetwork) -> Wearer:
    assert network.wearer is not None
    return network.wearer


def error_mm(network: FaceNetwork, stretches: Sequence[Stretch]) -> float:
    """Mean distance of the landmarks, on the person's own face."""
    deltas = head().landmark_deltas.reshape(52, -1)
    errors = [(evaluation.predict(network, one).weights - one.weights) @ deltas for one in stretches]
    return float(np.linalg.norm(np.concatenate(errors).reshape(-1, 51, 3), axis=-1).mean() * 1000.0)


def test_adapting_learns_the_ears_and_the_face_of_the_person() -> None:
    assert error_mm(anna(), [session()]) < 0.5 * error_mm(base(), [session()])
    weights = session().weights
    found, truth = wearer(anna()).face.landmarks(weights), head().landmarks(weights)
    assert np.linalg.norm(found - truth, axis=-1).mean() < 2e-4
    card = anna().card
    assert card["personal"] is True
    assert card["minutes"] == pytest.approx(0.7, abs=0.02)
    assert card["base"] == {"model": "untuned"}
    assert card["configuration"]["seed"] == 0
    assert 0.0 < card["figures"]["landmark_error_mm"] < 10.0
    assert card["figures"]["constant_face_mm"] > 0.0
    assert 0.0 < card["tuned"] < 1.0
    assert card["shares"] == pytest.approx(asdict(wearer(anna()).shares), abs=1e-3)


def test_the_share_of_the_network_follows_how_good_it_is_on_unseen_frames() -> None:
    frames = 9000
    network, readout, recurrent = astuple(wearer(anna()).shares)
    assert readout > 0.0 < recurrent
    torch.manual_seed(0)
    untuned = FaceNetwork(IMUTwinTrans(TINY), anna().statistics, {}, wearer(anna()))
    distrusted = chosen_shares(untuned, [session()], frames)
    assert distrusted.network < 0.5
    # The rest is shared as always.
    assert distrusted.recurrent / distrusted.readout == pytest.approx(0.5 * 5 / 9 / 0.2)
    ruined = replace(
        wearer(anna()), recurrent=(Recurrent().eval(),), readout=replace(wearer(anna()).readout, constant=np.ones(52))
    )
    trusted = chosen_shares(FaceNetwork(anna().module, anna().statistics, {}, ruined), [session()], frames)
    assert trusted.network > max(network, 0.8)
    # Nothing to choose by.
    assert chosen_shares(anna(), [session().without_ear(0)], frames).network == pytest.approx(0.75)


def test_the_base_stays_as_it_is() -> None:
    torch.manual_seed(0)
    untouched = IMUTwinTrans(TINY).state_dict()
    anna()
    assert all(torch.equal(value, untouched[name]) for name, value in base().module.state_dict().items())


def test_a_personal_model_survives_its_file(tmp_path: Path) -> None:
    anna().save(tmp_path / "anna.pt")
    loaded = FaceNetwork.load(tmp_path / "anna.pt")
    expected, got = (evaluation.predict(network, session()) for network in (anna(), loaded))
    np.testing.assert_allclose(got.weights, expected.weights, atol=0.02)
    np.testing.assert_allclose(got.landmarks_std, expected.landmarks_std, rtol=0.05)
    own, kept = wearer(anna()), wearer(loaded)
    assert kept.shares == own.shares
    np.testing.assert_array_equal(kept.face.deltas, own.face.deltas)
    assert own.profile is not None
    assert kept.profile is not None
    assert kept.profile.deviation(own.profile.log_covariance) < 1e-6
    assert loaded.card == anna().card == json.loads((tmp_path / "anna.json").read_text())


def test_the_same_seed_gives_the_same_model_on_one_core_and_on_two() -> None:
    again = adapt(base(), [session()], config=QUICK(), processes=2)
    for name, value in anna().module.state_dict().items():
        assert torch.equal(value, again.module.state_dict()[name])
    assert again.card == anna().card


def test_landmarks_without_weights_suffice() -> None:
    stretches = prepare(replace(recording(), blendshapes=None))
    network = adapt(base(), stretches, config=QUICK())
    face = wearer(network).face
    found, unadapted = (estimate(of, stretches[0], face).landmarks for of in (network, base()))
    truth = stretches[0].true_landmarks(head())
    resting = np.median(truth, axis=0)
    moved = np.linalg.norm(truth - resting, axis=-1).mean()
    missed = np.linalg.norm(unadapted - truth, axis=-1).mean()
    assert np.linalg.norm(found - truth, axis=-1).mean() < 0.5 * missed
    # The face that is fitted to the fitted weights gives the landmarks that were seen.
    assert np.linalg.norm(face.landmarks(stretches[0].weights) - truth, axis=-1).mean() < 0.3 * moved


def test_an_estimate_keeps_the_neutral_face_that_it_is_given() -> None:
    other = personal.PersonalFace.of_neutral(HeadModel.load(), 1.1 * HeadModel.load().landmark_neutral)
    for network, deltas in ((anna(), wearer(anna()).face.deltas), (base(), other.deltas)):
        found = estimate(network, session()[:50], other)
        expected = other.neutral + np.einsum("nw,wlc->nlc", found.weights, deltas)
        np.testing.assert_allclose(found.landmarks, expected, atol=1e-6)


def test_every_frame_is_learned_from_with_a_tracker_that_has_not_seen_it() -> None:
    deltas = head().landmark_deltas
    examples = cross_fitted([session()], deltas)
    each = 1 + personal.RESEATED + 2 * personal.REMIXED
    assert len(examples) == 2 * each
    plain = [examples[0], examples[each]]
    np.testing.assert_array_equal(np.concatenate([example.weights for example in plain]), session().weights)
    # A tracker that has seen the answer is nearer to it.
    seen = personal.Example.tracked_by(learn([session()], deltas), session())
    unseen = np.concatenate([example.tracked[:, :52] for example in plain])
    assert np.abs(seen.tracked[:, :52] - session().weights).mean() < np.abs(unseen - session().weights).mean()


@pytest.mark.parametrize("seconds", [0, 5, 20])
def test_too_little_data_is_refused(seconds: int) -> None:
    stretches = [session()[: 30 * seconds]] if seconds else []
    with pytest.raises(ValueError, match=f"{seconds} s of the true face are too few, 26 are needed"):
        adapt(base(), stretches, config=QUICK())


def test_as_little_as_is_asked_for_suffices_and_lost_ears_are_said() -> None:
    short = session()[: round(personal.SHORTEST * 30)]
    assert adapt(base(), [short], config=QUICK()).wearer is not None
    present = short.present.copy()
    present[:, 0] = False
    for processes in (1, 2):
        with pytest.raises(ValueError, match="both ears"):
            adapt(base(), [replace(short, present=present)], config=QUICK(), processes=processes)


APP = typer.Typer()
APP.command()(adapt_command)


@pytest.fixture
def arguments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A quick adaptation of a tiny base to a session in ``tmp_path``."""
    monkeypatch.setattr(personal, "AdaptConfig", QUICK)
    # A class that was replaced cannot be sent to another process.
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    base().save(tmp_path / "base.pt")
    write_session(tmp_path / "anna_1", recording())
    return ["--base", str(tmp_path / "base.pt"), "--output", str(tmp_path / "out" / "anna.pt")]


def test_the_command_makes_a_model_and_says_in_its_card_what_it_skipped(
    tmp_path: Path, arguments: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "study.yaml").write_text("simulated: true\n")
    (tmp_path / "broken").mkdir()
    sessions = [str(tmp_path / "anna_1"), str(tmp_path / "broken")]
    result = CliRunner().invoke(APP, [*sessions, *arguments, "--minutes", "0.5", "--seed", "3", "--json"])
    assert result.exit_code == 0, result.output
    assert "broken is skipped" in caplog.text
    network = FaceNetwork.load(tmp_path / "out" / "anna.pt")
    assert network.face is not None
    assert network.card == json.loads(result.stdout) == json.loads((tmp_path / "out" / "anna.json").read_text())
    assert network.card["minutes"] == 0.5
    assert network.card["sessions"] == ["anna_1"]
    assert "broken" in network.card["skipped_sessions"]["broken"]
    assert network.card["simulated"] is True
    assert network.card["configuration"]["seed"] == 3


def test_the_command_says_how_good_the_model_is(
    tmp_path: Path, arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "adapt", lambda *_, **__: FaceNetwork(base().module, base().statistics, anna().card))
    result = CliRunner().invoke(APP, [str(tmp_path / "anna_1"), *arguments])
    assert result.exit_code == 0, result.output
    assert f"not learned from: {anna().card['figures']['landmark_error_mm']:.2f} mm" in result.stdout
    assert "anna.pt: personal model" in result.stdout
    assert FaceNetwork.load(tmp_path / "out" / "anna.pt").card["simulated"] is False


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--minutes", "0"], "minutes is 0.0, must be positive"),
        (["--minutes", "nan"], "minutes is nan"),
        (["--minutes", "inf"], "minutes is inf"),
        (["--minutes", "0.1"], "6 s of the true face are too few"),
        (["--minutes", "5"], "less than 5 minutes"),
        (["--base", "absent.pt"], "absent.pt does not exist"),
    ],
)
def test_bad_arguments_end_with_one_line(tmp_path: Path, arguments: list[str], more: list[str], message: str) -> None:
    result = CliRunner().invoke(APP, [str(tmp_path / "anna_1"), *arguments, *more])
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert message in line


def test_no_usable_session_is_one_line(tmp_path: Path, arguments: list[str]) -> None:
    result = CliRunner().invoke(APP, [str(tmp_path / "absent"), *arguments])
    assert result.exit_code == 1
    assert "none of the sessions can be used" in result.output
    assert not (tmp_path / "out" / "anna.pt").exists()
