"""Calibrated readings as the rivals see them: standardised, and in windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, lfilter

from face_recon_node.rivals.person import Person
from face_recon_node.stream.alignment import RATE
from face_recon_node.training.stretch import Stretch

CHANNELS = 12
HIGH_PASS_HZ = 0.1
"""For the networks: without it they learn the slow drift of posture by heart, and all of them are worse."""


@dataclass(frozen=True)
class Standardised:
    """Readings of zero mean and unit variance over the training data.

    Through arcsinh, because a jaw gives peaks of twenty standard deviations, and a walk after training on a chair
    would be extrapolated wildly. An absent ear reads the mean: it says nothing. ``high_pass_hz`` takes away what is
    slower (Butterworth, second order, causal) before; 0 keeps everything.
    """

    mean: NDArray[np.float32]
    scale: NDArray[np.float32]
    high_pass_hz: float = 0.0

    @classmethod
    def of(cls, people: Sequence[Person], high_pass_hz: float = 0.0) -> Standardised:
        """Take mean and variance over the frames of both ears' presence."""
        stretches = [stretch for person in people for stretch in person.stretches]
        readings = np.concatenate([_high_passed(stretch.readings, high_pass_hz) for stretch in stretches])
        whole = np.concatenate([stretch.present.all(axis=1) for stretch in stretches])
        readings = readings[whole] if whole.any() else readings
        scale = np.maximum(readings.std(axis=0), 1e-6)
        return cls(readings.mean(axis=0).astype(np.float32), scale.astype(np.float32), high_pass_hz)

    def __call__(self, stretch: Stretch) -> NDArray[np.float32]:
        """(n, 12) of a stretch."""
        readings = (_high_passed(stretch.readings, self.high_pass_hz) - self.mean) / self.scale
        return (np.arcsinh(readings) * np.repeat(stretch.present, CHANNELS // 2, axis=1)).astype(np.float32)


def windows(values: NDArray[np.float32], frames: int) -> NDArray[np.float32]:
    """View (n, frames, channels): for each row of ``values`` (n, channels) those up to it, zeros before the first."""
    padded = np.concatenate((np.zeros((frames - 1, values.shape[1]), values.dtype), values))
    return np.lib.stride_tricks.sliding_window_view(padded, frames, axis=0).swapaxes(1, 2)


def _high_passed(readings: NDArray[np.float32], hertz: float) -> NDArray[np.float32]:
    if not hertz:
        return readings
    numerator, denominator = butter(2, hertz, "highpass", fs=RATE)
    return lfilter(numerator, denominator, readings, axis=0).astype(np.float32)
