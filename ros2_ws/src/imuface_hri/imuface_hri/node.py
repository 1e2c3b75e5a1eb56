"""The bridge to ROS4HRI (REP-155): our faces below ``/humans/faces``."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import imuface_node
import numpy as np
from imuface_core import topics
from imuface_core.topics import Topic
from imuface_interfaces.msg import AffectState, Blendshapes, FacialLandmarks
from imuface_node import AutostartNode, Param, Status, StatusLevel, message_class, offered, qos
from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.publisher import Publisher
from rclpy.subscription import Subscription
from rclpy.timer import Timer

from imuface_hri.faces import FIELD, LANDMARKS, facs, pictured

LOST = 1.0
"""s without landmarks after which a face counts as gone."""
LOG_PERIOD = 5.0
_PIXELS = 1000  # a side of the picture that nobody took
_TRACKED = Topic(
    "/humans/faces/tracked",
    "hri_msgs/msg/IdsList",
    1,
    "ids of the faces that are there",
    "hri_node",
    reliable=True,
    kept=True,
)


def _topic(face: str, name: str, kind: str) -> Topic:
    return Topic(f"/humans/faces/{face}/{name}", f"hri_msgs/msg/{kind}", 1, "REP-155", "hri_node")


class HriNode(AutostartNode):
    """One for all people: who is there is one list. A person's face has the id of their namespace."""

    PARAMETERS = (Param("people", "", "namespaces of the people, such as anna ben; empty: the one of this node"),)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("hri_node", **kwargs)
        self._faces: dict[str, _Face] = {}
        self._tracked: Publisher | None = None
        self._timer: Timer | None = None

    def setup(self) -> None:
        people = self.get_parameter("people").value.split() or [self.get_namespace()]
        try:
            self._ids = message_class(_TRACKED.type)
            self._faces = {(name := _id(person)): _Face(self, person, name) for person in people}
        except ImportError as error:
            raise ValueError(f"{error}: build hri_msgs, or install ros-$ROS_DISTRO-hri-msgs") from error
        self._tracked = self.create_publisher(self._ids, _TRACKED, offered(_TRACKED))

    def start(self) -> None:
        for face in self._faces.values():
            face.start()
        self._told: list[str] | None = None
        self._timer = self.create_timer(0.2, self._tell_who_is_there, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def stop(self) -> None:
        for face in self._faces.values():
            face.stop()
        if self._timer is not None:
            self.destroy_timer(self._timer)
            self._timer = None

    def teardown(self) -> None:
        for face in self._faces.values():
            face.close()
        self._faces = {}
        if self._tracked is not None:
            self.destroy_publisher(self._tracked)
            self._tracked = None

    def status(self) -> list[tuple[str, Status]]:
        return [
            (name, Status(StatusLevel.OK, "tracked" if face.there else "waiting for a face", face.counts))
            for name, face in self._faces.items()
        ]

    def _tell_who_is_there(self) -> None:
        there = [name for name, face in self._faces.items() if face.there]
        if there == self._told:
            return
        assert self._tracked is not None
        message = self._ids(ids=there)
        message.header.stamp = self.get_clock().now().to_msg()
        self._tracked.publish(message)
        self._told = there


class _Face:
    """One person's face: what comes in, and what goes out."""

    def __init__(self, node: AutostartNode, person: str, name: str) -> None:
        self._node, self._person = node, person.strip("/")
        self._seen = -LOST
        self.frames = self.dropped = 0
        self._taken: list[Subscription] = []
        self._publishers: list[Publisher] = []
        self._landmarks, self._landmarks_message = self._publisher(_topic(name, "landmarks", "FacialLandmarks"))
        point = message_class("hri_msgs/msg/NormalizedPointOfInterest2D")
        self._landmarks_message.landmarks = [point() for _ in range(LANDMARKS)]
        self._landmarks_message.height = self._landmarks_message.width = _PIXELS
        self._facs, self._facs_message = self._publisher(_topic(name, "facs", "FacialActionUnits"))
        self._expression, self._expression_message = self._publisher(_topic(name, "expression", "Expression"))

    @property
    def there(self) -> bool:
        """Whether landmarks came lately."""
        return time.monotonic() - self._seen < LOST

    @property
    def counts(self) -> dict[str, str]:
        """For diagnostics."""
        return {"frames": str(self.frames), "dropped_not_finite": str(self.dropped), "field_m": f"{FIELD:g}"}

    def start(self) -> None:
        self._take(FacialLandmarks, topics.FACE_LANDMARKS, self._on_landmarks)
        self._take(Blendshapes, topics.FACE_BLENDSHAPES, self._on_blendshapes)
        self._take(AffectState, topics.AFFECT, self._on_affect)

    def stop(self) -> None:
        for subscription in self._taken:
            self._node.destroy_subscription(subscription)
        self._taken = []

    def close(self) -> None:
        for publisher in self._publishers:
            self._node.destroy_publisher(publisher)
        self._publishers = []

    def _publisher(self, topic: Topic) -> tuple[Publisher, Any]:
        kind = message_class(topic.type)
        self._publishers.append(self._node.create_publisher(kind, topic, offered(topic)))
        return self._publishers[-1], kind()

    def _take(self, kind: Any, topic: Topic, callback: Callable[[Any], None]) -> None:
        name = f"/{self._person}/{topic}" if self._person else f"/{topic}"
        self._taken.append(self._node.create_subscription(kind, name, partial(self._checked, callback), qos(topic)))

    def _checked(self, callback: Callable[[Any], None], message: Any) -> None:
        try:
            callback(message)
        except ValueError as error:
            self.dropped += 1
            self._node.get_logger().warning(
                f"dropped {self.dropped} messages of /{self._person}: {error}", throttle_duration_sec=LOG_PERIOD
            )

    def _on_landmarks(self, message: FacialLandmarks) -> None:
        points = np.array([(point.x, point.y, point.z) for point in message.points])
        found = pictured(_finite(points, "landmarks"), _finite(message.standard_deviation, "deviations"))
        for point, (x, y, confidence) in zip(self._landmarks_message.landmarks, found.tolist(), strict=True):
            point.x, point.y, point.c = x, y, confidence
        self._landmarks_message.header = message.header
        self._landmarks.publish(self._landmarks_message)
        self._seen = time.monotonic()
        self.frames += 1

    def _on_blendshapes(self, message: Blendshapes) -> None:
        intensity, confidence = facs(
            _finite(message.weights, "weights"), _finite(message.standard_deviation, "deviations")
        )
        self._facs_message.header = message.header
        self._facs_message.intensity, self._facs_message.confidence = intensity.tolist(), confidence.tolist()
        self._facs.publish(self._facs_message)

    def _on_affect(self, message: AffectState) -> None:
        _finite((message.valence, message.arousal, message.confidence), "affect")
        out = self._expression_message
        out.header, out.expression = message.header, message.expression
        out.valence, out.arousal, out.confidence = message.valence, message.arousal, message.confidence
        self._expression.publish(out)


def _finite(values: Any, what: str) -> Any:
    if not np.isfinite(values).all():
        raise ValueError(f"{what} are not finite")
    return values


def _id(person: str) -> str:
    """The id of a person's face: their namespace, as the end of the name of their frame (``face_anna``)."""
    name = person.strip("/").replace("/", "_") or "imuface"
    if not name.isidentifier() or not name.isascii():
        raise ValueError(f"people holds '{person}', which is no namespace; use letters, digits and '_'")
    return name


def main(args: list[str] | None = None) -> None:
    imuface_node.main(HriNode, args)
