"""The measuring end of an earphone: ST's LSM6DS3TR-C inertial sensor at ±4 g and ±500 °/s, and the device's clock.

Figures are typical values of the LSM6DS3TR-C datasheet, table "Mechanical characteristics". ±500 °/s and ±4 g are the
smallest ranges that brisk head turns and steps do not saturate; noise does not depend on the range.
"""

from __future__ import annotations

import math

import numpy as np
from imuface_core.earphone import ACCELERATION_PER_LSB, ANGULAR_VELOCITY_PER_LSB, STANDARD_GRAVITY, TIME_PERIOD_US
from numpy.typing import NDArray

ACCELERATION_NOISE = 90e-6 * STANDARD_GRAVITY  # m/s²/√Hz, high-performance mode
ANGULAR_VELOCITY_NOISE = math.radians(5e-3)  # rad/s/√Hz, high-performance mode
ACCELERATION_OFFSET = 40e-3 * STANDARD_GRAVITY  # m/s², zero-g level
ANGULAR_VELOCITY_OFFSET = math.radians(3.0)  # rad/s, zero-rate level
ACCELERATION_THERMAL = 0.1e-3 * STANDARD_GRAVITY  # m/s²/K
ANGULAR_VELOCITY_THERMAL = math.radians(0.015)  # rad/s/K
SENSITIVITY_ERROR = 0.01  # relative
FULL_SCALE = 32767  # LSB; ±4 g and ±500 °/s are reached a little earlier, the registers saturate here

# Not in the datasheet: guesses.
WARMING = 8.0  # K, from the table into the ear
WARMING_TIME = 180.0  # s
ACCELERATION_WALK = 2e-5 * STANDARD_GRAVITY  # m/s²/√s
ANGULAR_VELOCITY_WALK = math.radians(1.5e-3)  # rad/s/√s
BANDWIDTH = 0.45  # of the output rate: corner of chip filter and firmware averaging together
CRYSTAL_PPM = 20.0  # standard deviation
SAMPLING_JITTER = 100e-6  # s, standard deviation; the firmware is late, never early
MAX_SAMPLING_JITTER = 1e-3  # s


def _six(acceleration: float, angular_velocity: float) -> NDArray[np.float64]:
    return np.repeat([acceleration, angular_velocity], 3)


_LSB = _six(ACCELERATION_PER_LSB, ANGULAR_VELOCITY_PER_LSB)


def noise_deviation(rate: float) -> NDArray[np.float64]:
    """Standard deviation (6,) of the noise of one sample at ``rate`` Hz: density times the root of the bandwidth.

    The equivalent noise bandwidth of a second-order Butterworth low-pass is π/(2√2) = 1.11 of its corner.
    """
    bandwidth = BANDWIDTH * rate * math.pi / (2.0 * math.sqrt(2.0))
    return _six(ACCELERATION_NOISE, ANGULAR_VELOCITY_NOISE) * math.sqrt(bandwidth)


class Lsm6ds3trc:
    """One sensor: offsets, sensitivity, filter, noise, bias drift, saturation and quantisation."""

    def __init__(
        self, rate: float, mechanics_rate: float, device: np.random.Generator, noise: np.random.Generator
    ) -> None:
        """``device`` decides the constant errors, ``noise`` what differs whenever it is switched on."""
        from scipy.signal import butter  # here: it takes a second, and not every process simulates

        # A generator each, so that a session does not depend on how it is cut into blocks.
        self._noise_rng, self._walk_rng = noise.spawn(2)
        self._noise = noise_deviation(rate)
        self._walk = _six(ACCELERATION_WALK, ANGULAR_VELOCITY_WALK) / math.sqrt(rate)
        # A datasheet's "typical" offset is taken as one and a half standard deviations.
        self._bias = device.normal(0.0, 1.0, 6) * _six(ACCELERATION_OFFSET, ANGULAR_VELOCITY_OFFSET) / 1.5
        self._thermal = device.normal(0.0, WARMING, 6) * _six(ACCELERATION_THERMAL, ANGULAR_VELOCITY_THERMAL)
        self._sensitivity = 1.0 + device.normal(0.0, SENSITIVITY_ERROR / 1.5, 6)
        self._sos = butter(2, BANDWIDTH * rate, fs=mechanics_rate, output="sos")
        self._state: NDArray[np.float64] | None = None

    def filter(self, motion: NDArray[np.float64]) -> NDArray[np.float64]:
        """Low-pass of consecutive true motion (N, 6) at the mechanics rate: m/s² and rad/s."""
        from scipy.signal import sosfilt, sosfilt_zi

        if self._state is None:
            self._state = sosfilt_zi(self._sos)[:, :, None] * motion[0]
        filtered: NDArray[np.float64]
        filtered, self._state = sosfilt(self._sos, motion, axis=0, zi=self._state)
        return filtered

    def measure(self, motion: NDArray[np.float64], times: NDArray[np.float64]) -> NDArray[np.int16]:
        """Registers (N, 6) for consecutive filtered motion (N, 6) sampled at ``times`` (N,) in s since power-on."""
        noise = self._noise_rng.normal(0.0, 1.0, motion.shape) * self._noise
        bias = self._bias + np.cumsum(self._walk_rng.normal(0.0, 1.0, motion.shape) * self._walk, axis=0)
        if len(bias):
            self._bias = bias[-1]
        bias = bias - self._thermal * np.expm1(-times / WARMING_TIME)[:, None]
        registers = np.rint((motion * self._sensitivity + bias + noise) / _LSB)
        return np.clip(registers, -FULL_SCALE - 1, FULL_SCALE).astype(np.int16)


class Crystal:
    """The clock of one device: when it samples, and which microseconds it writes beside the sample."""

    def __init__(self, rate: float, rng: np.random.Generator) -> None:
        self._rng = rng
        self._period = 1.0 / rate
        self.drift_ppm = float(rng.normal(0.0, CRYSTAL_PPM))  # positive: counts fast
        self._boot_us = int(rng.integers(TIME_PERIOD_US))  # what it shows when the session begins
        self._phase = float(rng.uniform(0.0, self._period))
        self._count = 0

    def tick(self, until: float) -> NDArray[np.float64]:
        """True times of the samples due before ``until``, both in seconds since the session began."""
        speed = 1.0 + self.drift_ppm * 1e-6
        end = max(math.ceil((until * speed - self._phase) / self._period), self._count)
        ticks = self._phase + self._period * np.arange(self._count, end, dtype=np.float64)
        self._count = end
        jitter = np.minimum(np.abs(self._rng.normal(0.0, SAMPLING_JITTER, len(ticks))), MAX_SAMPLING_JITTER)
        times: NDArray[np.float64] = ticks / speed + jitter
        return times

    def read(self, times: NDArray[np.float64]) -> NDArray[np.int64]:
        """Device microseconds (wrapping at 32 bits) at true ``times`` in seconds since the session began."""
        elapsed = np.rint(times * (1.0 + self.drift_ppm * 1e-6) * 1e6).astype(np.int64)
        return (elapsed + self._boot_us) % TIME_PERIOD_US
