"""What one IMU in an earphone is and measures, for the driver, the simulator and everything that reads recordings."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

Ear = Literal["left", "right"]
EARS: tuple[Ear, Ear] = ("left", "right")

STANDARD_GRAVITY = 9.80665  # m/s²
# LSM6DS3TR-C datasheet, table "Mechanical characteristics": sensitivity at ±4 g and at ±500 dps.
ACCELERATION_PER_LSB = 0.122e-3 * STANDARD_GRAVITY  # m/s²
ANGULAR_VELOCITY_PER_LSB = math.radians(17.50e-3)  # rad/s

SEQUENCE_PERIOD = 1 << 16
TIME_PERIOD_US = 1 << 32


class DeviceSample(NamedTuple):
    """One IMU sample as the firmware sends it."""

    ear: Ear
    sequence: int  # 0..65535, one more for each sample, wraps
    time_us: int  # 0..2^32-1: device clock at the sampling instant, microseconds, wraps
    raw: tuple[int, int, int, int, int, int]  # acceleration x, y, z, angular velocity x, y, z; int16 LSB, IMU frame
    battery: int | None = None  # charge in percent, 0..100

    @property
    def acceleration(self) -> tuple[float, float, float]:
        """Specific force in m/s², IMU frame: +g on the upward axis at rest (REP-145)."""
        x, y, z = self.raw[:3]
        return x * ACCELERATION_PER_LSB, y * ACCELERATION_PER_LSB, z * ACCELERATION_PER_LSB

    @property
    def angular_velocity(self) -> tuple[float, float, float]:
        """Angular velocity in rad/s, IMU frame."""
        x, y, z = self.raw[3:]
        return x * ANGULAR_VELOCITY_PER_LSB, y * ANGULAR_VELOCITY_PER_LSB, z * ANGULAR_VELOCITY_PER_LSB
