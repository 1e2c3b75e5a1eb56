"""What others have published, measured again on simulated people: how near the simulator comes to them.

Where a paper or its code says how something was measured, this follows it. What could not be found out is named here.

- Grenness, Osborn and Weller, *Mapping ear canal movement using area-based surface matching*, JASA 111, 2002
  (abstract: https://figshare.utas.edu.au/articles/22842812), and Grenness' thesis (https://eprints.utas.edu.au/19716):
  where the canal is with an open jaw, relative to the concha, in 14 ears of 10 people. Of those that moved, 5 of 13
  moved medially and 2 of 11 upwards (the abstract counts 15 ears medio-laterally). Unknown: how far jaws were open.
- Verma et al., *ExpressEar*, IMWUT 5(3), 2021 (https://doi.org/10.1145/3478085), and the authors' code
  (https://github.com/sejalbhalla/ExpressEar): 32 action units in seven sessions of ten repetitions each; windows of 100
  samples of both ears that begin at a mark, and 10 and 20 samples before and after it; a temporal convolutional network
  for each person, folds of all sessions. The code shuffles windows, so that overlapping ones stand on both sides, and
  stops training by the fold that it tests; neither is done here. Unknown: the sampling rate (100 Hz assumed), when the
  mark was set, how long a face was held, and whether earbuds were taken out between sessions (here they stay).
- Lee et al., *Automatic smile and frown recognition with kinetic earables*, AH 2019
  (https://doi.org/10.1145/3311823.3311869): smiles and frowns by an earbud, not while talking. Only the abstract was
  at hand. Unknown: how many people, which other faces, the window, whether models were trained on the people whom they
  were tested on, and which mean the F1 score is.
- Yao et al., *IMUFace*, arXiv:2501.02177: landmarks of 12 people from five minutes of posed expressions each.

Readings are those of this project's earphones at 30 Hz.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from face_recon_node.evaluation.assessment import Assessment
from face_recon_node.progress import Progress
from imuface_core.earphone import EARS, Ear
from imuface_simulation import PEOPLE, Performance, simulate
from imuface_simulation.expressions import ACTIONS, EXPRESSIONS, NEUTRAL_START, Composer, Performer, vector
from imuface_simulation.mechanics import MIRROR_ROTATION, MIRROR_TRANSLATION
from imuface_simulation.performance import FRAME_RATE
from numpy.typing import NDArray
from torch import nn

GRENNESS = "Grenness 2002"
THESIS = "Grenness 1999, thesis"
EXPRESS_EAR = "Verma 2021, ExpressEar"
EXPRESS_EAR_CODE = "ExpressEar, left_tcn.ipynb: mean of 8 people"
LEE = "Lee 2019"
IMUFACE = "Yao 2025, arXiv:2501.02177"

ACTION_UNITS: dict[str, dict[str, float]] = {
    "1 inner brow raiser": {"browInnerUp": 1.0},
    "2 outer brow raiser, left": {"browOuterUpLeft": 1.0, "browOuterUpRight": 0.15},
    "2 outer brow raiser, right": {"browOuterUpRight": 1.0, "browOuterUpLeft": 0.15},
    "4 brow lowerer": {"browDown": 1.0},
    "5 upper lid raiser": {"eyeWide": 1.0},
    "6 cheek raiser": {"cheekSquint": 1.0},
    "7 lid tightener": {"eyeSquint": 0.7},
    "9 nose wrinkler": {"noseSneer": 1.0},
    "10 upper lip raiser": {"mouthUpperUp": 1.0},
    "11 nasolabial deepener": {"noseSneer": 0.3, "mouthUpperUp": 0.4, "mouthDimple": 0.2},
    "12 lip corner puller": {"mouthSmile": 1.0},
    "13 cheek puffer": {"cheekPuff": 0.7, "mouthSmile": 0.4},
    "14 dimpler": {"mouthDimple": 1.0},
    "15 lip corner depressor": {"mouthFrown": 1.0},
    "16 lower lip depressor": {"mouthLowerDown": 1.0},
    "17 chin raiser": {"mouthShrugLower": 1.0, "mouthShrugUpper": 0.4},
    "18 lip puckerer": {"mouthPucker": 1.0},
    "20 lip stretcher": {"mouthStretch": 1.0},
    "22 lip funneler": {"mouthFunnel": 1.0},
    "23 lip tightener": {"mouthPress": 0.5, "mouthRollLower": 0.3, "mouthRollUpper": 0.3},
    "24 lip pressor": {"mouthPress": 1.0},
    "25 lips part": {"mouthLowerDown": 0.3, "mouthUpperUp": 0.2, "jawOpen": 0.05},
    "26 jaw drop": {"jawOpen": 0.4},
    "27 mouth stretch": {"jawOpen": 1.0, "mouthStretch": 0.3},
    "28 lip suck": {"mouthRollLower": 1.0, "mouthRollUpper": 1.0, "jawOpen": 0.1},
    "41 lid droop": {"eyeBlink": 0.35},
    "42 slit": {"eyeBlink": 0.7, "eyeSquint": 0.2},
    "43 eyes closed": {"eyeBlink": 1.0},
    "44 squint": {"eyeSquint": 1.0, "browDown": 0.3, "cheekSquint": 0.3},
    "45 blink": {"eyeBlink": 1.0},
    "46 wink, left": {"eyeBlinkLeft": 1.0, "cheekSquintLeft": 0.4, "eyeBlinkRight": 0.1},
    "46 wink, right": {"eyeBlinkRight": 1.0, "cheekSquintRight": 0.4, "eyeBlinkLeft": 0.1},
}
"""The 32 of ExpressEar by their FACS numbers and names, in ARKit weights at full strength; a name without a side stands
for both. ARKit names the same muscles except for 11, 13, 23, 25 and the shares in mixtures, which are our reading. A
blink differs from closed eyes by its time course alone."""

_Task = tuple[str, dict[str, float]]  # label, ARKit weights
SMILE, FROWN, OTHER = "smile", "frown", "other"
_FACES: list[_Task] = [(SMILE, EXPRESSIONS["smile"]), (FROWN, ACTIONS["brow lower"])]
_OTHER_FACES: list[dict[str, float]] = [
    *(EXPRESSIONS[name] for name in ("surprise", "sadness", "fear", "yawn")),
    *(ACTIONS[name] for name in ("kiss", "puff", "brow raise", "close")),
    {},
]
"""Our choice, a neutral face among them; those that contain a smile or a frown are left out."""
_OTHERS = 2
"""Each other face for ten smiles: about as many others as smiles and frowns together."""

_PEOPLE = 1 << 41  # first seed of these people: neither trained on nor in a study
_MOST_PEOPLE = 1000
_MOST_SEEDS = 1 << 20  # of people for one seed
_EARS_OF = (10, 4)  # people of Grenness et al., and of how many of them both ears were measured
_SESSIONS = 7
_FOLDS = 5  # of which one is tested
_PERIOD = 3.0  # s from one mark to the next; this and the following times are guesses
_REACTION = (0.1, 0.4)  # s from the mark to the movement
_ATTACK = (0.25, 0.5)  # s
_HOLD, _RELEASE = 1.0, 0.4  # s
_BLINK = (0.08, 0.05, 0.17)  # s: attack, hold, release
_STRENGTH = (0.85, 1.15)
_FRAMES, _RATE = 30, 30.0  # of a window
_SHIFTS = (-0.2, -0.1, 0.0, 0.1, 0.2)  # s from the mark to the windows
_WIDTH, _EPOCHS, _BATCH, _LEARNING_RATE = 32, 60, 64, 4e-3  # of the network
_MILLIMETRES = 1000.0


@dataclass(frozen=True)
class PublishedRow:
    """One figure, as published and as simulated."""

    protocol: str
    figure: str
    """What is measured, with its unit."""
    published: float | None
    """None: nobody has published it."""
    simulated: float | None
    """None: not measured."""
    source: str


def published_rows(
    ears: str,
    people: int,
    seed: int,
    progress: Progress,
    *,
    sessions: int = _SESSIONS,
    repetitions: int = 10,
    draws: int = 50,
) -> list[PublishedRow]:
    """All protocols but IMUFace's on ``people`` simulated people with ``ears`` of a kind of ``PEOPLE``.

    ``sessions`` and ``repetitions`` of each action in a session are those of ExpressEar, ``draws`` how often the 14
    ears of Grenness et al. are drawn; fewer make a trial run. Raises ``ValueError`` for impossible values.
    """
    if ears not in PEOPLE:
        raise ValueError(f"ears is '{ears}': expected {' or '.join(PEOPLE)}")
    if not 2 <= people <= _MOST_PEOPLE:
        raise ValueError(f"people is {people}: expected 2 to {_MOST_PEOPLE}")
    if seed < 0:
        raise ValueError(f"seed is {seed}: expected 0 or more")
    if sessions < 2 or repetitions < 1 or sessions * repetitions < _FOLDS or draws < 1:
        raise ValueError(
            f"{sessions} sessions of {repetitions} repetitions and {draws} draws: expected 2 sessions or more with "
            f"{_FOLDS} repetitions altogether, and a draw"
        )
    first = _PEOPLE + seed * _MOST_SEEDS
    return [
        *_canal(ears, first + 2 * _MOST_PEOPLE, draws),
        *_express_ear(ears, range(first, first + people), sessions, repetitions, progress),
        *_smiles(ears, range(first + _MOST_PEOPLE, first + _MOST_PEOPLE + people), repetitions, progress),
    ]


def imuface_rows(paper: Assessment) -> list[PublishedRow]:
    """What the paper's recipe reaches on simulated people after five minutes of each, beside IMUFace.

    IMUFace's faces are posed, so it is the frames with an expression that compare; a session of the study also rests.
    """
    figures, posed = paper.figures, paper.fidelity.expressive_error_mm
    protocol = "landmarks after five minutes of the person, IMUTwinTrans"
    return [
        PublishedRow(protocol, "mean landmark error of expressive frames, mm", 2.21, posed, IMUFACE),
        PublishedRow(protocol, "normalised, %", 3.40, figures.nme_percent * posed / figures.landmark_error_mm, IMUFACE),
        PublishedRow(protocol, "mean landmark error of all frames, mm", None, figures.landmark_error_mm, "–"),
    ]


def to_table(rows: Sequence[PublishedRow]) -> list[str]:
    """Lines of a Markdown table, a row in each."""
    lines = ["| protocol | figure | published | simulated | source |", "|---|---|---:|---:|---|"]
    for row in rows:
        published, simulated = ("–" if value is None else f"{value:.2f}" for value in (row.published, row.simulated))
        lines.append(f"| {row.protocol} | {row.figure} | {published} | {simulated} | {row.source} |")
    return lines


def _canal(ears: str, first: int, draws: int) -> list[PublishedRow]:
    """Where the bud is with the jaw fully open, means over ``draws`` of 14 ears of people from ``first`` on.

    The simulator moves the bud with the canal, in axes of the head; the published motion is that of the canal's front
    wall relative to the concha. Simulated ears all move: none is left out of the directions.
    """
    shifts, turns = _open_jaw(ears, first, draws)
    size = np.abs(shifts)
    median = float(np.median(np.linalg.norm(shifts, axis=2)))
    lengthwise, across, upright = size.max(axis=1).mean(axis=0).tolist()
    _, across_mean, upright_mean = size.mean(axis=(0, 1)).tolist()
    _, across_against, upright_against = _minority(shifts).mean(axis=0).tolist()
    against = np.sum(turns * turns.mean(axis=1, keepdims=True), axis=2) < 0.0
    protocol = "canal with an open jaw, 14 ears"
    return [
        PublishedRow(protocol, "largest medio-lateral shift, mm", 3.8, across, GRENNESS),
        PublishedRow(protocol, "largest vertical shift, mm", 3.7, upright, GRENNESS),
        PublishedRow(protocol, "largest lengthwise shift, mm", 8.5, lengthwise, GRENNESS),
        PublishedRow(protocol, "mean medio-lateral shift, mm", 1.4, across_mean, THESIS),
        PublishedRow(protocol, "mean vertical shift, mm", 1.3, upright_mean, THESIS),
        PublishedRow(protocol, "median shift, all axes, mm", None, median, "–"),
        PublishedRow(protocol, "share shifted against most, medio-lateral", 5 / 13, across_against, GRENNESS),
        PublishedRow(protocol, "share shifted against most, vertical", 2 / 11, upright_against, GRENNESS),
        PublishedRow(protocol, "share turned against the mean turn", None, float(against.mean()), "–"),
    ]


def _open_jaw(ears: str, first: int, draws: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Shifts in mm and turns in rad, both (draws, 14, 3), of ears as if all were left ones: forward, out, up."""
    face = vector({"jawOpen": 1.0})[None]
    people, both = _EARS_OF
    shifts, turns = [], []
    for draw in range(draws):
        for number in range(people):
            person = PEOPLE[ears](first + draw * people + number)
            for ear in EARS if number < both else EARS[:1]:
                mechanics = getattr(person, ear)
                mirrored = ear == "right"
                active = mechanics.activation(face)[0]
                shifts.append(active @ mechanics.translation * (MIRROR_TRANSLATION if mirrored else 1.0))
                turns.append(active @ mechanics.rotation * (MIRROR_ROTATION if mirrored else 1.0))
    return _MILLIMETRES * np.reshape(shifts, (draws, -1, 3)), np.reshape(turns, (draws, -1, 3))


def _minority(shifts: NDArray[np.float64]) -> NDArray[np.float64]:
    """(draws, 3): the share of ears (draws, ears, 3) whose component has the rarer sign."""
    positive = np.mean(shifts > 0.0, axis=1)
    return np.minimum(positive, 1.0 - positive)


def _express_ear(ears: str, people: range, sessions: int, repetitions: int, progress: Progress) -> list[PublishedRow]:
    """Accuracies within people, means over them: of a network as in ExpressEar, and of a linear classifier."""
    figures = []
    for done, person in enumerate(people, 1):
        parts = []
        for session in range(sessions):
            units = _shuffled(list(ACTION_UNITS.items()), person, session)
            parts.append(_record(ears, person, session, [unit for unit in units for _ in range(repetitions)]))
        training, tested = _split(_Windows.joined(parts))
        figures.append(
            (
                _accuracy(_Network(training), tested),
                _accuracy(_Network(training.of("left")), tested.of("left")),
                _accuracy(_Discriminant(training), tested),
                _accuracy(_Discriminant(parts[0]), parts[1]),
            )
        )
        progress("action units", done, len(people))
    protocol = "32 action units of a known person"
    both, left, linear, later = np.mean(figures, axis=0).tolist()
    return [
        PublishedRow(protocol, "accuracy", 0.899, both, EXPRESS_EAR),
        PublishedRow(protocol, "accuracy, left ear only", 0.77, left, EXPRESS_EAR_CODE),
        PublishedRow(protocol, "accuracy, linear classifier", None, linear, "–"),
        PublishedRow(protocol, "accuracy, linear classifier, from one session to another", None, later, "–"),
    ]


def _smiles(ears: str, people: range, repetitions: int, progress: Progress) -> list[PublishedRow]:
    """F1 scores of smile and frown with the left ear: mean of both, then over people.

    Two sessions each. For a known person one trains and the other tests; for a new one, all other people train.
    """
    tasks = [task for task in _FACES for _ in range(repetitions)]
    tasks += [(OTHER, face) for face in _OTHER_FACES for _ in range(math.ceil(repetitions * _OTHERS / 10))]
    recorded = []
    for person in people:
        parts = [_record(ears, person, session, _shuffled(tasks, person, session)) for session in range(2)]
        recorded.append([part.of("left") for part in parts])
    known, new = [], []
    for done, (first, second) in enumerate(recorded, 1):
        others = [part for parts in recorded[: done - 1] + recorded[done:] for part in parts]
        own = _Windows.joined([first, second])
        known.append(_f1(second.answers, _Network(first).predict(second)))
        new.append(_f1(own.answers, _Network(_Windows.joined(others)).predict(own)))
        progress("smiles and frowns", done, len(people))
    protocol = "smile and frown among other faces, one ear"
    source = f"{LEE}; known or new people: not known"
    return [
        PublishedRow(protocol, "F1, known person", 0.85, float(np.mean(known)), source),
        PublishedRow(protocol, "F1, new person", 0.85, float(np.mean(new)), source),
    ]


def _shuffled(tasks: Sequence[_Task], person: int, session: int) -> list[_Task]:
    """In the order in which a person is asked for them in a session."""
    order = np.random.default_rng([person, session, 0x6F726465]).permutation(len(tasks))
    return [tasks[place] for place in order]


@dataclass(frozen=True)
class _Windows:
    """What was measured during repetitions of actions."""

    readings: NDArray[np.float64]  # (N, shifts, frames, ears, 6): m/s², rad/s, without their means over the frames
    labels: NDArray[np.str_]  # (N,)

    @classmethod
    def joined(cls, parts: Sequence[_Windows]) -> _Windows:
        """All repetitions of sessions, in their order."""
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("readings", "labels")))

    def __getitem__(self, chosen: NDArray[np.bool_]) -> _Windows:
        return _Windows(self.readings[chosen], self.labels[chosen])

    def of(self, ear: Ear) -> _Windows:
        """What one ear alone has measured."""
        place = EARS.index(ear)
        return _Windows(self.readings[:, :, :, place : place + 1], self.labels)

    @property
    def inputs(self) -> NDArray[np.float64]:
        """(N * shifts, features)."""
        return self.readings.reshape(len(self.labels) * len(_SHIFTS), -1)

    @property
    def answers(self) -> NDArray[np.str_]:
        """(N * shifts,) labels of the inputs."""
        return np.repeat(self.labels, len(_SHIFTS))


class _Network:
    """A small convolutional network with dilations, our own in the place of theirs.

    Every repetition is seen once an epoch, in one of its windows.
    """

    def __init__(self, windows: _Windows) -> None:
        """Trained with ``windows``; the same windows make the same network."""
        self._classes, labels = np.unique(windows.labels, return_inverse=True)
        self._scale = np.maximum(windows.readings.std(axis=(0, 1, 2)), 1e-12)
        inputs, targets = self._inputs(windows), torch.from_numpy(labels)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self._net = _layers(inputs.shape[2], len(self._classes))
            steps = _EPOCHS * -(-len(targets) // _BATCH)
            optimizer = torch.optim.AdamW(self._net.parameters(), lr=_LEARNING_RATE)
            schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _LEARNING_RATE, total_steps=steps)
            for _ in range(_EPOCHS):
                for rows in torch.randperm(len(targets)).split(_BATCH):
                    shifted = inputs[rows, torch.randint(len(_SHIFTS), (len(rows),))]
                    optimizer.zero_grad()
                    nn.functional.cross_entropy(self._net(shifted), targets[rows]).backward()
                    optimizer.step()
                    schedule.step()
        self._net.eval()

    def predict(self, windows: _Windows) -> NDArray[np.str_]:
        """(N * shifts,) the most probable labels."""
        with torch.inference_mode():
            scores = self._net(self._inputs(windows).flatten(0, 1))
        return self._classes[scores.argmax(dim=1).numpy()]

    def _inputs(self, windows: _Windows) -> torch.Tensor:
        """(N, shifts, channels, frames)."""
        scaled = windows.readings / self._scale
        return torch.from_numpy(scaled.reshape(*scaled.shape[:3], -1).swapaxes(2, 3).astype(np.float32))


def _layers(channels: int, classes: int) -> nn.Sequential:
    widths = (channels, _WIDTH, _WIDTH, _WIDTH)
    convolutions = [
        layer
        for before, after, dilation in zip(widths, widths[1:], (1, 2, 4), strict=False)
        for layer in (nn.Conv1d(before, after, 3, padding=dilation, dilation=dilation), nn.ReLU())
    ]
    return nn.Sequential(*convolutions, nn.Flatten(), nn.Dropout(0.3), nn.Linear(_WIDTH * _FRAMES, classes))


class _Discriminant:
    """Linear discriminant analysis with a shrunk covariance.

    The covariance within classes, of inputs of unit variance, is drawn towards the unit matrix as far as Ledoit and
    Wolf have it (J. Multivariate Analysis 88, 2004).
    """

    def __init__(self, windows: _Windows) -> None:
        """Trained with ``windows``."""
        inputs, answers = windows.inputs, windows.answers
        self._classes, members, counts = np.unique(answers, return_inverse=True, return_counts=True)
        means = np.stack([inputs[members == place].mean(axis=0) for place in range(len(self._classes))])
        within = inputs - means[members]
        self._scale = np.maximum(within.std(axis=0), 1e-12)
        within /= self._scale
        means /= self._scale
        count, features = within.shape
        covariance = within.T @ within / count
        spread = np.sum(covariance**2)
        distance = spread - np.trace(covariance) ** 2 / features
        chance = (np.sum(np.sum(within**2, axis=1) ** 2) / count - spread) / count
        shrinkage = min(chance / distance, 1.0) if distance > 0.0 else 1.0
        shrunk = (1.0 - shrinkage) * covariance + shrinkage * np.trace(covariance) / features * np.eye(features)
        self._coefficients = np.linalg.solve(shrunk, means.T)
        self._offset = np.log(counts / count) - 0.5 * np.sum(means.T * self._coefficients, axis=0)

    def predict(self, windows: _Windows) -> NDArray[np.str_]:
        """(N * shifts,) the most probable labels."""
        scores = windows.inputs / self._scale @ self._coefficients + self._offset
        return self._classes[np.argmax(scores, axis=1)]


def _record(ears: str, person: int, session: int, tasks: Sequence[_Task]) -> _Windows:
    """A person doing ``tasks`` one after the other, sitting, with the buds as in the person's other sessions."""
    rng = np.random.default_rng([person, session, 0x7075626C])
    marks = NEUTRAL_START + _PERIOD * (np.arange(len(tasks)) + 0.5)
    duration = marks[-1] + _PERIOD
    performer = Performer.random(np.random.default_rng([person, 0x7075626C]))
    composer = Composer(rng, performer, duration, FRAME_RATE)
    for mark, (label, weights) in zip(marks, tasks, strict=True):
        course = _BLINK if label == "45 blink" else (rng.uniform(*_ATTACK), _HOLD, _RELEASE)
        composer.act(mark + rng.uniform(*_REACTION), vector(weights), rng.uniform(*_STRENGTH), *course)
    seeds = 64 * person
    recording = simulate(
        Performance(composer.finish().astype(np.float32)),
        PEOPLE[ears](person),
        duration,
        rate=_RATE,
        seed=seeds + session,
        mount_seed=seeds,
    )
    times = marks[:, None, None] + np.array(_SHIFTS)[:, None] + np.arange(_FRAMES) / _RATE
    readings = []
    for ear in EARS:
        track = getattr(recording, ear)
        channels = np.concatenate([track.acceleration, track.angular_velocity], axis=1).T
        readings.append(np.stack([np.interp(times, track.stamps * 1e-9, channel) for channel in channels], axis=-1))
    windows = np.stack(readings, axis=3)
    return _Windows(windows - windows.mean(axis=2, keepdims=True), np.array([label for label, _ in tasks]))


def _split(windows: _Windows) -> tuple[_Windows, _Windows]:
    """What is trained with, and what is tested: of each label's repetitions every fifth, with all of its windows."""
    turn = np.zeros(len(windows.labels), np.int64)
    for label in np.unique(windows.labels):
        chosen = windows.labels == label
        turn[chosen] = np.arange(chosen.sum()) % _FOLDS
    tested = turn == _FOLDS - 1
    return windows[~tested], windows[tested]


def _accuracy(classifier: _Network | _Discriminant, tested: _Windows) -> float:
    return float(np.mean(classifier.predict(tested) == tested.answers))


def _f1(truth: NDArray[np.str_], found: NDArray[np.str_]) -> float:
    """Mean of the F1 scores of smile and frown."""
    scores = [
        2.0 * np.sum((truth == label) & (found == label)) / np.sum((truth == label).astype(int) + (found == label))
        for label in (SMILE, FROWN)
    ]
    return float(np.mean(scores))
