"""How one ear answers a face: action weights in, small rotations and shifts of the bud out.

Whose ear it is makes no difference here: people are drawn in ``participant`` (anatomy) and ``arbitrary`` (none).
Axes are those of the head (REP-103): x forward, y left, z up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from imuface_core.arkit import BLENDSHAPES, INDEX
from numpy.typing import NDArray

from imuface_simulation.habits import HABITS

MIRROR_ROTATION = np.array([-1.0, 1.0, -1.0])  # a rotation vector is axial: mirrored in the x-z plane
MIRROR_TRANSLATION = np.array([1.0, -1.0, 1.0])
COLUMNS = {**INDEX, **{name: len(BLENDSHAPES) + i for i, name in enumerate(HABITS)}}
"""Column of each movement in the shares: 52 actions of the face, then those that no face shows."""
_JAW_OPEN = INDEX["jawOpen"]


@dataclass(frozen=True)
class EarMechanics:
    """One ear of one person. ``T`` tissues; a tissue is whatever moves as one."""

    shares: NDArray[np.float64]  # (T, 52 + 2) weight of each movement in a tissue's activation, see COLUMNS
    rotation: NDArray[np.float64]  # (T, 3) rad, rotation vector at full activation, head axes
    translation: NDArray[np.float64]  # (T, 3) m, shift at full activation, head axes
    onset: NDArray[np.float64]  # (T,) drive below which a tissue stays where it is; 0 for none
    curvature: NDArray[np.float64]  # (T,) not 0: how early a tissue's motion saturates; negative: it accelerates
    tension: NDArray[np.float64]  # (T,) relative change of a tissue's motion when the jaw is open
    lag: NDArray[np.float64]  # (T,) s, time constant of the immediate response
    creep: NDArray[np.float64]  # (T,) share of the motion that creeps
    creep_time: float  # s, time constant of the creep
    limit: float  # rad, the canal lets the bud turn no further
    friction: float  # share of the turn that passes through the friction of the ear tip
    play: float  # rad, turn that the friction holds back

    def activation(
        self, weights: NDArray[np.floating], habits: NDArray[np.floating] | None = None
    ) -> NDArray[np.float64]:
        """Static tissue activations (N, T), about 0..1, for weights (N, 52) and habits (N, 2), none by default."""
        faces = len(BLENDSHAPES)
        drive: NDArray[np.float64] = weights.astype(np.float64) @ self.shares[:, :faces].T
        if habits is not None:
            drive += habits @ self.shares[:, faces:].T
        late = np.flatnonzero(self.onset)
        beyond = np.clip((drive[:, late] - self.onset[late]) / (1.0 - self.onset[late]), 0.0, 1.0)
        drive[:, late] = beyond * beyond * (3.0 - 2.0 * beyond)
        active = np.expm1(-self.curvature * drive) / np.expm1(-self.curvature)
        return active * (1.0 + weights[:, _JAW_OPEN, None] * self.tension)


class EarMotion:
    """The bud of one ear over time: carries the state of tissues and friction from one block to the next."""

    def __init__(self, mechanics: EarMechanics, rate: float) -> None:
        """``rate`` in Hz, of the weights to come."""
        self._mechanics = mechanics
        self._lag_poles = np.exp(-1.0 / (rate * mechanics.lag))
        self._creep_pole = math.exp(-1.0 / (rate * mechanics.creep_time))
        self._memory: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None  # (T, 1) each, of the low-passes
        self._held: tuple[float, float, float] | None = None  # rad, where the friction holds the bud

    def move(
        self, weights: NDArray[np.floating], habits: NDArray[np.floating] | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Rotation vectors (N, 3) in rad and shifts (N, 3) in m, head axes, for consecutive (N, 52) and (N, 2).

        Each tissue is a standard linear solid: part of the motion follows with a short lag, part creeps. It has been
        at rest in the first face.
        """
        from scipy.signal import lfilter  # here: it takes a second, and not every process simulates

        mechanics = self._mechanics
        activation = np.ascontiguousarray(mechanics.activation(weights, habits).T)
        if self._memory is None:
            self._memory = self._lag_poles[:, None] * activation[:, :1], self._creep_pole * activation[:, :1]
        lagging, creeping = self._memory
        immediate = np.empty_like(activation)
        for i, pole in enumerate(self._lag_poles):
            immediate[i], lagging[i] = lfilter([1.0 - pole], [1.0, -pole], activation[i], zi=lagging[i])
        pole = self._creep_pole
        crept, creeping[:] = lfilter([1.0 - pole], [1.0, -pole], activation, axis=1, zi=creeping)
        moved = (immediate + mechanics.creep[:, None] * (crept - immediate)).T
        rotation = moved @ mechanics.rotation
        ratio = np.maximum(np.linalg.norm(rotation, axis=1, keepdims=True) / mechanics.limit, 1e-9)
        return self._rub(rotation * (np.tanh(ratio) / ratio)), moved @ mechanics.translation

    def _rub(self, turn: NDArray[np.float64]) -> NDArray[np.float64]:
        """``turn`` (N, 3) after the ear tip's friction: a play operator (the bud is dragged along once the canal is
        ``play`` ahead of it, whatever the speed) beside an elastic share that follows at once."""
        play = self._mechanics.play
        x, y, z = self._held or (float(turn[0, 0]), float(turn[0, 1]), float(turn[0, 2]))
        dragged: list[float] = []
        for to_x, to_y, to_z in zip(*turn.T.tolist(), strict=True):
            dx, dy, dz = to_x - x, to_y - y, to_z - z
            ahead = math.sqrt(dx * dx + dy * dy + dz * dz)
            if ahead > play:
                pull = 1.0 - play / ahead
                x, y, z = x + pull * dx, y + pull * dy, z + pull * dz
            dragged += x, y, z
        self._held = x, y, z
        return turn + self._mechanics.friction * (np.array(dragged).reshape(-1, 3) - turn)
