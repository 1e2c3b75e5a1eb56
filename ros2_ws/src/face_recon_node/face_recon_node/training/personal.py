"""A personal model from a few minutes of a person's sessions, and plain words about what it is worth."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from face_recon_node.data.segment import Segment, first_minutes, part
from face_recon_node.data.sessions import read_sessions
from face_recon_node.evaluation.assessment import Assessment, assess
from face_recon_node.evaluation.fidelity import EXPRESSIVE_MM
from face_recon_node.head import HeadModel
from face_recon_node.models import file
from face_recon_node.models.constant import MedianFace
from face_recon_node.models.model import FaceModel, Person
from face_recon_node.progress import Progress
from face_recon_node.stream.alignment import RATE

HELD_OUT = 0.2
"""Share of the data, at its end, on which a trial without it is measured."""
FOLLOWS = 0.15
"""Median correlation of the moving actions above which a face follows."""
MOVING_SHARE = 0.1
"""Of the frames, that should be expressive."""
RECOMMENDED_MINUTES = 3.0


@dataclass(frozen=True)
class Trial:
    """How a model of most of the data does on the rest of it."""

    model: Assessment
    resting: Assessment
    """The person's median face."""

    @property
    def follows(self) -> bool:
        """Whether the face is better than one that rests, by what moves and by the error."""
        closer = self.model.fidelity.expressive_error_mm < self.resting.fidelity.expressive_error_mm
        return closer and self.model.fidelity.median_r >= FOLLOWS


def adapt_model(
    base: FaceModel,
    sessions: Sequence[Path],
    output: Path,
    minutes: float | None,
    progress: Progress,
    seed: int = 0,
    simulated: bool = False,
    names: Mapping[str, str] | None = None,
) -> FaceModel:
    """Fit a model to the first minutes of a person's sessions, and write it with its card.

    The card's figures are those of a trial without the last fifth of the data; ``advice`` says why a face does not
    follow and what to record. ``simulated``: the sessions are, also where no study says so. ``names``: what they call
    topics of ours.

    Raises:
        ValueError: no session can be used, or there is too little data.
    """
    read = read_sessions(sessions, progress, names)
    segments = read.all_segments
    if minutes is not None:
        if not (np.isfinite(minutes) and minutes > 0.0):
            raise ValueError(f"minutes is {minutes}, must be positive")
        segments = first_minutes(segments, minutes)
        if not segments:
            raise ValueError(f"the sessions hold less than {minutes:g} minutes of calibrated frames with the true face")
    head = HeadModel.load()
    person = Person(segments, read.neutral)
    progress("trial without the last fifth of the data", 1, 2)
    trial = tried(copy.copy(base), person, seed)
    progress("signatures of all of it", 2, 2)
    shared = base.card
    model = base.fit([person], seed)
    frames = sum(map(len, segments))
    model.card = {
        "model": base.name,
        "personal": True,
        "minutes": round(frames / RATE / 60.0, 2),
        "protocol": "last fifth of the person's data, not learned from",
        "figures": trial.model.to_json(),
        "resting_face": trial.resting.to_json(),
        "advice": advice(trial, segments, head),
        "simulated": simulated or read.simulated,
        "sessions": [path.name for path in read.segments],
        "skipped_sessions": read.skipped,
        "session_warnings": read.warnings,
        "base": shared,
    }
    file.save(model, output)
    return model


def tried(model: FaceModel, person: Person, seed: int = 0) -> Trial:
    """Fit a model to all but the last fifth of a person's data, and measure it on that.

    Raises:
        ValueError: there is too little data.
    """
    frames = sum(map(len, person.segments))
    cut = round(frames * (1.0 - HELD_OUT))
    most = Person(part(person.segments, 0, cut), person.neutral)
    rest = part(person.segments, cut, frames)
    resting = MedianFace().fit([most], seed)
    return Trial(*(assess(each, rest, person.neutral) for each in (model.fit([most], seed), resting)))


def advice(trial: Trial, segments: Sequence[Segment], head: HeadModel) -> list[str]:
    """Why the face does not follow and what to record; empty when it does."""
    if trial.follows:
        return []
    found = [
        "the face follows hardly better than one that rests: median correlation of the actions that move "
        f"{trial.model.fidelity.median_r:.2f}, expressive frames off by "
        f"{trial.model.fidelity.expressive_error_mm:.2f} mm "
        f"({trial.resting.fidelity.expressive_error_mm:.2f} mm for a resting face)"
    ]
    minutes = sum(map(len, segments)) / RATE / 60.0
    if minutes < RECOMMENDED_MINUTES:
        found.append(f"{minutes:.1f} minutes are few: record five, with the prompts of `imuface study --prompts`")
    moved = np.concatenate(
        [
            np.linalg.norm(true - np.median(true, axis=0), axis=-1).mean(axis=-1) * 1e3
            for true in (segment.true_landmarks(head) for segment in segments)
        ]
    )
    share = float(np.mean(moved > EXPRESSIVE_MM))
    if share < MOVING_SHARE:
        found.append(
            f"only {100 * share:.0f} % of the frames show an expression: act the prompts out, with the whole face"
        )
    missing = 1.0 - np.concatenate([segment.present for segment in segments]).mean(axis=0)
    for ear, lost in zip(("left", "right"), missing, strict=True):
        if lost > 0.1:
            found.append(f"the {ear} earbud is missing in {100 * lost:.0f} % of the frames: check its connection")
    if len(found) == 1:
        found.append(
            "the ears hardly move, or the buds sit loosely: push both buds in until they turn with the ear, calibrate, "
            "and record again"
        )
    return found
