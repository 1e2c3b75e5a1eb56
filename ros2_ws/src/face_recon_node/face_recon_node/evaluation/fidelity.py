"""Whether a predicted face moves as the true one does.

The mean distance of landmarks is smallest for a face that rests, since most frames are close to rest. Here a face that
never moves scores 0: each action counts by its correlation with the truth and by how much of its motion is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from imuface_core.arkit import BLENDSHAPES
from numpy.typing import NDArray

MOVING = 0.03
"""An action counts when its true weight has a greater standard deviation over all frames."""
EXPRESSIVE_MM = 2.0
"""A frame counts as expressive from this mean distance of the true landmarks from the neutral ones on, millimetres.

It takes 26 % of the frames of simulated study sessions (8 people, 5 and 1.5 minutes; 9 to 38 % of a session); 1.5 mm
would take 39 %, 3 mm 12 %.
"""
_GOOD = 0.7
_MILLIMETRES = 1000.0


@dataclass(frozen=True)
class ActionFidelity:
    """How an action follows the truth; both 0 for a prediction that is constant."""

    r: float
    """Pearson correlation with the true weight."""
    gain: float
    """Slope of the prediction on the truth, cov(predicted, true) / var(true): below 1 the face moves too little."""


@dataclass(frozen=True)
class Fidelity:
    """How a face follows the truth."""

    median_r: float
    """Median correlation of the moving actions; 0 without any."""
    share_r70: float
    """Share of the moving actions with a correlation of at least 0.7; 0 without any."""
    actions: dict[str, ActionFidelity]
    """The moving actions, see :data:`MOVING`, by name in the order of ARKit."""
    expressive_error_mm: float
    """Mean distance of the 51 landmarks from the truth over the expressive frames, see :data:`EXPRESSIVE_MM`; where no
    frame is, over those furthest from rest."""

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Fidelity:
        """The opposite of :meth:`to_json`. Raises ``TypeError``, ``KeyError`` or ``AttributeError`` for all else."""
        actions = {name: ActionFidelity(**action) for name, action in content["actions"].items()}
        return cls(**{**content, "actions": actions})


def fidelity(
    estimates: Sequence[NDArray[np.floating]],
    truth: Sequence[NDArray[np.floating]],
    estimated_landmarks: Sequence[NDArray[np.floating]],
    true_landmarks: Sequence[NDArray[np.floating]],
    neutral: NDArray[np.floating],
) -> Fidelity:
    """Fidelity of a person's predicted faces; segments are joined first, so that frames count alike.

    Args:
        estimates: (n, 52) predicted ARKit weights of each segment.
        truth: (n, 52) true ones.
        estimated_landmarks: (n, 51, 3) metres, face frame, of each segment.
        true_landmarks: the same of the true face.
        neutral: (51, 3) the person's true landmarks at rest.

    Raises:
        ValueError: there are no frames, or an estimate has another shape than its truth.
    """
    predicted, true = joined(estimates, truth)
    of_actions = zip(BLENDSHAPES, *correlate(predicted, true), _centred(true).std(axis=0) > MOVING, strict=True)
    actions = {name: ActionFidelity(float(r), float(gain)) for name, r, gain, moving in of_actions if moving}
    rs = np.array([action.r for action in actions.values()])
    points, true_points = joined(estimated_landmarks, true_landmarks)
    from_rest = _distances_mm(true_points, neutral)
    expressive = from_rest >= min(EXPRESSIVE_MM, from_rest.max())
    return Fidelity(
        median_r=float(np.median(rs)) if len(rs) else 0.0,
        share_r70=float(np.mean(rs >= _GOOD)) if len(rs) else 0.0,
        actions=actions,
        expressive_error_mm=float(_distances_mm(points, true_points)[expressive].mean()),
    )


def mean_fidelity(people: Sequence[Fidelity]) -> Fidelity:
    """Means over people: of each action over those in whom it moves, of ``median_r`` and ``share_r70`` over those in
    whom any does.

    Raises:
        ValueError: there is nobody.
    """
    if not people:
        raise ValueError("there is nobody to take the mean of")
    found = {name: [person.actions[name] for person in people if name in person.actions] for name in BLENDSHAPES}
    moving = [person for person in people if person.actions]
    return Fidelity(
        median_r=_mean([person.median_r for person in moving]),
        share_r70=_mean([person.share_r70 for person in moving]),
        actions={
            name: ActionFidelity(_mean([action.r for action in actions]), _mean([action.gain for action in actions]))
            for name, actions in found.items()
            if actions
        },
        expressive_error_mm=_mean([person.expressive_error_mm for person in people]),
    )


def joined(estimates: Sequence[NDArray], truth: Sequence[NDArray]) -> tuple[NDArray, NDArray]:
    """The segments end to end.

    Raises:
        ValueError: there are no frames, or an estimate has another shape than its truth.
    """
    for estimate, true in zip(estimates, truth, strict=True):
        if estimate.shape != true.shape:
            raise ValueError(f"an estimate is of shape {estimate.shape}, its truth of {true.shape}")
    if not sum(map(len, truth)):
        raise ValueError("there are no frames to measure")
    return np.concatenate(estimates), np.concatenate(truth)


def correlate(predicted: NDArray[np.floating], true: NDArray[np.floating]) -> tuple[NDArray, NDArray]:
    """Pearson correlation and slope of the prediction on the truth of columns (n, k), each (k,); 0 for constants."""
    predicted, true = _centred(predicted), _centred(true)
    covariance, variance = (predicted * true).mean(axis=0), (true * true).mean(axis=0)
    scale = np.sqrt((predicted * predicted).mean(axis=0) * variance)
    r = np.divide(covariance, scale, out=np.zeros_like(scale), where=scale > 0.0)
    gain = np.divide(covariance, variance, out=np.zeros_like(scale), where=variance > 0.0)
    return np.clip(r, -1.0, 1.0), gain


def _centred(columns: NDArray[np.floating]) -> NDArray[np.float64]:
    """Without their mean."""
    # The mean of equal numbers need not be exactly that number; that of zeros is, so that constants stay constant.
    moved = columns.astype(np.float64) - columns[0]
    return moved - moved.mean(axis=0)


def _distances_mm(points: NDArray[np.floating], others: NDArray[np.floating]) -> NDArray[np.float64]:
    """Mean distance of the landmarks of each frame, (n,)."""
    moved = points.astype(np.float64) - others
    return _MILLIMETRES * np.linalg.norm(moved, axis=-1).mean(axis=-1)


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else 0.0
