"""From calibrated readings of both ears to the channels that IMUTwinTrans sees: one code for streaming and training.

What carries information (see docs/training.md): a change of the face turns the earbud quickly, the gyroscopes see it;
an expression that is held only leaves a tilt against gravity; head motion turns both ears alike, so their difference
is mostly facial. How strongly an ear moves differs by an order of magnitude between people, hence the channels are
also given relative to their own running magnitude. All filters are causal and recursive, so memory far longer than
the network's window costs nothing.
"""

from __future__ import annotations

import numpy as np
import torch
from imuface_driver.protocol import STANDARD_GRAVITY
from numpy.typing import NDArray
from scipy.signal import lfilter

from face_recon_node.stream.alignment import RATE

STFT_FRAMES = 32
"""Length of the short-time Fourier transform's Hann window: 1.07 s."""

_PERIOD = 1.0 / RATE
TILT_SECONDS = 1.0
"""Complementary filter: the gyroscopes decide below, gravity above."""
YAW_SECONDS = 3.0
"""Gravity does not show a turn about the vertical; the integrated gyroscope leaks with this time constant."""
GESTURE_SECONDS = 0.3
"""Leaky integral of the gyroscopes: the turn of the last moments, free of posture."""
POSTURE_SECONDS = 20.0
"""High-pass of the tilts: slower is posture or an earbud that settles."""
HIGH_PASS_SECONDS = 0.5
"""High-pass of the accelerations (the paper's: keeps facial motion, drops posture)."""
BIAS_SECONDS = 10.0
"""High-pass of the gyroscopes: a few seconds of calibration cannot tell their bias from the head's sway, but no ear
turns in one direction for ever."""
GAIN_SECONDS = 30.0
"""Memory of the running magnitude."""
MOUNT_SECONDS = 30.0
"""Memory of the estimate of how the ears are turned against each other about the vertical."""

_AXES = "xyz"
_MOTIONS = ("acceleration", "angular_velocity", "tilt", "gesture")
MOTION_CHANNELS = tuple(f"{motion}_{axis}" for motion in _MOTIONS for axis in _AXES)
_TYPICAL = np.repeat([0.1, 0.05, 0.02, 0.01], 3)
"""Typical magnitude of each motion channel: m/s², rad/s, rad, rad. Only scales; learned statistics follow."""

CHANNELS: tuple[str, ...] = (
    *(f"common_{name}" for name in MOTION_CHANNELS),
    *(f"difference_{name}" for name in MOTION_CHANNELS),
    *(f"common_relative_{name}" for name in MOTION_CHANNELS),
    *(f"difference_relative_{name}" for name in MOTION_CHANNELS),
    *(f"difference_magnitude_{name}" for name in MOTION_CHANNELS),
    *(f"common_unbent_tilt_{axis}" for axis in _AXES),
    *(f"difference_unbent_tilt_{axis}" for axis in _AXES),
    "left_present",
    "right_present",
)
"""Names of the feature channels, in order. "Unbent" tilts have the posture taken off."""
SPECTRAL = tuple(
    CHANNELS.index(f"{side}_relative_{name}")
    for side in ("common", "difference")
    for name in MOTION_CHANNELS
    if name.startswith(("acceleration", "angular_velocity"))
)
"""Channels that the frequency branch transforms."""


class _Recursive:
    """``y[k] = decay * y[k-1] + gain * x[k]`` along the first axis, continued from call to call."""

    def __init__(self, seconds: float, width: int, gain: float | None = None, initial: float = 0.0) -> None:
        self._decay = float(np.exp(-_PERIOD / seconds))
        self._gain = 1.0 - self._decay if gain is None else gain
        self._state = np.full((1, width), self._decay * initial)

    def __call__(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        result, self._state = lfilter([self._gain], [1.0, -self._decay], values, axis=0, zi=self._state)
        return result


class FeatureExtractor:
    """Streaming features; a stretch of any length may be pushed at once and gives the same as row by row."""

    def __init__(self) -> None:
        self._bias = _Recursive(BIAS_SECONDS, 6)
        self._mount = _Recursive(MOUNT_SECONDS, 2)
        self._acceleration_posture = _Recursive(HIGH_PASS_SECONDS, 6)
        self._tilt = _Recursive(TILT_SECONDS, 4, gain=_PERIOD)
        self._yaw = _Recursive(YAW_SECONDS, 2, gain=_PERIOD)
        self._gesture = _Recursive(GESTURE_SECONDS, 6, gain=_PERIOD)
        self._posture = _Recursive(POSTURE_SECONDS, 6)
        self._power = _Recursive(GAIN_SECONDS, 24, initial=1.0)

    def push(self, readings: NDArray[np.float64], present: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Features (n, channels) of calibrated readings (n, 2, 6) in m/s² and rad/s, 0 where not present (n, 2)."""
        count = len(readings)
        readings = readings.copy()
        readings[..., 3:] -= self._bias(readings[..., 3:].reshape(count, 6)).reshape(count, 2, 3)
        readings = self._turned(readings)
        acceleration, angular_velocity = readings[..., :3], readings[..., 3:]
        high = acceleration - self._acceleration_posture(acceleration.reshape(count, 6)).reshape(count, 2, 3)
        # Small rotation t of an upright ear: gravity's reading changes by g * (-t_y, t_x, 0). The leaky integral of
        # angular velocity + gravity's tilt / time constant is the complementary filter.
        gravity_tilt = np.stack((acceleration[..., 1], -acceleration[..., 0]), axis=-1) / STANDARD_GRAVITY
        tilt_rate = angular_velocity[..., :2] + gravity_tilt / TILT_SECONDS
        tilt = self._tilt(tilt_rate.reshape(count, 4)).reshape(count, 2, 2)
        yaw = self._yaw(angular_velocity[..., 2])[..., None]
        gesture = self._gesture(angular_velocity.reshape(count, 6)).reshape(count, 2, 3)
        motion = np.concatenate((high, angular_velocity, tilt, yaw, gesture), axis=-1) / _TYPICAL

        # An absent ear says nothing: what is common is then what the other ear shows, and there is no difference.
        motion *= present[..., None]
        common = motion.sum(axis=1) / np.maximum(present.sum(axis=1), 1)[:, None]
        difference = (motion[:, 0] - motion[:, 1]) * (present[:, :1] & present[:, 1:])
        both = np.concatenate((common, difference), axis=1)
        magnitude = np.sqrt(self._power(np.square(np.clip(both, -100.0, 100.0))) + 1e-4)
        tilts = both[:, [6, 7, 8, 18, 19, 20]]
        unbent = tilts - self._posture(tilts)
        features = np.concatenate(
            (np.arcsinh(both), np.arcsinh(both / magnitude), np.log(magnitude[:, 12:]), np.arcsinh(unbent), present),
            axis=1,
        )
        return features.astype(np.float32)

    def _turned(self, readings: NDArray[np.float64]) -> NDArray[np.float64]:
        """Turn the right ear's readings about the vertical until the head's rotations look alike in both ears.

        Gravity leaves that angle open in the calibration. Head motion, which both ears share, shows it: it is the
        angle of the least-squares rotation between the horizontal angular velocities (Kabsch, in the plane).
        """
        (left_x, left_y), (right_x, right_y) = readings[:, 0, 3:5].T, readings[:, 1, 3:5].T
        products = np.stack((left_x * right_x + left_y * right_y, right_x * left_y - right_y * left_x), axis=-1)
        # The prior, no turn, counts like a resting head's sway.
        cosine, sine = (self._mount(products) + np.array([2e-4, 0.0])).T
        norm = np.hypot(cosine, sine) + 1e-12
        cosine, sine = cosine / norm, sine / norm
        turned = readings.copy()
        for axis in (0, 3):
            x, y = readings[:, 1, axis], readings[:, 1, axis + 1]
            turned[:, 1, axis] = cosine * x - sine * y
            turned[:, 1, axis + 1] = sine * x + cosine * y
        return turned


def log_spectrum(signal: torch.Tensor) -> torch.Tensor:
    """Short-time Fourier transform of the frames up to each frame, as log magnitudes.

    Args:
        signal: (batch, STFT_FRAMES - 1 + n, channels); the first STFT_FRAMES - 1 frames are the past of the first.

    Returns:
        (batch, n, channels * (STFT_FRAMES // 2 + 1)).
    """
    windows = signal.unfold(1, STFT_FRAMES, 1) * torch.hann_window(STFT_FRAMES, dtype=signal.dtype)
    spectrum = torch.fft.rfft(windows, dim=-1).abs()
    return torch.log(spectrum + 0.1).flatten(2)
