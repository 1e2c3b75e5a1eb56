"""What a rival learns from and what it says: the face as 52 weights and 153 displacements from the neutral face."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from face_recon_node.head import HeadModel
from face_recon_node.training.estimate import Estimate
from face_recon_node.training.stretch import Stretch

WEIGHTS = 52
TARGETS = WEIGHTS + 3 * 51
_MILLIMETRES = np.float32(1000.0)


@dataclass(frozen=True)
class Person:
    """Data of one person."""

    stretches: Sequence[Stretch]
    neutral: NDArray[np.float32]
    """(51, 3) landmarks of the neutral face, metres, face frame."""


class Rival(Protocol):
    """A model that learns from people and predicts a person's face."""

    def fit(self, people: Sequence[Person], seed: int = 0) -> Self:
        """Learn from the people's data, from scratch; returns itself.

        Raises:
            ValueError: there is too little data.
        """

    def predict(self, stretch: Stretch, neutral: NDArray[np.float32]) -> Estimate:
        """The faces of a stretch of the person with that neutral face (51, 3)."""

    def frames(self, stretch: Stretch) -> Iterator[None]:
        """Predict frame by frame, as a stream would; advanced once a frame by whoever takes the time."""

    @property
    def parameters(self) -> int:
        """How many numbers were fitted."""


def targets(person: Person) -> list[NDArray[np.float32]]:
    """(n, 205) of each stretch: 52 weights, then the displacements of the landmarks in millimetres."""
    head = HeadModel.load() if any(stretch.landmarks is None for stretch in person.stretches) else None
    faces = []
    for stretch in person.stretches:
        if stretch.landmarks is not None:
            moved = stretch.landmarks - person.neutral
        else:
            assert head is not None
            moved = head.landmarks(stretch.weights) - head.landmark_neutral
        faces.append(np.concatenate((stretch.weights, _MILLIMETRES * moved.reshape(len(stretch), -1)), axis=1))
    return [face.astype(np.float32) for face in faces]


def estimate_of(face: NDArray[np.float32], neutral: NDArray[np.float32]) -> Estimate:
    """The estimate that a prediction (n, 205) of :func:`targets` stands for."""
    landmarks = neutral + face[:, WEIGHTS:].reshape(-1, 51, 3) / _MILLIMETRES
    return Estimate(landmarks.astype(np.float32), np.clip(face[:, :WEIGHTS], 0.0, 1.0))
