"""A model beside baselines, on a few people at once: simulated ones, or the sessions of one person."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from face_recon_node.data.segment import prepare
from face_recon_node.data.sessions import read_sessions
from face_recon_node.evaluation.assessment import Assessment, assess
from face_recon_node.head import HeadModel
from face_recon_node.models.catalogue import choose
from face_recon_node.models.file import load
from face_recon_node.models.model import Person
from face_recon_node.processes import on_one_core, worker_pool
from face_recon_node.progress import Progress
from imuface_simulation import ACTIVITIES, PEOPLE, Performance, simulate
from threadpoolctl import threadpool_limits

from imuface_study.harness import FOLDS
from imuface_study.results import mean_assessment

Item = TypeVar("Item")
Result = TypeVar("Result")

CONSTANTS = "mean", "median"
BASELINES = (*CONSTANTS, "ridge")
_PEOPLE = 1 << 42  # first seed of these people: nobody of the training, of a study or of published.py
_MOST_PEOPLE = 1000
_SHORTEST, _LONGEST = 0.2, 600.0  # minutes of a session
_START_NS = 1_000_000_000


@dataclass(frozen=True)
class Case:
    """What models are measured on, and what they may know."""

    tested: Person
    own: Person | None
    """What all models are fitted to; None: nothing of the person is known but the neutral calibration."""
    known: tuple[Person, ...]
    """What the baselines are fitted to; empty: there are none."""
    baselines: tuple[str, ...] = BASELINES


@dataclass(frozen=True)
class SimulatedPeople:
    """People whom no model has seen, each with sessions of the study's protocol.

    Raises ``ValueError`` for impossible values, and ``ValueError`` or ``OSError`` for a capture that cannot be used.
    """

    count: int = 12
    ears: str = "anatomical"
    """A kind of :data:`~imuface_simulation.PEOPLE`."""
    minutes: float = 5.0
    """Of each person's own data; 0: none."""
    test_minutes: float = 1.5
    remounted: bool = False
    """Whether the buds have been put in anew for the test."""
    activity: str = "still"
    """Of the test."""
    performance: Path | None = None
    """A captured face that moves the faces of the test."""
    seed: int = 0

    def __post_init__(self) -> None:
        for name, names in (("ears", tuple(PEOPLE)), ("activity", ACTIVITIES)):
            if getattr(self, name) not in names:
                raise ValueError(f"{name} is '{getattr(self, name)}': expected {' or '.join(names)}")
        if not 1 <= self.count <= _MOST_PEOPLE:
            raise ValueError(f"{self.count} simulated people: expected 1 to {_MOST_PEOPLE}")
        if self.seed < 0:
            raise ValueError(f"seed is {self.seed}: expected 0 or more")
        for name, minutes in (("minutes", self.minutes or _SHORTEST), ("test_minutes", self.test_minutes)):
            if not _SHORTEST <= minutes <= _LONGEST:
                raise ValueError(f"{name} is {minutes:g}: expected {_SHORTEST:g} to {_LONGEST:g}")
        if self.performance:
            Performance.from_capture(self.performance)

    def __str__(self) -> str:
        own = f"{self.minutes:g} min of each" if self.minutes else "neutral calibration only"
        face = f", {self.performance.name}" if self.performance else ""
        return (
            f"{self.count} simulated people, {own}, tested on {self.test_minutes:g} min{face}, "
            f"{'remounted' if self.remounted else 'same mounting'}, {self.activity}, seed {self.seed}"
        )

    def cases(self, progress: Progress, processes: int) -> list[Case]:
        """Simulate them. Without data of their own, baselines are fitted to the tests of the people of other folds."""
        numbers = range(self.count)
        people = list(_each(self._sessions, numbers, processes, progress, "simulated people"))
        folds = [tuple(people[other][1] for other in numbers if (other - fold) % FOLDS) for fold in range(FOLDS)]
        return [
            Case(tested, own, (own,) if own else folds[number % FOLDS]) for number, (own, tested) in enumerate(people)
        ]

    def _sessions(self, number: int) -> tuple[Person | None, Person]:
        """A person's own data, if any, and the test."""
        person = _PEOPLE + _MOST_PEOPLE * self.seed + number
        mounting = 2 * person

        def session(place: int, minutes: float, activity: str, mounted: int | None, face: Performance | None) -> Person:
            recording = simulate(
                face or Performance.study(person, 2 * person + place, 60.0 * minutes),
                PEOPLE[self.ears](person),
                60.0 * minutes,
                seed=2 * person + place,
                activity=activity,
                start_ns=_START_NS,
                mount_seed=mounted,
            )
            return Person(prepare(recording), HeadModel.load().landmark_neutral)

        capture = Performance.from_capture(self.performance) if self.performance else None
        tested = session(1, self.test_minutes, self.activity, None if self.remounted else mounting, capture)
        return session(0, self.minutes, "still", mounting, None) if self.minutes else None, tested


def recorded_cases(
    sessions: Sequence[Path], train: Sequence[Path], names: Mapping[str, str] | None = None
) -> list[Case]:
    """Sessions of one person, each a case of its own; those that cannot be used are left out with a warning.

    Without sessions to train on, the baselines are the constant faces of each tested session itself: they know it.
    ``names``: what the bags call topics of ours.

    Raises:
        ValueError: none of them can be used, or none to train on.
    """
    tested = read_sessions(sessions, names=names)
    people = [Person(segments, tested.neutrals[path]) for path, segments in tested.segments.items()]
    if not train:
        return [Case(person, None, (person,), CONSTANTS) for person in people]
    known = read_sessions(train, names=names)
    own = Person(known.all_segments, known.neutral)
    return [Case(replace(person, neutral=own.neutral), own, (own,)) for person in people]


def compare(
    cases: Sequence[Case], model_file: Path | None, seed: int, progress: Progress, processes: int
) -> dict[str, Assessment]:
    """Means over the cases, of each baseline and last of the model in the file (None: the shipped one).

    The model is fitted to the person where that is what the baselines know, unless it is a person's own already.
    """
    measured = list(_each(partial(_measured, model_file, seed), cases, processes, progress, "people measured"))
    return {name: mean_assessment([case[name] for case in measured]) for name in measured[0]}


def _measured(model_file: Path | None, seed: int, case: Case) -> dict[str, Assessment]:
    models = {name: choose(name).fit(case.known, seed) for name in case.baselines if case.known}
    model = load(model_file)
    if case.own and model.face is None:
        model = model.fit([case.own], seed)
    models[model.name if model.name not in models else f"{model.name} of the file"] = model
    return {name: assess(model, case.tested.segments, case.tested.neutral) for name, model in models.items()}


def _each(
    work: Callable[[Item], Result], items: Sequence[Item], processes: int, progress: Progress, what: str
) -> Iterator[Result]:
    """What the work makes of the items, in their order."""
    processes = min(processes, len(items))
    if processes <= 1:
        with threadpool_limits(1):  # sums are rounded alike, however many work side by side
            for done, item in enumerate(items, 1):
                yield work(item)
                progress(what, done, len(items))
        return
    with worker_pool(processes) as pool:
        for done, result in enumerate(pool.map(partial(on_one_core, work), items), 1):
            yield result
            progress(what, done, len(items))
