"""The one protocol of everything that turns readings into a face, and what is said of a face.

A model says the 52 ARKit weights; landmarks follow from them through the person's
:class:`~face_recon_node.head.personal.PersonalFace`, or through the head model where the person is not known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from face_recon_node.data.segment import Segment
from face_recon_node.head.personal import PersonalFace
from face_recon_node.stream.profile import EarProfile

WEIGHTS = 52


@dataclass(frozen=True)
class ShownAffect:
    """What a model says of the affect that n faces show, from all that they may be."""

    valence: NDArray[np.float32]
    """(n,) -1..1: the mean over the faces that fit the readings."""
    arousal: NDArray[np.float32]
    """(n,) -1..1."""
    expressions: NDArray[np.float32]
    """(n, labels) probability of each of :data:`face_recon_node.affect.EXPRESSIONS`."""


@dataclass(frozen=True)
class FacePrediction:
    """Faces of n frames."""

    weights: NDArray[np.float32]
    """(n, 52) ARKit weights, 0 to 1."""
    weights_std: NDArray[np.float32] | None = None
    """(n, 52) standard deviation of each weight; None: the model does not say."""
    landmarks_std: NDArray[np.float32] | None = None
    """(n, 51) standard deviation of each coordinate of a landmark, metres; None: the model does not say."""
    affect: ShownAffect | None = None
    """None: the model does not say; the rules of :mod:`face_recon_node.affect` then take the weights for certain."""


@dataclass(frozen=True)
class Person:
    """Data of one person."""

    segments: Sequence[Segment]
    neutral: NDArray[np.float32]
    """(51, 3) landmarks of the neutral face, metres, face frame."""


class FaceStream(Protocol):
    """Consecutive frames of one person; remembers what it has seen."""

    def push(self, readings: NDArray[np.floating], present: NDArray[np.bool_]) -> FacePrediction:
        """Predict the faces of the next n frames; how they are cut into calls changes nothing.

        Args:
            readings: (n, 12) calibrated readings, m/s² and rad/s, 0 where absent; see
                :mod:`face_recon_node.stream.calibration`.
            present: (n, 2) whether the left and the right ear have a reading.
        """


class FaceModel(Protocol):
    """A model of the family."""

    name: ClassVar[str]
    """Under which ``imuface train --model``, the study and model files know it."""
    card: dict[str, Any]
    """The model card: data, seed, figures. Plain JSON values."""
    face: PersonalFace | None
    """The person's own landmarks; None: nobody's model."""
    profile: EarProfile | None
    """What tells the person from others; None: nobody's model, or too little data."""

    def fit(self, people: Sequence[Person], seed: int = 0) -> Self:
        """Learn from the people's data; returns itself.

        Raises:
            ValueError: there is too little data.
        """

    def stream(self) -> FaceStream:
        """A new stream of frames, with an empty memory."""

    @property
    def parameters(self) -> int:
        """How many numbers were fitted."""

    def to_arrays(self) -> dict[str, NDArray]:
        """What was learned, as plain arrays by name, for the model file."""

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray]) -> Self:
        """The inverse of :meth:`to_arrays`.

        Raises:
            ValueError: an array is missing, of another shape, or not finite.
        """
