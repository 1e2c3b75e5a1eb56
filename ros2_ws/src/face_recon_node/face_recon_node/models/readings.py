"""Calibrated readings as the baselines see them: standardised, and in windows that go on from call to call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, lfilter

from face_recon_node.data.segment import Segment
from face_recon_node.models.fitting import finite_arrays
from face_recon_node.models.model import WEIGHTS, FacePrediction, Person
from face_recon_node.stream.alignment import RATE

CHANNELS = 12
HIGH_PASS_HZ = 0.1
"""For the networks: without it they learn the slow drift of posture by heart, and all of them are worse."""
_CHUNK = 512


@dataclass(frozen=True)
class Standardised:
    """Readings of zero mean and unit variance over the training data.

    Through arcsinh, because a jaw gives peaks of twenty standard deviations, and a walk after training on a chair
    would be extrapolated wildly. An absent ear reads the mean: it says nothing. ``high_pass_hz`` takes away what is
    slower (Butterworth, second order, causal) before; 0 keeps everything.
    """

    mean: NDArray[np.float32]
    """(12,) m/s² and rad/s, of what the high-pass leaves."""
    scale: NDArray[np.float32]
    """(12,) standard deviation of the same."""
    high_pass_hz: float = 0.0

    @classmethod
    def of(cls, people: Sequence[Person], high_pass_hz: float = 0.0) -> Standardised:
        """Take mean and variance over the frames of both ears' presence."""
        segments = [segment for person in people for segment in person.segments]
        readings = np.concatenate([_HighPass(high_pass_hz)(segment.readings) for segment in segments])
        whole = np.concatenate([segment.present.all(axis=1) for segment in segments])
        readings = readings[whole] if whole.any() else readings
        scale = np.maximum(readings.std(axis=0), 1e-6)
        return cls(readings.mean(axis=0).astype(np.float32), scale.astype(np.float32), high_pass_hz)

    def __call__(self, segment: Segment) -> NDArray[np.float32]:
        """(n, 12) of a segment."""
        return ReadingStream(self).push(segment.readings, segment.present)

    def to_arrays(self) -> dict[str, NDArray]:
        """For the model file."""
        return {"reading_mean": self.mean, "reading_scale": self.scale}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray], high_pass_hz: float = 0.0) -> Standardised:
        """The inverse of :meth:`to_arrays`; raises ``ValueError`` as :func:`finite_arrays` does."""
        mean, scale = finite_arrays(arrays, {"reading_mean": (CHANNELS,), "reading_scale": (CHANNELS,)})
        return cls(mean, scale, high_pass_hz)


class _HighPass:
    """Consecutive readings (n, 12) without what is slower than ``hertz``; 0 keeps everything."""

    def __init__(self, hertz: float) -> None:
        self._filter = butter(2, hertz, "highpass", fs=RATE) if hertz else None
        self._state = np.zeros((2, CHANNELS))

    def __call__(self, readings: NDArray[np.floating]) -> NDArray[np.floating]:
        if self._filter is not None:
            readings, self._state = lfilter(*self._filter, readings, axis=0, zi=self._state)
        return readings.astype(np.float32)


class ReadingStream:
    """Consecutive frames, standardised; remembers what its filter needs."""

    def __init__(self, standardised: Standardised) -> None:
        self._standardised, self._high_pass = standardised, _HighPass(standardised.high_pass_hz)

    def push(self, readings: NDArray[np.floating], present: NDArray[np.bool_]) -> NDArray[np.float32]:
        """(n, 12) of the next readings (n, 12) of the ears that are present (n, 2)."""
        readings = (self._high_pass(readings) - self._standardised.mean) / self._standardised.scale
        return (np.arcsinh(readings) * np.repeat(present, CHANNELS // 2, axis=1)).astype(np.float32)


class WindowStream:
    """A stream of faces, each told from the last readings; before the first there are zeros.

    Args:
        standardised: what the readings go through.
        frames: length of a window.
        weights: the model: windows (n, frames, 12) to ARKit weights (n, 52), which are then clipped to 0..1.
    """

    def __init__(
        self, standardised: Standardised, frames: int, weights: Callable[[NDArray[np.float32]], NDArray[np.float32]]
    ) -> None:
        self._readings, self._frames, self._weights = ReadingStream(standardised), frames, weights
        self._past = np.zeros((frames - 1, CHANNELS), np.float32)

    def push(self, readings: NDArray[np.floating], present: NDArray[np.bool_]) -> FacePrediction:
        """Predict the faces of the next n frames, see :class:`~face_recon_node.models.model.FaceStream`."""
        values = np.concatenate((self._past, self._readings.push(readings, present)))
        self._past = values[len(readings) :].copy()
        weights = np.empty((len(readings), WEIGHTS), np.float32)
        for row in range(0, len(readings), _CHUNK):
            seen = windows(values[row : row + _CHUNK + self._frames - 1], self._frames)
            weights[row : row + _CHUNK] = self._weights(seen)
        return FacePrediction(np.clip(weights, 0.0, 1.0))


def windows(values: NDArray[np.float32], frames: int, led: bool = False) -> NDArray[np.float32]:
    """View (n, frames, channels) of all windows in ``values``; ``led`` by zeros, for one that ends at each row."""
    if led:
        values = np.concatenate((np.zeros((frames - 1, values.shape[1]), values.dtype), values))
    return np.lib.stride_tricks.sliding_window_view(values, frames, axis=0).swapaxes(1, 2)
