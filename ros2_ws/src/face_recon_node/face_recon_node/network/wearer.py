"""What a personal model knows about the person who wears the earphones, beside the adapted network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from face_recon_node.head.personal import PersonalFace
from face_recon_node.stream.profile import EarProfile
from face_recon_node.tracking import Mechanics
from face_recon_node.tracking.arrays import finite_array
from face_recon_node.tracking.readout import Readout

LEAST_SHARE_OF_ONE_EAR = 0.5
"""Share of what is read off the tracker while an ear is missing, at least: little is known of the face then, and the
network rather says too much."""


@dataclass(frozen=True)
class Wearer:
    """The ears and the face of the person who wears the earphones."""

    mechanics: Mechanics
    readout: Readout
    face: PersonalFace
    tracker_share: float
    """Share of the face that is read off the tracker in the output, 0 to 1; the rest is the network's."""
    profile: EarProfile | None
    """How the face moves the ears, to tell other people from; None with too little data."""

    def to_dict(self) -> dict[str, Any]:
        """Plain tensors, for the model file."""
        arrays = {f"mechanics.{name}": array for name, array in self.mechanics.to_dict().items()}
        arrays |= {f"readout.{name}": array for name, array in self.readout.to_dict().items()}
        arrays |= {"face.neutral": self.face.neutral, "face.deltas": self.face.deltas}
        tensors = {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in arrays.items()}
        return {
            "arrays": tensors,
            "tracker_share": float(self.tracker_share),
            "profile": None if self.profile is None else self.profile.to_dict(),
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Wearer:
        """The inverse of :meth:`to_dict`.

        Raises:
            ValueError: something is missing, of another shape, or not finite.
        """
        arrays = {name: tensor.numpy() for name, tensor in content["arrays"].items()}

        def of(prefix: str) -> dict[str, Any]:
            return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}

        neutral, deltas = (
            finite_array(arrays, name, shape, "the person's face lacks").astype(np.float32)
            for name, shape in (("face.neutral", (51, 3)), ("face.deltas", (52, 51, 3)))
        )
        share = float(content["tracker_share"])
        if not 0.0 <= share <= 1.0:
            raise ValueError(f"the tracker's share is {share}, expected 0 to 1")
        profile = None if content["profile"] is None else EarProfile.from_dict(content["profile"])
        mechanics, readout = Mechanics.from_dict(of("mechanics.")), Readout.from_dict(of("readout."))
        return cls(mechanics, readout, PersonalFace(neutral, deltas), share, profile)
