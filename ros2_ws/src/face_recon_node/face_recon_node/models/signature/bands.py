"""Calibrated readings in bands of time, and what a face makes of the same bands.

An action turns the bud while it begins and ends (the gyroscopes), tilts it against gravity while it lasts (the
accelerometers, slowly) and pushes it (the accelerometers, quickly). Each band is a causal linear filter of the
readings; the same filter of the ARKit weights is what a unit of each action contributes to it. All filters are
recursive, so memory costs nothing, and a stream and a whole segment give the same numbers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from face_recon_node.stream.alignment import RATE

Array = NDArray[np.float64]

TURNS = (0.3, 1.5, 6.0)
"""s: the gyroscopes' leaky integrals forget with these time constants."""
BIAS = 20.0
"""s: what the gyroscopes read for longer is their bias."""
TILTS = ((0.1, 5.0), (0.3, 20.0))
"""s: the accelerometers' bands: what is quicker is a push, what is slower is posture."""
PUSH = 0.1
"""s: what the accelerometers read for a shorter time."""
BANDS = ("rate", *(f"turn {seconds:g} s" for seconds in TURNS), *(f"tilt {slow:g} s" for _, slow in TILTS), "push")
AXES = 6
"""Of each band: x, y, z of the left and of the right ear."""
CHANNELS = len(BANDS) * AXES
GYROSCOPES, ACCELEROMETERS = [3, 4, 5, 9, 10, 11], [0, 1, 2, 6, 7, 8]
DELAY = np.array([0.0, 0.5, 0.5])
"""The readings follow the face by a frame and a half: the grid's period, the sensor's filter and the tissue's lag."""

_DIRECT = np.array([1.0])
"""Denominator of a filter without recursion."""


class _Filter:
    """A recursive filter along the first axis that goes on from call to call.

    The coefficients are padded to one length, because scipy filters without recursion column by column otherwise.
    """

    def __init__(self, numerator: Array, denominator: Array) -> None:
        order = max(len(numerator), len(denominator)) - 1
        self._numerator = np.pad(numerator, (0, order + 1 - len(numerator)))
        self._denominator = np.pad(denominator, (0, order + 1 - len(denominator)))
        self._state: Array | None = None

    def __call__(self, values: Array) -> Array:
        if self._state is None:
            self._state = np.zeros((len(self._numerator), values.shape[1]))
        filtered: Array
        if len(values) == 1:
            # What lfilter does (the transposed direct form), without what it takes to start it: a stream's frames.
            filtered = self._numerator[0] * values + self._state[:1]
            fed, back = self._numerator[1:, None] * values, self._denominator[1:, None] * filtered
            self._state[:-1] = fed + self._state[1:] - back
        else:
            coefficients = self._numerator, self._denominator
            filtered, self._state[:-1] = lfilter(*coefficients, values, axis=0, zi=self._state[:-1])
        return filtered


def _decay(seconds: float) -> float:
    return float(np.exp(-1.0 / (RATE * seconds)))


def _low(seconds: float) -> _Filter:
    return _Filter(np.array([1.0 - _decay(seconds)]), np.array([1.0, -_decay(seconds)]))


def _leaky(seconds: float) -> _Filter:
    return _Filter(np.array([1.0 / RATE]), np.array([1.0, -_decay(seconds)]))


class ReadingBands:
    """Bands of consecutive readings."""

    def __init__(self) -> None:
        self._bias = _low(BIAS)
        self._turns = [_leaky(seconds) for seconds in TURNS]
        self._tilts = [(_low(quick), _low(slow)) for quick, slow in TILTS]
        self._push = _low(PUSH)

    def push(self, readings: NDArray[np.floating]) -> NDArray[np.float32]:
        """(n, bands, 6) of the next calibrated readings (n, 12) in m/s² and rad/s, 0 where absent."""
        exact: Array = readings.astype(np.float64)
        rate, force = exact[:, GYROSCOPES], exact[:, ACCELEROMETERS]
        rate = rate - self._bias(rate)
        bands = [rate, *(turn(rate) for turn in self._turns)]
        bands += [quick(force) - slow(force) for quick, slow in self._tilts]
        bands.append(force - self._push(force))
        return np.stack(bands, axis=1).astype(np.float32)


class FaceBands:
    """What consecutive faces contribute to each band, for a unit of each action's signature."""

    def __init__(self) -> None:
        self._delay = _Filter(DELAY, _DIRECT)
        self._change, self._jerk = (_Filter(np.array([RATE, -RATE]), _DIRECT) for _ in range(2))
        self._bias = _low(BIAS)
        self._turns = [_leaky(seconds) for seconds in TURNS]
        self._tilts = [(_low(quick), _low(slow)) for quick, slow in TILTS]
        self._push = _low(PUSH)

    def push(self, weights: NDArray[np.floating]) -> Array:
        """(n, bands, 52) of the next ARKit weights (n, 52)."""
        late = self._delay(weights.astype(np.float64))
        rate = self._change(late)
        push = self._jerk(rate)
        rate = rate - self._bias(rate)
        bands = [rate, *(turn(rate) for turn in self._turns)]
        bands += [quick(late) - slow(late) for quick, slow in self._tilts]
        bands.append(push - self._push(push))
        return np.stack(bands, axis=1)
