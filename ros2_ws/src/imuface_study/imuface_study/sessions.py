"""The sessions of a study with simulated participants; the folder is laid out as in ``docs/study.md``."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import re
import shutil
from collections.abc import Iterator
from concurrent.futures import as_completed
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from face_recon_node.data.sessions import STUDY_FILE
from face_recon_node.head import HeadModel, Identity
from face_recon_node.processes import worker_pool
from face_recon_node.progress import Progress
from imuface_core.recording import LandmarkTrack, Recording
from imuface_core.session import write_session
from imuface_simulation import PEOPLE, Performance, simulate
from imuface_simulation.recorded_motion import FOLDER_NAME, read_orientations

_MAKING = ".making"  # where sessions stay until they are whole
_PEOPLE = 1 << 40  # first seed of these people: nobody of the populations that models are trained on
_MOST_PEOPLE = 1000
_SHORTEST, _LONGEST = 0.2, 600.0  # minutes of a session
_START_NS = 1_700_000_000_000_000_000  # when simulated sessions begin; each later one of a person an hour on
_HOUR_NS = 3_600_000_000_000
_ROLES = ("train", "test", "remounted", "walking", "long")  # the place is part of the seed: append only


@dataclass(frozen=True)
class StudyPlan:
    """What a simulated study consists of.

    Raises ``ValueError`` for impossible values, and ``ValueError`` or ``OSError`` for captures or a motion that cannot
    be used.
    """

    participants: int = 12
    minutes: float = 5.0
    """Of training sessions."""
    test_minutes: float = 1.5
    """Of test, remounted and walking sessions."""
    long: float = 0.0
    """Minutes of the long session; 0: none."""
    seed: int = 0
    ears: str = "anatomical"
    """A kind of :data:`~imuface_simulation.PEOPLE`. "faint" ones hardly move; "arbitrary" ones, without anatomy,
    show what a model owes to the simulator that it was trained on."""
    captures: tuple[Path, ...] = ()
    """Captured faces, each for a session of its own."""
    motion: Path | None = None
    """A recording of head orientations, by which the head moves in the remounted session and those of captures."""

    def __post_init__(self) -> None:
        if not 1 <= self.participants <= _MOST_PEOPLE:
            raise ValueError(f"participants is {self.participants}: expected 1 to {_MOST_PEOPLE}")
        if self.seed < 0:
            raise ValueError(f"seed is {self.seed}: expected 0 or more")
        if self.ears not in PEOPLE:
            raise ValueError(f"ears is '{self.ears}': expected {' or '.join(PEOPLE)}")
        for name in ("minutes", "test_minutes", "long"):
            minutes = getattr(self, name)
            if not (_SHORTEST <= minutes <= _LONGEST or (name == "long" and minutes == 0.0)):
                raise ValueError(f"{name} is {minutes:g}: expected {_SHORTEST:g} to {_LONGEST:g}")
        names = [capture_name(capture).lower() for capture in self.captures]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two captures are named {name}: rename one of them")
        for capture in self.captures:
            Performance.from_capture(capture)
        if self.motion is not None:
            read_orientations(self.motion)

    def sessions(self) -> list[SessionPlan]:
        """All sessions, participant by participant."""
        roles = [*_ROLES[:4], *(_ROLES[4:] if self.long else ())]
        width = max(2, len(str(self.participants)))
        return [
            SessionPlan(self, number, f"p{number:0{width}d}", role, capture)
            for number in range(1, self.participants + 1)
            for role, capture in [
                *((role, None) for role in roles),
                *((f"performance_{capture_name(capture)}", capture) for capture in self.captures),
            ]
        ]

    def description(self) -> dict[str, Any]:
        """Everything that decides about the sessions, for ``study.yaml``; files by name and digest."""
        return {
            "simulated": True,
            "version": importlib.metadata.version("face_recon_node"),
            **asdict(replace(self, captures=(), motion=None)),
            "captures": [_file(capture) for capture in self.captures],
            "motion": _file(self.motion) if self.motion is not None else None,
        }


@dataclass(frozen=True)
class SessionPlan:
    """One session of a simulated study."""

    study: StudyPlan
    number: int  # of the participant, from 1
    participant: str
    role: str
    capture: Path | None

    @property
    def path(self) -> Path:
        """Within the study."""
        return Path(self.participant) / self.role

    def record(self) -> Recording:
        """Simulate it."""
        study = self.study
        person = _PEOPLE + study.seed * _MOST_PEOPLE + self.number
        first = 64 * person  # of the session seeds of this person
        place = len(_ROLES) + study.captures.index(self.capture) if self.capture else _ROLES.index(self.role)
        performance, duration = self._performance(person, first + place)
        # Training and testing go on with the same mounting; for all others the buds have just been put in.
        mounted = first if self.role in ("train", "test", "long") else None
        moved = study.motion if self.capture or self.role == "remounted" else None
        activity = "recorded" if moved else "walking" if self.role == "walking" else "still"
        recording = simulate(
            performance,
            PEOPLE[study.ears](person),
            duration,
            seed=first + place,
            activity=activity,
            start_ns=_START_NS + place * _HOUR_NS,
            mount_seed=mounted,
            motion=moved,
        )
        truth = recording.blendshapes
        assert truth is not None
        landmarks = _head().with_identity(_identity(person)).landmarks(truth.weights)
        return replace(recording, landmarks=LandmarkTrack(truth.stamps, landmarks))

    def _performance(self, person: int, session: int) -> tuple[Performance, float]:
        """What the face does, and for how many seconds."""
        if self.capture:
            performance = Performance.from_capture(self.capture)
            return performance, performance.duration
        study = self.study
        minutes = {"train": study.minutes, "long": study.long}.get(self.role, study.test_minutes)
        return Performance.study(person, session, 60.0 * minutes), 60.0 * minutes

    def write(self, folder: Path) -> None:
        """Make it in the study at ``folder``, whole or not at all."""
        making = folder / _MAKING / self.path
        shutil.rmtree(making, ignore_errors=True)
        making.parent.mkdir(parents=True, exist_ok=True)
        write_session(making, self.record())
        finished = folder / self.path
        finished.parent.mkdir(exist_ok=True)
        if finished.exists():  # without metadata.yaml, see make_study
            shutil.rmtree(finished)
        making.rename(finished)


@dataclass(frozen=True)
class Made:
    """What :func:`make_study` has done."""

    sessions: list[SessionPlan]
    new: int


def make_study(folder: Path, plan: StudyPlan, progress: Progress, processes: int = 1) -> Made:
    """Write the sessions of ``plan`` that ``folder`` does not hold yet.

    Raises ``ValueError`` when the folder holds something else or a study that was made otherwise, and ``OSError`` when
    it cannot be written.
    """
    _claim(folder, plan)
    sessions = plan.sessions()
    missing = [session for session in sessions if not (folder / session.path / "metadata.yaml").is_file()]
    for done, session in enumerate(_written(folder, missing, processes), 1):
        progress(f"{session.participant} {session.role}", done, len(missing))
    shutil.rmtree(folder / _MAKING, ignore_errors=True)
    return Made(sessions, len(missing))


def _claim(folder: Path, plan: StudyPlan) -> None:
    """Make sure that ``folder`` is this study's: a new or empty one becomes it."""
    file, description = folder / STUDY_FILE, plan.description()
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{folder} is a file: name a folder for the study")
    if not file.exists():
        if folder.exists() and any(folder.iterdir()):
            raise ValueError(f"{folder} holds other files and no {STUDY_FILE}: name a new folder for the study")
        folder.mkdir(parents=True, exist_ok=True)
        file.write_text(yaml.safe_dump(description, sort_keys=False), encoding="utf-8")
        return
    try:
        found = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{file} is damaged: {' '.join(str(error).split())}; name a new folder") from None
    if not isinstance(found, dict) or found.get("simulated") is not True:
        raise ValueError(f"{file} is not of a simulated study: name a new folder")
    for name, value in description.items():
        if found.get(name) != value:
            raise ValueError(
                f"{folder} holds a study with {name} {found.get(name)}, not {value}: name a new folder, or give the "
                "same arguments to go on with it"
            )


def _written(folder: Path, sessions: list[SessionPlan], processes: int) -> Iterator[SessionPlan]:
    """Write sessions, in any order."""
    # The longest first, so that no process is left with it at the end; a process takes seconds to start.
    sessions = sorted(sessions, key=lambda session: session.role != "long")
    processes = min(processes, len(sessions) // 4)
    if processes <= 1:
        for session in sessions:
            session.write(folder)
            yield session
        return
    with worker_pool(processes) as pool:
        jobs = {pool.submit(session.write, folder): session for session in sessions}
        for job in as_completed(jobs):
            job.result()
            yield jobs[job]


def capture_name(capture: Path) -> str:
    """What a capture is called in the names of sessions."""
    return re.sub(r"[^A-Za-z0-9]+", "_", re.sub(r"\.csv(\.gz)?$", "", capture.name, flags=re.IGNORECASE)).strip("_")


def _file(path: Path) -> dict[str, str]:
    file = path / FOLDER_NAME if path.is_dir() else path
    return {"name": path.name, "sha256": hashlib.sha256(file.read_bytes()).hexdigest()}


@functools.cache
def _head() -> HeadModel:
    return HeadModel.load()


def _identity(person: int) -> Identity:
    """An adult's head."""
    rng = np.random.default_rng([person, 0x68656164])
    return Identity(age=rng.uniform(0.6, 0.95), gender=rng.uniform(0.0, 1.0), weight=rng.uniform(0.2, 0.8))
