"""Recorded sessions as training data; what cannot be used is skipped with the reason, never trained on silently."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from imuface_driver.session import read_session

from face_recon_node.training.progress import Progress
from face_recon_node.training.screening import screen
from face_recon_node.training.stretch import Stretch, prepare

logger = logging.getLogger(__name__)

SHORTEST = 30
"""Frames of a stretch that is worth keeping when a part of the true face is missing."""


@dataclass
class Sessions:
    """What became of session directories."""

    stretches: dict[Path, list[Stretch]] = field(default_factory=dict)
    """Of the sessions that can be used."""
    skipped: dict[str, str] = field(default_factory=dict)
    """Sessions that cannot, with the reason: for the model card."""
    warnings: dict[str, list[str]] = field(default_factory=dict)
    """What is not quite right with those that can: for the model card."""

    @property
    def all_stretches(self) -> list[Stretch]:
        """Of all sessions, one after the other."""
        return [stretch for stretches in self.stretches.values() for stretch in stretches]


def prepare_session(path: Path, namespace: str | None = None) -> tuple[list[Stretch], list[str]]:
    """Read, screen and prepare a session directory; the stretches, and warnings about it.

    Times in which the true face is not known are left out.

    Raises:
        OSError: there is no such session.
        ValueError: it must not be learned from; names the session, what was found and the remedy.
    """
    recording = read_session(path, namespace)
    try:
        findings = screen(recording)
        stretches = [part for stretch in prepare(recording) for part in known(stretch, findings.unknown)]
    except ValueError as error:
        raise ValueError(f"session {path}: {error}") from error
    if not stretches:
        raise ValueError(f"session {path}: the true face is not known for long enough while the ears are calibrated")
    return stretches, findings.warnings


def known(stretch: Stretch, unknown: Sequence[tuple[int, int]]) -> Iterator[Stretch]:
    """The parts of a stretch outside of spans of stamps."""
    keep = np.ones(len(stretch), bool)
    for begin, end in unknown:
        keep &= (stretch.stamps <= begin) | (stretch.stamps >= end)
    edges = np.flatnonzero(np.diff(np.concatenate(([0], keep, [0]))))
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        if stop - start >= min(SHORTEST, len(stretch)):
            yield stretch[start:stop]


def read_sessions(paths: Sequence[Path], progress: Progress | None = None) -> Sessions:
    """Read, screen and prepare session directories; each that cannot be used is skipped with a warning that says why.

    Raises:
        ValueError: there are some, and none of them can be used.
    """
    sessions = Sessions()
    for done, path in enumerate(paths, 1):
        try:
            sessions.stretches[path], warnings = prepare_session(path)
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
    if paths and not sessions.stretches:
        raise ValueError(f"none of the sessions can be used: {next(iter(sessions.skipped.values()))}")
    return sessions
