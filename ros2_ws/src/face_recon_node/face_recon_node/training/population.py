"""Simulated people to train and test on: who they are, what they do, and their recordings as stretches."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from imuface_driver.arkit import BLENDSHAPES, MIRRORED
from imuface_driver.protocol import EARS
from imuface_driver.recording import ImuTrack, Recording
from imuface_driver.simulation import Participant, Performance, simulate
from imuface_driver.simulation.expressions import minimum_jerk
from imuface_driver.simulation.mechanics import EarMechanics
from imuface_driver.simulation.performance import CSV_REST, FRAME_RATE
from numpy.typing import NDArray

from face_recon_node.network.face_network import tracked_channels
from face_recon_node.tracking import Mechanics, Tracker, learn
from face_recon_node.training.processes import on_one_core, worker_pool
from face_recon_node.training.stretch import Stretch, prepare

Item = TypeVar("Item")
Result = TypeVar("Result")

_NEUTRAL = 4.2
_ACTIVITIES = {"still": 0.5, "talking": 0.2, "nodding": 0.15, "walking": 0.15}
_PERSONAL_MINUTES = {0.5: 0.2, 1.0: 0.2, 2.0: 0.25, 5.0: 0.35}
_CAPTURED = 0.4
"""Share of the people whose faces are made of captures, where there are any."""


@dataclass(frozen=True)
class SimulatedSession:
    """A simulated participant's session; every random choice follows from the seed."""

    seed: int
    minutes: float
    activity: str | None = None
    """None: drawn from a mix that is mostly still."""
    lose_ear: bool | None = None
    """Whether an earphone falls silent for a part of the session; None: in one of six sessions."""
    performance: Path | None = None
    """A Live Link Face capture that moves the face; None: generated, every other person by the protocol of a study."""

    def record(self) -> Recording:
        """Simulate the session."""
        recorded = self.performance
        duration = 60.0 * self.minutes
        if recorded:
            performance = Performance.from_live_link_csv(recorded)
        elif self.seed % 2:
            performance = Performance.natural(self.seed, duration)
        else:
            performance = Performance.study(self.seed, 0, duration)
        return _recorded(self, performance, Participant.random(self.seed), None)


def _recorded(
    session: SimulatedSession, performance: Performance, participant: Participant, mount_seed: int | None
) -> Recording:
    rng = np.random.default_rng([session.seed, 0x73657373])
    recording = simulate(
        performance,
        participant,
        60.0 * session.minutes,
        seed=session.seed,
        mount_seed=mount_seed,
        activity=session.activity or str(rng.choice(list(_ACTIVITIES), p=list(_ACTIVITIES.values()))),
        start_ns=1_000_000_000,
    )
    lose_ear = rng.random() < 1 / 6 if session.lose_ear is None else session.lose_ear
    if lose_ear:
        ear = str(rng.choice(EARS))
        begin, end = np.sort(rng.uniform(0.05, 1.0, 2))
        if ear == "left" and recording.left:
            recording = replace(recording, left=_without(recording.left, begin, end))
        elif recording.right:
            recording = replace(recording, right=_without(recording.right, begin, end))
    return recording


@dataclass(frozen=True)
class TrainingPerson:
    """A simulated person to learn from: ears of anatomy or of none, faces beyond generator and captures.

    Their ears' mechanics are learned from a session of their own, as long as a real person might record, and
    track the face in another session, which is what the network is trained on.
    """

    seed: int
    minutes: float
    captures: tuple[Path, ...] = ()
    anatomical: bool = False
    """Ears of anatomy for sure, and generated faces only."""

    def examples(self, landmark_deltas: NDArray[np.float32]) -> list[Example]:
        """The other session's stretches."""
        rng = np.random.default_rng([self.seed, 0x7065726E])
        participant = (Participant.arbitrary if rng.random() < 0.5 else Participant.random)(self.seed)
        participant = _amplified(participant, float(np.exp(rng.normal(0.5, 0.6))))
        if self.anatomical:
            participant = _amplified(Participant.random(self.seed), float(np.exp(rng.normal(0.1, 0.3))))
        habits = _Habits.drawn(rng)
        capture = self.captures[rng.integers(len(self.captures))] if self.captures else None
        capture = capture if rng.random() < _CAPTURED else None
        personal_minutes = float(rng.choice(list(_PERSONAL_MINUTES), p=list(_PERSONAL_MINUTES.values())))
        remounted = rng.random() < 0.6
        first, second = 2 * self.seed, 2 * self.seed + 1

        def stretches(session: SimulatedSession, mount_seed: int | None) -> list[Stretch]:
            own = np.random.default_rng([session.seed, 0x66616365])
            duration = 60.0 * session.minutes
            face = (
                _recombined(capture, own, duration) if capture else Performance.study(self.seed, session.seed, duration)
            )
            return prepare(_recorded(session, habits.applied(face), participant, mount_seed))

        personal = stretches(SimulatedSession(first, personal_minutes + 0.15, "still", False), None)
        session = SimulatedSession(second, self.minutes)
        mechanics = learn(personal, landmark_deltas)
        return [Example.tracked_by(mechanics, stretch) for stretch in stretches(session, None if remounted else first)]


def _amplified(participant: Participant, factor: float) -> Participant:
    """The same person with ears that move more or less: nobody knows how much real ones do."""

    def ear(mechanics: EarMechanics) -> EarMechanics:
        rotation, translation = mechanics.rotation * factor, mechanics.translation * factor
        return replace(mechanics, rotation=rotation, translation=translation, limit=mechanics.limit * max(1.0, factor))

    return Participant(ear(participant.left), ear(participant.right))


@dataclass(frozen=True)
class Example:
    """What the network learns from: inputs and truth of n consecutive frames."""

    features: NDArray[np.float32]
    """(n, channels)"""
    tracked: NDArray[np.float32]
    """(n, TRACKED)"""
    weights: NDArray[np.float32]
    """(n, 52)"""

    def __getitem__(self, rows: slice) -> Example:
        """Some consecutive frames."""
        return Example(self.features[rows], self.tracked[rows], self.weights[rows])

    @classmethod
    def tracked_by(cls, mechanics: Mechanics | None, stretch: Stretch) -> Example:
        """A stretch with what a tracker makes of it."""
        tracker = Tracker(mechanics) if mechanics else None
        tracked = tracked_channels(tracker, mechanics, stretch.readings, stretch.present)
        return cls(stretch.features, tracked, stretch.weights)


@dataclass(frozen=True)
class _Habits:
    """How a person's face differs from the generator's and from the captured one: captures differ from both in this."""

    gain: NDArray[np.float64]
    rest: NDArray[np.float64]
    mirrored: bool

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> _Habits:
        actions = len(BLENDSHAPES)
        plain = rng.random() < 0.25
        gain = np.exp(rng.normal(0.2, 0.4, actions)) * np.exp(rng.normal(0.1, 0.35))
        rest = np.where(rng.random(actions) < 0.5, np.abs(rng.normal(0.0, 0.12, actions)), 0.0) * (rng.random() < 0.7)
        return cls(np.ones(actions) if plain else gain, rest * (not plain), bool(rng.random() < 0.5))

    def applied(self, performance: Performance) -> Performance:
        """The calibration still sees the neutral face: the resting pose comes after it."""
        frames = performance.frames[:, MIRRORED] if self.mirrored else performance.frames
        rise = np.clip(np.arange(len(frames)) / FRAME_RATE - _NEUTRAL, 0.0, 1.0)[:, None]
        rest = self.rest * (3.0 - 2.0 * rise) * rise**2
        varied = rest + (1.0 - rest) * np.clip(frames * self.gain, 0.0, 1.0)
        return Performance(varied.astype(np.float32))


@functools.cache
def _capture(path: Path) -> NDArray[np.float32]:
    return Performance.from_live_link_csv(path).frames[round(CSV_REST * FRAME_RATE) :]


def _recombined(path: Path, rng: np.random.Generator, duration: float) -> Performance:
    """Pieces of a capture in a new order and at other speeds, one blending into the next, after a neutral face."""
    frames = _capture(path)
    fade = round(0.5 * FRAME_RATE)
    ramp = minimum_jerk(np.linspace(0.0, 1.0, fade))[:, None]
    parts = [np.zeros((round(CSV_REST * FRAME_RATE), frames.shape[1]))]
    missing = round(duration * FRAME_RATE) - len(parts[0])
    while missing > 0:
        speed = np.exp(rng.normal(0.0, 0.2))
        count = round(rng.uniform(6.0, 25.0) * FRAME_RATE)
        start = rng.uniform(0.0, len(frames) - count * speed - 2.0)
        at = start + speed * np.arange(count)
        index = at.astype(int)
        share = (at - index)[:, None]
        part = (1.0 - share) * frames[index] + share * frames[index + 1]
        part[:fade] = (1.0 - ramp) * parts[-1][-1] + ramp * part[:fade]
        parts.append(part)
        missing -= count
    return Performance(np.concatenate(parts)[: round(duration * FRAME_RATE)].astype(np.float32))


def _without(track: ImuTrack, begin: float, end: float) -> ImuTrack:
    """The track without the samples between two shares of its length."""
    kept = np.ones(len(track.stamps), bool)
    kept[int(begin * len(kept)) : int(end * len(kept))] = False
    return ImuTrack(track.stamps[kept], track.acceleration[kept], track.angular_velocity[kept])


TRAINING, VALIDATION, TEST = range(3)
"""Populations of simulated people that share nobody, whatever their seeds."""


def _seeds(kind: int, seed: int, count: int) -> range:
    first = (3 * seed + kind) * 1_000_000
    return range(first, first + count)


def population(
    kind: int,
    seed: int,
    count: int,
    minutes: float,
    activity: str | None = None,
    lose_ear: bool | None = None,
    performance: Path | None = None,
) -> list[SimulatedSession]:
    """Sessions of ``count`` simulated people, one each."""
    return [SimulatedSession(own, minutes, activity, lose_ear, performance) for own in _seeds(kind, seed, count)]


def training_people(
    kind: int, seed: int, count: int, minutes: float, captures: Sequence[Path] = (), anatomical: int = 0
) -> list[TrainingPerson]:
    """Simulated people to learn from, and further ones with ears of anatomy."""
    people = [TrainingPerson(own, minutes, tuple(captures)) for own in _seeds(kind, seed, count)]
    others = _seeds(kind, seed, count + anatomical)[count:]
    return people + [TrainingPerson(own, minutes, anatomical=True) for own in others]


def prepare_simulated(sessions: Sequence[SimulatedSession], processes: int = 1) -> Iterator[list[Stretch]]:
    """Simulate and prepare sessions, in order."""
    yield from in_processes(_prepared, sessions, processes)


def make_examples(
    people: Sequence[TrainingPerson], landmark_deltas: NDArray[np.float32], processes: int = 1
) -> Iterator[list[Example]]:
    """Simulate people to learn from, in order."""
    yield from in_processes(functools.partial(_examples, landmark_deltas), people, processes)


def _prepared(session: SimulatedSession) -> list[Stretch]:
    return prepare(session.record())


def _examples(landmark_deltas: NDArray[np.float32], person: TrainingPerson) -> list[Example]:
    return person.examples(landmark_deltas)


def in_processes(work: Callable[[Item], Result], items: Sequence[Item], processes: int) -> Iterator[Result]:
    """``map`` with several processes, where there is enough to do for them."""
    # A process takes seconds to start: not worth it for a few sessions.
    processes = min(processes, len(items) // 8)
    if processes <= 1:
        yield from map(work, items)
        return
    with worker_pool(processes) as pool:
        yield from pool.map(functools.partial(on_one_core, work), items, chunksize=4)
