"""How the head moves while the face does: posture sway, breath, pulse, gestures and gait, as functions of time.

World axes are x forward, y left, z up (REP-103). Every term is a smooth function of time alone, so that any stretch
of a session can be computed by itself. Amplitudes are explained in ``docs/simulation.md``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from os import PathLike

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from imuface_simulation.expressions import minimum_jerk
from imuface_simulation.recorded_motion import looped, read_orientations

Term = Callable[[NDArray[np.float64]], NDArray[np.float64]]  # times (N,) -> (N, 6): rotation vector rad, position m

BOUT = 6.0  # s, at most one bout of nodding or shaking in each
STANDING = 5.0  # s before a walk: a participant stands still for the calibration
SETTING_OFF = 1.5  # s until the full gait


@dataclass(frozen=True)
class HeadMotion:
    """Motion of one head in one session."""

    terms: tuple[Term, ...]
    gestures: Term
    """What comes on top while the person speaks."""
    course: Callable[[NDArray[np.float64]], Rotation] | None = None
    """Large rotation, head to world, about which the terms are small; none for a head that stays upright."""

    @classmethod
    def random(cls, activity: str, rng: np.random.Generator) -> HeadMotion:
        """A head that is "still" (seated), "nodding", "talking" or "walking". ``ValueError`` for another activity."""
        if activity not in _ACTIVITIES:
            raise ValueError(f"activity is '{activity}', must be one of {', '.join(ACTIVITIES)}")
        terms = (_breath(rng), _pulse(rng), *(make(rng) for make in _ACTIVITIES[activity]))
        return cls(terms, _gestures(rng, rng.uniform(0.2, 1.0)))

    @classmethod
    def recorded(cls, path: str | PathLike[str], rng: np.random.Generator) -> HeadMotion:
        """A seated head that also turns as in a recording of orientations, forth and back without end.

        Where it begins, its speed (0.8 to 1.2) and its heading are random. Raises ``OSError`` when the file cannot be
        read and ``ValueError`` when it is no such recording, see :mod:`~imuface_simulation.recorded_motion`.
        """
        course, period = looped(read_orientations(path))
        start, speed = rng.uniform(0.0, period), rng.uniform(0.8, 1.2)
        # Turned axes, not only a turned start: a nod may become a tilt to the side.
        heading = Rotation.from_rotvec([0.0, 0.0, rng.uniform(0.0, 2.0 * np.pi)])
        still = cls.random("still", rng)
        return cls(still.terms, still.gestures, lambda times: heading * course(start + speed * times) * heading.inv())

    def at(
        self, times: NDArray[np.float64], speaking: NDArray[np.floating] | None = None
    ) -> tuple[Rotation, NDArray[np.float64]]:
        """Rotations (N), head to world, and positions (N, 3) in m at ``times`` (N,) in seconds.

        ``speaking`` (N, 1), 0..1: how much the person speaks, for heads that gesture only then.
        """
        motion = self.terms[0](times)
        for term in self.terms[1:]:
            motion += term(times)
        if speaking is not None:
            motion += speaking * self.gestures(times)
        rotation = Rotation.from_rotvec(motion[:, :3])
        return rotation if self.course is None else self.course(times) * rotation, motion[:, 3:]


def _sway(rng: np.random.Generator, degrees: float, millimetres: float, lowest: float, highest: float) -> Term:
    """Sum of sinusoids whose amplitude falls with frequency: RMS ``degrees`` and ``millimetres`` on each axis."""
    count = 9
    edges = np.geomspace(lowest, highest, count + 1)
    frequency = rng.uniform(edges[:-1], edges[1:], (6, count))
    phase = rng.uniform(0.0, 2.0 * np.pi, (6, count))
    amplitude = np.exp(rng.normal(0.0, 0.3, (6, count))) / frequency
    amplitude *= math.sqrt(2.0) / np.linalg.norm(amplitude, axis=1, keepdims=True)
    amplitude *= np.array([math.radians(degrees)] * 3 + [millimetres * 1e-3] * 3)[:, None]

    def sway(times: NDArray[np.float64]) -> NDArray[np.float64]:
        motion = np.empty((len(times), 6))
        for axis in range(6):
            angle = 2.0 * np.pi * frequency[axis, :, None] * times + phase[axis, :, None]
            motion[:, axis] = amplitude[axis] @ np.sin(angle)
        return motion

    return sway


def _gestures(rng: np.random.Generator, size: float) -> Term:
    """The head's part in speech, up to 3 Hz."""
    return _sway(rng, 1.2 * size, 3.0 * size, 0.2, 3.0)


def _breath(rng: np.random.Generator) -> Term:
    frequency, phase = rng.uniform(0.2, 0.33), rng.uniform(0.0, 2.0 * np.pi)
    direction = np.array([0.0, np.radians(0.15), 0.0, 0.3e-3, 0.0, 1.0e-3]) * rng.uniform(0.5, 1.5)

    def breath(times: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.sin(2.0 * np.pi * frequency * times + phase)[:, None] * direction

    return breath


def _pulse(rng: np.random.Generator) -> Term:
    """Ballistocardiogram: a short vertical wave of a few mg at every heart beat."""
    rate, wander = rng.uniform(0.9, 1.4), rng.uniform(0.0, 2.0 * np.pi)
    direction = np.array([0.0, np.radians(0.004), 0.0, 8e-6, 0.0, 25e-6]) * rng.uniform(0.6, 1.6)

    def pulse(times: NDArray[np.float64]) -> NDArray[np.float64]:
        phase = 2.0 * np.pi * rate * times + 0.4 * np.sin(0.6 * times + wander)
        return (np.exp(4.0 * (np.cos(phase) - 1.0)) * np.sin(5.0 * phase))[:, None] * direction

    return pulse


def _bouts(rng: np.random.Generator) -> Term:
    """Nods, sometimes head shakes, in bouts of one to three seconds."""
    key = int(rng.integers(1 << 32))

    def bouts(times: NDArray[np.float64]) -> NDArray[np.float64]:
        motion = np.zeros((len(times), 6))
        segment = np.floor(times / BOUT).astype(np.int64)
        for index in np.unique(segment):
            own = np.random.default_rng([key, int(index) & 0xFFFFFFFF])
            chance, length = own.random(), own.uniform(1.0, 3.0)
            start = index * BOUT + own.uniform(0.0, BOUT - length)
            frequency, degrees = own.uniform(0.8, 2.0), own.uniform(2.0, 8.0)
            axis = 1 if chance < 0.55 else 2
            if chance > 0.8:
                continue
            at = np.flatnonzero(segment == index)
            x = np.clip((times[at] - start) / length, 0.0, 1.0)
            # sin⁴ is at rest, with no acceleration, at both ends.
            envelope = math.radians(degrees) * np.sin(np.pi * x) ** 4
            motion[at, axis] = envelope * np.sin(2.0 * np.pi * frequency * x * length)
        return motion

    return bouts


def _gait(rng: np.random.Generator) -> Term:
    """Walking, after STANDING: twice per stride up and down, once from side to side, an impact at each heel strike."""
    step = rng.uniform(1.6, 2.1)  # Hz
    size = rng.uniform(0.7, 1.2)
    wander, shift = rng.uniform(0.0, 2.0 * np.pi, 2)
    lean = rng.uniform(0.0, 2.0 * np.pi, 3)

    def gait(times: NDArray[np.float64]) -> NDArray[np.float64]:
        phase = 2.0 * np.pi * step * times + 0.5 * np.sin(0.25 * times + wander)
        effort = size * minimum_jerk((times - STANDING) / SETTING_OFF) * (1.0 + 0.12 * np.sin(0.37 * times + shift))
        strike = np.exp(40.0 * (np.cos(phase) - 1.0))
        motion = np.stack(
            [
                np.radians(0.7) * np.sin(phase / 2.0 + lean[0]),
                np.radians(1.0) * np.sin(phase + lean[1]) + np.radians(0.05) * strike,
                np.radians(0.9) * np.sin(phase / 2.0 + lean[2]),
                6e-3 * np.sin(phase + 1.0) - 0.2e-3 * strike,
                15e-3 * np.sin(phase / 2.0),
                18e-3 * np.sin(phase - 1.6) - 0.6e-3 * strike,
            ],
            axis=1,
        )
        return motion * effort[:, None]

    return gait


_ACTIVITIES: dict[str, tuple[Callable[[np.random.Generator], Term], ...]] = {
    "still": (lambda rng: _sway(rng, 0.5, 2.0, 0.03, 1.2),),
    "nodding": (lambda rng: _sway(rng, 0.7, 3.0, 0.03, 1.2), _bouts),
    "talking": (lambda rng: _sway(rng, 0.7, 3.0, 0.03, 1.2), lambda rng: _gestures(rng, 1.0)),
    "walking": (lambda rng: _sway(rng, 1.5, 5.0, 0.03, 1.0), _gait),
}
ACTIVITIES = tuple(_ACTIVITIES)
