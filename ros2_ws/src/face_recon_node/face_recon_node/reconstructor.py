"""Samples of two earphones in, faces out, frame by frame."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from threadpoolctl import threadpool_limits

from face_recon_node.affect import Affect, AffectEstimator, told_affect
from face_recon_node.head import HeadModel
from face_recon_node.models.model import FaceModel, FacePrediction, ShownAffect
from face_recon_node.stream.alignment import RATE, Aligner, EarCounters, GridPoint
from face_recon_node.stream.calibration import Calibrator
from face_recon_node.stream.profile import ProfileMonitor

MEMORY = round(20 * RATE)
"""Frames that a model is shown before it takes over from another: its filters remember for about as long."""


LANDMARKS = 51
UNSAID_STD, UNSAID_LANDMARK_STD = 0.2, 0.002
"""What is published as the standard deviation of a weight and of a landmark's coordinate (m) of a model that states
none: about that of a face in general."""


class LandmarkModel(Protocol):
    """What ``head.HeadModel`` and a person's own face have in common."""

    def landmarks(self, weights: NDArray) -> NDArray:
        """Landmarks (..., 51, 3) in metres, face frame, of ARKit weights (..., 52)."""


@dataclass(frozen=True)
class ReconstructorSettings:
    """Settings of :class:`Reconstructor`."""

    calibration_duration_s: float = 3.0
    """Length of the automatic calibration, and of a requested one by default."""


@dataclass(frozen=True)
class FaceFrame:
    """The face at one sampling instant."""

    stamp_ns: int
    """Sampling time of the newest IMU sample used."""
    blendshapes: NDArray[np.float32]
    """(52,) ARKit weights, 0 to 1."""
    blendshapes_std: NDArray[np.float32]
    """(52,) their standard deviation."""
    landmarks: NDArray[np.float32]
    """(51, 3) metres, face frame, for the weights: of the person's scanned head, else their own where the model knows
    them, else the head model's. Those of a head agree with its mesh."""
    landmarks_std: NDArray[np.float32]
    """(51,) metres: standard deviation of each coordinate of a point."""
    affect: ShownAffect | None
    """Of this frame, where the model says it."""
    readings: NDArray[np.float64]
    """(2, 6) calibrated readings of the left and the right ear, one period before the stamp: deviations from the
    neutral ones, upright, m/s² and rad/s; 0 where absent."""
    present: NDArray[np.bool_]
    """(2,) whether the left and the right ear contributed."""


def shown_affect(frame: FaceFrame, estimator: AffectEstimator) -> Affect:
    """What the model says of the affect of the next frame, else what the rules of ``estimator`` make of its weights."""
    said = frame.affect
    if said is None:
        return estimator.update(frame.stamp_ns, frame.blendshapes, frame.blendshapes_std)
    return told_affect(float(said.valence[0]), float(said.arousal[0]), said.expressions[0], frame.blendshapes)


class Reconstructor:
    """Reconstructs the face from the samples of both ears.

    The output depends only on the samples of each ear in order (see :mod:`face_recon_node.stream.alignment`): no
    clock, no randomness, one thread for linear algebra. Before the first calibration is over, frames show the face that
    the model expects before it has seen anything.

    Args:
        model: see :class:`~face_recon_node.models.model.FaceModel`.
        head: gives the landmarks, so it decides about identity, unless it is nobody's and the model knows its person's
            face.
        settings: see :class:`ReconstructorSettings`.
    """

    def __init__(self, model: FaceModel, head: HeadModel, settings: ReconstructorSettings | None = None) -> None:
        settings = settings or ReconstructorSettings()
        # More threads only fight over steps this small, and could add up sums in another order.
        threadpool_limits(1)
        self.calibration = Calibrator(settings.calibration_duration_s)
        self._head = head
        self._aligner = Aligner()
        self._recent: deque[tuple[NDArray, NDArray]] = deque(maxlen=MEMORY)
        self._forget(model)

    def _forget(self, model: FaceModel) -> None:
        self._recent.clear()
        self._baselines = self.calibration.replaced
        self.use(model)

    def use(self, model: FaceModel) -> None:
        """Let a model take over from the next sample on; alignment and calibration stay.

        It is shown the last seconds first, which takes some milliseconds, so that the face does not jump from an empty
        memory.
        """
        self.model = model
        self._face: LandmarkModel = self._head if model.face is None or self._head.personal else model.face
        self._stream = model.stream()
        self._unseen = model.stream().push(np.zeros((1, 12)), np.zeros((1, 2), bool))
        if self._recent:
            self._stream.push(*(np.concatenate(parts) for parts in zip(*self._recent, strict=True)))
        self.monitor = ProfileMonitor(model.profile)
        """Tells whether the stream fits the model's person and whether the earbuds sit."""

    @property
    def counters(self) -> dict[str, EarCounters]:
        """What happened to the samples of each ear."""
        return self._aligner.counters

    @property
    def restarts(self) -> int:
        """How often a clock was set back and everything but the calibration started anew."""
        return self._aligner.restarts

    def calibrate(self, duration_s: float = 0.0) -> None:
        """Take the next ``duration_s`` seconds (0: the default) as the neutral face; see :attr:`calibration`.

        Raises:
            ValueError: the duration is not within 0.5 to 60 s.
        """
        self.calibration.request(duration_s)

    def push(self, ear: str, stamp_ns: int, acceleration: ArrayLike, angular_velocity: ArrayLike) -> list[FaceFrame]:
        """Take one sample of the "left" or "right" ear and return the frames that it completes, oldest first.

        Args:
            ear: "left" or "right".
            stamp_ns: sampling time.
            acceleration: (3,) m/s², gravity included, earphone frame.
            angular_velocity: (3,) rad/s, earphone frame.

        Raises:
            ValueError: ``ear`` is neither.
        """
        points = self._aligner.push(ear, stamp_ns, acceleration, angular_velocity)
        return [frame for point in points if (frame := self._step(point)) is not None]

    def _step(self, point: GridPoint) -> FaceFrame | None:
        readings, present = self.calibration.push(point.readings, point.present)
        if point.restart or self._baselines != self.calibration.replaced:
            self._forget(self.model)
        if self.calibration.ready:
            inputs = readings.reshape(1, -1), present[None]
            prediction = self._stream.push(*inputs)
            self._recent.append(inputs)
            self.monitor.push(readings, present)
        else:
            prediction = self._unseen
        return self._frame(point, prediction, readings, present) if point.is_frame else None

    def _frame(
        self, point: GridPoint, prediction: FacePrediction, readings: NDArray[np.float64], present: NDArray[np.bool_]
    ) -> FaceFrame:
        weights = prediction.weights[0]
        weights_std, landmarks_std = (
            np.full(count, unsaid, np.float32) if said is None else said[0]
            for said, count, unsaid in (
                (prediction.weights_std, len(weights), UNSAID_STD),
                (prediction.landmarks_std, LANDMARKS, UNSAID_LANDMARK_STD),
            )
        )
        return FaceFrame(
            point.stamp_ns,
            weights,
            weights_std,
            self._face.landmarks(weights).astype(np.float32),
            landmarks_std,
            prediction.affect,
            readings,
            present,
        )
