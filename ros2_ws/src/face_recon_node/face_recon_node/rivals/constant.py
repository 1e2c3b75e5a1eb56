"""Faces that never move: the yardsticks of every other model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from face_recon_node.rivals.person import TARGETS, Person, estimate_of, targets
from face_recon_node.training.estimate import Estimate
from face_recon_node.training.stretch import Stretch


class ConstantFace:
    """The median of each coordinate over the training data: the constant with the least absolute error."""

    parameters = TARGETS
    _centre: Callable[..., Any] = staticmethod(np.median)

    def fit(self, people: Sequence[Person], seed: int = 0) -> Self:
        """Take the middle; returns itself."""
        self._face = self._centre(np.concatenate([face for person in people for face in targets(person)]), axis=0)
        return self

    def predict(self, stretch: Stretch, neutral: NDArray[np.float32]) -> Estimate:
        """The same face in every frame."""
        return estimate_of(np.tile(self._face.astype(np.float32), (len(stretch), 1)), neutral)

    def frames(self, stretch: Stretch) -> Iterator[None]:
        """Nothing to do."""
        for _ in range(len(stretch)):
            yield


class MeanFace(ConstantFace):
    """The mean of each coordinate over the training data: the constant with the least squared error."""

    _centre = staticmethod(np.mean)
