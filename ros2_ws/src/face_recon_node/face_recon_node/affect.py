"""From facial actions to what the face shows: action units, valence, arousal and an expression.

ARKit weights become FACS action units; prototypes of action units (FACS and EMFACS) become evidence for expressions;
expressions have a place on the circumplex of valence and arousal. ``docs/affect.md`` gives the rules with their
sources and their limits. It is what the face shows, not what the person feels.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from imuface_core.arkit import BLENDSHAPES, INDEX
from numpy.typing import ArrayLike, NDArray

NEUTRAL = "neutral"

# FACS action units (Ekman, Friesen and Hager 2002) and the ARKit actions they are the mean of, after Apple's
# descriptions of the actions and M. Ozel's "ARKit to FACS" comparison. Gaze (61-64) is no expression and left out.
ACTION_UNITS: dict[int, tuple[str, ...]] = {
    1: ("browInnerUp",),
    2: ("browOuterUpLeft", "browOuterUpRight"),
    4: ("browDownLeft", "browDownRight"),
    5: ("eyeWideLeft", "eyeWideRight"),
    6: ("cheekSquintLeft", "cheekSquintRight"),
    7: ("eyeSquintLeft", "eyeSquintRight"),
    9: ("noseSneerLeft", "noseSneerRight"),
    10: ("mouthUpperUpLeft", "mouthUpperUpRight"),
    12: ("mouthSmileLeft", "mouthSmileRight"),
    14: ("mouthDimpleLeft", "mouthDimpleRight"),
    15: ("mouthFrownLeft", "mouthFrownRight"),
    16: ("mouthLowerDownLeft", "mouthLowerDownRight"),
    17: ("mouthShrugLower",),
    18: ("mouthPucker",),
    19: ("tongueOut",),
    20: ("mouthStretchLeft", "mouthStretchRight"),
    22: ("mouthFunnel",),
    24: ("mouthPressLeft", "mouthPressRight"),
    26: ("jawOpen",),
    28: ("mouthRollLower", "mouthRollUpper"),
    29: ("jawForward",),
    34: ("cheekPuff",),
    43: ("eyeBlinkLeft", "eyeBlinkRight"),
}

# Two cues that no single action unit carries: one brow raised more than the other, and lids that have been closed
# for much of the last half minute.
ONE_BROW = -1
DROWSY_LIDS = -2


@dataclass(frozen=True)
class Prototype:
    """What speaks for an expression and what against it, and where it stands on the circumplex.

    evidence: shares of action units or cues, summing to 1; against: how far a full action unit suppresses it;
    angle: degrees on the circumplex, 0 pleasant, 90 activated; strength: 0..1, distance from its centre.
    """

    evidence: Mapping[int, float]
    against: Mapping[int, float]
    angle: float
    strength: float = 1.0


# Sources of each line: docs/affect.md.
PROTOTYPES: dict[str, Prototype] = {
    "happy": Prototype({12: 0.75, 6: 0.25}, {4: 0.4, 9: 0.6, 15: 0.8}, 10),
    "sad": Prototype({15: 0.45, 1: 0.3, 4: 0.1, 17: 0.15}, {12: 1.0, 2: 0.4, 5: 0.5, 9: 0.5, 26: 0.6}, 205),
    "surprised": Prototype({1: 0.25, 2: 0.25, 5: 0.2, 26: 0.3}, {4: 0.8, 12: 0.6, 20: 0.8}, 70),
    "scared": Prototype({1: 0.15, 2: 0.1, 4: 0.15, 5: 0.25, 20: 0.3, 26: 0.05}, {9: 0.5, 12: 1.0, 24: 0.8}, 115),
    "angry": Prototype({4: 0.5, 24: 0.25, 7: 0.15, 5: 0.1}, {1: 0.6, 2: 0.6, 9: 0.5, 12: 1.0}, 100),
    "disgusted": Prototype({9: 0.55, 10: 0.25, 15: 0.1, 16: 0.1}, {12: 0.7, 2: 0.6}, 155),
    "skeptical": Prototype({ONE_BROW: 0.8, 14: 0.1, 24: 0.1}, {12: 0.7, 26: 0.5}, 150, 0.4),
    "confused": Prototype({4: 0.55, 7: 0.45}, {9: 1.0, 10: 0.8, 12: 1.0, 15: 0.6, 20: 0.8, 24: 1.0}, 135, 0.6),
    "tired": Prototype({DROWSY_LIDS: 1.0}, {5: 1.0, 12: 0.7}, 270),
}
EXPRESSIONS: tuple[str, ...] = (NEUTRAL, *PROTOTYPES)

# A face is neutral unless an expression has more evidence than this.
NEUTRAL_EVIDENCE = 0.25
# A model that says probabilities reports neutral from this one on (said_expression): of 0.35 to 0.85, the one with the
# best macro-F1 on 60 simulated people that no figure is reported of.
NEUTRAL_ABOVE = 0.6
# Time constant of the smoothing of evidence, valence and arousal, seconds: macro-expressions last 0.5 s to 4 s.
TIME_CONSTANT = 0.5
# Another expression takes over when its smoothed evidence leads by this much.
HYSTERESIS = 0.06
# Frames further apart than this, or going back in time, start afresh, seconds.
MAX_GAP = 2.0

# PERCLOS is the share of time with the lids at least 80 % closed; blinking takes up to the first figure, drowsiness
# is plain at the second.
_LIDS_OPEN, _LIDS_CLOSED = 0.6, 0.8
_LIDS_ALERT, _LIDS_DROWSY = 0.15, 0.5
_LIDS_TIME_CONSTANT = 20.0

# The rules are no more exact than this, even for exact weights.
_RULE_STD = 0.05
# Fixed draws, so that equal input gives equal output.
_DRAWS = np.random.default_rng(20250114).standard_normal((64, len(BLENDSHAPES)))


@dataclass(frozen=True)
class Affect:
    """What the face shows.

    valence and arousal: -1..1, inside the unit circle; expression: one of :data:`EXPRESSIONS` (labels of REP-155);
    confidence: 0..1, share of the faces within the uncertainty of the weights that get the same label;
    action_units: FACS number to intensity 0..1, ascending, not smoothed.
    """

    valence: float
    arousal: float
    expression: str
    confidence: float
    action_units: dict[int, float]


def _matrix(rows: list[Mapping[int, float]]) -> NDArray[np.float64]:
    matrix = np.zeros((len(rows), len(_CUES)))
    for row, shares in zip(matrix, rows, strict=True):
        for cue, share in shares.items():
            row[_CUES.index(cue)] = share
    return matrix


_CUES: tuple[int, ...] = (*ACTION_UNITS, ONE_BROW, DROWSY_LIDS)
_TO_UNITS = np.zeros((len(ACTION_UNITS), len(BLENDSHAPES)))
for _row, _names in zip(_TO_UNITS, ACTION_UNITS.values(), strict=True):
    _row[[INDEX[name] for name in _names]] = 1 / len(_names)
_EVIDENCE = _matrix([prototype.evidence for prototype in PROTOTYPES.values()])
_AGAINST = _matrix([prototype.against for prototype in PROTOTYPES.values()])
_ANGLES = np.deg2rad([prototype.angle for prototype in PROTOTYPES.values()])
_CIRCUMPLEX = np.array([p.strength for p in PROTOTYPES.values()]) * np.stack([np.cos(_ANGLES), np.sin(_ANGLES)])


def action_units(weights: ArrayLike) -> NDArray[np.float64]:
    """Intensities (..., 23) of :data:`ACTION_UNITS` for ARKit weights (..., 52)."""
    return np.asarray(weights, dtype=np.float64) @ _TO_UNITS.T


def evidence(weights: ArrayLike, closed_lids: ArrayLike = 0.0) -> NDArray[np.float64]:
    """Evidence 0..1 for each of :data:`PROTOTYPES` (..., 9).

    Args:
        weights: (..., 52) ARKit weights, 0..1.
        closed_lids: (...) or a number: share of the recent time with closed lids, 0..1.
    """
    weights = np.asarray(weights, dtype=np.float64)
    one_brow = np.abs(weights[..., INDEX["browOuterUpLeft"]] - weights[..., INDEX["browOuterUpRight"]])
    drowsy = np.clip((np.asarray(closed_lids) - _LIDS_ALERT) / (_LIDS_DROWSY - _LIDS_ALERT), 0.0, 1.0)
    cues = np.concatenate(
        [action_units(weights), one_brow[..., None], np.broadcast_to(drowsy, weights.shape[:-1])[..., None]], axis=-1
    )
    return (cues @ _EVIDENCE.T) * (1.0 - np.minimum(cues @ _AGAINST.T, 1.0))


class AffectEstimator:
    """Follows a face over time."""

    def __init__(self) -> None:
        self._stamp_ns: int | None = None
        self._closed_lids = 0.0
        self._smoothed = np.zeros(len(PROTOTYPES))
        self._label = 0

    def update(self, stamp_ns: int, weights: ArrayLike, standard_deviation: ArrayLike) -> Affect:
        """Take the next frame.

        Args:
            stamp_ns: its time; a step back, or a long gap, starts afresh.
            weights: (52,) ARKit weights; clipped to 0..1, and what is not finite counts as unknown.
            standard_deviation: (52,) 1 sigma of each weight.

        Raises:
            ValueError: an array has the wrong shape.
        """
        mean, spread = _cleaned(weights, standard_deviation)
        place, _, now = self._follow(np.array([stamp_ns]), mean[None])
        valence, arousal = place[0].tolist()
        confidence = self._confidence(mean, spread, now[0])
        return Affect(valence, arousal, EXPRESSIONS[self._label], confidence, units_by_number(mean))

    def follow(
        self, stamps_ns: NDArray[np.integer], weights: ArrayLike
    ) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        """What consecutive faces (n, 52) at times (n,) show that are known without error.

        Returns:
            valence and arousal (n, 2), and the index of each label in :data:`EXPRESSIONS` (n,).
        """
        return self._follow(stamps_ns, np.clip(np.asarray(weights, dtype=np.float64), 0.0, 1.0))[:2]

    def _follow(
        self, stamps_ns: NDArray[np.integer], weights: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.intp], NDArray[np.float64]]:
        """The same, and the evidence (n, 9) of each frame by itself."""
        lids = weights @ _TO_UNITS[list(ACTION_UNITS).index(43)]
        closed = np.clip((lids - _LIDS_OPEN) / (_LIDS_CLOSED - _LIDS_OPEN), 0.0, 1.0)
        elapsed, drowsy = np.empty(len(closed)), np.empty(len(closed))
        fresh = np.zeros(len(closed), bool)
        for row, (stamp, lid) in enumerate(zip(stamps_ns.tolist(), closed.tolist(), strict=True)):
            step = math.inf if self._stamp_ns is None else (stamp - self._stamp_ns) * 1e-9
            self._stamp_ns = stamp
            if not 0.0 <= step <= MAX_GAP:
                step, self._closed_lids, fresh[row] = math.inf, 0.0, True
            self._closed_lids += (lid - self._closed_lids) * -math.expm1(-min(step, MAX_GAP) / _LIDS_TIME_CONSTANT)
            elapsed[row], drowsy[row] = step, self._closed_lids
        now = evidence(weights, drowsy)
        smoothed, labels = np.empty_like(now), np.empty(len(now), np.intp)
        for row, share in enumerate(-np.expm1(-elapsed / TIME_CONSTANT)):
            self._smoothed = self._smoothed + (now[row] - self._smoothed) * share
            smoothed[row] = self._smoothed
            labels[row] = self._label = self._decided(0 if fresh[row] else self._label)
        return _place(smoothed), labels, now

    def _decided(self, label: int) -> int:
        scores = [NEUTRAL_EVIDENCE, *self._smoothed.tolist()]
        best = max(range(len(scores)), key=scores.__getitem__)
        return best if scores[best] > scores[label] + HYSTERESIS else label

    def _confidence(self, mean: NDArray[np.float64], spread: NDArray[np.float64], now: NDArray[np.float64]) -> float:
        """Share of the faces within the uncertainty for which the label would hold."""
        faces = np.clip(mean + np.hypot(spread, _RULE_STD) * _DRAWS, 0.0, 1.0)
        scores = self._smoothed + evidence(faces, self._closed_lids) - now
        scores = np.column_stack([np.full(len(scores), NEUTRAL_EVIDENCE), scores])
        scores[:, self._label] += HYSTERESIS
        return float(np.mean(np.argmax(scores, axis=1) == self._label))


def told_affect(valence: float, arousal: float, expressions: NDArray[np.floating], weights: ArrayLike) -> Affect:
    """The affect that a model says itself, of a face with weights (52,) and probabilities (labels,) of expressions."""
    label = said_expression(expressions)
    return Affect(valence, arousal, EXPRESSIONS[label], float(expressions[label]), units_by_number(weights))


def said_expression(expressions: NDArray[np.floating]) -> Any:
    """Index (...) of the expression to report, of probabilities (..., labels).

    The likeliest one but neutral where neutral is less likely than :data:`NEUTRAL_ABOVE`: faces rest most of the
    time, so a label that had to be likelier than rest would hardly ever be reported. Its probability is its confidence.
    """
    likeliest = 1 + np.argmax(expressions[..., 1:], axis=-1)
    return np.where(expressions[..., 0] >= NEUTRAL_ABOVE, 0, likeliest)


def units_by_number(weights: ArrayLike) -> dict[int, float]:
    """Intensities of the action units of weights (52,), by FACS number."""
    return dict(zip(ACTION_UNITS, action_units(weights).tolist(), strict=True))


def _place(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Valence and arousal (..., 2) of scores (..., 9): as far out as the strongest evidence, towards the expressions
    by their square shares.

    Many expressions share action units; the squares keep the weaker ones from pulling the strongest one aside.
    """
    shares = scores**2
    reach = scores.max(axis=-1, keepdims=True) / np.maximum(shares.sum(axis=-1, keepdims=True), 1e-12)
    place: NDArray[np.float64] = shares @ _CIRCUMPLEX.T * reach
    return place


def _cleaned(weights: ArrayLike, standard_deviation: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weights within 0..1 and usable deviations; what is not finite is unknown: 0 with a deviation of 1."""
    mean, spread = np.asarray(weights, dtype=np.float64), np.asarray(standard_deviation, dtype=np.float64)
    if mean.shape != (len(BLENDSHAPES),) or spread.shape != mean.shape:
        raise ValueError(f"expected ({len(BLENDSHAPES)},) weights and deviations, got {mean.shape} and {spread.shape}")
    known = np.isfinite(mean) & np.isfinite(spread)
    return np.where(known, np.clip(mean, 0.0, 1.0), 0.0), np.where(known, np.clip(spread, 0.0, 1.0), 1.0)
