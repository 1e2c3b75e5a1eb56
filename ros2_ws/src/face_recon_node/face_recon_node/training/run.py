"""One training run from data to a model file with its card, and the table that compares a model with baselines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from face_recon_node.head import HeadModel
from face_recon_node.network import FaceNetwork
from face_recon_node.training import data, evaluation
from face_recon_node.training.baselines import RidgeRegression
from face_recon_node.training.data import SimulatedSession, Stretch
from face_recon_node.training.evaluation import Figures
from face_recon_node.training.trainer import TrainingConfig, train

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how many steps of it are over, and how many there are."""

HELD_OUT_PEOPLE = 12
HELD_OUT_MINUTES = 2.0
RIDGE_PEOPLE = 40
RIDGE_MINUTES = 3.0


def simulate_people(
    sessions: Sequence[SimulatedSession], title: str, progress: Progress, processes: int
) -> list[Stretch]:
    """Simulate and prepare sessions, telling the progress."""
    stretches: list[Stretch] = []
    for done, prepared in enumerate(data.prepare_simulated(sessions, processes), 1):
        stretches += prepared
        progress(title, done, len(sessions))
    return stretches


def baseline_people(seed: int, count: int, progress: Progress, processes: int) -> list[Stretch]:
    """Training people whose faces are not varied: baselines fitted to those are the strongest on the test's people."""
    people = data.population(data.TRAINING, seed, count, RIDGE_MINUTES)
    return simulate_people(people, "people for the baselines", progress, processes)


def read_people(paths: Sequence[Path], progress: Progress) -> list[Stretch]:
    """Read and prepare session directories; unusable ones are skipped with a warning.

    Raises:
        ValueError: none can be used.
    """
    stretches: list[Stretch] = []
    for done, prepared in enumerate(data.prepare_sessions(paths), 1):
        stretches += prepared
        progress("sessions", done, len(paths))
    if paths and not stretches:
        raise ValueError("none of the sessions can be used")
    return stretches


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
    deltas = HeadModel.load().landmark_deltas
    recorded = read_people(sessions, progress)
    if config.simulated:
        people = data.population(data.TRAINING, config.seed, config.simulated, config.minutes, vary=True)
        training = recorded + simulate_people(people, "training people", progress, processes)
        count, minutes = min(HELD_OUT_PEOPLE, config.simulated), min(HELD_OUT_MINUTES, config.minutes)
        held_out = data.population(data.VALIDATION, config.seed, count, minutes, vary=True)
        validation = simulate_people(held_out, "validation people", progress, processes)
        held_out = data.population(data.TEST, config.seed, count, minutes)
        test = simulate_people(held_out, "test people", progress, processes)
        baseline = baseline_people(config.seed, min(RIDGE_PEOPLE, config.simulated), progress, processes)
        protocol = (
            f"unseen simulated participants, neutral calibration only: {count} of {minutes:g} minutes (simulated)"
        )
    else:
        training = baseline = [_part(stretch, 0.0, 0.8) for stretch in recorded]
        validation = test = [_part(stretch, 0.8, 1.0) for stretch in recorded]
        protocol = "last fifth of the training sessions"
    network = train(training, deltas, config, lambda step, loss: progress(f"loss {loss:.3f}", step, config.steps))
    network = evaluation.scaled_to_cover(network, validation, deltas)
    network.card = {
        "model": "IMUTwinTrans",
        "simulated": bool(config.simulated),
        "data": {
            "simulated_participants": config.simulated,
            "minutes_each": config.minutes if config.simulated else 0.0,
            "sessions": [path.name for path in sessions],
            "training_frames": sum(len(stretch.stamps) for stretch in training),
        },
        "protocol": protocol,
        "figures": _figures(network, baseline, test, deltas),
        "configuration": asdict(config),
        "parameters": sum(parameter.numel() for parameter in network.module.parameters()),
    }
    network.save(output)
    config.write(output.with_suffix(".yaml"))
    return network


def _part(stretch: Stretch, begin: float, end: float) -> Stretch:
    """The frames between two shares of a stretch."""
    rows = slice(int(begin * len(stretch.stamps)), int(end * len(stretch.stamps)))
    return Stretch(stretch.stamps[rows], stretch.readings[rows], stretch.features[rows], stretch.weights[rows])


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
    ridge = RidgeRegression().fit(baseline)
    predictors: dict[str, Callable[[Stretch], NDArray[np.float32]]] = {
        "constant, mean face": _constant(weights.mean(axis=0)),
        "constant, median face": _constant(np.median(weights, axis=0)),
        "ridge regression": ridge.predict,
        "IMUTwinTrans": lambda stretch: evaluation.predict(network, stretch).weights,
    }
    return [Row(name, evaluation.measure(predictor, test, deltas)) for name, predictor in predictors.items()]


def _constant(face: NDArray[np.float32]) -> Callable[[Stretch], NDArray[np.float32]]:
    return lambda stretch: np.broadcast_to(face, stretch.weights.shape)
