"""Neutral calibration: what an ear reads while the face rests is the baseline of everything that follows.

IMUFace takes the mean reading of a neutral pose off (arXiv:2501.02177). The mean acceleration is gravity as the
earbud sits, the mean angular velocity is the gyroscope's bias. Gravity also tells how the earbud is mounted, except
for the turn about the vertical: the shortest rotation that takes it upright leaves that turn as the wearer left it.
"""

from __future__ import annotations

import enum
from collections import deque
from dataclasses import dataclass

import numpy as np
from imuface_core.earphone import EARS
from numpy.typing import NDArray

from face_recon_node.stream.alignment import RATE
from face_recon_node.stream.units import acceleration_fault

MAX_GYRO_RMS = 0.12
"""rad/s about the mean; a resting, upright person sways well below it, a nod is well above."""
MAX_ACCELERATION_RMS = 0.6
"""m/s² about the mean."""
DURATIONS = (0.5, 60.0)
"""s; the shortest and the longest calibration."""
PATIENCE = 4.0
"""An automatic calibration settles for the quietest stretch so far after this many times its duration."""


@dataclass(frozen=True)
class EarBaseline:
    """The neutral reading of one ear."""

    rotation: NDArray[np.float64]
    """(3, 3): earphone frame to gravity-aligned frame (z up)."""
    reading: NDArray[np.float64]
    """(6,): mean acceleration in m/s² and gyroscope bias in rad/s, earphone frame."""

    def apply(self, readings: NDArray[np.float64]) -> NDArray[np.float64]:
        """Take the baseline off readings (..., 6) and turn them upright; the same units."""
        deviation = readings - self.reading
        return np.concatenate((deviation[..., :3] @ self.rotation.T, deviation[..., 3:] @ self.rotation.T), axis=-1)


def upright_rotation(up: NDArray[np.float64]) -> NDArray[np.float64]:
    """The shortest rotation (3, 3) that takes the direction ``up`` (3,) to +z (Rodrigues' formula)."""
    x, y, z = up / np.linalg.norm(up)
    if z < -0.999999:
        return np.diag([1.0, -1.0, -1.0])
    cross = np.array([[0.0, 0.0, -x], [0.0, 0.0, -y], [x, y, 0.0]])
    return np.eye(3) + cross + cross @ cross / (1.0 + z)


def baseline_of(readings: NDArray[np.float64]) -> EarBaseline:
    """The baseline of neutral readings (n, 6) in m/s² and rad/s, earphone frame.

    Raises:
        ValueError: the mean acceleration is not gravity.
    """
    mean = readings.mean(axis=0)
    if fault := acceleration_fault(mean[None, :3]):
        raise ValueError(fault)
    return EarBaseline(upright_rotation(mean[:3]), mean)


def motion_of(readings: NDArray[np.float64]) -> float:
    """How much readings (n, 6) move, as a share of what a calibration tolerates (<= 1: still)."""
    acceleration, angular_velocity = np.sqrt(readings.reshape(-1, 2, 3).var(axis=0).sum(axis=-1))
    return max(acceleration / MAX_ACCELERATION_RMS, angular_velocity / MAX_GYRO_RMS)


class CalibrationState(enum.Enum):
    """Where a calibration stands."""

    RUNNING = "running"
    DONE = "done"
    NOT_STILL = "not still"
    NO_GRAVITY = "no gravity"


class EarCalibration:
    """Collects the neutral baseline of one ear.

    On request it averages one stretch and fails if that moves. The automatic one, at the start or when an ear shows
    up, waits for a still stretch, and after :data:`PATIENCE` durations settles for the quietest with a warning.
    """

    def __init__(self, ear: str, duration_s: float, automatic: bool) -> None:
        self.state = CalibrationState.RUNNING
        self.baseline: EarBaseline | None = None
        self.message = f"{ear} ear: waiting for samples"
        self._ear = ear
        self._automatic = automatic
        self._wanted = max(2, round(duration_s * RATE))
        self._window: deque[NDArray[np.float64]] = deque(maxlen=self._wanted)
        self._seen = 0
        self._fault = False
        self._quietest: tuple[float, EarBaseline] | None = None

    @property
    def progress(self) -> float:
        """0 to 1."""
        return 1.0 if self.state != CalibrationState.RUNNING else min(1.0, len(self._window) / self._wanted)

    def push(self, reading: NDArray[np.float64], present: bool) -> None:
        """Take the ear's reading (6,) of the next grid point; a gap makes the stretch start again."""
        if self.state != CalibrationState.RUNNING:
            return
        if not present:
            self._window.clear()
            return
        self._seen += 1
        self._window.append(reading)
        if not self._fault:
            self.message = f"{self._ear} ear: calibrating, keep a relaxed face"
        # The stretch slides by a third of itself.
        if len(self._window) < self._wanted or (self._seen - self._wanted) % max(1, self._wanted // 3):
            return
        window = np.array(self._window)
        try:
            baseline = baseline_of(window)
        except ValueError as error:
            self._fault = True
            self.message = f"{self._ear} ear: {error}"
            if not self._automatic:
                self.state = CalibrationState.NO_GRAVITY
            return
        self._fault = False
        motion = motion_of(window)
        if self._quietest is None or motion < self._quietest[0]:
            self._quietest = motion, baseline
        if motion <= 1.0:
            self._finish(baseline, f"{self._ear} ear: calibrated")
        elif not self._automatic:
            self.state = CalibrationState.NOT_STILL
            self.message = f"{self._ear} ear: head or face moved {motion:.1f} times the limit; sit still and try again"
        elif self._seen >= PATIENCE * self._wanted:
            self._finish(
                self._quietest[1], f"{self._ear} ear: calibrated while moving; calibrate again with a still head"
            )

    def keep(self, baseline: EarBaseline) -> None:
        """End with an earlier baseline."""
        self._finish(baseline, f"{self._ear} ear: the earlier calibration stays")

    def _finish(self, baseline: EarBaseline, message: str) -> None:
        self.baseline, self.message, self.state = baseline, message, CalibrationState.DONE


class Calibrator:
    """The neutral calibration of both ears, automatic for an ear without a baseline and on request."""

    def __init__(self, duration_s: float = 3.0) -> None:
        self._duration_s = check_duration(duration_s)
        self._baselines: list[EarBaseline | None] = [None, None]
        self._running = [EarCalibration(ear, duration_s, automatic=True) for ear in EARS]
        self._seen = [False, False]
        self.replaced = 0
        """How many times a baseline has taken the place of an earlier one."""

    @property
    def ready(self) -> bool:
        """True when an ear has a baseline."""
        return any(baseline is not None for baseline in self._baselines)

    @property
    def baselines(self) -> tuple[EarBaseline | None, EarBaseline | None]:
        """What is taken off the left and the right ear; none before the first calibration."""
        return self._baselines[0], self._baselines[1]

    @property
    def ears(self) -> tuple[EarCalibration, EarCalibration]:
        """The latest calibration of the left and the right ear, running or over."""
        return self._running[0], self._running[1]

    @property
    def done(self) -> bool:
        """True when no ear that sends samples is being calibrated and at least one has a baseline."""
        return self.ready and not self.running

    @property
    def failed(self) -> bool:
        """True when the latest calibration of an ear failed (its earlier baseline stays in use)."""
        return any(ear.state in (CalibrationState.NOT_STILL, CalibrationState.NO_GRAVITY) for ear in self._running)

    @property
    def running(self) -> bool:
        """True while an ear that sends samples is being calibrated."""
        return any(
            seen and ear.state == CalibrationState.RUNNING for seen, ear in zip(self._seen, self._running, strict=True)
        )

    @property
    def has_samples(self) -> bool:
        """True when an ear has sent samples since the latest request."""
        return any(self._seen)

    @property
    def progress(self) -> float:
        """0 to 1, of the slowest ear that sends samples."""
        progress = [ear.progress for seen, ear in zip(self._seen, self._running, strict=True) if seen]
        return min(progress, default=0.0)

    @property
    def message(self) -> str:
        """What happens in each ear, for people."""
        return "; ".join(ear.message for ear in self._running)

    def request(self, duration_s: float = 0.0) -> None:
        """Take the next ``duration_s`` seconds (0: the default) as the new baseline of both ears.

        Raises:
            ValueError: the duration is negative, not finite or too long.
        """
        duration_s = check_duration(duration_s or self._duration_s)
        self._running = [EarCalibration(ear, duration_s, automatic=False) for ear in EARS]
        self._seen = [False, False]

    def cancel(self) -> None:
        """End what runs: an ear keeps its earlier baseline, and one without waits for a still stretch again."""
        for side, (ear, baseline) in enumerate(zip(EARS, self._baselines, strict=True)):
            if self._running[side].state != CalibrationState.RUNNING:
                continue
            if baseline is not None:
                self._running[side].keep(baseline)
            else:
                self._running[side] = EarCalibration(ear, self._duration_s, automatic=True)

    def push(self, readings: NDArray[np.float64], present: NDArray[np.bool_]) -> tuple[NDArray, NDArray]:
        """Calibrate the readings (2, 6) of one grid point.

        Returns:
            Deviations from the neutral reading (2, 6), upright, 0 where absent or not calibrated yet, and (2,) whether
            each ear has one.
        """
        calibrated = np.zeros((2, 6))
        valid = np.zeros(2, bool)
        for side, ear in enumerate(self._running):
            self._seen[side] |= bool(present[side])
            ear.push(readings[side], bool(present[side]))
            if ear.baseline is not self._baselines[side] and ear.baseline is not None:
                self.replaced += self._baselines[side] is not None
                self._baselines[side] = ear.baseline
            baseline = self._baselines[side]
            if present[side] and baseline is not None:
                calibrated[side] = baseline.apply(readings[side])
                valid[side] = True
        return calibrated, valid


def check_duration(duration_s: float) -> float:
    """Return a calibration's duration in seconds.

    Raises:
        ValueError: it is not within :data:`DURATIONS`.
    """
    shortest, longest = DURATIONS
    if not shortest <= duration_s <= longest:
        raise ValueError(f"calibration duration is {duration_s:g} s, must be {shortest:g} to {longest:g}")
    return duration_s
