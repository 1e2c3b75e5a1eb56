"""Fits every model to every participant's data and measures it in every setting, in parallel, and goes on where it was
interrupted."""

from __future__ import annotations

import logging
import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from face_recon_node.data.screening import Findings, screen
from face_recon_node.data.segment import Segment, first_minutes, neutral_face, prepare
from face_recon_node.data.sessions import known
from face_recon_node.evaluation.affect import reliability, true_affect
from face_recon_node.evaluation.assessment import assessed, estimated
from face_recon_node.evaluation.metrics import Estimate
from face_recon_node.head import HeadModel
from face_recon_node.models.catalogue import NAMES, choose
from face_recon_node.models.file import SHIPPED, load
from face_recon_node.models.model import FaceModel, Person
from face_recon_node.processes import on_one_core, worker_pool
from face_recon_node.progress import Progress
from face_recon_node.stream.alignment import RATE
from imuface_core.recording import Recording
from imuface_core.session import read_session
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from imuface_study.results import Key, Results, Row, digest, digest_of_code, digest_of_files
from imuface_study.settings import (
    Participant,
    Setting,
    Study,
    lost_ear,
    without_calibration,
    without_ear,
)

logger = logging.getLogger(__name__)

OURS = "signature"
"""The model that needs nobody's data, and whose file can be chosen."""
FOLDS = 3
"""Other models without a person's data are fitted to the participants of the other folds."""
EXAMPLES = ("within", "across", "performance")
"""Settings of which the first participant's predictions are kept, for pictures."""
EXAMPLE_FRAMES = round(20 * RATE)
_TIMED_FRAMES = 60


def choose_models(names: Sequence[str]) -> tuple[str, ...]:
    """Models by their names, in the table's order; all of them without names.

    Raises:
        ValueError: there is no such model.
    """
    for name in names:
        if name not in NAMES:
            raise ValueError(f"there is no model '{name}'; there are {', '.join(NAMES)}")
    return tuple(name for name in NAMES if not names or name in names)


@dataclass(frozen=True)
class Plan:
    """What to measure."""

    study: Study
    settings: tuple[Setting, ...]
    models: tuple[str, ...] = tuple(NAMES)
    seed: int = 0
    model_file: Path | None = None
    """Of the signature model; None: the shipped one."""

    def keys(self) -> Iterator[tuple[Participant, Setting, Key]]:
        """All rows of the table."""
        for participant in self.study.participants:
            for setting in self.settings:
                if not participant.takes_part(setting):
                    continue
                for model in self.models:
                    if setting.train or model == OURS or self.others(participant):
                        yield participant, setting, self._key(participant, setting, model)

    def others(self, participant: Participant) -> list[Participant]:
        """Whose data a model is fitted to that gets none of the participant's."""
        fold = participant.number % FOLDS
        return [other for other in self.study.participants if other.number % FOLDS != fold and "train" in other.roles]

    def _key(self, participant: Participant, setting: Setting, model: str) -> Key:
        sessions = [*participant.training(setting), *participant.tests(setting), *participant.roles.get("train", ())]
        if setting.train is None and model != OURS:
            sessions += [path for other in self.others(participant) for path in other.roles["train"]]
        content = [digest_of_files(path) for path in sessions]
        folders = ("affect", "data", "evaluation", "head", "models", "stream")
        code = [*(f"face_recon_node/{folder}" for folder in folders), "imuface_study/harness", "imuface_study/settings"]
        if model == OURS:
            content += [digest_of_files(self.model_file or SHIPPED)]
            code += ["face_recon_node/models/signature"]
        content += [digest_of_code(*code), repr(setting), str(participant.number % 2)]
        return Key(participant.name, setting.key, model, self.seed, digest(content))


@dataclass
class Outcome:
    """What a run of the table has found."""

    rows: list[Row] = field(default_factory=list)
    reused: int = 0
    skipped: dict[str, str] = field(default_factory=dict)
    """Sessions that could not be used, and why."""


def run(plan: Plan, folder: Path, progress: Progress, processes: int = 1) -> Outcome:
    """Measure what ``folder`` has not got yet; rows are kept in its ``results.jsonl`` as soon as they are known.

    Raises:
        OSError, ValueError: the signature model's file is missing, damaged or of another model, or the folder cannot be
            written.
    """
    if OURS in plan.models and (found := load(plan.model_file)).name != OURS:
        raise ValueError(f"{plan.model_file} is of a {found.name} model: the study takes files of {OURS} models")
    results = Results(folder / "results.jsonl")
    wanted = list(plan.keys())
    missing = [(who, setting, key) for who, setting, key in wanted if results.get(key) is None]
    outcome = Outcome(reused=len(wanted) - len(missing))
    fitted: dict[int, dict[str, _Fitted]] = {}
    folds = _fold_jobs(plan, missing)
    fits = sum(len(job.keywords["models"]) for job in folds)
    for done, found in enumerate(_in_parallel(folds, processes), 1):
        if isinstance(found, _OfOthers):
            fitted.setdefault(found.fold, {})[found.model] = found.fitted
            progress(f"{found.model} without the person's data", done, fits)
        else:
            outcome.skipped.update([found])
    jobs = []
    for participant in plan.study.participants:
        keys = [(setting, key) for who, setting, key in missing if who is participant]
        if keys:
            others = fitted.get(participant.number % FOLDS, {})
            examples = folder / "examples" if participant is plan.study.participants[0] else None
            jobs.append(partial(_measured, participant, keys, others, plan.model_file, examples))
    done = 0
    for found in _in_parallel(jobs, processes):
        if isinstance(found, Row):
            results.add(found)
            done += 1
            progress(f"{found.key.participant} {found.key.setting} {found.key.model}", done, len(missing))
        else:
            outcome.skipped.update([found])
    outcome.rows = [row for _, _, key in wanted if (row := results.get(key)) is not None]
    for what, reason in outcome.skipped.items():
        logger.warning("skipped: %s", reason if what in reason else f"{what}: {reason}")
    return outcome


_Skipped = tuple[str, str]
"""What is skipped, and why."""


class _Fitted(NamedTuple):
    """A model, and how long its fit took, s."""

    model: FaceModel
    seconds: float

    @classmethod
    def to(cls, people: Sequence[Person], model: FaceModel, seed: int) -> _Fitted:
        begin = time.perf_counter()
        return cls(model.fit(people, seed), time.perf_counter() - begin)


@dataclass(frozen=True)
class _OfOthers:
    """A model that knows nothing of the participants of a fold."""

    fold: int
    model: str
    fitted: _Fitted


def _fold_jobs(plan: Plan, missing: Sequence[tuple[Participant, Setting, Key]]) -> list[partial[Iterator[Any]]]:
    """One job for each fold: the models that are wanted of it."""
    jobs = []
    for fold in range(FOLDS):
        rows = [(who, key.model) for who, setting, key in missing if who.number % FOLDS == fold and not setting.train]
        models = sorted({model for _, model in rows if model != OURS}, key=list(NAMES).index)
        if models:
            jobs.append(partial(_of_others, fold, plan.others(rows[0][0]), models=models, seed=plan.seed))
    return jobs


def _of_others(
    fold: int, participants: Sequence[Participant], models: Sequence[str], seed: int
) -> Iterator[_OfOthers | _Skipped]:
    people = []
    for participant in participants:
        sessions = _Sessions(participant)
        person = sessions.person(participant.roles["train"])
        people += [person] if person else []
        yield from sessions.skipped.items()
    for model in models:
        try:
            yield _OfOthers(fold, model, _Fitted.to(people, choose(model), seed))
        except ValueError as error:
            yield f"{model} without the data of a third of the participants", str(error)


def _measured(
    participant: Participant,
    keys: Sequence[tuple[Setting, Key]],
    others: Mapping[str, _Fitted],
    model_file: Path | None,
    examples: Path | None,
) -> Iterator[Row | _Skipped]:
    """The rows of one participant. A model is fitted once for all settings with the same training data."""
    sessions = _Sessions(participant)
    groups: dict[tuple[tuple[Path, ...], float | None, str], list[tuple[Setting, Key]]] = {}
    for setting, key in keys:
        groups.setdefault((participant.training(setting), setting.minutes, key.model), []).append((setting, key))
    # First what is known already, so that it need not be fitted again after an interruption.
    for (paths, minutes, model), members in sorted(groups.items(), key=lambda group: len(group[0][0])):
        person = sessions.person(paths, minutes)
        if paths and person is None:
            continue
        try:
            fitted = _fitted(model, person, members[0][1].seed, others, model_file)
        except ValueError as error:
            yield f"{participant.name}: {model}, {members[0][0].key}", str(error)
            continue
        for setting, key in members:
            segments = [part for path in participant.tests(setting) for part in sessions.segments(path, setting)]
            if fitted and segments:
                yield _row(sessions, segments, setting, key, fitted, person, examples)
    yield from sessions.skipped.items()


def _fitted(
    model: str, person: Person | None, seed: int, others: Mapping[str, _Fitted], model_file: Path | None
) -> _Fitted | None:
    if person is None and model != OURS:
        return others.get(model)
    return _Fitted.to([person] if person else (), load(model_file) if model == OURS else choose(model), seed)


def _row(
    sessions: _Sessions,
    segments: Sequence[Segment],
    setting: Setting,
    key: Key,
    fitted: _Fitted,
    person: Person | None,
    examples: Path | None,
) -> Row:
    neutral = sessions.neutral(sessions.participant.tests(setting))
    estimates, tracks = zip(*(estimated(fitted.model, segment, neutral) for segment in segments), strict=True)
    if examples is not None and setting.key in EXAMPLES:
        _keep_example(examples / f"{setting.key}-{key.model}.npz", estimates[0], segments[0], sessions.head)
    cpu_ms, times_real_time = _speed(fitted.model, segments[0])
    return Row(
        key=key,
        assessment=assessed(estimates, tracks, segments, neutral),
        reliability=tuple(reliability(tracks, [true_affect(part.stamps, part.weights) for part in segments])),
        parameters=fitted.model.parameters,
        fit_seconds=fitted.seconds,
        cpu_ms=cpu_ms,
        times_real_time=times_real_time,
        minutes=sum(map(len, person.segments)) / RATE / 60.0 if person else 0.0,
        frames=sum(map(len, segments)),
    )


def _speed(model: FaceModel, segment: Segment) -> tuple[float, float]:
    """Median processor time of a frame that comes alone, ms; and times real time of all frames at once."""
    times: list[float] = []
    stream = model.stream()
    for row in range(min(_TIMED_FRAMES, len(segment))):
        begin = time.thread_time()
        stream.push(segment.readings[row : row + 1], segment.present[row : row + 1])
        times.append(time.thread_time() - begin)
    begin = time.process_time()
    model.stream().push(segment.readings, segment.present)
    return 1e3 * float(np.median(times)), len(segment) / RATE / max(time.process_time() - begin, 1e-6)


def _keep_example(file: Path, estimate: Estimate, segment: Segment, head: HeadModel) -> None:
    """Keep the middle of a session."""
    begin = max(0, (len(segment) - EXAMPLE_FRAMES) // 2)
    rows = slice(begin, begin + EXAMPLE_FRAMES)
    file.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        file,
        seconds=(segment.stamps[rows] - segment.stamps[0]) * 1e-9,
        landmarks=estimate.landmarks[rows],
        weights=estimate.weights[rows],
        true_landmarks=segment[rows].true_landmarks(head),
        true_weights=segment.weights[rows],
    )


class _Sessions:
    """A participant's sessions, each read once; those that cannot be used are left out."""

    def __init__(self, participant: Participant) -> None:
        self.head = HeadModel.load()
        self.skipped: dict[str, str] = {}
        """Sessions that cannot be used, and why."""
        self.participant = participant
        self._screened: dict[Path, tuple[Recording, Findings] | None] = {}
        self._prepared: dict[tuple[Path, str], list[Segment]] = {}

    def person(self, paths: Sequence[Path], minutes: float | None = None) -> Person | None:
        """The participant's data of the first minutes of sessions; None: there is not as much."""
        segments = [part for path in paths for part in self._segments(path, "calibrated")]
        taken = first_minutes(segments, minutes)
        return Person(taken, self.neutral(paths)) if taken else None

    def segments(self, path: Path, setting: Setting) -> list[Segment]:
        """A session under the condition of a setting."""
        return self._segments(path, setting.condition)

    def neutral(self, paths: Sequence[Path]) -> NDArray[np.float32]:
        """The participant's neutral face: of the training session, else of the first usable one of ``paths``."""
        known = (self._screen(path) for path in (*self.participant.roles.get("train", ()), *paths))
        recording = next((found[0] for found in known if found), None)
        return self.head.landmark_neutral if recording is None else neutral_face(recording, self.head)

    def _screen(self, path: Path) -> tuple[Recording, Findings] | None:
        if path not in self._screened:
            self._screened[path] = None
            try:
                recording = read_session(path)
                self._screened[path] = recording, screen(recording)
            except (ValueError, OSError) as error:
                self.skipped[str(path)] = str(error)
        return self._screened[path]

    def _segments(self, path: Path, condition: str) -> list[Segment]:
        if (path, condition) not in self._prepared:
            self._prepared[path, condition] = []
            try:
                self._prepared[path, condition] = self._prepare(path, condition)
            except ValueError as error:
                self.skipped[str(path)] = str(error)
        return self._prepared[path, condition]

    def _prepare(self, path: Path, condition: str) -> list[Segment]:
        screened = self._screen(path)
        if screened is None:
            return []
        recording, findings = screened
        if condition == "uncalibrated":
            recording = without_calibration(recording)
        elif condition == "one ear":
            whole = self._segments(path, "calibrated")
            if not whole:
                return []
            recording = without_ear(recording, lost_ear(self.participant), int(whole[0].stamps[0]))
        return [part for segment in prepare(recording) for part in known(segment, findings.unknown)]


def _in_parallel(jobs: Sequence[Callable[[], Iterator[Any]]], processes: int) -> Iterator[Any]:
    """What the jobs yield, as soon as they do."""
    processes = min(processes, len(jobs))
    if processes <= 1:
        # Sums are rounded alike, however many jobs run side by side.
        with threadpool_limits(1):
            for job in jobs:
                yield from job()
        return
    # Nothing is on its way any more when a job is over, as it could be with a Queue.
    found = multiprocessing.get_context("spawn").SimpleQueue()
    with worker_pool(processes, _connect, (found,)) as pool:
        running = [pool.submit(on_one_core, _send, job) for job in jobs]
        while True:
            failed = any(future.done() and future.exception() for future in running)
            over = failed or all(future.done() for future in running)
            while not found.empty():
                yield found.get()
            if over:
                break
            time.sleep(0.1)
        for future in running:
            if future.done():
                future.result()


_found: Any = None
"""In a worker: where it sends what it finds."""


def _connect(found: Any) -> None:
    global _found
    _found = found
    logging.basicConfig(format="%(levelname)s: %(message)s")
    # A worker whose parent was killed would go on for hours.
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os._exit(1)


def _send(job: Callable[[], Iterator[Any]]) -> None:
    for item in job():
        _found.put(item)
