"""Training, its data, baselines and figures, in the small; and the commands."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
import typer
from face_recon_node.commands.evaluate import evaluate
from face_recon_node.commands.train import train as train_command
from face_recon_node.head import HeadModel
from face_recon_node.network import FaceNetwork, NetworkConfig
from face_recon_node.tracking import learn
from face_recon_node.training import evaluation, population, run, trainer
from face_recon_node.training.population import Example, SimulatedSession
from face_recon_node.training.stretch import Stretch, prepare
from face_recon_node.training.trainer import TrainingConfig, train
from imuface_driver.recording import ImuTrack, Recording
from imuface_driver.session import write_session
from typer.testing import CliRunner

TINY = TrainingConfig(
    simulated=2,
    minutes=0.5,
    steps=30,
    batch=4,
    piece=96,
    network=NetworkConfig(width=16, heads=2, time_blocks=1, frequency_blocks=1, fusion_blocks=1, window=16, kernel=3),
)


@cache
def recording(seed: int = 1) -> Recording:
    return SimulatedSession(seed, 0.5, "still", lose_ear=False).record()


@cache
def stretches() -> tuple[Stretch, ...]:
    return tuple(prepare(recording(1)) + prepare(recording(2)))


@cache
def examples() -> tuple[Example, ...]:
    """The stretches, one with and one without a tracker of the ears."""
    first, second = stretches()
    return Example.tracked_by(learn([first], deltas()), first), Example.tracked_by(None, second)


@cache
def deltas() -> np.ndarray:
    return HeadModel.load().landmark_deltas


def test_prepared_frames_carry_the_true_face_of_their_stamps() -> None:
    (stretch,) = prepare(recording())
    truth = recording().blendshapes
    assert truth is not None
    rows = np.searchsorted(truth.stamps, stretch.stamps)
    np.testing.assert_array_equal(truth.stamps[rows], stretch.stamps)
    np.testing.assert_allclose(stretch.weights, truth.weights[rows], atol=1e-6)
    # The first seconds are the calibration's.
    assert stretch.stamps[0] - truth.stamps[0] == pytest.approx(3.1e9, abs=2e8)
    assert len(stretch.features) == len(stretch.readings) == len(stretch.stamps)


def test_a_silence_of_both_ears_parts_the_recording() -> None:
    whole = recording()

    def cut(track: ImuTrack | None) -> ImuTrack:
        assert track is not None
        rows = np.r_[0:400, 500 : len(track.stamps)]
        return replace(
            track, stamps=track.stamps[rows], acceleration=track.acceleration[rows],
            angular_velocity=track.angular_velocity[rows],
        )  # fmt: skip

    parts = prepare(replace(whole, left=cut(whole.left), right=cut(whole.right)))
    assert len(parts) == 2
    assert parts[1].stamps[0] - parts[0].stamps[-1] > 3e9


def test_recordings_that_cannot_be_learned_from_are_refused() -> None:
    whole = recording()
    with pytest.raises(ValueError, match="neither reference/blendshapes"):
        prepare(replace(whole, blendshapes=None))
    short = SimulatedSession(1, 1.5 / 60.0, "still", lose_ear=False).record()
    with pytest.raises(ValueError, match="too short"):
        prepare(short)


def test_populations_share_nobody() -> None:
    seeds = [
        {session.seed for session in population.population(kind, seed, 500, 1.0)}
        for kind in (population.TRAINING, population.VALIDATION, population.TEST)
        for seed in (0, 1)
    ]
    assert len(set().union(*seeds)) == 3000


def test_a_lost_ear_is_part_of_the_training() -> None:
    lost = SimulatedSession(5, 0.5, "still", lose_ear=True).record()
    whole = SimulatedSession(5, 0.5, "still", lose_ear=False).record()
    assert _samples(lost) < _samples(whole)


def _samples(recording: Recording) -> int:
    return sum(len(track.stamps) for track in (recording.left, recording.right) if track)


def test_training_lowers_the_loss_and_repeats_itself() -> None:
    losses: list[float] = []
    first = train(examples(), deltas(), TINY, lambda step, loss: losses.append(loss))
    assert len(losses) == TINY.steps
    assert np.mean(losses[-5:]) < 0.7 * np.mean(losses[:5])
    second = train(examples(), deltas(), TINY)
    assert same_weights(first, second)


def same_weights(first: FaceNetwork, second: FaceNetwork) -> bool:
    pairs = zip(first.module.parameters(), second.module.parameters(), strict=True)
    return all(torch.equal(one, other) for one, other in pairs)


def interrupt(step: int, loss: float) -> None:
    if step == 23:
        raise KeyboardInterrupt


def test_an_interrupted_training_goes_on_to_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(trainer, "CHECKPOINT_STEPS", 10)
    checkpoint = tmp_path / "new" / "model.checkpoint"
    with pytest.raises(KeyboardInterrupt):
        train(examples(), deltas(), TINY, interrupt, checkpoint)
    steps: list[int] = []
    resumed = train(examples(), deltas(), TINY, lambda step, loss: steps.append(step), checkpoint)
    assert steps == list(range(21, TINY.steps + 1))
    assert "step 20" in caplog.text
    assert same_weights(resumed, train(examples(), deltas(), TINY))


@pytest.mark.parametrize("reason", ["other settings", "other data", "damaged", "cut", "in part"])
def test_a_checkpoint_of_no_use_is_said_and_training_starts_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, reason: str
) -> None:
    monkeypatch.setattr(trainer, "CHECKPOINT_STEPS", 5)
    checkpoint, config, data = tmp_path / "model.checkpoint", replace(TINY, steps=6), examples()
    train(data, deltas(), config, checkpoint=checkpoint)
    if reason == "other settings":
        config = replace(config, seed=1)
    elif reason == "other data":
        data = data[:1]
    elif reason == "damaged":
        checkpoint.write_bytes(b"no checkpoint")
    elif reason == "cut":
        checkpoint.write_bytes(checkpoint.read_bytes()[:5000])
    else:
        torch.save({**torch.load(checkpoint, weights_only=True), "optimizer": {}}, checkpoint)
    steps: list[int] = []
    again = train(data, deltas(), config, lambda step, loss: steps.append(step), checkpoint)
    assert steps[0] == 1
    assert "training starts anew: checkpoint" in caplog.text
    assert "model.checkpoint" in caplog.text
    assert same_weights(again, train(data, deltas(), config))


def test_data_shorter_than_a_piece_is_refused() -> None:
    with pytest.raises(ValueError, match="no stretch of the data has 5000 frames"):
        train(examples(), deltas(), replace(TINY, piece=5000))


def test_errors_of_a_known_mistake() -> None:
    # One action off by one tenth: the landmarks are off by a tenth of what it moves.
    def off(stretch: Stretch) -> np.ndarray:
        wrong = stretch.weights.copy()
        wrong[:, 17] += 0.1
        return wrong

    figures = evaluation.measure(off, stretches(), deltas())
    expected = 100.0 * np.linalg.norm(deltas()[17], axis=-1).mean()
    assert figures.landmark_error_mm == pytest.approx(expected, rel=1e-4)
    assert figures.landmark_error_p95_mm == pytest.approx(expected, rel=1e-4)
    assert figures.weights_error == pytest.approx(0.1 / 52, rel=1e-4)


def test_scaled_standard_deviations_cover_one_sigma() -> None:
    network = train(examples(), deltas(), replace(TINY, steps=5))
    scaled = evaluation.scaled_to_cover(network, stretches(), deltas())
    covered = evaluation.coverage(scaled, stretches(), deltas())
    assert covered.landmarks == pytest.approx(evaluation.ONE_SIGMA, abs=0.01)
    assert covered.weights == pytest.approx(evaluation.ONE_SIGMA, abs=0.01)


def test_configurations_survive_a_file_and_bad_ones_are_named(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    TINY.write(path)
    assert TrainingConfig.read(path) == TINY
    for text, message in (
        ("- a", "is not a mapping"),
        ("speed: 3", "speed"),
        ("steps: 0", "at least one step"),
        ("network: {width: 10, heads: 4}", "not a multiple"),
        ("network: [", r"run\.yaml"),
        ("steps: many", r"run\.yaml"),
        ("minutes: .nan", "out of range"),
    ):
        path.write_text(text)
        with pytest.raises(ValueError, match=message):
            TrainingConfig.read(path)


def test_a_run_leaves_model_card_and_configuration(tmp_path: Path) -> None:
    reported: list[str] = []
    output = tmp_path / "new" / "model.pt"
    run.train_model(TINY, [], output, lambda what, done, of: reported.append(what), processes=1)
    assert {"training people", "validation people", "test people"} <= set(reported)
    network = FaceNetwork.load(output)
    card = json.loads(output.with_suffix(".json").read_text())
    assert card["simulated"] is True
    assert card["data"]["simulated_participants"] == 2
    assert card["figures"]["IMUTwinTrans"]["landmark_error_mm"] > 0.0
    assert network.card == card
    assert TrainingConfig.read(output.with_suffix(".yaml")) == TINY


def app(command: Callable[..., None]) -> typer.Typer:
    made = typer.Typer()
    made.command()(command)
    return made


def test_train_and_evaluate_on_sessions(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    session, broken, output = tmp_path / "anna", tmp_path / "broken", tmp_path / "model.pt"
    write_session(session, recording())
    broken.mkdir()
    TINY.write(tmp_path / "run.yaml")
    arguments = [str(session), str(broken), "--config", str(tmp_path / "run.yaml"), "--simulated", "0"]
    result = CliRunner().invoke(app(train_command), [*arguments, "--output", str(output), "--steps", "3"])
    assert result.exit_code == 0, result.output
    assert "broken is skipped" in caplog.text
    card = json.loads(output.with_suffix(".json").read_text())
    assert card["simulated"] is False
    assert card["protocol"] == "last fifth of the training sessions"
    arguments = [str(session), "--model", str(output), "--training-people", "1", "--json"]
    result = CliRunner().invoke(app(evaluate), arguments)
    assert result.exit_code == 0, result.output
    measured = json.loads(result.stdout)
    assert measured["people"] == "recorded: anna"
    assert set(measured["figures"]) == {
        "constant, mean face", "constant, median face", "ridge regression", "IMUTwinTrans"
    }  # fmt: skip
    printed = CliRunner().invoke(app(evaluate), arguments[:-1], env={"COLUMNS": "80"}).stdout
    assert f"{measured['figures']['IMUTwinTrans']['landmark_error_mm']:.3f}" in printed
    assert "below mean face" in printed
    assert "…" not in printed


def test_the_shipped_model_beats_the_mean_face_on_unseen_people() -> None:
    arguments = ["--simulated", "4", "--minutes", "0.6", "--training-people", "1", "--seed", "9", "--json"]
    result = CliRunner().invoke(app(evaluate), arguments)
    assert result.exit_code == 0, result.output
    figures = {name: row["landmark_error_mm"] for name, row in json.loads(result.stdout)["figures"].items()}
    assert figures["IMUTwinTrans"] < 0.9 * figures["constant, mean face"]


@pytest.mark.parametrize(
    ("command", "arguments", "message"),
    [
        ("train", ["--simulated", "0"], "nothing to train on"),
        ("train", ["--simulated", "-3"], "out of range"),
        ("train", ["--steps", "0"], "at least one step"),
        ("train", ["--config", "absent.yaml"], "absent.yaml"),
        ("train", ["--start", "absent.pt"], "absent.pt does not exist"),
        ("train", ["--simulated", "0", "absent"], "none of the sessions"),
        ("evaluate", ["--model", "absent.pt"], "absent.pt does not exist"),
        ("evaluate", ["--simulated", "0"], "must be 1 or more"),
        ("evaluate", ["--activity", "flying", "--simulated", "1"], "flying"),
    ],
)
def test_bad_arguments_end_with_one_line(command: str, arguments: list[str], message: str) -> None:
    result = CliRunner().invoke(app(train_command if command == "train" else evaluate), arguments)
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert message in result.output
