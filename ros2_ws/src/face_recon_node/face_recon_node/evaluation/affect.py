"""Whether a predicted face shows what the true one shows, and whether the confidence in it is honest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, astuple, dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from face_recon_node.affect import EXPRESSIONS, NEUTRAL, AffectEstimator
from face_recon_node.evaluation.fidelity import correlate, joined
from face_recon_node.stream.alignment import RATE

BINS = 10
"""Of equal width, for the calibration of confidence."""
SURE = 0.9
"""A confidence above this calls a label certain."""
OVERLOOKED_SECONDS = 2.0
"""An expression that lasts this long has been missed, not just seen late."""
_NEUTRAL = EXPRESSIONS.index(NEUTRAL)


@dataclass(frozen=True)
class AffectTrack:
    """What a face shows in n consecutive frames, 30 a second; see :class:`face_recon_node.affect.Affect`."""

    valence: NDArray[np.floating]
    """(n,) -1 to 1."""
    arousal: NDArray[np.floating]
    """(n,) -1 to 1."""
    expression: NDArray[np.integer]
    """(n,) index into :data:`face_recon_node.affect.EXPRESSIONS`."""
    confidence: NDArray[np.floating]
    """(n,) 0 to 1, in that label."""


@dataclass(frozen=True)
class AffectFigures:
    """How well the affect of one predictor agrees with the truth over all frames."""

    valence_r: float
    """Pearson correlation; 0 when either is constant."""
    arousal_r: float
    macro_f1: float
    """Mean F1 of the labels that occur in the truth."""
    ece: float
    """Expected calibration error of the confidence, in :data:`BINS` bins (Guo et al. 2017, arXiv:1706.04599)."""
    accuracy: float
    """Share of frames with the true label."""
    overconfident_neutral: float
    """Of the frames whose true label is not neutral, the share in runs of 2 s or longer throughout which it is not and
    the prediction is neutral with a confidence above 0.9; 0 without such frames."""

    def to_json(self) -> dict[str, float]:
        """Plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> AffectFigures:
        """The opposite of :meth:`to_json`. Raises ``TypeError`` for anything else."""
        return cls(**content)


class Bin(NamedTuple):
    """Frames of similar confidence, for a reliability diagram."""

    centre: float
    confidence: float
    """Mean of the frames."""
    accuracy: float
    frames: int


def true_affect(stamps_ns: NDArray[np.integer], weights: NDArray[np.floating]) -> AffectTrack:
    """What a face shows whose ARKit weights (n, 52) at times (n,) are known without error; a new track each call."""
    place, labels = AffectEstimator().follow(stamps_ns, weights)
    return AffectTrack(place[:, 0], place[:, 1], labels, np.ones(len(labels)))


def affect_figures(estimates: Sequence[AffectTrack], truth: Sequence[AffectTrack]) -> AffectFigures:
    """Agreement with the truth; segments are joined first, so that frames count alike.

    Raises:
        ValueError: there are no frames, or an estimate has other than its truth.
    """
    places = [[np.column_stack([each.valence, each.arousal]) for each in tracks] for tracks in (estimates, truth)]
    valence_r, arousal_r = correlate(*joined(*places))[0].tolist()
    labels, true_labels = _labels(estimates, truth)
    bins = reliability(estimates, truth)
    return AffectFigures(
        valence_r=valence_r,
        arousal_r=arousal_r,
        macro_f1=_macro_f1(labels, true_labels),
        ece=sum(each.frames * abs(each.accuracy - each.confidence) for each in bins) / len(labels),
        accuracy=float(np.mean(labels == true_labels)),
        overconfident_neutral=_overconfident_neutral(estimates, truth),
    )


def mean_affect(people: Sequence[AffectFigures]) -> AffectFigures:
    """Means over people.

    Raises:
        ValueError: there is nobody.
    """
    if not people:
        raise ValueError("there is nobody to take the mean of")
    return AffectFigures(*np.mean([astuple(person) for person in people], axis=0).tolist())


def reliability(estimates: Sequence[AffectTrack], truth: Sequence[AffectTrack]) -> list[Bin]:
    """Confidence and accuracy of the labels in :data:`BINS` bins of confidence, without those that are empty.

    Raises:
        ValueError: there are no frames, or an estimate has other than its truth.
    """
    labels, true_labels = _labels(estimates, truth)
    confidence = np.concatenate([estimate.confidence for estimate in estimates])
    # Each bin includes its upper edge, as with Guo et al.
    numbers = np.digitize(confidence, np.linspace(0.0, 1.0, BINS + 1)[1:-1], right=True)
    bins = []
    for number in np.unique(numbers).tolist():
        inside = numbers == number
        correct = labels[inside] == true_labels[inside]
        mean = confidence[inside].mean(dtype=np.float64)
        bins.append(Bin((number + 0.5) / BINS, float(mean), float(correct.mean()), len(correct)))
    return bins


def _labels(estimates: Sequence[AffectTrack], truth: Sequence[AffectTrack]) -> tuple[NDArray, NDArray]:
    return joined([estimate.expression for estimate in estimates], [true.expression for true in truth])


def _macro_f1(labels: NDArray[np.integer], true_labels: NDArray[np.integer]) -> float:
    found = [(labels == label, true_labels == label) for label in np.unique(true_labels)]
    return float(np.mean([2.0 * (said & true).sum() / (said.sum() + true.sum()) for said, true in found]))


def _overconfident_neutral(estimates: Sequence[AffectTrack], truth: Sequence[AffectTrack]) -> float:
    shown = overlooked = 0
    for estimate, true in zip(estimates, truth, strict=True):
        expressive = true.expression != _NEUTRAL
        missed = expressive & (estimate.expression == _NEUTRAL) & (estimate.confidence > SURE)
        begins, ends = np.flatnonzero(np.diff(missed, prepend=False, append=False)).reshape(-1, 2).T
        lengths = ends - begins
        shown += int(expressive.sum())
        overlooked += int(lengths[lengths >= round(OVERLOOKED_SECONDS * RATE)].sum())
    return overlooked / shown if shown else 0.0
