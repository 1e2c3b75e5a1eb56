"""From a recording to what is learned from: calibrated readings on the 30 Hz grid with the true face."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from imuface_core.earphone import EARS
from imuface_core.recording import Recording
from numpy.typing import NDArray

from face_recon_node.head import HeadModel
from face_recon_node.head.weights import fit_weights
from face_recon_node.stream.alignment import RATE, Aligner, GridPoint
from face_recon_node.stream.calibration import Calibrator

NEUTRAL_SECONDS = 3.0
"""At the start of a session, with a relaxed face."""


@dataclass(frozen=True)
class Segment:
    """Calibrated, gapless frames of one person, n of them, on the 30 Hz grid."""

    stamps: NDArray[np.int64]
    """(n,) ns."""
    readings: NDArray[np.float32]
    """(n, 12) calibrated readings of both ears, m/s² and rad/s; 0 where absent."""
    present: NDArray[np.bool_]
    """(n, 2) whether the left and the right ear have a reading."""
    weights: NDArray[np.float32]
    """(n, 52) true ARKit weights."""
    landmarks: NDArray[np.float32] | None = None
    """(n, 51, 3) true landmarks, metres, face frame; None: not recorded, the default head's stand for them."""

    def __len__(self) -> int:
        return len(self.stamps)

    def __getitem__(self, rows: slice) -> Segment:
        """Some consecutive frames."""
        return Segment(
            self.stamps[rows],
            self.readings[rows],
            self.present[rows],
            self.weights[rows],
            None if self.landmarks is None else self.landmarks[rows],
        )

    def without_ear(self, side: int) -> Segment:
        """The same as if the left (0) or right (1) earphone had been silent."""
        present = self.present.copy()
        present[:, side] = False
        readings = self.readings.reshape(-1, 2, 6) * present[:, :, None]
        return replace(self, present=present, readings=readings.reshape(-1, 12).astype(np.float32))

    def true_landmarks(self, head: HeadModel) -> NDArray[np.float32]:
        """(n, 51, 3) metres: the recorded ones, else those of ``head`` for the true weights."""
        return head.landmarks(self.weights) if self.landmarks is None else self.landmarks


def prepare(recording: Recording, calibration_duration_s: float = 3.0) -> list[Segment]:
    """Take a recording through the alignment and calibration of the stream.

    A session with landmarks but without ARKit weights (a camera's) gets the weights that bring the default head
    nearest to the landmarks.

    Raises:
        ValueError: the recording has no IMU samples, no true face, or never comes to a calibration.
    """
    truth = _Truth(recording)
    segments: list[list[GridPoint]] = []
    for point in _grid(recording):
        if point.restart:
            segments.append([])
        segments[-1].append(point)
    calibrator = Calibrator(calibration_duration_s)
    prepared = [segment for points in segments if (segment := _segment(points, calibrator, truth)) is not None]
    if not prepared:
        raise ValueError("is too short or has too few samples for a neutral calibration")
    return prepared


def part(segments: Sequence[Segment], begin: int, end: int) -> list[Segment]:
    """The frames from ``begin`` to ``end`` of segments that are counted through; a single frame says nothing."""
    found, start = [], 0
    for segment in segments:
        low, high = np.clip([begin - start, end - start], 0, len(segment)).tolist()
        if high - low > 1:
            found.append(segment[low:high])
        start += len(segment)
    return found


def first_minutes(segments: Sequence[Segment], minutes: float | None) -> list[Segment]:
    """The first minutes of calibrated frames; None: all, and an empty list when there are not as many."""
    if minutes is None:
        return list(segments)
    wanted = round(60.0 * minutes * RATE)
    return part(segments, 0, wanted) if sum(map(len, segments)) >= wanted else []


def neutral_face(recording: Recording, head: HeadModel) -> NDArray[np.float32]:
    """Landmarks (51, 3) of the person's neutral face: of the first seconds, at rest by protocol.

    Without landmarks it is the default head's, which then also stands for the true face.
    """
    if recording.landmarks is None:
        return head.landmark_neutral
    stamps = recording.landmarks.stamps
    first = stamps <= stamps[0] + round(NEUTRAL_SECONDS * 1e9)
    return np.median(recording.landmarks.points[first], axis=0).astype(np.float32)


class _Truth:
    """The true face at any time that the reference covers."""

    def __init__(self, recording: Recording) -> None:
        blendshapes, landmarks = recording.blendshapes, recording.landmarks
        stamps = [track.stamps for track in (blendshapes, landmarks) if track is not None and len(track.stamps) > 1]
        if not stamps:
            raise ValueError("has neither reference/blendshapes nor reference/landmarks to learn from")
        self.begin, self.end = max(track[0] for track in stamps), min(track[-1] for track in stamps)
        self._landmarks = None
        if landmarks is not None and len(landmarks.stamps) > 1:
            self._landmarks = landmarks.stamps, landmarks.points.reshape(len(landmarks.points), -1)
        if blendshapes is not None and len(blendshapes.stamps) > 1:
            self._weights = blendshapes.stamps, blendshapes.weights
        elif landmarks is not None:
            self._weights = landmarks.stamps, fit_weights(HeadModel.load(), landmarks.points)

    def weights(self, stamps: NDArray[np.int64]) -> NDArray[np.float32]:
        return _interpolated(stamps, *self._weights)

    def landmarks(self, stamps: NDArray[np.int64]) -> NDArray[np.float32] | None:
        return None if self._landmarks is None else _interpolated(stamps, *self._landmarks).reshape(-1, 51, 3)


def _interpolated(
    stamps: NDArray[np.int64], known: NDArray[np.int64], values: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Values (n, k) at ``stamps``, linearly between the rows of ``values``."""
    # Relative to the first, so that nanoseconds since 1970 keep their precision.
    at, origin = (stamps - stamps[0]).astype(float), (known - stamps[0]).astype(float)
    after = np.clip(np.searchsorted(origin, at), 1, len(origin) - 1)
    share = np.clip((at - origin[after - 1]) / (origin[after] - origin[after - 1]), 0.0, 1.0)[:, None]
    return ((1.0 - share) * values[after - 1] + share * values[after]).astype(np.float32)


def _grid(recording: Recording) -> Iterator[GridPoint]:
    tracks = {ear: track for ear, track in zip(EARS, (recording.left, recording.right), strict=True) if track}
    order = sorted((int(stamp), ear, row) for ear, track in tracks.items() for row, stamp in enumerate(track.stamps))
    aligner = Aligner()
    for stamp, ear, row in order:
        yield from aligner.push(ear, stamp, tracks[ear].acceleration[row], tracks[ear].angular_velocity[row])


def _segment(points: Sequence[GridPoint], calibrator: Calibrator, truth: _Truth) -> Segment | None:
    """The part of consecutive grid points that is calibrated and has a true face."""
    readings = np.zeros((len(points), 2, 6))
    present = np.zeros((len(points), 2), bool)
    start = len(points)
    for row, point in enumerate(points):
        readings[row], present[row] = calibrator.push(point.readings, point.present)
        if calibrator.ready:
            start = min(start, row)
    stamps = np.array([point.stamp_ns for point in points], np.int64)
    covered = (stamps >= truth.begin) & (stamps <= truth.end)
    covered[:start] = False
    if covered.sum() < 2:
        return None
    stamps = stamps[covered]
    return Segment(
        stamps,
        readings[covered].reshape(-1, 12).astype(np.float32),
        present[covered],
        truth.weights(stamps),
        truth.landmarks(stamps),
    )
