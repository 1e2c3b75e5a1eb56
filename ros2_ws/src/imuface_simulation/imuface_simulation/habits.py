"""What moves the ear while the face stays as it is: swallowing and clenching the teeth, now and then.

How often and how long are guesses (``docs/simulation.md``).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from imuface_simulation.expressions import minimum_jerk

HABITS = ("swallow", "clench")
QUIET = 5.0  # s at the beginning without them: a participant holds still for the calibration
_SEGMENT = 10.0  # s, at most one of each in it
_MOST_PER_MINUTE = (2.0, 1.5)
_LENGTH = ((0.6, 1.2), (1.0, 4.0))  # s
_RISE = (0.5, 0.25)  # share of the length: a swallow is a hump, a clench has a plateau


class Habits:
    """The swallows and clenches of one session, as a function of time alone."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._key = int(rng.integers(1 << 32))
        self._chance = rng.uniform(0.0, 1.0, len(HABITS)) * _MOST_PER_MINUTE * (_SEGMENT / 60.0)

    def at(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """Activation (N, 2), 0..1, of each of HABITS at ``times`` (N,) in seconds since the session began."""
        active = np.zeros((len(times), len(HABITS)))
        segment = np.floor((times - QUIET) / _SEGMENT).astype(np.int64)
        for index in np.unique(segment[segment >= 0]):
            rng = np.random.default_rng([self._key, int(index)])
            inside = np.flatnonzero(segment == index)
            for habit, chance in enumerate(self._chance):
                luck, strength, length = rng.random(), rng.uniform(0.4, 1.0), rng.uniform(*_LENGTH[habit])
                start = QUIET + index * _SEGMENT + rng.uniform(0.0, _SEGMENT - length)
                if luck < chance:
                    x = np.clip((times[inside] - start) / length, 0.0, 1.0)
                    ramp = np.minimum(x, 1.0 - x) / _RISE[habit]
                    active[inside, habit] = strength * minimum_jerk(ramp)
        return active
