"""How one person's face moves the earbuds: facial action weights in, small rotations and shifts of each bud out.

The structure (which tissues move the ear, and roughly where to) is common to all people; sizes, directions, curves and
lags are drawn for each person. Sources and guesses are told apart in ``docs/simulation.md``.

Axes are those of the head (REP-103): x forward, y left, z up. Numbers are given for the left ear; the right one is its
mirror image.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter
from scipy.spatial.transform import Rotation

from imuface_driver.arkit import BLENDSHAPES, INDEX
from imuface_driver.protocol import EARS, Ear

MIRROR_ROTATION = np.array([-1.0, 1.0, -1.0])  # a rotation vector is axial: mirrored in the x-z plane
MIRROR_TRANSLATION = np.array([1.0, -1.0, 1.0])
CROSS_TALK = 0.08  # share of a one-sided action that reaches the other ear through skin and skull


class _Tissue(NamedTuple):
    """A group of tissues that moves as one, and what it does to the bud of a median person at full activation."""

    rotation: tuple[float, float, float]  # degrees about x, y, z
    translation: tuple[float, float, float]  # mm along x, y, z
    bony: bool  # moved by the joint, hence nearly without lag
    actions: dict[str, float]  # share of each ARKit action: bare names are sided; "@" own side, "!" other side


# Median amplitudes. See docs/simulation.md for what is measured and what is a guess.
_TISSUES: dict[str, _Tissue] = {
    "condyle hinge": _Tissue((0.25, 0.55, 0.15), (0.05, -0.08, -0.12), True, {"jawOpen": 1.0, "tongueOut": 0.06}),
    "condyle glide": _Tissue((-0.30, 0.20, 0.65), (0.25, -0.10, -0.15), True, {"jawOpen": 1.0}),
    "condyle away": _Tissue((-0.20, 0.10, 0.55), (0.20, -0.08, -0.03), True, {"jaw!": 1.0}),
    "condyle toward": _Tissue((0.30, -0.12, -0.25), (0.00, 0.10, 0.02), True, {"jaw@": 1.0}),
    "condyle forward": _Tissue((-0.08, 0.40, 0.45), (0.22, -0.03, -0.08), True, {"jawForward": 1.0}),
    "zygomaticus": _Tissue((0.28, -0.35, 0.22), (-0.08, 0.05, 0.14), False, {"mouthSmile@": 1.0, "mouthDimple@": 0.2}),
    "orbicularis oculi": _Tissue(
        (0.14, -0.10, -0.05), (0.0, 0.0, 0.05), False, {"cheekSquint@": 0.7, "eyeSquint@": 0.4}
    ),
    "levator": _Tissue((0.02, -0.16, 0.09), (0.02, 0.0, 0.04), False, {"noseSneer@": 0.7, "mouthUpperUp@": 0.5}),
    "platysma": _Tissue(
        (-0.22, 0.10, 0.12),
        (0.0, 0.02, -0.10),
        False,
        {"mouthStretch@": 0.6, "mouthLowerDown@": 0.4, "mouthFrown@": 0.5},
    ),
    "orbicularis oris": _Tissue(
        (-0.05, 0.08, -0.18), (0.06, -0.02, 0.0), False, {"mouthPucker": 0.8, "mouthFunnel": 0.5}
    ),
    "buccinator": _Tissue(
        (0.10, 0.12, -0.08),
        (-0.04, 0.02, 0.0),
        False,
        {
            "mouthPress@": 0.6, "mouthDimple@": 0.7, "mouthRollLower": 0.3, "mouthRollUpper": 0.3,
            "mouthShrugLower": 0.3, "mouthShrugUpper": 0.2, "mouthClose": 0.2,
        },
    ),
    "cheek slack": _Tissue((0.06, 0.02, 0.18), (-0.05, 0.02, 0.0), False, {"mouth@": 1.0}),
    "cheek pull": _Tissue((-0.08, 0.05, -0.22), (0.08, -0.03, 0.0), False, {"mouth!": 1.0}),
    "cheek puff": _Tissue((0.08, -0.03, -0.22), (0.0, 0.10, 0.0), False, {"cheekPuff": 1.0}),
    "epicranius": _Tissue((0.20, -0.25, -0.10), (-0.04, 0.0, 0.12), False, {"browOuterUp@": 0.6, "browInnerUp": 0.4}),
    "corrugator": _Tissue((-0.03, 0.11, 0.05), (0.02, 0.0, -0.02), False, {"browDown@": 1.0}),
    "lids": _Tissue((0.012, -0.018, 0.006), (0.0, 0.0, 0.005), False, {"eyeBlink@": 1.0, "eyeWide@": 0.8}),
}  # fmt: skip
_NAMES = tuple(_TISSUES)
_HINGE, _GLIDE = _NAMES.index("condyle hinge"), _NAMES.index("condyle glide")
_BONY = np.array([tissue.bony for tissue in _TISSUES.values()])


def _shares(ear: Ear) -> NDArray[np.float64]:
    """(tissues, 52) shares of the actions in each tissue of one ear, cross-talk included."""
    own, other = ("Left", "Right") if ear == "left" else ("Right", "Left")
    shares = np.zeros((len(_TISSUES), len(BLENDSHAPES)))
    for row, tissue in zip(shares, _TISSUES.values(), strict=True):
        for action, share in tissue.actions.items():
            stem = action.rstrip("@!")
            # A jaw or mouth that moves away from one ear moves towards the other: those are modelled, not cross-talk.
            cross_talk = CROSS_TALK if action.endswith("@") and stem not in ("jaw", "mouth") else 0.0
            if action.endswith("@"):
                row[INDEX[stem + own]] += share
                row[INDEX[stem + other]] += share * cross_talk
            elif action.endswith("!"):
                row[INDEX[stem + other]] += share
            else:
                row[INDEX[stem]] += share
    return shares


@dataclass(frozen=True)
class EarMechanics:
    """One ear of one person. ``T`` tissues."""

    shares: NDArray[np.float64]  # (T, 52) weight of each action in a tissue's activation
    rotation: NDArray[np.float64]  # (T, 3) rad, rotation vector at full activation, head axes
    translation: NDArray[np.float64]  # (T, 3) m, shift at full activation, head axes
    curvature: NDArray[np.float64]  # (T,) > 0: how early a tissue's motion saturates
    glide_onset: float  # jaw opening at which the condyle begins to glide
    jaw_tension: float  # relative change of the soft tissues' motion when the jaw is open
    lag_bony: float  # s, time constant of the immediate response of what the joint moves
    lag_soft: float  # s, and of muscle and skin
    lag_creep: float  # s, time constant of the creep
    creep: NDArray[np.float64]  # (T,) share of the motion that creeps
    limit: float  # rad, the canal lets the bud turn no further

    def activation(self, weights: NDArray[np.floating]) -> NDArray[np.float64]:
        """Static tissue activations (N, T), about 0..1, for weights (N, 52)."""
        drive = (weights @ self.shares.T).astype(np.float64)
        onset = np.clip((drive[:, _GLIDE] - self.glide_onset) / (1.0 - self.glide_onset), 0.0, 1.0)
        drive[:, _GLIDE] = onset * onset * (3.0 - 2.0 * onset)
        active = -np.expm1(-self.curvature * drive) / -np.expm1(-self.curvature)
        active[:, ~_BONY] *= 1.0 + self.jaw_tension * active[:, _HINGE, None]
        return active


class EarMotion:
    """The bud of one ear over time: carries the state of the viscoelastic tissues from one block to the next."""

    def __init__(self, mechanics: EarMechanics, rate: float) -> None:
        """``rate`` in Hz, of the weights to come."""
        self._mechanics = mechanics
        lags = np.array([mechanics.lag_bony, mechanics.lag_soft, mechanics.lag_creep])
        self._poles = np.exp(-1.0 / (rate * lags))
        self._memory: NDArray[np.float64] | None = None  # (3, 1, T), of the three low-passes

    def move(self, weights: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Rotation vectors (N, 3) in rad and shifts (N, 3) in m, head axes, for consecutive weights (N, 52).

        Each tissue is a standard linear solid: part of the motion follows with a short lag, part creeps. It has been
        at rest in the first face.
        """
        mechanics = self._mechanics
        activation = mechanics.activation(weights)
        if self._memory is None:
            self._memory = self._poles[:, None, None] * activation[:1]
        followed = []
        for pole, memory in zip(self._poles, self._memory, strict=True):
            output, memory[:] = lfilter([1.0 - pole], [1.0, -pole], activation, axis=0, zi=memory)
            followed.append(output)
        bony, soft, crept = followed
        immediate = np.where(_BONY, bony, soft)
        moved = immediate + mechanics.creep * (crept - immediate)
        rotation = moved @ mechanics.rotation
        ratio = np.maximum(np.linalg.norm(rotation, axis=1, keepdims=True) / mechanics.limit, 1e-9)
        return rotation * (np.tanh(ratio) / ratio), moved @ mechanics.translation


@dataclass(frozen=True)
class Participant:
    """The ears of one simulated person."""

    left: EarMechanics
    right: EarMechanics

    @classmethod
    def random(cls, seed: int) -> Participant:
        """A person drawn at random: the same seed is the same person."""
        rng = np.random.default_rng([seed, 0x65617273])
        tissues = len(_TISSUES)
        # Differences between people, shared by both ears of one person.
        size = np.exp(rng.normal(0.0, 0.35)) * np.exp(rng.normal(0.0, 0.45, tissues))
        turn = Rotation.from_rotvec(rng.normal(0.0, np.radians(14.0), (tissues, 3)))
        drift = Rotation.from_rotvec(rng.normal(0.0, np.radians(22.0), (tissues, 3)))
        habit = np.exp(rng.normal(0.0, 0.25, (tissues, len(BLENDSHAPES))))
        curvature = rng.uniform(0.3, 1.8, tissues)
        curvature[_HINGE] = rng.uniform(1.5, 3.5)
        softness = rng.uniform(0.7, 1.4)
        creep_time = rng.uniform(0.2, 0.7)
        creep = np.where(_BONY, 0.08, 0.22) * rng.uniform(0.5, 1.4, tissues)
        onset = rng.uniform(0.2, 0.45)
        tension = rng.uniform(-0.35, 0.1)
        ears: dict[str, EarMechanics] = {}
        for ear in EARS:
            # Differences between the ears of one person: fit of the bud and shape of the canal.
            gain = size * np.exp(rng.normal(0.0, 0.15)) * np.exp(rng.normal(0.0, 0.15, tissues))
            own_turn = Rotation.from_rotvec(rng.normal(0.0, np.radians(7.0), (tissues, 3)))
            rotation = (own_turn * turn).apply(np.radians([tissue.rotation for tissue in _TISSUES.values()]))
            translation = (own_turn * drift).apply([np.divide(t.translation, 1e3) for t in _TISSUES.values()])
            mirrored = ear == "right"
            ears[ear] = EarMechanics(
                shares=_shares(ear) * habit,
                rotation=rotation * gain[:, None] * (MIRROR_ROTATION if mirrored else 1.0),
                translation=translation * gain[:, None] * (MIRROR_TRANSLATION if mirrored else 1.0),
                curvature=curvature,
                glide_onset=onset,
                jaw_tension=tension,
                lag_bony=0.012 * softness,
                lag_soft=0.035 * softness,
                lag_creep=creep_time,
                creep=creep,
                limit=np.radians(rng.uniform(2.5, 4.0)),
            )
        return cls(**ears)
