"""What the baselines share: whose a model is, its card, and the check of what a model file holds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from face_recon_node.head import HeadModel
from face_recon_node.head.personal import PersonalFace
from face_recon_node.models.model import Person
from face_recon_node.stream.alignment import RATE
from face_recon_node.stream.profile import EarProfile


class Baseline(ABC):
    """A :class:`~face_recon_node.models.model.FaceModel` that learns from scratch and states nothing but weights."""

    name: ClassVar[str]

    def __init__(self) -> None:
        self.card: dict[str, Any] = {}
        self.face: PersonalFace | None = None
        self.profile: EarProfile | None = None

    def fit(self, people: Sequence[Person], seed: int = 0) -> Self:
        """Learn from the people's data; the same data and seed give the same model. Returns itself.

        Raises:
            ValueError: there is too little data.
        """
        frames = sum(len(segment) for person in people for segment in person.segments)
        if not frames:
            raise ValueError("there are no frames to learn from; record a session")
        self.face = own_face(people)
        self._learn(people, seed)
        minutes = round(frames / RATE / 60.0, 2)
        self.card = {"model": self.name, "minutes": minutes, "people": len(people), "seed": seed}
        return self

    @abstractmethod
    def _learn(self, people: Sequence[Person], seed: int) -> None:
        """What :meth:`fit` does; :attr:`face` is known already, and there are frames."""


def own_face(people: Sequence[Person]) -> PersonalFace | None:
    """The landmarks of a model that is one person's; None with several."""
    if len(people) != 1:
        return None
    head, segments = HeadModel.load(), people[0].segments
    landmarks = [segment.true_landmarks(head) for segment in segments]
    return PersonalFace.fitted(head, [segment.weights for segment in segments], landmarks)


def finite_arrays(arrays: Mapping[str, NDArray], shapes: Mapping[str, tuple[int, ...]]) -> list[NDArray[np.float32]]:
    """The arrays of these names and shapes, in single precision.

    Raises:
        ValueError: one is missing, of another shape, or not finite; names it.
    """
    found = []
    for name, shape in shapes.items():
        if name not in arrays:
            raise ValueError(f"there is no array '{name}'")
        if arrays[name].shape != shape:
            raise ValueError(f"array '{name}' has the shape {arrays[name].shape} instead of {shape}")
        with np.errstate(over="ignore"):
            found.append(np.asarray(arrays[name], np.float32))
        if not np.isfinite(found[-1]).all():
            raise ValueError(f"array '{name}' holds numbers that are not finite")
    return found
