"""Training and test data: recordings of simulated participants or of sessions, as features with the true face."""

from __future__ import annotations

import logging
import multiprocessing
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from imuface_driver.protocol import EARS
from imuface_driver.recording import BlendshapeTrack, ImuTrack, Recording
from imuface_driver.simulation import Participant, Performance, simulate
from imuface_driver.simulation.performance import FRAME_RATE
from numpy.typing import NDArray

from face_recon_node.stream.alignment import Aligner, GridPoint
from face_recon_node.stream.calibration import Calibrator
from face_recon_node.stream.features import FeatureExtractor

logger = logging.getLogger(__name__)

_NEUTRAL = 4.2
_ACTIVITIES = {"still": 0.55, "talking": 0.2, "nodding": 0.15, "walking": 0.1}


@dataclass(frozen=True)
class Stretch:
    """Calibrated, gapless frames of one person, n of them, on the 30 Hz grid."""

    stamps: NDArray[np.int64]
    """(n,) ns."""
    readings: NDArray[np.float32]
    """(n, 12) calibrated readings of both ears, m/s² and rad/s; 0 where absent."""
    features: NDArray[np.float32]
    """(n, channels), see :mod:`face_recon_node.stream.features`."""
    weights: NDArray[np.float32]
    """(n, 52) true ARKit weights."""


def prepare(recording: Recording, calibration_duration_s: float = 3.0) -> list[Stretch]:
    """Take a recording through the alignment, calibration and features of the stream.

    Raises:
        ValueError: the recording has no IMU samples, no true blendshapes, or never comes to a calibration.
    """
    if recording.blendshapes is None or len(recording.blendshapes.stamps) < 2:
        raise ValueError("has no reference/blendshapes to learn from")
    stretches: list[list[GridPoint]] = []
    for point in _grid(recording):
        if point.restart:
            stretches.append([])
        stretches[-1].append(point)
    calibrator = Calibrator(calibration_duration_s)
    prepared = [
        stretch for points in stretches if (stretch := _stretch(points, calibrator, recording.blendshapes)) is not None
    ]
    if not prepared:
        raise ValueError("is too short or has too few samples for a neutral calibration")
    return prepared


def _grid(recording: Recording) -> Iterator[GridPoint]:
    tracks = {ear: track for ear, track in zip(EARS, (recording.left, recording.right), strict=True) if track}
    order = sorted((int(stamp), ear, row) for ear, track in tracks.items() for row, stamp in enumerate(track.stamps))
    aligner = Aligner()
    for stamp, ear, row in order:
        yield from aligner.push(ear, stamp, tracks[ear].acceleration[row], tracks[ear].angular_velocity[row])


def _stretch(points: Sequence[GridPoint], calibrator: Calibrator, truth: BlendshapeTrack) -> Stretch | None:
    """The part of consecutive grid points that is calibrated and has a true face."""
    readings = np.zeros((len(points), 2, 6))
    present = np.zeros((len(points), 2), bool)
    start = len(points)
    for row, point in enumerate(points):
        readings[row], present[row] = calibrator.push(point.readings, point.present)
        if calibrator.ready:
            start = min(start, row)
    stamps = np.array([point.stamp_ns for point in points], np.int64)
    covered = (stamps >= truth.stamps[0]) & (stamps <= truth.stamps[-1])
    covered[:start] = False
    if covered.sum() < 2:
        return None
    features = FeatureExtractor().push(readings[start:], present[start:])[covered[start:]]
    stamps = stamps[covered]
    # Relative to the first, so that nanoseconds since 1970 keep their precision.
    at, known = (stamps - stamps[0]).astype(float), (truth.stamps - stamps[0]).astype(float)
    weights = np.stack([np.interp(at, known, column) for column in truth.weights.T], axis=1)
    return Stretch(stamps, readings[covered].reshape(-1, 12).astype(np.float32), features, weights.astype(np.float32))


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
    """A Live Link Face capture that moves the face; None: generated expressions."""

    vary: bool = False
    """Whether the face goes beyond what the generator and the captures show; for training only."""

    def record(self) -> Recording:
        """Simulate the session."""
        rng = np.random.default_rng([self.seed, 0x73657373])
        activity = self.activity or str(rng.choice(list(_ACTIVITIES), p=list(_ACTIVITIES.values())))
        duration = 60.0 * self.minutes
        recorded = self.performance
        performance = Performance.from_live_link_csv(recorded) if recorded else Performance.natural(self.seed, duration)
        recording = simulate(
            _varied(performance, rng) if self.vary else performance,
            Participant.random(self.seed),
            duration,
            seed=self.seed,
            activity=activity,
            start_ns=1_000_000_000,
        )
        lose_ear = rng.random() < 1 / 6 if self.lose_ear is None else self.lose_ear
        if lose_ear:
            ear = str(rng.choice(EARS))
            begin, end = np.sort(rng.uniform(0.05, 1.0, 2))
            if ear == "left" and recording.left:
                recording = replace(recording, left=_without(recording.left, begin, end))
            elif recording.right:
                recording = replace(recording, right=_without(recording.right, begin, end))
        return recording


TRAINING, VALIDATION, TEST = range(3)
"""Populations of simulated people that share nobody, whatever their seeds."""


def population(
    kind: int,
    seed: int,
    count: int,
    minutes: float,
    activity: str | None = None,
    lose_ear: bool | None = None,
    performance: Path | None = None,
    vary: bool = False,
) -> list[SimulatedSession]:
    """Sessions of ``count`` simulated people, one each."""
    first = (3 * seed + kind) * 1_000_000
    return [SimulatedSession(first + index, minutes, activity, lose_ear, performance, vary) for index in range(count)]


def _varied(performance: Performance, rng: np.random.Generator) -> Performance:
    """A face that uses its actions more or less than the performance, and rests in another pose.

    Captures differ from generated expressions, and from each other, in both. The calibration still sees the neutral
    face: the resting pose comes after :data:`_NEUTRAL` seconds. A third of the sessions stay as they are.
    """
    if rng.random() < 1 / 3:
        return performance
    count, actions = performance.frames.shape
    gain = np.exp(rng.normal(0.2, 0.4, actions)) * np.exp(rng.normal(0.0, 0.25))
    rest = np.where(rng.random(actions) < 0.5, np.abs(rng.normal(0.0, 0.12, actions)), 0.0) * (rng.random() < 0.7)
    rise = np.clip(np.arange(count) / FRAME_RATE - _NEUTRAL, 0.0, 1.0)[:, None]
    rest = rest * (3.0 - 2.0 * rise) * rise**2
    varied = rest + (1.0 - rest) * np.clip(performance.frames * gain, 0.0, 1.0)
    return Performance(varied.astype(np.float32))


def _without(track: ImuTrack, begin: float, end: float) -> ImuTrack:
    """The track without the samples between two shares of its length."""
    kept = np.ones(len(track.stamps), bool)
    kept[int(begin * len(kept)) : int(end * len(kept))] = False
    return ImuTrack(track.stamps[kept], track.acceleration[kept], track.angular_velocity[kept])


def _prepare_simulated(session: SimulatedSession) -> list[Stretch]:
    return prepare(session.record())


def prepare_simulated(sessions: Sequence[SimulatedSession], processes: int = 1) -> Iterator[list[Stretch]]:
    """Simulate and prepare sessions, in order."""
    # A process takes seconds to start: not worth it for a few sessions.
    processes = min(processes, len(sessions) // 8)
    if processes <= 1:
        yield from map(_prepare_simulated, sessions)
        return
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(_prepare_simulated, sessions, chunksize=4)


def prepare_sessions(paths: Iterable[Path]) -> Iterator[list[Stretch]]:
    """Read and prepare session directories; what cannot be used is skipped with a warning that says why."""
    from imuface_driver.session import read_session

    for path in paths:
        try:
            yield prepare(read_session(path))
        except (ValueError, OSError) as error:
            logger.warning("session %s is skipped: %s", path, error)
