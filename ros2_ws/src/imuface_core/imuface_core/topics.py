"""The one table of topics, with their types and qualities of service, and the covariances of the readings.

Names are relative to the namespace of a person, save those that begin with a slash (docs/architecture.md).
"""

from __future__ import annotations

import math

from imuface_core.earphone import EARS, STANDARD_GRAVITY, Ear


class Topic(str):
    """The name of a topic, which knows what goes over it, how, and who publishes it.

    ``type`` is the message type as in ``sensor_msgs/msg/Imu``, ``meaning`` what it says and ``publisher`` which node
    does, in words; ``depth`` is the length of the queue, ``reliable`` whether what is lost is sent again, ``kept``
    whether those who come later are told, too (transient local).
    """

    type: str
    meaning: str
    publisher: str
    depth: int
    reliable: bool
    kept: bool

    def __new__(
        cls,
        name: str,
        type: str,
        depth: int,
        meaning: str,
        publisher: str,
        *,
        reliable: bool = False,
        kept: bool = False,
    ) -> Topic:
        topic = super().__new__(cls, name)
        topic.type, topic.depth, topic.meaning, topic.publisher = type, depth, meaning, publisher
        topic.reliable, topic.kept = reliable, kept
        return topic


IMU: dict[Ear, Topic] = {
    ear: Topic(
        f"{ear}/imu/data_raw", "sensor_msgs/msg/Imu", 30, f"readings of the {ear} ear (REP-145)", "imuface_driver"
    )
    for ear in EARS
}

REFERENCE_BLENDSHAPES = Topic(
    "reference/blendshapes",
    "imuface_interfaces/msg/Blendshapes",
    5,
    "the true face, where it is known",
    "imuface_driver (simulated or bag), or camera_node with a face model",
)
REFERENCE_LANDMARKS = Topic(
    "reference/landmarks",
    "imuface_interfaces/msg/FacialLandmarks",
    5,
    "the true landmarks, where they are known",
    "reference_node, or camera_node",
)

FACE_LANDMARKS = Topic(
    "face/landmarks",
    "imuface_interfaces/msg/FacialLandmarks",
    5,
    "51 landmarks and their deviations",
    "face_recon_node",
)
FACE_BLENDSHAPES = Topic(
    "face/blendshapes",
    "imuface_interfaces/msg/Blendshapes",
    5,
    "52 ARKit weights and their deviations",
    "face_recon_node",
)
AFFECT = Topic(
    "face/affect",
    "imuface_interfaces/msg/AffectState",
    10,
    "valence, arousal and the expression that the face shows",
    "face_recon_node",
    reliable=True,
)
POINTS = Topic(
    "face/points",
    "sensor_msgs/msg/PointCloud2",
    1,
    "the landmarks as points, while somebody subscribes",
    "face_recon_node",
)
MESH = Topic(
    "face/mesh",
    "visualization_msgs/msg/MarkerArray",
    1,
    "the head's surface for RViz, while somebody subscribes",
    "face_recon_node",
    reliable=True,
)

UTTERANCE = Topic(
    "dialogue/utterance",
    "imuface_interfaces/msg/Utterance",
    10,
    "what the person says",
    "a speech recogniser, or whoever talks with the agent",
    reliable=True,
)
HEARD = Topic(
    "dialogue/heard",
    "imuface_interfaces/msg/Utterance",
    10,
    "what the person said to the action dialogue/respond, once it was accepted",
    "empathy_agent",
    reliable=True,
)
REPLY = Topic(
    "dialogue/reply",
    "imuface_interfaces/msg/EmpathyReply",
    10,
    "the agent's answer, with its chain of empathy",
    "empathy_agent",
    reliable=True,
)
SENTENCE = Topic(
    "dialogue/sentence",
    "imuface_interfaces/msg/Sentence",
    100,
    "the answer sentence by sentence, as it passes the review",
    "empathy_agent",
    reliable=True,
)
ACKNOWLEDGEMENT = Topic(
    "dialogue/acknowledgement",
    "imuface_interfaces/msg/Utterance",
    10,
    "a short sentence at once, with acknowledge:=true",
    "empathy_agent",
    reliable=True,
)

CUE = Topic(
    "robot/cue",
    "imuface_interfaces/msg/Cue",
    100,
    "gaze, nods, tilts, smiles, concern and posture beside the words",
    "cue_node",
    reliable=True,
)
VOICE = Topic(
    "robot/voice",
    "imuface_interfaces/msg/Voice",
    100,
    "which sentence begins to be heard, ends, or is broken off",
    "speech_node, or any robot's own voice",
    reliable=True,
)

DIAGNOSTICS = Topic(
    "/diagnostics", "diagnostic_msgs/msg/DiagnosticArray", 10, "health, once a second", "every node", reliable=True
)

# Of all people together, as for any robot: tf2 looks nowhere else.
TF = Topic(
    "/tf",
    "tf2_msgs/msg/TFMessage",
    100,
    "how the head is turned, with parent_frame",
    "face_recon_node",
    reliable=True,
)
TF_STATIC = Topic(
    "/tf_static",
    "tf2_msgs/msg/TFMessage",
    1,
    "where the earphones are on the face",
    "face_recon_node",
    reliable=True,
    kept=True,
)

# What a session is (docs/architecture.md): enough to train on, to evaluate and to reconstruct the face again.
SESSION: frozenset[Topic] = frozenset({*IMU.values(), REFERENCE_BLENDSHAPES, REFERENCE_LANDMARKS})
FACE: frozenset[Topic] = frozenset({FACE_LANDMARKS, FACE_BLENDSHAPES, AFFECT, POINTS})
DIALOGUE: frozenset[Topic] = frozenset({UTTERANCE, HEARD, SENTENCE, REPLY})
KNOWN: dict[str, Topic] = {
    topic: topic
    for topic in SESSION | FACE | DIALOGUE | {MESH, ACKNOWLEDGEMENT, CUE, VOICE, DIAGNOSTICS, TF, TF_STATIC}
}
"""Every topic by its name."""

# LSM6DS3TR-C datasheet, "Mechanical characteristics": noise densities 90 µg/√Hz (±4 g) and 5 mdps/√Hz in
# high-performance mode, in the 15 Hz that a device sampling at 30 Hz lets through (docs/device-protocol.md).
_NOISE_BANDWIDTH = 15.0  # Hz
ACCELERATION_STDEV = round(90e-6 * STANDARD_GRAVITY * math.sqrt(_NOISE_BANDWIDTH), 6)  # m/s²
ANGULAR_VELOCITY_STDEV = round(math.radians(5e-3) * math.sqrt(_NOISE_BANDWIDTH), 6)  # rad/s

# The IMU does not estimate an orientation: REP-145 wants -1 first then.
ORIENTATION_COVARIANCE = (-1.0, *(0.0,) * 8)


def covariance(stdev: float) -> tuple[float, ...]:
    """Row-major 3x3, as in ``sensor_msgs/Imu``, of axes with the same standard deviation; 0: unknown (REP-145)."""
    variance = stdev**2
    return variance, 0.0, 0.0, 0.0, variance, 0.0, 0.0, 0.0, variance
