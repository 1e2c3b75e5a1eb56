"""Pretraining in the small: it learns, repeats itself, goes on where it stopped, and the command."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import typer
from face_recon_node.commands.train import train as train_command
from face_recon_node.head import HeadModel
from face_recon_node.models.file import load
from face_recon_node.models.ridge import RidgeRegression
from face_recon_node.models.signature.bands import AXES, BANDS
from face_recon_node.models.signature.model import SignatureModel
from face_recon_node.models.signature.signatures import EARS_SEEN, WEIGHTS, Population
from face_recon_node.training import lessons, people, pretraining
from face_recon_node.training.lessons import Lesson
from face_recon_node.training.module import SignatureModule
from face_recon_node.training.people import SimulatedPerson
from face_recon_node.training.pretraining import Batch, PretrainingConfig, losses, pretrain, train, window
from imuface_core.session import write_session
from imuface_simulation import PEOPLE, Performance, simulate
from typer.testing import CliRunner

TINY = PretrainingConfig(
    people=3, first_people=2, people_per_step=0.25, common=3, held_out=1, steps=12, batch=4, window=48, warm_up=8
)
Report = tuple[str, int, int]


def quiet(what: str, done: int, of: int) -> None:
    pass


@contextmanager
def here(processes: int) -> Iterator[ThreadPoolExecutor]:
    """Stands for worker processes, which would not see what tests change."""
    pool = ThreadPoolExecutor(1)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "SECONDS", 15.0)
    monkeypatch.setattr(people, "MINUTES", {0.0: 0.3, 0.3: 0.7})
    monkeypatch.setattr(lessons, "CALM_SECONDS", 12.0)
    monkeypatch.setattr(pretraining, "LONG_WINDOW", 150)
    monkeypatch.setattr(pretraining, "LONG_WARM_UP", 30)
    monkeypatch.setattr(pretraining, "CHECKPOINT_STEPS", 5)
    monkeypatch.setattr(pretraining, "worker_pool", here)


@pytest.fixture
def learned(untrained: SignatureModel) -> list[Lesson]:
    return [Lesson.of(untrained.population, SimulatedPerson(seed)) for seed in range(3)]


def loss_of(config: PretrainingConfig, network: SignatureModule, taught: list[Lesson]) -> float:
    batch = Batch.drawn(taught, replace(config, batch=16), np.random.default_rng(99))
    deltas = torch.from_numpy(HeadModel.load().landmark_deltas.reshape(WEIGHTS, -1) * 1e3).float()
    with torch.inference_mode():
        return float(losses(config, network, batch, deltas)[0])


def same(first: torch.nn.Module, second: torch.nn.Module) -> bool:
    return all(torch.equal(one, other) for one, other in zip(first.parameters(), second.parameters(), strict=True))


def interrupted(at: int, what: str = "") -> Callable[[str, int, int], None]:
    def progress(name: str, done: int, of: int) -> None:
        if done == at and what in name:
            raise KeyboardInterrupt

    return progress


# Training -----------------------------------------------------------------------------------------------------------


def test_training_lowers_the_loss_and_repeats_itself(learned: list[Lesson]) -> None:
    config, reports = replace(TINY, steps=24), list[Report]()
    network = train(config, lambda count: learned[:count], None, lambda *report: reports.append(report))
    assert [done for _, done, _ in reports] == list(range(1, 25))
    assert all("error" in what and of == 24 for what, _, of in reports)
    assert not network.training
    torch.manual_seed(config.seed)
    assert loss_of(config, network, learned) < 0.8 * loss_of(config, SignatureModule(), learned)
    assert same(network, train(config, lambda count: learned[:count], None, quiet))


def test_people_join_as_the_training_goes_on(learned: list[Lesson]) -> None:
    asked: list[int] = []

    def lessons_of(count: int) -> list[Lesson]:
        asked.append(count)
        return learned[:count]

    train(TINY, lessons_of, None, quiet)
    assert asked == [2, 2, 2, *[3] * 9]


def test_an_interrupted_training_goes_on_to_the_same_weights(
    learned: list[Lesson], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole = train(TINY, lambda count: learned[:count], None, quiet)
    with pytest.raises(KeyboardInterrupt):
        train(TINY, lambda count: learned[:count], tmp_path / "checkpoint.pt", interrupted(8, "error"))
    assert [entry.name for entry in tmp_path.iterdir()] == ["checkpoint.pt"]
    steps: list[int] = []
    for expected in (list(range(6, 13)), []):  # the second time there is nothing left to do
        steps.clear()
        resumed = train(
            TINY, lambda count: learned[:count], tmp_path / "checkpoint.pt", lambda what, done, of: steps.append(done)
        )
        assert steps == expected
        assert same(resumed, whole)
    assert "step 5" in caplog.text
    assert "step 12" in caplog.text


@pytest.mark.parametrize("reason", ["settings", "damaged", "cut", "other", "step", "network", "optimizer"])
def test_a_checkpoint_of_no_use_is_named(learned: list[Lesson], tmp_path: Path, reason: str) -> None:
    checkpoint, config = tmp_path / "checkpoint.pt", replace(TINY, steps=1)
    train(config, lambda count: learned[:count], checkpoint, quiet)
    if reason == "settings":
        config = replace(config, learning_rate=1e-4)
    elif reason == "damaged":
        checkpoint.write_bytes(b"no checkpoint")
    elif reason == "cut":
        checkpoint.write_bytes(checkpoint.read_bytes()[:5000])
    elif reason == "other":
        torch.save([1, 2], checkpoint)
    else:
        content = torch.load(checkpoint, weights_only=True)
        del content[reason]
        torch.save(content, checkpoint)
    with pytest.raises(ValueError, match=r"checkpoint .*checkpoint\.pt cannot be used: .*; remove it to train anew"):
        train(config, lambda count: learned[:count], checkpoint, quiet)


def test_windows_with_one_ear_hide_the_other(learned: list[Lesson]) -> None:
    for ears, present in enumerate(EARS_SEEN):
        channels, evidence, *_ = window(learned[1], slice(10, 40), ears)
        by_ear = channels.reshape(30, len(BANDS), 2, AXES // 2)
        assert [bool(by_ear[:, :, side].any()) for side in (0, 1)] == list(present)
        assert evidence.shape == (learned[1].signatures.evidence.shape[1:])
    batch = Batch.drawn(learned, replace(TINY, batch=60), np.random.default_rng(0))
    assert batch.channels.shape[:2] == batch.weights.shape[:2] == (60, TINY.window)
    alone = batch.told.person[:, -len(EARS_SEEN) :].sum(dim=0)
    assert float(alone.sum()) == 60.0
    assert alone[0] > 40.0
    assert float(alone[1:].min()) > 0.0


@pytest.mark.parametrize(
    "change", [{"people": 0}, {"steps": 0}, {"held_out": 0}, {"batch": -1}, {"warm_up": 48}, {"warm_up": -1}]
)
def test_settings_that_cannot_be_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"pretraining needs at least one|warm_up is -?\d+: expected 0 to less"):
        replace(TINY, **change)


# A whole run --------------------------------------------------------------------------------------------------------


def test_an_interrupted_run_goes_on_to_the_same_model(tmp_path: Path) -> None:
    reports: list[Report] = []
    whole = pretrain(TINY, tmp_path / "whole", lambda *report: reports.append(report))
    assert reports[:3] == [("what people share", done, 3) for done in (1, 2, 3)]
    assert sorted(entry.name for entry in (tmp_path / "whole" / "people").iterdir()) == [
        f"{person.seed}.npz" for person in TINY.persons(1, 3)
    ]
    assert len(list((tmp_path / "whole" / "held_out").iterdir())) == 1
    for moment in (interrupted(2, "what people share"), interrupted(6, "error")):
        with pytest.raises(KeyboardInterrupt):
            pretrain(TINY, tmp_path / "parts", moment)
    reports.clear()
    resumed = pretrain(TINY, tmp_path / "parts", lambda *report: reports.append(report))
    assert [done for _, done, _ in reports] == list(range(6, 13))
    for name, array in whole.to_arrays().items():
        np.testing.assert_array_equal(resumed.to_arrays()[name], array, err_msg=name)
    assert whole.card == resumed.card == json.loads(json.dumps(whole.card))
    assert whole.card["protocol"].startswith("3 simulated people, other 1 ")
    assert whole.card["simulated"] is True
    assert 0.0 < whole.card["figures"]["squared_error_of_mean_face"] < 3.0
    confidence = whole.confidence
    assert confidence.expressions.sum() == pytest.approx(1.0)
    assert min(array.min() for array in vars(confidence).values()) >= 0.0
    assert 0.5 <= confidence.temperature[0] <= 4.0


def test_the_folder_of_another_run_is_not_mixed_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(*arguments: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(pretraining, "_made", nothing)
    with pytest.raises(KeyboardInterrupt):
        pretrain(TINY, tmp_path / "run", quiet)
    for change, name in (
        ({"seed": 1}, "seed 0, not 1"),
        ({"common": 4}, "common 3"),
        ({"captures": ("a",)}, "captures"),
    ):
        with pytest.raises(ValueError, match=rf"run holds people of a run with {name}.*: name another folder"):
            pretrain(replace(TINY, **change), tmp_path / "run", quiet)
    with pytest.raises(KeyboardInterrupt):  # longer, with more people: these are taken up
        pretrain(replace(TINY, steps=20, people=5), tmp_path / "run", quiet)


def test_a_folder_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "configuration.json").write_text("{")
    with pytest.raises(ValueError, match=r"configuration\.json is damaged .*: name another folder"):
        pretrain(TINY, tmp_path, quiet)


# The command --------------------------------------------------------------------------------------------------------


def invoked(*arguments: object) -> Any:
    app = typer.Typer()
    app.command()(train_command)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_the_command_pretrains_the_signature_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {name: getattr(TINY, name) for name in ("common", "held_out", "batch", "window", "warm_up")}
    monkeypatch.setattr(pretraining, "PretrainingConfig", partial(PretrainingConfig, **settings))
    output, folder = tmp_path / "new" / "net.npz", tmp_path / "folder"
    result = invoked("--people", 2, "--steps", 3, "--seed", 5, "--folder", folder, "--output", output)
    assert result.exit_code == 0, result.output
    assert result.stdout.endswith(f"{output}: trained (simulated)\n")
    model = load(output)
    assert isinstance(model, SignatureModel)
    assert model.face is None
    configuration = model.card["configuration"]
    assert [configuration[name] for name in ("people", "steps", "seed")] == [2, 3, 5]
    assert json.loads(result.stdout.rpartition("}")[0] + "}") == model.card["figures"]
    assert model.card == json.loads(output.with_suffix(".card.json").read_text())
    assert json.loads((folder / "configuration.json").read_text())["seed"] == 5
    with np.load(folder / "common.npz") as content:
        np.testing.assert_allclose(model.population.response, Population.checked(dict(content)).response, rtol=1e-6)


def test_fifty_steps_by_the_command_give_what_they_gave(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {name: getattr(TINY, name) for name in ("common", "held_out", "batch", "window", "warm_up")}
    monkeypatch.setattr(pretraining, "PretrainingConfig", partial(PretrainingConfig, **settings))
    output = tmp_path / "net.npz"
    result = invoked("--people", 2, "--steps", 50, "--seed", 5, "--folder", tmp_path / "folder", "--output", output)
    assert result.exit_code == 0, result.output
    generator = np.random.default_rng(0)
    prediction = load(output).stream().push(generator.normal(0.0, 0.1, (60, 12)), np.ones((60, 2), bool))
    # Another processor adds up in another order: the seventh digit differs.
    assert (prediction.weights[-1].sum(), prediction.weights.std()) == pytest.approx((1.08918, 0.0567570), rel=1e-4)


def test_the_command_fits_the_other_models_to_sessions(tmp_path: Path) -> None:
    session, output = tmp_path / "anna_1", tmp_path / "ridge.npz"
    write_session(session, simulate(Performance.study(3, 1, 40.0), PEOPLE["anatomical"](3), 40.0, start_ns=10**18))
    result = invoked(session, "--model", "ridge", "--output", output)
    assert result.exit_code == 0, result.output
    assert result.stdout.endswith(f"{output}: trained\n")
    model = load(output)
    assert isinstance(model, RidgeRegression)
    assert model.card["sessions"] == ["anna_1"]
    assert model.card["simulated"] is False
    assert json.loads(result.stdout.rpartition("}")[0] + "}") == model.card["figures"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["anna_1"], "pretrained on simulated people; for sessions: imuface adapt"),
        (["--people", "0"], "pretraining needs at least one person"),
        (["--steps", "-1"], "pretraining needs at least one person"),
        (["--model", "ridge"], "name the sessions that 'ridge' is fitted to"),
        (["--model", "cnn", "anna_1"], "there is no model 'cnn'; there are mean"),
        (["--model", "ridge", "absent_1"], "there is no session at absent_1"),
    ],
)
def test_what_the_command_cannot_do_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = invoked(*arguments)
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert message in line
    assert not result.stdout
    assert not list(tmp_path.iterdir())
