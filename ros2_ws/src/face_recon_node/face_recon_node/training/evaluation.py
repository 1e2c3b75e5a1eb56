"""How good a network is on people it has not seen, beside what it has to beat."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from face_recon_node.head import HeadModel
from face_recon_node.network import FaceNetwork, FacePrediction
from face_recon_node.study import metrics
from face_recon_node.study.metrics import Figures
from face_recon_node.training.estimate import Estimate
from face_recon_node.training.stretch import Stretch

ONE_SIGMA = 0.6827
_CHUNK = 256
"""Frames that are predicted at once: attention takes the square of them, each call its time for starting."""


def predict(network: FaceNetwork, stretch: Stretch) -> FacePrediction:
    """Predict a stretch as the stream does, many frames at a time."""
    stream = network.stream()
    spans = [slice(begin, begin + _CHUNK) for begin in range(0, len(stretch), _CHUNK)]
    parts = [stream.push(stretch.features[span], stretch.readings[span], stretch.present[span]) for span in spans]
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
    """Errors of a predictor of weights (n, 52) on stretches of unseen people; of each the default head's landmarks."""
    neutral = HeadModel.load().landmark_neutral
    predicted = [predictor(stretch) for stretch in stretches]
    estimates = [Estimate(_landmarks(weights, neutral, landmark_deltas), weights) for weights in predicted]
    return metrics.measure(estimates, _truth(stretches, neutral, landmark_deltas), neutral)


def coverage(
    network: FaceNetwork, stretches: Sequence[Stretch], landmark_deltas: NDArray[np.float32]
) -> metrics.Coverage:
    """How often the truth lies within the predicted standard deviations."""
    neutral = HeadModel.load().landmark_neutral
    estimates = [_estimate(network, stretch, neutral, landmark_deltas) for stretch in stretches]
    covered = metrics.covered(estimates, _truth(stretches, neutral, landmark_deltas))
    assert covered is not None
    return covered


def scaled_to_cover(
    network: FaceNetwork, stretches: Sequence[Stretch], landmark_deltas: NDArray[np.float32]
) -> FaceNetwork:
    """The network with its standard deviations scaled so that one covers 68.3 % of held-out people's truth.

    Errors without an ear have longer tails rather than a wider middle, which that share does not show: there, the
    deviations grow with the mean error, too.
    """
    neutral = HeadModel.load().landmark_neutral
    plain = network.with_scales(1.0, 1.0)
    truth = _truth(stretches, neutral, landmark_deltas)
    found = [
        metrics.ratios(_estimate(plain, stretch, neutral, landmark_deltas), true)
        for stretch, true in zip(stretches, truth, strict=True)
    ]
    landmarks, weights = (np.concatenate([part[index] for part in found if part]) for index in range(2))
    lost = [stretch.without_ear(number % 2) for number, stretch in enumerate(stretches)]
    errors = [
        measure(lambda stretch: predict(plain, stretch).weights, people, landmark_deltas).landmark_error_mm
        for people in (stretches, lost)
    ]
    return network.with_scales(
        float(np.quantile(weights, ONE_SIGMA)),
        float(np.quantile(landmarks, ONE_SIGMA)),
        max(1.0, errors[1] / errors[0]),
    )


def _estimate(
    network: FaceNetwork, stretch: Stretch, neutral: NDArray[np.float32], landmark_deltas: NDArray[np.float32]
) -> Estimate:
    prediction = predict(network, stretch)
    landmarks = _landmarks(prediction.weights, neutral, landmark_deltas)
    return Estimate(landmarks, prediction.weights, prediction.landmarks_std, prediction.weights_std)


def _truth(
    stretches: Sequence[Stretch], neutral: NDArray[np.float32], landmark_deltas: NDArray[np.float32]
) -> list[metrics.Faces]:
    return [
        metrics.Faces(_landmarks(stretch.weights, neutral, landmark_deltas), stretch.weights) for stretch in stretches
    ]


def _landmarks(
    weights: NDArray[np.float32], neutral: NDArray[np.float32], landmark_deltas: NDArray[np.float32]
) -> NDArray[np.float32]:
    """(n, 51, 3) metres."""
    moved = weights @ landmark_deltas.reshape(len(landmark_deltas), -1)
    return neutral + moved.reshape(-1, 51, 3)
