"""All that is measured of a model on a person's data: error, fidelity, affect, and how honest its confidence is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from face_recon_node.affect import EXPRESSIONS, AffectEstimator, said_expression
from face_recon_node.data.segment import Segment
from face_recon_node.evaluation.affect import AffectFigures, AffectTrack, affect_figures, true_affect
from face_recon_node.evaluation.fidelity import Fidelity, fidelity
from face_recon_node.evaluation.metrics import Coverage, Estimate, Faces, Figures, covered, measure
from face_recon_node.head import HeadModel
from face_recon_node.head.personal import PersonalFace
from face_recon_node.models.model import FaceModel, FacePrediction
from face_recon_node.reconstructor import UNSAID_STD


@dataclass(frozen=True)
class Assessment:
    """How good a model is on one person."""

    figures: Figures
    fidelity: Fidelity
    affect: AffectFigures
    coverage: Coverage | None
    """None: the model states no standard deviations."""

    def to_json(self) -> dict[str, Any]:
        """Plain values: keys ``figures``, ``fidelity``, ``affect`` and ``coverage``."""
        return {
            "figures": asdict(self.figures),
            "fidelity": self.fidelity.to_json(),
            "affect": self.affect.to_json(),
            "coverage": None if self.coverage is None else asdict(self.coverage),
        }

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Assessment:
        """The opposite of :meth:`to_json`. Raises ``TypeError`` or ``KeyError`` for anything else."""
        return cls(
            Figures(**content["figures"]),
            Fidelity.from_json(content["fidelity"]),
            AffectFigures.from_json(content["affect"]),
            None if content["coverage"] is None else Coverage(**content["coverage"]),
        )


def estimated(model: FaceModel, segment: Segment, neutral: NDArray[np.float32]) -> tuple[Estimate, AffectTrack]:
    """The faces and the affect that a model says of a segment of the person with that neutral face (51, 3)."""
    said = model.stream().push(segment.readings, segment.present)
    face = model.face or PersonalFace.of_neutral(HeadModel.load(), neutral)
    estimate = Estimate(face.landmarks(said.weights), said.weights, said.landmarks_std, said.weights_std)
    return estimate, shown_affect(said, segment.stamps)


def shown_affect(said: FacePrediction, stamps_ns: NDArray[np.int64]) -> AffectTrack:
    """The affect of a prediction at times (n,), as the node reports it."""
    if said.affect is not None:
        labels = said_expression(said.affect.expressions)
        confidence = np.take_along_axis(said.affect.expressions, labels[:, None], axis=1)[:, 0]
        return AffectTrack(said.affect.valence, said.affect.arousal, labels, confidence)
    estimator = AffectEstimator()
    deviations = np.full(said.weights.shape, UNSAID_STD) if said.weights_std is None else said.weights_std
    frames = [estimator.update(*frame) for frame in zip(stamps_ns.tolist(), said.weights, deviations, strict=True)]
    return AffectTrack(
        np.array([frame.valence for frame in frames]),
        np.array([frame.arousal for frame in frames]),
        np.array([EXPRESSIONS.index(frame.expression) for frame in frames], np.intp),
        np.array([frame.confidence for frame in frames]),
    )


def assess(model: FaceModel, segments: Sequence[Segment], neutral: NDArray[np.float32]) -> Assessment:
    """Measure a model on segments of the person with that neutral face (51, 3).

    Raises:
        ValueError: there are no segments.
    """
    estimates, tracks = zip(*(estimated(model, segment, neutral) for segment in segments), strict=True)
    return assessed(estimates, tracks, segments, neutral)


def assessed(
    estimates: Sequence[Estimate],
    tracks: Sequence[AffectTrack],
    segments: Sequence[Segment],
    neutral: NDArray[np.float32],
) -> Assessment:
    """Measure what was said of segments."""
    head = HeadModel.load()
    truth = [Faces(segment.true_landmarks(head), segment.weights) for segment in segments]
    return Assessment(
        measure(estimates, truth, neutral),
        fidelity(
            [estimate.weights for estimate in estimates],
            [true.weights for true in truth],
            [estimate.landmarks for estimate in estimates],
            [true.landmarks for true in truth],
            neutral,
        ),
        affect_figures(tracks, [true_affect(segment.stamps, segment.weights) for segment in segments]),
        covered(estimates, truth),
    )
