"""What a personal model knows about the person who wears the earphones, beside the adapted network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch

from face_recon_node.head.personal import PersonalFace
from face_recon_node.network.recurrent import Recurrent
from face_recon_node.stream.profile import EarProfile
from face_recon_node.tracking import Mechanics
from face_recon_node.tracking.arrays import finite_array
from face_recon_node.tracking.readout import Readout


@dataclass(frozen=True)
class Shares:
    """How much each opinion about the face counts in the output, with both ears; with one, all count alike."""

    network: float
    """IMUTwinTrans."""
    readout: float
    """What is read off the tracker."""
    recurrent: float
    """The mean of the recurrent networks."""

    def __post_init__(self) -> None:
        shares = (self.network, self.readout, self.recurrent)
        if not (min(shares) >= 0.0 and abs(sum(shares) - 1.0) < 1e-6):
            raise ValueError(f"the opinions' shares {shares} are not positive numbers that add up to 1")


@dataclass(frozen=True)
class Wearer:
    """The ears and the face of the person who wears the earphones."""

    mechanics: Mechanics
    readout: Readout
    recurrent: tuple[Recurrent, ...]
    """One or more, which differ by the chance in their training."""
    face: PersonalFace
    shares: Shares
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
            # Half precision as the network's own.
            "recurrent": [{name: value.half() for name, value in one.state_dict().items()} for one in self.recurrent],
            "shares": asdict(self.shares),
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
        profile = None if content["profile"] is None else EarProfile.from_dict(content["profile"])
        mechanics, readout = Mechanics.from_dict(of("mechanics.")), Readout.from_dict(of("readout."))
        recurrent, shares = tuple(map(Recurrent.from_state, content["recurrent"])), Shares(**content["shares"])
        if not recurrent:
            raise ValueError("there is no recurrent network")
        return cls(mechanics, readout, recurrent, PersonalFace(neutral, deltas), shares, profile)
