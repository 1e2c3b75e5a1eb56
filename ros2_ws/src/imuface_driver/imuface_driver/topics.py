"""Names, frames and covariances that the driver's messages and the recorded sessions share (docs/architecture.md)."""

from __future__ import annotations

import math

from imuface_driver.protocol import STANDARD_GRAVITY, Ear

IMU: dict[Ear, str] = {"left": "left/imu/data_raw", "right": "right/imu/data_raw"}
IMU_FRAMES: dict[Ear, str] = {"left": "earphone_left_imu_link", "right": "earphone_right_imu_link"}
IMU_DEPTH = 30  # one second at 30 Hz

REFERENCE_BLENDSHAPES = "reference/blendshapes"
REFERENCE_LANDMARKS = "reference/landmarks"
REFERENCE_DEPTH = 5
FACE_LANDMARKS = "face/landmarks"
FACE_FRAME = "face"

# LSM6DS3TR-C datasheet, "Mechanical characteristics": noise densities 90 µg/√Hz (±4 g) and 5 mdps/√Hz in
# high-performance mode, in the 15 Hz that a device sampling at 30 Hz lets through (docs/device-protocol.md).
_NOISE_BANDWIDTH = 15.0  # Hz
_ACCELERATION_VARIANCE = (90e-6 * STANDARD_GRAVITY) ** 2 * _NOISE_BANDWIDTH  # (m/s²)²
_ANGULAR_VELOCITY_VARIANCE = (5e-3 * math.pi / 180.0) ** 2 * _NOISE_BANDWIDTH  # (rad/s)²


def _diagonal(variance: float) -> tuple[float, ...]:
    return variance, 0.0, 0.0, 0.0, variance, 0.0, 0.0, 0.0, variance


# Row-major 3x3, as in sensor_msgs/Imu. The IMU does not estimate an orientation: REP-145 wants -1 first then.
ORIENTATION_COVARIANCE = (-1.0, *(0.0,) * 8)
ACCELERATION_COVARIANCE = _diagonal(_ACCELERATION_VARIANCE)
ANGULAR_VELOCITY_COVARIANCE = _diagonal(_ANGULAR_VELOCITY_VARIANCE)
