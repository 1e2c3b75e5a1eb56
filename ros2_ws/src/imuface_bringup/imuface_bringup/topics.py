"""The topics of one person, by what they are for, named relative to the person's namespace."""

from __future__ import annotations

import importlib

from imuface_driver import topics as driver_topics

IMU = dict.fromkeys(driver_topics.IMU.values(), "sensor_msgs/msg/Imu")
REFERENCE = {
    driver_topics.REFERENCE_BLENDSHAPES: "imuface_interfaces/msg/Blendshapes",
    driver_topics.REFERENCE_LANDMARKS: "imuface_interfaces/msg/FacialLandmarks",
}
FACE = {
    driver_topics.FACE_LANDMARKS: "imuface_interfaces/msg/FacialLandmarks",
    "face/blendshapes": "imuface_interfaces/msg/Blendshapes",
    "face/affect": "imuface_interfaces/msg/AffectState",
    "face/points": "sensor_msgs/msg/PointCloud2",
}
MESH = {"face/mesh": "visualization_msgs/msg/MarkerArray"}
DIALOGUE = {
    "dialogue/utterance": "imuface_interfaces/msg/Utterance",
    "dialogue/reply": "imuface_interfaces/msg/EmpathyReply",
}
DIAGNOSTICS = {"/diagnostics": "diagnostic_msgs/msg/DiagnosticArray"}

# What a session is (docs/architecture.md): enough to train on, to evaluate and to reconstruct the face again.
SESSION = IMU | REFERENCE


def recorded(*, all_topics: bool, mesh: bool, dialogue: bool) -> dict[str, str]:
    """Topics to record, name to type. The mesh is large and follows from the blendshapes; the dialogue is private."""
    chosen = dict(SESSION)
    if all_topics:
        chosen |= FACE | DIAGNOSTICS
    if mesh:
        chosen |= MESH
    if dialogue:
        chosen |= DIALOGUE
    return chosen


def message_class(kind: str) -> type:
    """The Python class of a message type such as ``sensor_msgs/msg/Imu``. Raises ``ImportError`` when not installed."""
    package, _, name = kind.split("/")
    return getattr(importlib.import_module(f"{package}.msg"), name)
