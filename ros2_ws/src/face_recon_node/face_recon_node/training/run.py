"""One training run from data to a model file with its card, and the table that compares a model with baselines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from face_recon_node.head import HeadModel
from face_recon_node.network import FaceNetwork
from face_recon_node.rivals.person import Person
from face_recon_node.rivals.ridge import RidgeRegression
from face_recon_node.study.metrics import Figures
from face_recon_node.study.settings import first_minutes, is_simulated
from face_recon_node.training import evaluation, population
from face_recon_node.training.personal import AdaptConfig, adapt, cross_fitted
from face_recon_node.training.population import Example, SimulatedSession
from face_recon_node.training.progress import Progress
from face_recon_node.training.sessions import read_sessions
from face_recon_node.training.stretch import Stretch
from face_recon_node.training.trainer import TrainingConfig, train

HELD_OUT_PEOPLE = 12
HELD_OUT_MINUTES = 2.0
RIDGE_PEOPLE = 40
RIDGE_MINUTES = 3.0


def simulate_people(
    sessions: Sequence[SimulatedSession], title: str, progress: Progress, processes: int
) -> list[Stretch]:
    """Simulate and prepare sessions, telling the progress."""
    stretches: list[Stretch] = []
    for done, prepared in enumerate(population.prepare_simulated(sessions, processes), 1):
        stretches += prepared
        progress(title, done, len(sessions))
    return stretches


def baseline_people(seed: int, count: int, progress: Progress, processes: int) -> list[Stretch]:
    """Training people whose faces are not varied: baselines fitted to those are the strongest on the test's people."""
    people = population.population(population.TRAINING, seed, count, RIDGE_MINUTES)
    return simulate_people(people, "people for the baselines", progress, processes)


def read_people(paths: Sequence[Path], progress: Progress) -> list[Stretch]:
    """Read and prepare session directories; unusable ones are skipped with a warning.

    Raises:
        ValueError: none can be used.
    """
    return read_sessions(paths, progress).all_stretches


def train_model(
    config: TrainingConfig, sessions: Sequence[Path], output: Path, progress: Progress, processes: int
) -> FaceNetwork:
    """Train on simulated participants and sessions, and write model, card (JSON) and configuration (YAML).

    The standard deviations are scaled, and the card's figures taken, on other simulated people. When there are only
    sessions, the last fifth of each stretch is held out for both instead.

    Raises:
        ValueError: there is nothing to train on.
    """
    if not config.simulated and not sessions:
        raise ValueError("there is nothing to train on: name sessions, or ask for simulated participants")
    if config.start:
        FaceNetwork.load(config.start)  # named now, not after minutes of simulation
    deltas = HeadModel.load().landmark_deltas
    recorded = read_sessions(sessions, progress)
    if config.simulated:
        examples = _people_to_learn_from(config, deltas, progress, processes)
        count, minutes = min(HELD_OUT_PEOPLE, config.simulated), min(HELD_OUT_MINUTES, config.minutes)
        held_out = population.population(population.VALIDATION, config.seed, count, minutes)
        validation = simulate_people(held_out, "validation people", progress, processes)
        held_out = population.population(population.TEST, config.seed, count, minutes)
        test = simulate_people(held_out, "test people", progress, processes)
        baseline = baseline_people(config.seed, min(RIDGE_PEOPLE, config.simulated), progress, processes)
        training = recorded.stretches
        protocol = (
            f"unseen simulated participants, neutral calibration only: {count} of {minutes:g} minutes (simulated)"
        )
    else:
        examples = []
        training = {path: [_part(one, 0.0, 0.8) for one in kept] for path, kept in recorded.stretches.items()}
        baseline = [stretch for kept in training.values() for stretch in kept]
        validation = test = [_part(stretch, 0.8, 1.0) for stretch in recorded.all_stretches]
        protocol = "last fifth of the training sessions"
    for stretches in training.values():
        examples += cross_fitted(stretches, deltas)
    network = train(
        examples,
        deltas,
        config,
        lambda step, loss: progress(f"loss {loss:.3f}", step, config.steps),
        checkpoint=output.with_suffix(".checkpoint"),
    )
    network = evaluation.scaled_to_cover(network, validation, deltas)
    network.card = {
        "model": "IMUTwinTrans",
        "simulated": bool(config.simulated),
        "data": {
            "simulated_participants": config.simulated,
            "minutes_each": config.minutes if config.simulated else 0.0,
            "captures": [Path(path).name for path in config.captures],
            "sessions": [path.name for path in recorded.stretches],
            "skipped_sessions": recorded.skipped,
            "session_warnings": recorded.warnings,
            "training_frames": sum(len(example.weights) for example in examples),
        },
        "protocol": protocol,
        "figures": _figures(network, baseline, test, deltas),
        "configuration": asdict(config),
        "parameters": sum(parameter.numel() for parameter in network.module.parameters()),
    }
    network.save(output)
    config.write(output.with_suffix(".yaml"))
    output.with_suffix(".checkpoint").unlink(missing_ok=True)
    return network


def adapt_model(
    base: FaceNetwork,
    sessions: Sequence[Path],
    output: Path,
    config: AdaptConfig,
    minutes: float | None,
    progress: Progress,
    processes: int = 1,
) -> FaceNetwork:
    """Make a personal model of the first minutes of a person's sessions, and write it with its card.

    Raises:
        ValueError: no session can be used, or there is too little data.
    """
    read = read_sessions(sessions, progress)
    stretches = read.all_stretches
    if minutes is not None:
        if not (np.isfinite(minutes) and minutes > 0.0):
            raise ValueError(f"minutes is {minutes}, must be positive")
        stretches = first_minutes(stretches, minutes)
        if not stretches:
            raise ValueError(f"the sessions hold less than {minutes:g} minutes of calibrated frames with the true face")
    network = adapt(base, stretches, config=config, progress=progress, processes=processes)
    network.card |= {
        "simulated": any(is_simulated(path) for path in read.stretches),
        "sessions": [path.name for path in read.stretches],
        "skipped_sessions": read.skipped,
        "session_warnings": read.warnings,
    }
    network.save(output)
    return network


def _people_to_learn_from(
    config: TrainingConfig, deltas: NDArray[np.float32], progress: Progress, processes: int
) -> list[Example]:
    if config.anyone:
        sessions = population.population(population.TRAINING, config.seed, config.simulated, config.minutes)
        stretches = simulate_people(sessions, "training people", progress, processes)
        return [Example.tracked_by(None, stretch) for stretch in stretches]
    people = population.training_people(
        population.TRAINING,
        config.seed,
        config.simulated,
        config.minutes,
        [Path(path) for path in config.captures],
        config.anatomical,
    )
    examples: list[Example] = []
    for done, made in enumerate(population.make_examples(people, deltas, processes), 1):
        examples += made
        progress("training people", done, len(people))
    return examples


def _part(stretch: Stretch, begin: float, end: float) -> Stretch:
    """The frames between two shares of a stretch."""
    return stretch[int(begin * len(stretch)) : int(end * len(stretch))]


def _figures(
    network: FaceNetwork, baseline: Sequence[Stretch], test: Sequence[Stretch], deltas: NDArray[np.float32]
) -> dict[str, Any]:
    rows = compare(network, baseline, test, deltas)
    covered = evaluation.coverage(network, test, deltas)
    return {
        **{row.predictor: {name: round(value, 4) for name, value in asdict(row.figures).items()} for row in rows},
        "coverage_of_one_sigma": {name: round(value, 3) for name, value in asdict(covered).items()},
    }


@dataclass(frozen=True)
class Row:
    """One line of the comparison."""

    predictor: str
    figures: Figures


def compare(
    network: FaceNetwork, baseline: Sequence[Stretch], test: Sequence[Stretch], deltas: NDArray[np.float32]
) -> list[Row]:
    """Errors on the test people: constant faces and ridge regression, fitted to ``baseline``, and the network."""
    weights = np.concatenate([stretch.weights[::5] for stretch in baseline])
    neutral = HeadModel.load().landmark_neutral
    ridge = RidgeRegression().fit([Person([replace(stretch, landmarks=None) for stretch in baseline], neutral)])
    predictors: dict[str, Callable[[Stretch], NDArray[np.float32]]] = {
        "constant, mean face": _constant(weights.mean(axis=0)),
        "constant, median face": _constant(np.median(weights, axis=0)),
        "ridge regression": lambda stretch: ridge.predict(stretch, neutral).weights,
        "IMUTwinTrans": lambda stretch: evaluation.predict(network, stretch).weights,
    }
    return [Row(name, evaluation.measure(predictor, test, deltas)) for name, predictor in predictors.items()]


def _constant(face: NDArray[np.float32]) -> Callable[[Stretch], NDArray[np.float32]]:
    return lambda stretch: np.broadcast_to(face, stretch.weights.shape)
