"""Our model in the form of a rival: the network of a model file, made personal by a person's data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from face_recon_node.head import HeadModel
from face_recon_node.head.personal import PersonalFace
from face_recon_node.network import FaceNetwork
from face_recon_node.network.face_network import ADAPTABLE
from face_recon_node.rivals.person import Person
from face_recon_node.stream.features import FeatureExtractor
from face_recon_node.training.estimate import Estimate
from face_recon_node.training.personal import AdaptConfig, adapt, estimate
from face_recon_node.training.stretch import Stretch


class Ours:
    """The network as it is, or adapted to one person by :meth:`fit`."""

    def __init__(self, model_file: Path | None) -> None:
        self._base = model_file or ADAPTABLE
        self._network = FaceNetwork.load(model_file)

    def fit(self, people: Sequence[Person], seed: int = 0) -> Ours:
        """Adapt to the only person; returns itself."""
        (person,) = people
        self._network = adapt(FaceNetwork.load(self._base), person.stretches, config=AdaptConfig(seed=seed))
        return self

    def predict(self, stretch: Stretch, neutral: NDArray[np.float32]) -> Estimate:
        """The faces of a stretch; what the adaptation learned about the person's face goes before ``neutral``."""
        face = self._network.face or PersonalFace.of_neutral(HeadModel.load(), neutral)
        return estimate(self._network, stretch, face)

    def frames(self, stretch: Stretch) -> Iterator[None]:
        """Features, network and landmarks of one frame after the other."""
        features, stream = FeatureExtractor(), self._network.stream()
        face = self._network.face or PersonalFace.of_neutral(HeadModel.load(), HeadModel.load().landmark_neutral)
        for readings, present in zip(stretch.readings.reshape(-1, 2, 6).astype(float), stretch.present, strict=True):
            inputs = features.push(readings[None], present[None]), readings.reshape(1, -1), present[None]
            prediction = stream.push(*inputs)
            face.landmarks(prediction.weights)
            yield

    @property
    def parameters(self) -> int:
        """Of the networks."""
        wearer = self._network.wearer
        networks = [self._network.module, *(wearer.recurrent if wearer else ())]
        return sum(parameter.numel() for network in networks for parameter in network.parameters())
