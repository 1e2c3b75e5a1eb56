"""Pretraining of the signature model: one network for everybody, from thousands of simulated people.

Simulated people are kept in a folder, the training's state in a checkpoint, so that a run that was interrupted goes on.
The same settings give the same people and the same course of training on the same machine.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Self, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits
from torch import Tensor
from torch.nn import functional

from face_recon_node.head import HeadModel
from face_recon_node.models.signature.bands import AXES, BANDS
from face_recon_node.models.signature.model import Confidence, SignatureModel, interpreted
from face_recon_node.models.signature.network import Floats, Reading, Told, told
from face_recon_node.models.signature.signatures import EARS_SEEN, WEIGHTS, Population, Signatures
from face_recon_node.processes import on_one_core, worker_pool
from face_recon_node.progress import Progress
from face_recon_node.training.lessons import Calm, Lesson, in_common
from face_recon_node.training.module import SignatureModule
from face_recon_node.training.people import SimulatedPerson

logger = logging.getLogger(__name__)

Made = TypeVar("Made")

CHECKPOINT_STEPS = 250
ONE_EAR = 0.16
"""Share of the windows in which an ear is missing."""
ONE_SIGMA = 0.6827
LONG_WINDOW, LONG_WARM_UP = 1000, 90
"""Frames of the windows of people held out."""
_COMMON, _TRAINING, _HELD_OUT = range(3)
_MILLIMETRES = 1000.0


@dataclass(frozen=True)
class PretrainingConfig:
    """Everything that decides about a run."""

    seed: int = 0
    people: int = 2400
    """To learn from."""
    first_people: int = 240
    people_per_step: float = 0.4
    """People join as they are simulated, beside the training: so many more with each step."""
    common: int = 140
    """Further people, for what all have in common."""
    held_out: int = 160
    """Further people, for the confidence."""
    captures: tuple[str, ...] = ()
    """Captured faces (files) whose pieces move some faces."""
    steps: int = 8000
    batch: int = 20
    window: int = 320
    """Frames: 10.7 s."""
    warm_up: int = 48
    """Frames at the start of a window without a loss: what came before is not known."""
    learning_rate: float = 2e-3
    weight_decay: float = 0.01
    guess_loss: float = 0.3
    """Importance of the first look's squared error beside the second's; the losses below likewise."""
    distance_loss: float = 0.1
    """Of the landmarks' mean distance in millimetres."""
    likelihood_loss: float = 0.05
    affect_loss: float = 2.0
    expression_loss: float = 0.1

    def __post_init__(self) -> None:
        if min(self.people, self.common, self.held_out, self.steps, self.batch) < 1:
            raise ValueError(f"pretraining needs at least one person of each kind, step and window: {self}")
        if not 0 <= self.warm_up < self.window:
            raise ValueError(f"warm_up is {self.warm_up}: expected 0 to less than the window's {self.window} frames")

    def joined(self, step: int) -> int:
        """How many people are learned from in a step."""
        return min(self.people, self.first_people + int(step * self.people_per_step))

    def persons(self, kind: int, count: int) -> list[SimulatedPerson]:
        """People of one of three kinds that share nobody, whatever their seeds."""
        first = (3 * self.seed + kind) * 1_000_000
        return [SimulatedPerson(first + index, tuple(map(Path, self.captures))) for index in range(count)]


def pretrain(config: PretrainingConfig, folder: Path, progress: Progress, processes: int = 1) -> SignatureModel:
    """Simulate people, train, and measure how far the network's confidence comes true on others.

    Args:
        config: settings.
        folder: for people and checkpoint, which are taken up again by a later run with the same settings.
        progress: see :data:`~face_recon_node.progress.Progress`.
        processes: for the simulation.

    Raises:
        ValueError: the folder is of a run with other settings.
        OSError: it cannot be written, or a capture cannot be read.
    """
    _claim(folder, config)
    common = folder / "common.npz"
    if not common.exists():
        calm = _made(Calm.of, config.persons(_COMMON, config.common), processes, progress, "what people share")
        part = folder / "common.part.npz"
        np.savez(part, **vars(in_common(calm)))
        part.rename(common)
    with np.load(common) as content:
        population = Population.checked(dict(content))
    groups = {
        name: config.persons(kind, count)
        for kind, count, name in ((_TRAINING, config.people, "people"), (_HELD_OUT, config.held_out, "held_out"))
    }
    with _Simulation(population, groups, folder, max(1, processes - 1)) as simulation, threadpool_limits(1):
        torch.set_num_threads(1)
        learned = simulation.lessons("people")
        network = train(config, learned, folder / "checkpoint.pt", progress)
        held_out = simulation.lessons("held_out")(config.held_out)
    model = SignatureModel(network.learned(), population, measured_confidence(network, held_out))
    model.card |= {
        "protocol": f"{config.people} simulated people, other {config.held_out} for the confidence",
        "configuration": {**asdict(config), "captures": [Path(capture).name for capture in config.captures]},
        "simulated": True,
        "figures": held_out_figures(network, held_out),
    }
    return model


def _claim(folder: Path, config: PretrainingConfig) -> None:
    """Make sure that what the folder holds belongs to a run with these settings (its length aside)."""
    folder.mkdir(parents=True, exist_ok=True)
    file, wanted = folder / "configuration.json", {**asdict(config), "captures": list(config.captures)}
    if file.exists():
        try:
            found = dict(json.loads(file.read_text(encoding="utf-8")))
        except (TypeError, ValueError) as error:
            raise ValueError(f"{file} is damaged ({error}): name another folder") from None
        for name in ("seed", "common", "captures"):
            if found.get(name) != wanted[name]:
                raise ValueError(
                    f"{folder} holds people of a run with {name} {found.get(name)}, not {wanted[name]}: name another "
                    "folder, or give the same settings to go on with it"
                )
    file.write_text(json.dumps(wanted, indent=1) + "\n", encoding="utf-8")


def _made(
    work: Callable[[SimulatedPerson], Made],
    people: Sequence[SimulatedPerson],
    processes: int,
    progress: Progress,
    what: str,
) -> list[Made]:
    """What ``work`` makes of people, in order."""
    made = []
    with worker_pool(processes) as pool:
        for result in pool.map(partial(on_one_core, work), people, chunksize=4):
            made.append(result)
            progress(what, len(made), len(people))
    return made


class _Simulation:
    """Simulates people in other processes, in order, those that the folder does not hold yet."""

    def __init__(
        self, population: Population, groups: dict[str, list[SimulatedPerson]], folder: Path, processes: int
    ) -> None:
        self._population, self._groups, self._folder, self._processes = population, groups, folder, processes
        self._jobs: dict[Path, Future[None]] = {}

    def __enter__(self) -> Self:
        self._context = worker_pool(self._processes)
        pool = self._context.__enter__()
        for name, people in self._groups.items():
            (self._folder / name).mkdir(exist_ok=True)
            for person in people:
                file = self._file(name, person)
                if not file.exists():
                    work = partial(_write_lesson, self._population, file)
                    self._jobs[file] = pool.submit(on_one_core, work, person)
        return self

    def __exit__(self, *error: Any) -> None:
        self._context.__exit__(*error)

    def lessons(self, name: str) -> Callable[[int], list[Lesson]]:
        """A function that gives the first lessons of a group, and waits for those that are not there yet."""
        loaded: list[Lesson] = []

        def upto(count: int) -> list[Lesson]:
            for person in self._groups[name][len(loaded) : count]:
                file = self._file(name, person)
                if file in self._jobs:
                    self._jobs[file].result()
                loaded.append(Lesson.load(file))
            return loaded

        return upto

    def _file(self, name: str, person: SimulatedPerson) -> Path:
        return self._folder / name / f"{person.seed}.npz"


def _write_lesson(population: Population, file: Path, person: SimulatedPerson) -> None:
    Lesson.of(population, person).save(file)


@dataclass(frozen=True)
class Batch:
    """Windows of several people."""

    channels: Tensor
    told: Told[Tensor]
    weights: Tensor
    affect: Tensor
    expression: Tensor

    @classmethod
    def drawn(cls, lessons: Sequence[Lesson], config: PretrainingConfig, rng: np.random.Generator) -> Batch:
        """Some windows, some of them with one ear."""
        parts = []
        for index in rng.integers(len(lessons), size=config.batch):
            lesson = lessons[index]
            begin = int(rng.integers(len(lesson.weights) - config.window + 1))
            ears = 0 if rng.random() >= ONE_EAR else int(rng.integers(1, len(EARS_SEEN)))
            parts.append(window(lesson, slice(begin, begin + config.window), ears))
        channels, *people, weights, affect, expression = (
            torch.from_numpy(np.stack(part)) for part in zip(*parts, strict=True)
        )
        return cls(channels, Told(*people), weights, affect, expression)


def window(lesson: Lesson, rows: slice, ears: int) -> tuple[NDArray, ...]:
    """Channels, the fields of :class:`Told`, weights, affect and expression of frames with a subset of the ears."""
    present = np.tile(np.repeat(EARS_SEEN[ears], AXES // 2), len(BANDS))
    return (
        lesson.channels[rows].astype(np.float32) * present,
        *vars(told(lesson.signatures, ears)).values(),
        lesson.weights[rows].astype(np.float32),
        lesson.affect[rows].astype(np.float32),
        lesson.expression[rows].astype(np.int64),
    )


def train(
    config: PretrainingConfig, lessons: Callable[[int], list[Lesson]], checkpoint: Path | None, progress: Progress
) -> SignatureModule:
    """Train the network on the first ``lessons`` of as many people as a step asks for.

    Goes on from the checkpoint of a run with the same settings, also for more steps.
    """
    torch.manual_seed(config.seed)
    network = SignatureModule()
    optimizer = torch.optim.AdamW(
        network.parameters(), config.learning_rate, betas=(0.9, 0.98), weight_decay=config.weight_decay
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, config.steps))
    parts: dict[str, Any] = {"network": network, "optimizer": optimizer, "schedule": schedule}
    deltas = torch.from_numpy(HeadModel.load().landmark_deltas.reshape(WEIGHTS, -1) * _MILLIMETRES).float()
    done = _resumed(checkpoint, parts, config)
    network.train()
    shown: dict[str, float] = {}
    for step in range(done + 1, config.steps + 1):
        batch = Batch.drawn(lessons(config.joined(step)), config, np.random.default_rng([config.seed, step]))
        loss, figures = losses(config, network, batch, deltas)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        shown = {name: 0.98 * shown.get(name, value) + 0.02 * value for name, value in figures.items()}
        progress(", ".join(f"{name} {value:.3f}" for name, value in shown.items()), step, config.steps)
        if checkpoint and (step % CHECKPOINT_STEPS == 0 or step == config.steps):
            part = checkpoint.with_suffix(".part")
            torch.save({"key": _key(config), "step": step} | {n: p.state_dict() for n, p in parts.items()}, part)
            part.replace(checkpoint)
    return network.eval()


def losses(
    config: PretrainingConfig, network: SignatureModule, batch: Batch, deltas: Tensor
) -> tuple[Tensor, dict[str, float]]:
    """The loss of a batch, and what is shown of it.

    Squared errors of standardised weights: a face that rests is not rewarded for what it does not show, as the mean
    distance of the landmarks alone would. The deviations are fitted to the errors that remain, without a say in the
    faces.
    """
    kept = slice(config.warm_up, None)
    guess, reading = network(batch.channels, batch.told)
    mean, spread = batch.told.mean[:, None], batch.told.spread[:, None]
    truth = ((batch.weights - mean) / spread)[:, kept]
    error = reading.weights[:, kept] - truth
    squared, first = error.square().mean(), (guess[:, kept] - truth).square().mean()
    points = ((error * spread) @ deltas).unflatten(-1, (-1, 3))
    distance = torch.sqrt(points.square().sum(dim=-1) + 1e-3).mean()
    log_std = reading.weights_log_std[:, kept]
    likelihood = (log_std + 0.5 * error.detach().square() * torch.exp(-2.0 * log_std)).mean()
    affect = (reading.affect - batch.affect)[:, kept].square().mean()
    expression = functional.cross_entropy(
        reading.expressions[:, kept].flatten(0, 1), batch.expression[:, kept].flatten()
    )
    loss = (
        squared
        + config.guess_loss * first
        + config.distance_loss * distance
        + config.likelihood_loss * likelihood
        + config.affect_loss * affect
        + config.expression_loss * expression
    )
    rest = float(truth.square().mean())
    shown = {"error": squared / rest, "first look": first / rest, "expressions": expression}
    return loss, {name: float(value.detach()) for name, value in shown.items()}


def _rate(step: int, steps: int) -> float:
    """Share of the learning rate: a short rise, then half a cosine."""
    rise = max(1, min(100, steps // 20))
    return min(1.0, (step + 1) / rise) * (0.5 * (1.0 + math.cos(math.pi * min(1.0, step / steps))) + 0.01)


def _key(config: PretrainingConfig) -> str:
    """What a checkpoint depends on: a run may go on for more steps than it was begun with."""
    return json.dumps({**asdict(config), "steps": None}, sort_keys=True)


def _resumed(checkpoint: Path | None, parts: dict[str, Any], config: PretrainingConfig) -> int:
    """Load a checkpoint of the same run; the number of steps that are over."""
    if checkpoint is None or not checkpoint.is_file():
        return 0
    try:
        content = torch.load(checkpoint, weights_only=True)
        if content["key"] != _key(config):
            raise ValueError("it is of a run with other settings")
        for name, part in parts.items():
            part.load_state_dict(content[name])
        done = int(content["step"])
    except Exception as error:  # on a damaged file the unpickler raises whatever it trips over
        reason = str(error).partition("\n")[0]
        raise ValueError(f"checkpoint {checkpoint} cannot be used: {reason}; remove it to train anew") from error
    logger.warning("training goes on from checkpoint %s, step %d", checkpoint, done)
    return done


@torch.inference_mode()
def _readings(
    network: SignatureModule, lessons: Sequence[Lesson]
) -> Iterator[tuple[Signatures, Reading[Floats], NDArray[np.float32], NDArray[np.int64]]]:
    """What the network says of long windows of lessons with both ears, the true weights and expressions."""
    for lesson in lessons:
        for begin in range(0, len(lesson.weights) - LONG_WINDOW + 1, LONG_WINDOW):
            parts = window(lesson, slice(begin, begin + LONG_WINDOW), 0)
            channels, *person, _, _, _ = (torch.from_numpy(part)[None] for part in parts)
            _, reading = network(channels, Told(*person))
            alone = Reading(*(part[0].numpy() for part in vars(reading).values()))
            yield lesson.signatures, alone, parts[-3], parts[-1]


def measured_confidence(network: SignatureModule, lessons: Sequence[Lesson]) -> Confidence:
    """What makes the confidence come true on people that the network was not trained on."""
    reach = np.square(HeadModel.load().landmark_deltas).sum(axis=-1) / 3.0
    deltas = HeadModel.load().landmark_deltas.reshape(WEIGHTS, -1)
    weights, landmarks, logits, labels = [], [], [], []
    for signatures, reading, true, expression in _readings(network, lessons):
        rows = slice(LONG_WARM_UP, None, 7)
        said, deviations, *_ = interpreted(reading, signatures.mean, signatures.spread, Confidence.untold())
        errors = (said - true)[rows]
        weights.append((np.abs(errors) / deviations[rows]).ravel())
        spread = np.sqrt(np.square(deviations[rows]) @ reach)
        landmarks.append((np.abs((errors @ deltas).reshape(len(errors), -1, 3)) / spread[..., None]).ravel())
        logits.append(reading.expressions[rows])
        labels.append(expression[rows])
    scores, truth = (torch.from_numpy(np.concatenate(parts)) for parts in (logits, labels))
    temperatures = np.geomspace(0.5, 4.0, 43)
    surprise = [float(functional.cross_entropy(scores / temperature, truth)) for temperature in temperatures]
    scale = np.quantile(np.concatenate(weights), ONE_SIGMA)
    return Confidence(
        np.array([scale], np.float32),
        np.array([np.quantile(np.concatenate(landmarks), ONE_SIGMA) / scale], np.float32),
        np.array([temperatures[int(np.argmin(surprise))]], np.float32),
        (np.bincount(truth.numpy(), minlength=scores.shape[1]) / len(truth)).astype(np.float32),
    )


def held_out_figures(network: SignatureModule, lessons: Sequence[Lesson]) -> dict[str, float]:
    """Squared error of standardised weights in that of each person's mean face: the median over people."""
    errors: dict[int, list[tuple[float, float]]] = {}
    for signatures, reading, true, _ in _readings(network, lessons):
        truth = ((true - signatures.mean) / signatures.spread)[LONG_WARM_UP:]
        error = reading.weights[LONG_WARM_UP:] - truth
        errors.setdefault(id(signatures), []).append((float(np.square(error).sum()), float(np.square(truth).sum())))
    shares = [np.sum(parts, axis=0) for parts in errors.values()]
    return {"squared_error_of_mean_face": round(float(np.median([error / rest for error, rest in shares])), 4)}
