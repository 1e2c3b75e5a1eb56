"""The Kalman filter of :mod:`face_recon_node.tracking.mechanics`, frame by frame or over a whole stretch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from face_recon_node.tracking.mechanics import (
    EARS_SEEN,
    LATENTS,
    OFFSET_LEAK,
    READING_LAGS,
    SCALE,
    STATES,
    STEPS,
    Mechanics,
)

UNREST_FRAMES = 180
"""6 s: memory of how unpredictable the readings are."""
MAX_SURPRISE = 50.0
LIMIT = 2000.0
"""Times the typical facial motion: no earphone's sensor reaches further."""


class Tracker:
    """Estimates the face from calibrated readings through the mechanics of a person's ears; carries its state.

    While an ear is missing, the system of the other one goes on with the same face; without any, the face relaxes
    towards the person's mean. It also does while the readings of the last seconds are less predictable than those that
    the mechanics were learned from: on a head that walks, the noise grows and the gain falls.
    """

    def __init__(self, mechanics: Mechanics) -> None:
        self._mechanics = mechanics
        self._face = np.zeros(STATES)
        self._unrest = 1.0
        self._seen = ""
        self._start("")

    def _start(self, seen: str) -> None:
        self._seen = seen
        self._count = 0
        self._offsets = np.zeros(len(EARS_SEEN.get(seen, ())))
        self._past: NDArray[np.float64] | None = None

    def push(
        self, readings: NDArray[np.floating], present: NDArray[np.bool_]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Weights (n, 52), not limited to 0..1, and their standard deviations (n, 52) for the next n frames.

        Args:
            readings: (n, 12) calibrated readings, m/s² and rad/s, 0 where absent.
            present: (n, 2) whether the left and the right ear have a reading.
        """
        mechanics = self._mechanics
        limit = LIMIT * SCALE
        scaled = np.clip(readings.reshape(len(readings), 12), -limit, limit) / SCALE
        latents = np.empty((len(readings), LATENTS))
        deviations = np.empty((len(readings), mechanics.mean.size), np.float32)
        for row, (left, right) in enumerate(present):
            seen = "both" if left and right else "left" if left else "right" if right else ""
            if seen != self._seen:
                self._start(seen)
            if seen:
                channels = EARS_SEEN[seen]
                self._step(scaled[row, channels.start : channels.stop])
                known = mechanics.systems[seen].weights_std
                lost = 1.0 - 1.0 / max(1.0, self._unrest)
                deviations[row] = (1.0 - lost) * known + lost * np.maximum(known, mechanics.weights_std)
            else:
                self._face = self._next_face()
                deviations[row] = mechanics.weights_std
            latents[row] = self._face[:LATENTS]
        return (mechanics.mean + latents @ mechanics.decode).astype(np.float32), deviations

    def _step(self, reading: NDArray[np.float64]) -> None:
        system = self._mechanics.systems[self._seen]
        if self._past is None:
            self._past = np.tile(reading, READING_LAGS)
        self._face, self._offsets = self._next_face(), OFFSET_LEAK * self._offsets
        state = np.concatenate((self._face, self._offsets))
        innovation = reading - system.past @ self._past - system.constant - system.observed @ state
        stage = np.searchsorted(STEPS, self._count, side="right") - 1
        surprise = float(innovation @ system.precision[stage] @ innovation) / len(reading)
        noise = system.noise * max(1.0, self._unrest)
        state += system.shared[stage] @ np.linalg.solve(system.spread[stage] + noise, innovation)
        self._unrest += (min(surprise, MAX_SURPRISE) - self._unrest) / UNREST_FRAMES
        self._face, self._offsets = state[:STATES], state[STATES:]
        self._past = np.concatenate((reading, self._past[: -len(reading)]))
        self._count = min(self._count + 1, STEPS[-1])

    def _next_face(self) -> NDArray[np.float64]:
        motion = self._mechanics.motion
        return np.concatenate((motion @ self._face[: motion.shape[1]], self._face[:-LATENTS]))
