"""The face in the TF tree: the earphones on it (``/tf_static``) and, where it is wanted, the head's turn (``/tf``)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from geometry_msgs.msg import TransformStamped
from imuface_core import topics
from imuface_core.earphone import EARS, Ear
from imuface_core.frames import Frames
from imuface_core.stamps import set_ns
from imuface_node import AutostartNode, Param, message_class, offered
from numpy.typing import NDArray
from rclpy.publisher import Publisher
from scipy.spatial.transform import Rotation

from face_recon_node.head.ears import earphones
from face_recon_node.reconstructor import FaceFrame
from face_recon_node.stream.calibration import EarBaseline
from face_recon_node.stream.orientation import HEADINGS, HeadOrientation

PARAMETERS = (
    Param(
        "parent_frame",
        "",
        "upright frame in which the head turns, for /tf; its heading drifts. Empty: the face has no parent",
    ),
    *(
        Param(
            f"{ear}_heading",
            heading,
            f"degrees to the left of straight ahead to which the x axis of the {ear} earphone points, once upright",
            within=(-180, 180),
        )
        for ear, heading in zip(EARS, HEADINGS, strict=True)
    ),
)


@dataclass(frozen=True)
class _Seat:
    """How an earphone is known to be worn."""

    frame: str
    baseline: EarBaseline | None


class Transforms:
    """Publishes a person's transforms for a node with :data:`PARAMETERS`; the only publisher of these.

    ``vertices`` (V, 3): the neutral head, metres, face frame.

    Raises:
        ImportError: tf2_msgs is not installed.
        ValueError: the parent frame is one of the person's own.
    """

    def __init__(self, node: AutostartNode, frames: Frames, vertices: NDArray[np.floating]) -> None:
        self._message = message_class(topics.TF.type)
        self._node = node
        self._frames = frames
        self._parent = node.get_parameter("parent_frame").value
        if self._parent in (frames.face, *frames.imu.values()):
            raise ValueError(
                f"parent_frame is '{self._parent}', which is the person's own; name another frame, or none"
            )
        left, right = (node.get_parameter(f"{ear}_heading").value for ear in EARS)
        self._headings = dict(zip(EARS, (left, right), strict=True))
        self._places = dict(zip(EARS, earphones(vertices), strict=True))
        self._seats = {ear: _Seat(frames.imu[ear], None) for ear in EARS}
        self._refused: set[tuple[Ear, str]] = set()
        self._orientation = HeadOrientation((left, right))
        self._static = self._publisher(topics.TF_STATIC)
        self._moving = self._publisher(topics.TF) if self._parent else None
        self._publish_static()

    def close(self) -> None:
        for publisher in filter(None, (self._static, self._moving)):
            self._node.destroy_publisher(publisher)

    def place(self, ear: Ear, frame: str, baseline: EarBaseline | None) -> None:
        """Take down in which frame an ear's readings are, and its calibration; what is new is published."""
        seat = self._seats[ear]
        if frame != seat.frame and not self._may_have(ear, frame):
            frame = seat.frame
        if baseline is not seat.baseline:
            self._orientation.calibrated(EARS.index(ear))
        if frame != seat.frame or baseline is not seat.baseline:
            self._seats[ear] = _Seat(frame, baseline)
            self._publish_static()

    def turn(self, frame: FaceFrame) -> None:
        """Publish how the head is turned at a face, where a parent frame is wanted."""
        if self._moving is None or not frame.present.any():
            return
        rotation = self._orientation.push(frame.stamp_ns, frame.readings, frame.present)
        transform = _transform(frame.stamp_ns, self._parent, self._frames.face, np.zeros(3), rotation)
        self._moving.publish(self._message(transforms=[transform]))

    def _may_have(self, ear: Ear, frame: str) -> bool:
        """Whether nobody else has the frame of an ear's readings; says so once when somebody has."""
        others = {self._frames.face, self._parent, *(self._seats[each].frame for each in EARS if each != ear)}
        if frame in others and frame and (ear, frame) not in self._refused:
            self._refused.add((ear, frame))
            self._node.get_logger().warning(
                f"the readings of the {ear} ear are in frame '{frame}', which is not its own: give it one; "
                f"/tf_static has {self._seats[ear].frame}"
            )
        return bool(frame) and frame not in others

    def _publish_static(self) -> None:
        now = self._node.get_clock().now().nanoseconds
        self._static.publish(
            self._message(
                transforms=[
                    _transform(now, self._frames.face, seat.frame, self._places[ear], self._rotation(ear, seat))
                    for ear, seat in self._seats.items()
                ]
            )
        )

    def _rotation(self, ear: Ear, seat: _Seat) -> Rotation:
        """From an ear's frame to the face's: upright by its calibration, then turned to its heading."""
        heading = Rotation.from_euler("z", self._headings[ear], degrees=True)
        return heading if seat.baseline is None else heading * Rotation.from_matrix(seat.baseline.rotation)

    def _publisher(self, topic: topics.Topic) -> Publisher:
        return self._node.create_publisher(self._message, topic, offered(topic))


def _transform(stamp_ns: int, parent: str, child: str, place: NDArray, rotation: Rotation) -> TransformStamped:
    """``place`` (3,) in metres and ``rotation`` take coordinates in ``child`` to those in ``parent``."""
    message = TransformStamped(child_frame_id=child)
    message.header.frame_id = parent
    set_ns(message.header.stamp, stamp_ns)
    translation, turn = message.transform.translation, message.transform.rotation
    translation.x, translation.y, translation.z = map(float, place)
    turn.x, turn.y, turn.z, turn.w = map(float, rotation.as_quat(canonical=True))
    return message
