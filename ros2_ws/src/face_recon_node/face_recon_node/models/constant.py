"""Faces that never move: the yardsticks of every other model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from face_recon_node.models.fitting import Baseline, finite_arrays
from face_recon_node.models.model import WEIGHTS, FacePrediction, Person


class _ConstantFace(Baseline):
    """The same weights in every frame; its own stream, since it remembers nothing."""

    parameters = WEIGHTS
    _centre: ClassVar[Callable[..., Any]]
    _weights: NDArray[np.float32]

    def _learn(self, people: Sequence[Person], seed: int) -> None:
        weights = [segment.weights for person in people for segment in person.segments]
        self._weights = self._centre(np.concatenate(weights), axis=0).astype(np.float32)

    def stream(self) -> Self:
        """Itself."""
        return self

    def push(self, readings: NDArray[np.floating], present: NDArray[np.bool_]) -> FacePrediction:
        """The same face in each of the n frames."""
        return FacePrediction(np.tile(self._weights, (len(readings), 1)))

    def to_arrays(self) -> dict[str, NDArray]:
        """The weights."""
        return {"weights": self._weights}

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray]) -> Self:
        """The inverse of :meth:`to_arrays`; raises ``ValueError`` as :func:`finite_arrays` does."""
        model = cls()
        (model._weights,) = finite_arrays(arrays, {"weights": (WEIGHTS,)})
        return model


class MeanFace(_ConstantFace):
    """The mean of each weight over the training data: the constant with the least squared error."""

    name = "mean"
    _centre = staticmethod(np.mean)


class MedianFace(_ConstantFace):
    """The median of each weight over the training data: the constant with the least absolute error."""

    name = "median"
    _centre = staticmethod(np.median)
