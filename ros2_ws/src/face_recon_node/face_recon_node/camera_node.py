"""The true face from a camera: pictures in, ``reference/landmarks`` and, where the face model gives them,
``reference/blendshapes`` out. No picture leaves this process.

Stamps are the arrival of the picture on the ROS clock; what the camera takes until then is found out when the recording
is over (``imuface record --camera``).
"""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import imuface_node
from imuface_core import topics
from imuface_interfaces.msg import Blendshapes, FacialLandmarks
from imuface_node import PERSON_ID, AutostartNode, Param, Status, StatusLevel, frames_of_node, offered
from rclpy.publisher import Publisher

from face_recon_node.camera.capture import Live
from face_recon_node.camera.face_mesh import FaceMesh
from face_recon_node.camera.metric import PUPIL_DISTANCE, PUPIL_DISTANCE_LIMITS
from face_recon_node.camera.watcher import Face, Watcher
from face_recon_node.messages import BlendshapesMessage, LandmarksMessage

LOG_PERIOD = 5.0
_NEAREST, _FARTHEST = (limit * 1e3 for limit in PUPIL_DISTANCE_LIMITS)  # mm


class CameraNode(AutostartNode):
    """Publishes the face that a camera sees; ends with its pictures."""

    PARAMETERS = (
        Param("camera", "0", "number of a camera, or a video file to play as if it were one"),
        Param(
            "face_model",
            "",
            "face_landmarker.task file; empty: the model in mediapipe 0.10.21, which gives no blendshapes",
        ),
        Param("pupil_distance", PUPIL_DISTANCE * 1e3, "between the person's pupils, mm", within=(_NEAREST, _FARTHEST)),
        PERSON_ID,
    )

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("camera_node", **kwargs)
        self._outputs: list[Publisher] = []
        self._live: Live | None = None
        self._thread: threading.Thread | None = None

    def setup(self) -> None:
        landmarks = (FacialLandmarks, topics.REFERENCE_LANDMARKS)
        blendshapes = (Blendshapes, topics.REFERENCE_BLENDSHAPES)
        frame = frames_of_node(self).face
        self._landmarks_message, self._blendshapes_message = LandmarksMessage(frame), BlendshapesMessage(frame)
        model = self.get_parameter("face_model").value
        self._mesh = FaceMesh(Path(model) if model else None)
        kinds = (landmarks, blendshapes) if self._mesh.gives_weights else (landmarks,)
        self._outputs = [self.create_publisher(kind, topic, offered(topic)) for kind, topic in kinds]

    def start(self) -> None:
        self._watcher = Watcher(self._mesh, self.get_parameter("pupil_distance").value * 1e-3)
        self._published = 0
        self._live = Live(str(self.get_parameter("camera").value))
        self._thread = threading.Thread(target=self._work, args=(self._live,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        if self._live is not None and self._thread is not None:
            self._live.stop()
            if self._thread is not threading.current_thread():
                self._thread.join()
        self._live = self._thread = None

    def teardown(self) -> None:
        for publisher in self._outputs:
            self.destroy_publisher(publisher)
        self._outputs.clear()

    def status(self) -> list[tuple[str, Status]]:
        assert self._live is not None
        values = {
            "published": str(self._published),
            "pictures": str(self._watcher.pictures),
            "without_face": str(self._watcher.without_face),
            "missed": str(self._live.missed),
        }
        if not self._published:
            return [("", Status(StatusLevel.WARN, "no face measured yet", values))]
        return [("", Status(StatusLevel.OK, "active", values))]

    def _work(self, live: Live) -> None:
        with live:
            for picture in live:
                # Faces that waited until the head was measured would overrun the queue; the calibration of the
                # earphones takes as long, and nothing is learned from that time.
                for face in self._watcher.push(picture)[-1:]:
                    self._publish(face)
                if self._watcher.without_face:
                    self._complain()
        if self.active:
            self.get_logger().info(f"the camera gives no more pictures; {self._summary(live)}")
            self.context.try_shutdown()

    def _publish(self, face: Face) -> None:
        stamp_ns = self.get_clock().now().nanoseconds - round((time.monotonic() - face.time) * 1e9)
        if not self._published:
            self.get_logger().info("sees a face")
        messages = [self._landmarks_message.build(stamp_ns, face.landmarks, 0.0)]
        if face.weights is not None:
            messages.append(self._blendshapes_message.build(stamp_ns, face.weights, 0.0))
        for publisher, message in zip(self._outputs, messages, strict=True):
            publisher.publish(message)
        self._published += 1

    def _complain(self) -> None:
        self.get_logger().warning(
            f"{self._watcher.without_face} of {self._watcher.pictures} pictures show no face",
            throttle_duration_sec=LOG_PERIOD,
        )

    def _summary(self, live: Live) -> str:
        return (
            f"{self._watcher.pictures} seen, {live.missed} missed, {self._watcher.without_face} without a face, "
            f"{self._published} faces published"
        )


def main(args: list[str] | None = None) -> None:
    imuface_node.main(CameraNode, args)
