"""The one table of topics, with their types and qualities of service, and the frames and covariances of the readings.

Names are relative to the namespace of a person, save those that begin with a slash (docs/architecture.md).
"""

from __future__ import annotations

import math

from imuface_core.earphone import EARS, STANDARD_GRAVITY, Ear


class Topic(str):
    """The name of a topic, which knows what goes over it and how.

    ``type`` is the message type as in ``sensor_msgs/msg/Imu``, ``depth`` the length of the queue, ``reliable`` whether
    what is lost is sent again; nothing here outlives its publisher (volatile).
    """

    type: str
    depth: int
    reliable: bool

    def __new__(cls, name: str, type: str, depth: int, *, reliable: bool = False) -> Topic:
        topic = super().__new__(cls, name)
        topic.type, topic.depth, topic.reliable = type, depth, reliable
        return topic


IMU: dict[Ear, Topic] = {ear: Topic(f"{ear}/imu/data_raw", "sensor_msgs/msg/Imu", 30) for ear in EARS}

REFERENCE_BLENDSHAPES = Topic("reference/blendshapes", "imuface_interfaces/msg/Blendshapes", 5)
REFERENCE_LANDMARKS = Topic("reference/landmarks", "imuface_interfaces/msg/FacialLandmarks", 5)

FACE_LANDMARKS = Topic("face/landmarks", "imuface_interfaces/msg/FacialLandmarks", 5)
FACE_BLENDSHAPES = Topic("face/blendshapes", "imuface_interfaces/msg/Blendshapes", 5)
AFFECT = Topic("face/affect", "imuface_interfaces/msg/AffectState", 10, reliable=True)
POINTS = Topic("face/points", "sensor_msgs/msg/PointCloud2", 1)
MESH = Topic("face/mesh", "visualization_msgs/msg/MarkerArray", 1, reliable=True)

UTTERANCE = Topic("dialogue/utterance", "imuface_interfaces/msg/Utterance", 10, reliable=True)
REPLY = Topic("dialogue/reply", "imuface_interfaces/msg/EmpathyReply", 10, reliable=True)
ACKNOWLEDGEMENT = Topic("dialogue/acknowledgement", "imuface_interfaces/msg/Utterance", 10, reliable=True)

DIAGNOSTICS = Topic("/diagnostics", "diagnostic_msgs/msg/DiagnosticArray", 10, reliable=True)

# What a session is (docs/architecture.md): enough to train on, to evaluate and to reconstruct the face again.
SESSION: frozenset[Topic] = frozenset({*IMU.values(), REFERENCE_BLENDSHAPES, REFERENCE_LANDMARKS})
FACE: frozenset[Topic] = frozenset({FACE_LANDMARKS, FACE_BLENDSHAPES, AFFECT, POINTS})
DIALOGUE: frozenset[Topic] = frozenset({UTTERANCE, REPLY})
KNOWN: dict[str, Topic] = {topic: topic for topic in SESSION | FACE | DIALOGUE | {MESH, ACKNOWLEDGEMENT, DIAGNOSTICS}}
"""Every topic by its name."""

IMU_FRAMES: dict[Ear, str] = {"left": "earphone_left_imu_link", "right": "earphone_right_imu_link"}
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
