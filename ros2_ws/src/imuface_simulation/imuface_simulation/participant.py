"""Whose ears they are: people drawn at random.

The structure (which tissues move the ear, and roughly where to) is common to all people; sizes, directions, curves,
lags and friction are drawn for each person. Sources and guesses are told apart in ``docs/simulation.md``.

Axes are those of the head (REP-103): x forward, y left, z up. Numbers are given for the left ear; the right one is its
mirror image.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from imuface_core.earphone import EARS, Ear
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from imuface_simulation.arbitrary import arbitrary_ears
from imuface_simulation.mechanics import COLUMNS, MIRROR_ROTATION, MIRROR_TRANSLATION, EarMechanics

CROSS_TALK = 0.08  # share of a one-sided action that reaches the other ear through skin and skull
# Motion of default ears in that of faint ones, chosen such that published facts come out: docs/simulation.md.
STRENGTH = 3.0
LIDS_STRENGTH = 12.0
JOINT_SHIFT = 4.2  # how far the jaw's joint shifts the canal
SCATTER = np.radians(30.0)  # per component, by which each action of a tissue pulls in a direction of its own
EAR_SCATTER = np.radians(10.0)  # the same, between the ears of a person


class _Tissue(NamedTuple):
    """A group of tissues that moves as one, and what it does to the bud of a median person at full activation."""

    rotation: tuple[float, float, float]  # degrees about x, y, z
    translation: tuple[float, float, float]  # mm along x, y, z
    bony: bool  # moved by the joint, hence nearly without lag
    actions: dict[str, float]  # share of each ARKit action or habit: bare names are sided; "@" own side, "!" other side


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
    "pharynx": _Tissue((0.10, 0.18, -0.12), (0.04, -0.05, -0.06), False, {"swallow": 1.0}),
    "masseter": _Tissue((0.18, 0.12, -0.10), (0.05, 0.06, 0.03), False, {"clench": 1.0}),
}  # fmt: skip
_NAMES = tuple(_TISSUES)
_HINGE, _GLIDE = _NAMES.index("condyle hinge"), _NAMES.index("condyle glide")
_LIDS = _NAMES.index("lids")
_BONY = np.array([tissue.bony for tissue in _TISSUES.values()])


def _shares(ear: Ear) -> NDArray[np.float64]:
    """(tissues, 52 + 2) shares of the movements in each tissue of one ear, cross-talk included."""
    own, other = ("Left", "Right") if ear == "left" else ("Right", "Left")
    shares = np.zeros((len(_TISSUES), len(COLUMNS)))
    for row, tissue in zip(shares, _TISSUES.values(), strict=True):
        for action, share in tissue.actions.items():
            stem = action.rstrip("@!")
            # A jaw or mouth that moves away from one ear moves towards the other: those are modelled, not cross-talk.
            cross_talk = CROSS_TALK if action.endswith("@") and stem not in ("jaw", "mouth") else 0.0
            if action.endswith("@"):
                row[COLUMNS[stem + own]] += share
                row[COLUMNS[stem + other]] += share * cross_talk
            elif action.endswith("!"):
                row[COLUMNS[stem + other]] += share
            else:
                row[COLUMNS[stem]] += share
    return shares


_ACTIONS_OF = [(row, stem) for row, tissue in enumerate(_TISSUES.values()) for stem in tissue.actions]
_ROWS = len(_ACTIONS_OF)


def _apart(ear: EarMechanics, turned: Rotation, drifted: Rotation) -> EarMechanics:
    """A stronger ear in which each action of a tissue pulls along a line of its own, turned from the tissue's."""
    rows = [row for row, _ in _ACTIONS_OF]
    strength = np.where(np.array(rows) == _LIDS, LIDS_STRENGTH, STRENGTH)[:, None]
    masks = np.zeros((_ROWS, len(COLUMNS)))
    for mask, (_, action) in zip(masks, _ACTIONS_OF, strict=True):
        stem = action.rstrip("@!")
        mask[[COLUMNS[name] for name in ((stem,) if action == stem else (stem + "Left", stem + "Right"))]] = 1.0
    return replace(
        ear,
        shares=ear.shares[rows] * masks,
        rotation=strength * turned.apply(ear.rotation[rows]),
        translation=np.where(_BONY[rows, None], JOINT_SHIFT, strength) * drifted.apply(ear.translation[rows]),
        onset=ear.onset[rows],
        curvature=ear.curvature[rows],
        tension=ear.tension[rows],
        lag=ear.lag[rows],
        creep=ear.creep[rows],
        limit=STRENGTH * ear.limit,
    )


@dataclass(frozen=True)
class Participant:
    """The ears of one simulated person."""

    left: EarMechanics
    right: EarMechanics

    @classmethod
    def random(cls, seed: int) -> Participant:
        """A person with ordinary anatomy drawn at random: the same seed is the same person.

        The size of the motion and how far actions of one tissue differ are set so that published facts come out
        (``docs/simulation.md``).
        """
        rng = np.random.default_rng([seed, 0x61637473])
        person = cls.faint(seed)
        shared = rng.normal(0.0, SCATTER, (2, _ROWS, 3))
        ears = {}
        for ear in EARS:
            scatter = shared + rng.normal(0.0, EAR_SCATTER, shared.shape)
            if ear == "right":
                scatter *= MIRROR_ROTATION
            ears[ear] = _apart(getattr(person, ear), *(Rotation.from_rotvec(turns) for turns in scatter))
        return cls(**ears)

    @classmethod
    def faint(cls, seed: int) -> Participant:
        """The same person as :meth:`random` with ears that hardly move, and alike by whatever a tissue does.

        A stress level: less than what has been published would need.
        """
        rng = np.random.default_rng([seed, 0x65617273])
        tissues = len(_TISSUES)
        # Differences between people, shared by both ears of one person.
        size = np.exp(rng.normal(0.0, 0.35)) * np.exp(rng.normal(0.0, 0.45, tissues))
        turn = Rotation.from_rotvec(rng.normal(0.0, np.radians(20.0), (tissues, 3)))
        drift = Rotation.from_rotvec(rng.normal(0.0, np.radians(30.0), (tissues, 3)))
        habit = np.exp(rng.normal(0.0, 0.25, (tissues, len(COLUMNS))))
        curvature = rng.uniform(0.3, 1.8, tissues)
        curvature[_HINGE] = rng.uniform(1.5, 3.5)
        softness = rng.uniform(0.7, 1.4)
        creep_time = rng.uniform(0.2, 0.7)
        creep = np.where(_BONY, 0.08, 0.22) * rng.uniform(0.5, 1.4, tissues)
        onset = np.zeros(tissues)
        onset[_GLIDE] = rng.uniform(0.2, 0.45)
        tension = np.where(_BONY, 0.0, rng.uniform(-0.35, 0.1))
        friction, play = rng.uniform(0.3, 0.7), np.radians(0.03) * np.exp(rng.normal(0.0, 0.5))
        # Where the joint lies relative to the canal decides the sign of each component of what the jaw does.
        joint = _signs(rng, 0.3)
        ears: dict[str, EarMechanics] = {}
        for ear in EARS:
            # Differences between the ears of one person: fit of the bud and shape of the canal.
            gain = size * np.exp(rng.normal(0.0, 0.2)) * np.exp(rng.normal(0.0, 0.2, tissues))
            own_turn = Rotation.from_rotvec(rng.normal(0.0, np.radians(10.0), (tissues, 3)))
            own_joint = np.where(_BONY[:, None], joint * _signs(rng, 0.08), 1.0)
            rotation = own_joint * (own_turn * turn).apply(np.radians([t.rotation for t in _TISSUES.values()]))
            translation = own_joint * (own_turn * drift).apply(
                [np.divide(t.translation, 1e3) for t in _TISSUES.values()]
            )
            mirrored = ear == "right"
            ears[ear] = EarMechanics(
                shares=_shares(ear) * habit,
                rotation=rotation * gain[:, None] * (MIRROR_ROTATION if mirrored else 1.0),
                translation=translation * gain[:, None] * (MIRROR_TRANSLATION if mirrored else 1.0),
                onset=onset,
                curvature=curvature,
                tension=tension,
                lag=np.where(_BONY, 0.012, 0.035) * softness,
                creep=creep,
                creep_time=creep_time,
                limit=np.radians(rng.uniform(2.5, 4.0)),
                friction=friction,
                play=play,
            )
        return cls(**ears)

    @classmethod
    def arbitrary(cls, seed: int) -> Participant:
        """Ears without anatomy, see :mod:`~imuface_simulation.arbitrary`: the same seed is the same pair."""
        return cls(**arbitrary_ears(seed))


def _signs(rng: np.random.Generator, opposite: float) -> NDArray[np.float64]:
    """(3,) of 1, or -1 with the probability ``opposite``."""
    return np.where(rng.random(3) < opposite, -1.0, 1.0)


PEOPLE: dict[str, Callable[[int], Participant]] = {
    "anatomical": Participant.random,
    "faint": Participant.faint,
    "arbitrary": Participant.arbitrary,
}
"""Kinds of ears by their names: how a seed becomes a person."""
