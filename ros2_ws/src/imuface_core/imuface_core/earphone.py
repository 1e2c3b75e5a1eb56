"""What one IMU in an earphone is and measures, for the driver, the simulator and everything that reads recordings."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

Ear = Literal["left", "right"]
EARS: tuple[Ear, Ear] = ("left", "right")
Vector = tuple[float, float, float]

STANDARD_GRAVITY = 9.80665  # m/s²
# LSM6DS3TR-C datasheet, table "Mechanical characteristics": sensitivity at ±4 g and at ±500 dps.
ACCELERATION_PER_LSB = 0.122e-3 * STANDARD_GRAVITY  # m/s²
ANGULAR_VELOCITY_PER_LSB = math.radians(17.50e-3)  # rad/s

SEQUENCE_PERIOD = 1 << 16
TIME_PERIOD_US = 1 << 32
# The nRF52840's 32 MHz crystal is within 40 ppm and a host's within 100; a clock beyond this is none.
CRYSTAL_DRIFT = 200e-6


class Timing(NamedTuple):
    """How a device tells time and numbers its samples."""

    time_period_us: int = TIME_PERIOD_US  # device time wraps there
    sequence_period: int | None = SEQUENCE_PERIOD  # sequence numbers wrap there; None: samples are not numbered
    drift: float = CRYSTAL_DRIFT  # most by which the device's clock runs fast or slow, as a share


FRAME_TIMING = Timing()


class Reading(NamedTuple):
    """One IMU sample of any device, in SI units."""

    ear: Ear | None  # None: the packets of the device do not tell
    acceleration: Vector  # m/s², IMU frame, +g on the upward axis at rest (REP-145)
    angular_velocity: Vector  # rad/s, IMU frame
    # 0..timing.time_period_us - 1: device clock at the sampling instant. Of a device without a clock: sequence number
    # times the nominal time between samples, with a drift of some percent.
    time_us: int
    sequence: int = 0  # 0..timing.sequence_period - 1, one more for each sample taken
    timing: Timing = FRAME_TIMING
    battery: int | None = None  # charge in percent, 0..100; None: not told here


class DeviceSample(NamedTuple):
    """One IMU sample as our own frames carry it (``docs/device-protocol.md``)."""

    ear: Ear
    sequence: int  # 0..65535, one more for each sample, wraps
    time_us: int  # 0..2^32-1: device clock at the sampling instant, microseconds, wraps
    raw: tuple[int, int, int, int, int, int]  # acceleration x, y, z, angular velocity x, y, z; int16 LSB, IMU frame
    battery: int | None = None  # charge in percent, 0..100

    @property
    def timing(self) -> Timing:
        return FRAME_TIMING

    @property
    def acceleration(self) -> Vector:
        """Specific force in m/s², IMU frame: +g on the upward axis at rest (REP-145)."""
        x, y, z = self.raw[:3]
        return x * ACCELERATION_PER_LSB, y * ACCELERATION_PER_LSB, z * ACCELERATION_PER_LSB

    @property
    def angular_velocity(self) -> Vector:
        """Angular velocity in rad/s, IMU frame."""
        x, y, z = self.raw[3:]
        return x * ANGULAR_VELOCITY_PER_LSB, y * ANGULAR_VELOCITY_PER_LSB, z * ANGULAR_VELOCITY_PER_LSB


Sample = DeviceSample | Reading  # whatever a device sends, with one set of attributes
