"""ARKit weights of landmarks that a camera saw."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from face_recon_node.head.model import HeadModel, spread

_RIDGE = 0.02
"""Penalty of a weight that the landmarks hardly show, as a share of the strongest action's effect."""
_ITERATIONS = 200
_NEUTRAL_SHARE = 0.1
"""The neutral face is looked for among this share of the frames, those with the least motion from the median face."""


def neutral_landmarks(points: NDArray[np.floating]) -> NDArray[np.float64]:
    """The resting face (51, 3) among landmarks (n, 51, 3) of one person: a face at rest is the commonest one."""
    points = np.asarray(points, np.float64)
    middle = np.median(points, axis=0)
    distance = np.linalg.norm(points - middle, axis=-1).mean(axis=-1)
    quiet = distance <= np.quantile(distance, _NEUTRAL_SHARE)
    return np.median(points[quiet], axis=0)


def fit_weights(head: HeadModel, points: NDArray[np.floating]) -> NDArray[np.float32]:
    """Weights (n, 52) within 0..1 that bring a head nearest to landmarks (n, 51, 3) in metres, face frame.

    The head's own neutral face is replaced by the person's, and its actions are scaled with the size of the face.
    Bounded least squares with a small penalty, by accelerated projected gradients (Beck and Teboulle 2009, SIAM J.
    Imaging Sciences 2:183).
    """
    points = np.asarray(points, np.float64)
    neutral = neutral_landmarks(points)
    scale = spread(neutral) / spread(head.landmark_neutral)
    actions = head.landmark_deltas.reshape(len(head.landmark_deltas), -1).astype(np.float64) * scale
    offsets = (points - neutral).reshape(len(points), -1)
    gram = actions @ actions.T
    strongest = float(np.diag(gram).max())
    gram += _RIDGE * strongest * np.eye(len(gram))
    target = offsets @ actions.T
    step = 1.0 / float(np.linalg.eigvalsh(gram)[-1])
    weights = np.zeros((len(points), len(actions)))
    ahead, momentum = weights, 1.0
    for _ in range(_ITERATIONS):
        following = np.clip(ahead - step * (ahead @ gram - target), 0.0, 1.0)
        next_momentum = 0.5 * (1.0 + np.sqrt(1.0 + 4.0 * momentum**2))
        ahead = following + (momentum - 1.0) / next_momentum * (following - weights)
        weights, momentum = following, next_momentum
    return weights.astype(np.float32)
