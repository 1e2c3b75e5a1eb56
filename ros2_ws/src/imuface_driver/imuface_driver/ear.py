"""One ear on its way from device samples to stamped measurements, and how well it does."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

import numpy as np
from imuface_core.earphone import Ear, Sample, Timing, Vector
from numpy.typing import NDArray

from imuface_driver.clock import DeviceClock

# Radio and UDP may swap neighbours or repeat one; a step back beyond this is a device that has started anew.
# Short numbers cannot tell a step back from a gap: of 256 numbers, only a repeat counts as one.
REORDER_SAMPLES = 64
REORDER_SHARE = 256
REORDER_US = 1_000_000
RECENT = 150  # samples over which rate and jitter are taken: 5 s at 30 Hz


class ImuSample(NamedTuple):
    """One measurement of one ear, in the IMU frame of that ear."""

    ear: Ear
    stamp_ns: int  # host clock at the sampling instant
    acceleration: Vector  # m/s², gravity included: +g on the upward axis at rest (REP-145)
    angular_velocity: Vector  # rad/s


class EarHealth:
    """Counters of one ear. Written by the reader's thread, read by any: each field is replaced in one step."""

    def __init__(self) -> None:
        self.received = 0  # samples delivered
        self.lost = 0  # samples missing from the sequence
        self.out_of_order = 0  # samples dropped because a later one was already delivered, repeats included
        self.resyncs = 0  # times the clock map was started anew
        self.drift_ppm: float | None = None  # of the device clock against the host's
        self.battery: int | None = None  # percent
        self.rssi: int | None = None  # dBm; of a radio, when the ear was connected
        self.last_arrival_ns: int | None = None  # host clock
        self._recent: deque[tuple[ImuSample, int]] = deque(maxlen=RECENT)  # with the arrivals

    def record(self, sample: ImuSample, arrival_ns: int) -> None:
        """Count a sample that arrived at ``arrival_ns`` (host clock)."""
        self.received += 1
        self.last_arrival_ns = arrival_ns
        self._recent.append((sample, arrival_ns))

    def rate_and_jitter(self) -> tuple[float, float]:
        """Samples per second by their stamps, and the standard deviation of (arrival - stamp) in seconds; or NaNs."""
        recent = np.array([(sample.stamp_ns, arrival_ns) for sample, arrival_ns in tuple(self._recent)], dtype=np.int64)
        if len(recent) < 2 or recent[-1, 0] <= recent[0, 0]:
            return float("nan"), float("nan")
        rate = (len(recent) - 1) / (recent[-1, 0] - recent[0, 0]) * 1e9
        return float(rate), float(np.std(recent[:, 1] - recent[:, 0]) * 1e-9)

    def readings(self) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
        """The last stamps (n,) in ns, accelerations (n, 3) in m/s² and angular velocities (n, 3) in rad/s."""
        samples = [sample for sample, _ in tuple(self._recent)]
        stamps = np.array([sample.stamp_ns for sample in samples], dtype=np.int64)
        acceleration = np.array([sample.acceleration for sample in samples]).reshape(-1, 3)
        return stamps, acceleration, np.array([sample.angular_velocity for sample in samples]).reshape(-1, 3)


class EarReceiver:
    """Puts the samples of one ear on the host clock, in order, and counts what the link loses."""

    def __init__(self, ear: Ear) -> None:
        self.ear: Ear = ear
        self.health = EarHealth()
        self._clock = DeviceClock()
        self._previous: Sample | None = None

    def receive(self, sample: Sample, arrival_ns: int, waited_ns: int = 0) -> ImuSample | None:
        """The stamped measurement, or None for a sample that comes after a later one.

        ``arrival_ns``: host clock; ``waited_ns``: for how long the sample waited for the newest of its packet.
        """
        previous, timing = self._previous, sample.timing
        if previous is not None and _is_out_of_order(sample, previous, timing):
            self.health.out_of_order += 1
            return None
        stamp_ns = self._clock.stamp(sample.time_us, arrival_ns - waited_ns, timing)
        numbers = timing.sequence_period
        if previous is not None and numbers and self._clock.resyncs == self.health.resyncs:
            missing = (sample.sequence - previous.sequence - 1) % numbers
            if missing < numbers // 2:  # else the numbers went back though the clock went on: no gap to count
                self.health.lost += missing
        self._previous = sample
        self.health.resyncs = self._clock.resyncs
        self.health.drift_ppm = self._clock.drift_ppm
        if sample.battery is not None:
            self.health.battery = sample.battery
        measurement = ImuSample(self.ear, stamp_ns, sample.acceleration, sample.angular_velocity)
        self.health.record(measurement, arrival_ns)
        return measurement


def _is_out_of_order(sample: Sample, previous: Sample, timing: Timing) -> bool:
    if (previous.time_us - sample.time_us) % timing.time_period_us >= REORDER_US:
        return False
    if timing.sequence_period is None:
        return True
    behind = (previous.sequence - sample.sequence) % timing.sequence_period
    return behind < min(REORDER_SAMPLES, timing.sequence_period // REORDER_SHARE)
