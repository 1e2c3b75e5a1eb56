"""A performance: facial action weights over time, smooth enough to be differentiated twice."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike

import numpy as np
from imuface_core.captures import read_capture
from numpy.typing import ArrayLike, NDArray

from imuface_simulation.expressions import compose, minimum_jerk
from imuface_simulation.prompts import perform

FRAME_RATE = 60.0  # Hz, of the control points
LOOP_BLEND = 1.0  # s, the end fades into the beginning
CAPTURE_REST = 5.0  # s of neutral face before a capture, for the calibration
CAPTURE_BLEND = 1.0  # s from there into its first frame


@dataclass(frozen=True)
class Performance:
    """Facial action weights as a uniform cubic B-spline over ``frames``.

    The spline is twice continuously differentiable, which the accelerometer needs, and stays within the hull of its
    control points, hence within 0..1. It loops for ever: the last second fades into the first frame.
    """

    frames: NDArray[np.float32]  # (K, 52), control points at FRAME_RATE, 0..1
    speech: NDArray[np.float32] | None = None  # (K, 1), how much the person speaks, 0..1; None: not known
    notes: tuple[str, ...] = ()  # what is to be told of the capture that it was

    @classmethod
    def natural(cls, seed: int, duration: float) -> Performance:
        """Generated expressions, speech, blinks and rests; the first 4 s are neutral. ``duration`` in seconds."""
        return cls(_looped(compose(seed, duration, FRAME_RATE)))

    @classmethod
    def study(cls, person: int, session: int, duration: float) -> Performance:
        """A simulated person in a session of the study's protocol (:mod:`~imuface_simulation.prompts`).

        Prompted faces, speech and free expression after 4.5 s of neutral face; ``duration`` in seconds. Both seeds are
        0 or more: one is the person with the same habits in every session, the other what is asked for.
        """
        # Longer by what the loop takes, so that the whole duration follows the script.
        frames, speech = perform(person, session, duration + LOOP_BLEND, FRAME_RATE)
        return cls(_looped(frames), _looped(speech[:, None]))

    @classmethod
    def from_capture(cls, path: str | PathLike[str]) -> Performance:
        """Capture of a real performer (:mod:`imuface_core.captures`), after 5 s of neutral face.

        Raises ``OSError`` when the file cannot be read and ``ValueError`` when it is no capture.
        """
        captured = read_capture(path)
        grid = np.arange(0.0, captured.times[-1], 1.0 / FRAME_RATE)
        capture = np.stack([np.interp(grid, captured.times, channel) for channel in captured.weights.T], axis=1)
        blend = minimum_jerk(np.linspace(0.0, 1.0, round(CAPTURE_BLEND * FRAME_RATE)))[:, None]
        rest = np.zeros((round(CAPTURE_REST * FRAME_RATE), capture.shape[1]))
        return cls(_looped(np.concatenate([rest, blend * capture[0], capture])), notes=captured.notes)

    @property
    def duration(self) -> float:
        """Seconds until the performance starts again."""
        return len(self.frames) / FRAME_RATE

    def weights(self, times: ArrayLike) -> NDArray[np.float32]:
        """Weights (N, 52) at ``times`` (N,) in seconds since the start; any time, the performance loops."""
        return _spline(self.frames, times)

    def speaking(self, times: ArrayLike) -> NDArray[np.float32] | None:
        """How much the person speaks (N, 1), 0..1, as smooth as the weights; None where that is not known."""
        return None if self.speech is None else _spline(self.speech, times)


def _spline(frames: NDArray[np.float32], times: ArrayLike) -> NDArray[np.float32]:
    """The B-spline (N, C) of control points (K, C) at ``times`` (N,) in seconds."""
    position = np.asarray(times, dtype=np.float64) * FRAME_RATE
    index = np.floor(position).astype(np.int64)
    u = (position - index).astype(np.float32)[:, None]
    v = 1.0 - u
    count = len(frames)
    # Basis functions of the uniform cubic B-spline.
    basis = (v * v * v, 4.0 - 3.0 * u * u * (1.0 + v), 4.0 - 3.0 * v * v * (1.0 + u), u * u * u)
    total = basis[0] * frames[(index - 1) % count]
    for offset in range(1, 4):
        total += basis[offset] * frames[(index - 1 + offset) % count]
    return np.clip(total / 6.0, 0.0, 1.0, dtype=np.float32)


def _looped(frames: NDArray[np.floating]) -> NDArray[np.float32]:
    """``frames`` with the end faded into the first one."""
    fade = min(round(LOOP_BLEND * FRAME_RATE), len(frames) // 2)
    if fade > 0:
        s = minimum_jerk(np.linspace(0.0, 1.0, fade))[:, None]
        frames = np.concatenate([frames[:-fade], (1.0 - s) * frames[-fade:] + s * frames[0]])
    return np.clip(frames, 0.0, 1.0).astype(np.float32)
