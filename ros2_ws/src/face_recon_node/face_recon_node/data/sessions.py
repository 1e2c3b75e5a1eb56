"""Recorded sessions as training data; what cannot be used is skipped with the reason, never trained on silently."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from imuface_core.session import read_session
from numpy.typing import NDArray

from face_recon_node.data.screening import screen
from face_recon_node.data.segment import Segment, neutral_face, prepare
from face_recon_node.head import HeadModel
from face_recon_node.progress import Progress

logger = logging.getLogger(__name__)

STUDY_FILE = "study.yaml"
"""Beside a study's participants: how it was made."""
SHORTEST = 30
"""Frames of a segment that is worth keeping when a part of the true face is missing."""


@dataclass
class Sessions:
    """What became of session directories."""

    segments: dict[Path, list[Segment]] = field(default_factory=dict)
    """Of the sessions that can be used."""
    neutrals: dict[Path, NDArray[np.float32]] = field(default_factory=dict)
    """(51, 3) landmarks of the neutral face in each."""
    skipped: dict[str, str] = field(default_factory=dict)
    """Sessions that cannot, with the reason: for the model card."""
    warnings: dict[str, list[str]] = field(default_factory=dict)
    """What is not quite right with those that can: for the model card."""

    @property
    def all_segments(self) -> list[Segment]:
        """Of all sessions, one after the other."""
        return [segment for segments in self.segments.values() for segment in segments]

    @property
    def neutral(self) -> NDArray[np.float32]:
        """(51, 3) landmarks of the person's neutral face, of the first session that can be used."""
        return next(iter(self.neutrals.values()))

    @property
    def simulated(self) -> bool:
        """Whether a session that can be used belongs to a simulated study."""
        return any(map(is_simulated, self.segments))


def is_simulated(session: Path) -> bool:
    """Whether the study that a session lies in, if any, says that it is simulated.

    Raises:
        ValueError: its ``study.yaml`` is damaged.
    """
    place = session.resolve()
    above = (place.parent if place.is_file() else place).parents[:2]  # a session may be one file of its folder
    descriptions = [study_description(folder / STUDY_FILE) for folder in above]
    return any(description.get("simulated", False) for description in descriptions)


def study_description(file: Path) -> dict[str, Any]:
    """What a ``study.yaml`` says; an empty dictionary where there is none.

    Raises:
        ValueError: it is damaged.
    """
    if not file.is_file():
        return {}
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{file} is damaged: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict) or not isinstance(content.get("simulated", False), bool):
        raise ValueError(f"{file} should say `simulated: true` or `simulated: false`")
    return content


def prepare_session(
    path: Path, namespace: str | None = None, names: Mapping[str, str] | None = None
) -> tuple[list[Segment], NDArray[np.float32], list[str]]:
    """Read, screen and prepare a session directory: segments, neutral landmarks (51, 3), and warnings about it.

    ``namespace`` and ``names`` are those of :func:`imuface_core.session.read_session`. Times in which the true face is
    not known are left out.

    Raises:
        OSError: there is no such session.
        ValueError: it must not be learned from; names the session, what was found and the remedy.
    """
    recording = read_session(path, namespace, names)
    try:
        findings = screen(recording)
        segments = [part for segment in prepare(recording) for part in known(segment, findings.unknown)]
    except ValueError as error:
        raise ValueError(f"session {path}: {error}") from error
    if not segments:
        raise ValueError(f"session {path}: the true face is not known for long enough while the ears are calibrated")
    return segments, neutral_face(recording, HeadModel.load()), findings.warnings


def known(segment: Segment, unknown: Sequence[tuple[int, int]]) -> Iterator[Segment]:
    """The parts of a segment outside of spans of stamps."""
    keep = np.ones(len(segment), bool)
    for begin, end in unknown:
        keep &= (segment.stamps <= begin) | (segment.stamps >= end)
    edges = np.flatnonzero(np.diff(np.concatenate(([0], keep, [0]))))
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        if stop - start >= min(SHORTEST, len(segment)):
            yield segment[start:stop]


def read_sessions(
    paths: Sequence[Path], progress: Progress | None = None, names: Mapping[str, str] | None = None
) -> Sessions:
    """Read, screen and prepare session directories; each that cannot be used is skipped with a warning that says why.

    ``names``: what the bags call topics of ours, see :func:`imuface_core.bag.named_topics`.

    Raises:
        ValueError: there are some, and none of them can be used.
    """
    sessions = Sessions()
    for done, path in enumerate(paths, 1):
        try:
            sessions.segments[path], sessions.neutrals[path], warnings = prepare_session(path, names=names)
        except (ValueError, OSError) as error:
            sessions.skipped[path.name] = str(error)
            logger.warning("%s is skipped: %s", path, error)
        else:
            for warning in warnings:
                logger.warning("session %s: %s", path, warning)
            if warnings:
                sessions.warnings[path.name] = warnings
        if progress:
            progress("sessions", done, len(paths))
    if paths and not sessions.segments:
        raise ValueError(f"none of the sessions can be used: {next(iter(sessions.skipped.values()))}")
    return sessions
