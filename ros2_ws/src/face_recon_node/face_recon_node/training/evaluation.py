"""How good a network is on people it has not seen, beside what it has to beat."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from face_recon_node.network import FaceNetwork, FacePrediction
from face_recon_node.network.imu_twin_trans import State
from face_recon_node.training.data import Stretch

ONE_SIGMA = 0.6827
_CHUNK = 900
"""Frames that are predicted at once, to bound the memory."""


@dataclass(frozen=True)
class Figures:
    """Errors of one predictor over all frames of all people."""

    landmark_error_mm: float
    """Mean distance of the 51 landmarks from the truth. The same in the face frame and in the paper's frame, which
    differ by a rigid motion; the same head's identity is given to prediction and truth."""
    landmark_error_p95_mm: float
    """95th percentile of the frames' mean distance."""
    weights_error: float
    """Mean absolute error of the ARKit weights."""


@dataclass(frozen=True)
class Coverage:
    """Share of the truth within one predicted standard deviation: 0.683 when they are right and errors Gaussian."""

    landmarks: float
    weights: float


def predict(network: FaceNetwork, stretch: Stretch) -> FacePrediction:
    """Predict a stretch as the stream does, many frames at a time."""
    parts: list[FacePrediction] = []
    state: State = []
    for begin in range(0, len(stretch.features), _CHUNK):
        part, state = network.predict(stretch.features[begin : begin + _CHUNK], state)
        parts.append(part)
    return FacePrediction(
        np.concatenate([part.weights for part in parts]),
        np.concatenate([part.weights_std for part in parts]),
        np.concatenate([part.landmarks_std for part in parts]),
    )


def measure(
    predictor: Callable[[Stretch], NDArray[np.float32]],
    stretches: Sequence[Stretch],
    landmark_deltas: NDArray[np.float32],
) -> Figures:
    """Errors of a predictor of weights (n, 52) on stretches of unseen people."""
    distances, weights_errors = [], []
    for stretch in stretches:
        error = predictor(stretch) - stretch.weights
        distances.append(np.linalg.norm(_landmark_errors(error, landmark_deltas), axis=-1).mean(axis=-1))
        weights_errors.append(np.abs(error).mean(axis=-1))
    frames = np.concatenate(distances)
    return Figures(float(frames.mean()), float(np.quantile(frames, 0.95)), float(np.concatenate(weights_errors).mean()))


def _landmark_errors(weights_error: NDArray[np.float32], landmark_deltas: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, 51, 3) millimetres."""
    points = weights_error @ landmark_deltas.reshape(len(landmark_deltas), -1) * np.float32(1000.0)
    return points.reshape(len(weights_error), -1, 3)


def _ratios(
    network: FaceNetwork, stretches: Sequence[Stretch], landmark_deltas: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Absolute errors in predicted standard deviations: of the landmarks' coordinates and of the weights."""
    landmarks, weights = [], []
    for stretch in stretches:
        prediction = predict(network, stretch)
        error = prediction.weights - stretch.weights
        points = np.abs(_landmark_errors(error, landmark_deltas))
        landmarks.append((points / (1000.0 * prediction.landmarks_std[..., None])).ravel())
        weights.append((np.abs(error) / prediction.weights_std).ravel())
    return np.concatenate(landmarks), np.concatenate(weights)


def coverage(network: FaceNetwork, stretches: Sequence[Stretch], landmark_deltas: NDArray[np.float32]) -> Coverage:
    """How often the truth lies within one predicted standard deviation."""
    landmarks, weights = _ratios(network, stretches, landmark_deltas)
    return Coverage(float((landmarks <= 1.0).mean()), float((weights <= 1.0).mean()))


def scaled_to_cover(
    network: FaceNetwork, stretches: Sequence[Stretch], landmark_deltas: NDArray[np.float32]
) -> FaceNetwork:
    """The network with its standard deviations scaled so that one covers 68.3 % of held-out people's truth."""
    landmarks, weights = _ratios(network.with_scales(1.0, 1.0), stretches, landmark_deltas)
    return network.with_scales(float(np.quantile(weights, ONE_SIGMA)), float(np.quantile(landmarks, ONE_SIGMA)))
