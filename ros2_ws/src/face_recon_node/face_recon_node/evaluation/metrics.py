"""How far predicted faces are from the true ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

REGIONS = {"brows": slice(0, 10), "nose": slice(10, 19), "eyes": slice(19, 31), "mouth": slice(31, 51)}
"""Of the 51 landmarks."""
_RIGHT_EYE_OUTER_CORNER, _LEFT_EYE_OUTER_CORNER = 19, 28
_MILLIMETRES = 1000.0


@dataclass(frozen=True)
class Figures:
    """Errors of one predictor over all frames.

    Distances are the same in the face frame and in the paper's, which differ by a rigid motion.
    """

    landmark_error_mm: float
    """Mean distance of the 51 landmarks from the truth."""
    landmark_error_p95_mm: float
    """95th percentile of the frames' mean distance."""
    brows_mm: float
    """Mean distance of the landmarks of this region; so on."""
    nose_mm: float
    eyes_mm: float
    mouth_mm: float
    nme_percent: float
    """Mean distance as a share of that between the outer corners of the eyes in the neutral face."""
    weights_error: float
    """Mean absolute error of the ARKit weights."""
    jitter_mm: float
    """Mean length of the second difference of the predicted landmarks, mm per frame², 30 frames a second."""
    true_jitter_mm: float
    """The same of the true landmarks."""


@dataclass(frozen=True)
class Coverage:
    """Share of the truth within one and two predicted standard deviations: 0.683 and 0.954 when they are right and
    errors are Gaussian. Of each coordinate of the landmarks, and of the weights."""

    landmarks: float
    weights: float
    landmarks_two: float
    weights_two: float


@dataclass(frozen=True)
class Estimate:
    """What any model says of n frames."""

    landmarks: NDArray[np.float32]
    """(n, 51, 3) metres, face frame."""
    weights: NDArray[np.float32]
    """(n, 52) ARKit weights, 0 to 1."""
    landmarks_std: NDArray[np.float32] | None = None
    """(n, 51) standard deviation of each coordinate of a landmark, metres; None: the model does not say."""
    weights_std: NDArray[np.float32] | None = None
    """(n, 52) standard deviation of each weight; None: the model does not say."""


@dataclass(frozen=True)
class Faces:
    """The true faces of consecutive frames."""

    landmarks: NDArray[np.float32]
    """(n, 51, 3) metres."""
    weights: NDArray[np.float32]
    """(n, 52)."""


def interocular(neutral: NDArray[np.floating]) -> float:
    """Metres between the outer corners of the eyes of a neutral face (51, 3)."""
    return float(np.linalg.norm(neutral[_LEFT_EYE_OUTER_CORNER] - neutral[_RIGHT_EYE_OUTER_CORNER]))


def measure(estimates: Sequence[Estimate], truth: Sequence[Faces], neutral: NDArray[np.floating]) -> Figures:
    """Errors of estimates of one or more segments of people with that neutral face (51, 3)."""
    pairs = list(zip(estimates, truth, strict=True))
    distances = _MILLIMETRES * np.concatenate(
        [np.linalg.norm(estimate.landmarks - true.landmarks, axis=-1) for estimate, true in pairs]
    )
    frames = distances.mean(axis=-1)
    regions = {f"{name}_mm": float(distances[:, points].mean()) for name, points in REGIONS.items()}
    return Figures(
        landmark_error_mm=float(frames.mean()),
        landmark_error_p95_mm=float(np.quantile(frames, 0.95)),
        **regions,
        nme_percent=float(frames.mean()) / _MILLIMETRES / interocular(neutral) * 100.0,
        weights_error=float(np.concatenate([np.abs(e.weights - t.weights).mean(axis=-1) for e, t in pairs]).mean()),
        jitter_mm=_jitter([estimate.landmarks for estimate in estimates]),
        true_jitter_mm=_jitter([true.landmarks for true in truth]),
    )


def ratios(estimate: Estimate, true: Faces) -> tuple[NDArray[np.floating], NDArray[np.floating]] | None:
    """Absolute errors in standard deviations: of the landmarks' coordinates, of the weights; None: not stated."""
    if estimate.landmarks_std is None or estimate.weights_std is None:
        return None
    points = np.abs(estimate.landmarks - true.landmarks) / estimate.landmarks_std[..., None]
    return points.ravel(), (np.abs(estimate.weights - true.weights) / estimate.weights_std).ravel()


def covered(estimates: Sequence[Estimate], truth: Sequence[Faces]) -> Coverage | None:
    """How often the truth lies within the predicted standard deviations; None when an estimate states none."""
    parts = [ratios(estimate, true) for estimate, true in zip(estimates, truth, strict=True)]
    stated = [part for part in parts if part is not None]
    if not stated or len(stated) < len(parts):
        return None
    landmarks, weights = (np.concatenate([part[index] for part in stated]) for index in range(2))
    within = [float((of <= sigmas).mean()) for sigmas in (1.0, 2.0) for of in (landmarks, weights)]
    return Coverage(*within)


def _jitter(segments: Sequence[NDArray[np.floating]]) -> float:
    second = [np.linalg.norm(np.diff(points, n=2, axis=0), axis=-1).ravel() for points in segments]
    joined = np.concatenate(second)
    return float(_MILLIMETRES * joined.mean()) if len(joined) else 0.0
