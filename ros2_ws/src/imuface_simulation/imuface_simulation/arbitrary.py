"""Ears without anatomy: each facial action moves each bud anyhow.

For learning from ears that share nothing but the rules of :class:`EarMechanics`, and for testing on ears of another
make than those a model was trained on. Only that gaze is not felt, and that the ears are partly mirror images, is kept.
"""

from __future__ import annotations

import re

import numpy as np
from imuface_core.earphone import Ear
from numpy.typing import NDArray

from imuface_simulation.mechanics import COLUMNS, MIRROR_ROTATION, MIRROR_TRANSLATION, EarMechanics

_ACTIONS = tuple(name for name in COLUMNS if not name.startswith("eyeLook"))
_OTHER_SIDE = np.array([name.endswith("Right") for name in _ACTIONS])  # of the left ear
_SWAP = {"Left": "Right", "Right": "Left"}
_TWIN = [_ACTIONS.index(re.sub("Left$|Right$", lambda side: _SWAP[side[0]], name)) for name in _ACTIONS]
"""Index of each action's mirror image."""
_MEDIAN_TURN = np.radians(0.25)
_FAINT, _FAINTER = 0.4, 0.1  # share of actions that are nearly invisible, and by how much
_SHIFT_PER_TURN = 0.02  # m/rad: as if the bud turned about a point 2 cm away


def arbitrary_ears(seed: int) -> dict[Ear, EarMechanics]:
    """Both ears; the same seed gives the same pair."""
    rng = np.random.default_rng([seed, 0x616E79])
    count = len(_ACTIONS)
    shares = np.zeros((count, len(COLUMNS)))
    shares[np.arange(count), [COLUMNS[name] for name in _ACTIONS]] = 1.0
    amount = _MEDIAN_TURN * np.exp(rng.normal(0.0, 0.35) + rng.normal(0.0, 0.6, count))
    amount[rng.random(count) < _FAINT] *= _FAINTER
    # What an action does to the right ear is in part what its mirror image does to the left one.
    symmetry = rng.uniform(0.2, 0.95)
    turn, shift = _left_ear(rng, amount)
    other_turn, other_shift = _left_ear(rng, amount)
    mixed_turn, mixed_shift = (
        symmetry * left + np.sqrt(1.0 - symmetry**2) * other
        for left, other in ((turn, other_turn), (shift, other_shift))
    )
    onset = np.where(rng.random(count) < 0.15, rng.uniform(0.1, 0.4, count), 0.0)
    curvature = rng.choice([-1.0, 1.0], count, p=[0.4, 0.6]) * rng.uniform(0.2, 2.5, count)
    tension = np.where(rng.random(count) < 0.5, rng.uniform(-0.4, 0.4), 0.0)
    lag = np.exp(rng.uniform(np.log(0.008), np.log(0.12), count))
    creep, creep_time = rng.uniform(0.0, 0.4, count), rng.uniform(0.2, 1.0)
    friction, play = rng.uniform(0.0, 0.7), np.radians(0.03) * np.exp(rng.normal(0.0, 0.5))

    def ear(rotation: NDArray[np.float64], translation: NDArray[np.float64], order: list[int]) -> EarMechanics:
        return EarMechanics(
            shares=shares,
            rotation=rotation,
            translation=translation,
            onset=onset[order],
            curvature=curvature[order],
            tension=tension[order],
            lag=lag[order],
            creep=creep[order],
            creep_time=creep_time,
            limit=np.radians(rng.uniform(2.5, 5.0)),
            friction=friction,
            play=play,
        )

    return {
        "left": ear(turn, shift, list(range(count))),
        "right": ear(mixed_turn[_TWIN] * MIRROR_ROTATION, mixed_shift[_TWIN] * MIRROR_TRANSLATION, _TWIN),
    }


def _left_ear(rng: np.random.Generator, amount: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rotations in rad and shifts in m (actions, 3) in random directions; the other side's actions reach it in part."""
    count = len(amount)
    felt = amount * np.exp(rng.normal(0.0, 0.3, count)) * np.where(_OTHER_SIDE, rng.uniform(0.0, 1.0, count), 1.0)
    directions = rng.normal(0.0, 1.0, (2, count, 3))
    directions /= np.linalg.norm(directions, axis=2, keepdims=True)
    moved = _SHIFT_PER_TURN * felt * np.exp(rng.normal(0.0, 0.5, count))
    return felt[:, None] * directions[0], moved[:, None] * directions[1]
