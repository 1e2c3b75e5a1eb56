"""The camera's node with pictures and a face mesh that were made up, over DDS."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import rclpy
from face_recon_node import camera_node
from face_recon_node.camera.capture import Picture
from face_recon_node.camera.face_mesh import POINTS, Mesh
from face_recon_node.camera.metric import LANDMARKS
from face_recon_node.camera_node import CameraNode
from face_recon_node.head import HeadModel
from imuface_core import topics
from imuface_interfaces.msg import Blendshapes, FacialLandmarks
from imuface_node import StatusLevel, qos
from rclpy.executors import SingleThreadedExecutor
from rclpy.parameter import Parameter

pytestmark = pytest.mark.graph
HEAD = HeadModel.load()
WEIGHTS = np.linspace(0.0, 1.0, 52).astype(np.float32)


class Pictures:
    """A camera of 30 pictures a second, of which the first five show nobody."""

    missed = 0

    def __init__(self, source: str) -> None:
        if source == "9":
            raise OSError("there is no camera 9")
        self._stopped = False

    def __enter__(self) -> Pictures:
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def __iter__(self) -> Iterator[Picture]:
        for number in range(10_000):
            if self._stopped:
                return
            time.sleep(0.01)
            # Time runs faster than the clock, so that the seconds in which the head is measured pass.
            yield Picture(time.monotonic() + 0.02 * number, np.full((2, 2, 3), number >= 5, np.uint8))

    def stop(self) -> None:
        self._stopped = True


class MeshModel:
    """Finds the neutral face, turned to nobody, where a picture is not black."""

    gives_weights = True

    def __init__(self, model: object) -> None:
        self._points = np.random.default_rng(0).uniform(-0.06, 0.06, (POINTS, 3))
        self._points[LANDMARKS] = HEAD.landmark_neutral
        self._points[[468, 473]] = [[-0.0085, -0.032, 0.0], [-0.0085, 0.032, 0.0]]

    def find(self, rgb: np.ndarray, seconds: float) -> Mesh | None:
        if not rgb.any():
            return None
        forward, left, up = self._points.T * 3000.0
        return Mesh(np.column_stack([left + 320.0, 240.0 - up, -forward]), WEIGHTS)


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., tuple[CameraNode, SingleThreadedExecutor]]]:
    monkeypatch.setattr(camera_node, "Live", Pictures)
    monkeypatch.setattr(camera_node, "FaceMesh", MeshModel)
    context = rclpy.Context()
    context.init()
    executor = SingleThreadedExecutor(context=context)
    nodes: list[Any] = []

    def run(**parameters: Any) -> tuple[CameraNode, SingleThreadedExecutor]:
        overrides = [Parameter(name, value=value) for name, value in parameters.items()]
        node = CameraNode(context=context, parameter_overrides=overrides)
        nodes.append(node)
        executor.add_node(node)
        node.autostart()
        return node, executor

    yield run
    for node in nodes:
        node.close()
        node.destroy_node()
    executor.shutdown()
    context.try_shutdown()


def test_the_face_in_the_pictures_is_published(start: Callable[..., Any]) -> None:
    node, executor = start()
    listener = rclpy.create_node("listener", context=node.context)
    executor.add_node(listener)
    landmarks: list[FacialLandmarks] = []
    blendshapes: list[Blendshapes] = []
    for kind, topic, kept in (
        (FacialLandmarks, topics.REFERENCE_LANDMARKS, landmarks),
        (Blendshapes, topics.REFERENCE_BLENDSHAPES, blendshapes),
    ):
        listener.create_subscription(kind, topic, kept.append, qos(topic))
    deadline = time.monotonic() + 60.0
    while len(landmarks) < 5 or len(blendshapes) < 5:
        assert time.monotonic() < deadline
        executor.spin_once(timeout_sec=0.1)
    (part, status) = node.status()[0]
    listener.destroy_node()
    points = np.array([(point.x, point.y, point.z) for point in landmarks[-1].points])
    np.testing.assert_allclose(points, HEAD.landmark_neutral * 0.063 / 0.064, atol=2e-3)
    np.testing.assert_allclose(blendshapes[-1].weights, WEIGHTS)
    assert landmarks[-1].header.frame_id == "face"
    assert part == ""
    assert status.level is StatusLevel.OK
    assert int(status.values["published"]) >= 5
    assert status.values["without_face"] == "5"


def test_a_camera_that_is_not_there_leaves_the_node_inactive(start: Callable[..., Any]) -> None:
    node, _ = start(camera="9")
    assert not node.active


def test_it_can_be_stopped_and_started_again(start: Callable[..., Any]) -> None:
    node, _ = start()
    for _ in range(2):
        assert node.active
        node.trigger_deactivate()
        assert not node.active
        node.trigger_activate()
