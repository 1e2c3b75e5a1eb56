"""The node that turns true weights into true landmarks, over DDS."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import numpy as np
import pytest
import rclpy
from face_recon_node.head import HeadModel, Identity
from imuface_interfaces.msg import Blendshapes, FacialLandmarks
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy

pytestmark = pytest.mark.graph


@pytest.fixture
def node() -> Iterator[Node]:
    context = rclpy.Context()
    context.init()
    node = rclpy.create_node("listener", context=context)
    yield node
    node.destroy_node()
    context.shutdown()


def test_reference_landmarks_are_those_of_the_head_model(node: Node) -> None:
    command = [sys.executable, "-c", "from face_recon_node.reference_node import main; main()", "--ros-args"]
    process = subprocess.Popen(
        [*command, "-p", "identity.gender:=1.0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    executor = SingleThreadedExecutor(context=node.context)
    executor.add_node(node)
    qos = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
    received: list[FacialLandmarks] = []
    publisher = node.create_publisher(Blendshapes, "reference/blendshapes", qos)
    node.create_subscription(FacialLandmarks, "reference/landmarks", received.append, qos)
    deadline = time.monotonic() + 60
    weights = np.random.default_rng(0).uniform(0, 1, 52).astype(np.float32)
    broken = np.where(np.arange(52) == 7, np.nan, weights).astype(np.float32)
    stamp = 0
    while not received:
        assert time.monotonic() < deadline
        for value in (broken, weights):
            message = Blendshapes(weights=value)
            stamp += 1
            message.header.stamp.sec, message.header.stamp.nanosec = 7, stamp
            publisher.publish(message)
        executor.spin_once(timeout_sec=0.1)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "weights are not finite" in output

    truth = HeadModel.load().with_identity(Identity(gender=1.0)).landmarks(weights)
    np.testing.assert_allclose([(p.x, p.y, p.z) for p in received[0].points], truth, atol=1e-6)
    assert received[0].header.frame_id == "face"
    assert received[0].header.stamp.sec == 7
    assert received[0].header.stamp.nanosec % 2 == 0  # not the broken one
    assert not np.any(received[0].standard_deviation)
