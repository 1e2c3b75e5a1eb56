"""The true face: ``reference/blendshapes`` in, ``reference/landmarks`` out, through the same head model."""

from __future__ import annotations

from typing import Any

import imuface_node
import numpy as np
from imuface_core import topics
from imuface_core.stamps import to_ns
from imuface_interfaces.msg import Blendshapes, FacialLandmarks
from imuface_node import PERSON_ID, AutostartNode, Status, StatusLevel, frames_of_node, offered, qos
from rclpy.publisher import Publisher
from rclpy.subscription import Subscription

from face_recon_node.messages import LandmarksMessage
from face_recon_node.parameters import HEAD_PARAMETERS, load_head

LOG_PERIOD = 5.0


class ReferenceNode(AutostartNode):
    """Turns the weights of a performance into the landmarks that a perfect reconstruction would give."""

    PARAMETERS = (*HEAD_PARAMETERS, PERSON_ID)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("reference_node", **kwargs)
        self._publisher: Publisher | None = None
        self._subscription: Subscription | None = None

    def setup(self) -> None:
        self._head = load_head(self)
        self._message = LandmarksMessage(frames_of_node(self).face)
        self._publisher = self.create_publisher(
            FacialLandmarks, topics.REFERENCE_LANDMARKS, offered(topics.REFERENCE_LANDMARKS)
        )

    def start(self) -> None:
        self._frames = self._dropped = 0
        self._subscription = self.create_subscription(
            Blendshapes, topics.REFERENCE_BLENDSHAPES, self._on_blendshapes, qos(topics.REFERENCE_BLENDSHAPES)
        )

    def stop(self) -> None:
        if self._subscription is not None:
            self.destroy_subscription(self._subscription)
            self._subscription = None

    def teardown(self) -> None:
        if self._publisher is not None:
            self.destroy_publisher(self._publisher)
            self._publisher = None

    def _on_blendshapes(self, message: Blendshapes) -> None:
        if not np.isfinite(message.weights).all():
            self._dropped += 1
            self.get_logger().warning(
                f"dropped {self._dropped} reference frames whose weights are not finite",
                throttle_duration_sec=LOG_PERIOD,
            )
            return
        assert self._publisher is not None
        landmarks = self._head.landmarks(message.weights)
        self._publisher.publish(self._message.build(to_ns(message.header.stamp), landmarks, 0.0))
        self._frames += 1

    def status(self) -> list[tuple[str, Status]]:
        values = {"frames": str(self._frames), "dropped_not_finite": str(self._dropped)}
        return [("", Status(StatusLevel.OK, "active" if self._frames else "waiting for a reference", values))]


def main(args: list[str] | None = None) -> None:
    imuface_node.main(ReferenceNode, args)
