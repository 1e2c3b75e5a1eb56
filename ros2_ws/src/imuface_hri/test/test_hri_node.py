"""The bridge over DDS, where hri_msgs is installed; without it, what the node says."""

from __future__ import annotations

import importlib.util
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import rclpy
from geometry_msgs.msg import Point
from imuface_interfaces.msg import AffectState, Blendshapes, FacialLandmarks
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile

pytestmark = pytest.mark.graph
MAIN = "from imuface_hri.node import main; main()"
HIDDEN = "import sys; sys.modules['hri_msgs'] = sys.modules['hri_msgs.msg'] = None; "


@pytest.fixture
def node() -> Iterator[Node]:
    context = rclpy.Context()
    context.init()
    node = rclpy.create_node("faces", context=context)
    yield node
    node.destroy_node()
    context.shutdown()


class Person:
    """Publishes a face in a namespace."""

    def __init__(self, node: Node, name: str) -> None:
        self._node = node
        self._publishers = {
            kind: node.create_publisher(kind, f"/{name}/face/{topic}", 5)
            for kind, topic in ((FacialLandmarks, "landmarks"), (Blendshapes, "blendshapes"), (AffectState, "affect"))
        }

    def show(self, weight: float = 0.5) -> None:
        messages = (
            FacialLandmarks(points=[Point(y=0.01)] * 51),
            Blendshapes(weights=np.full(52, weight, np.float32)),
            AffectState(valence=weight, arousal=0.25, expression="happy", confidence=0.75),
        )
        for message in messages:
            message.header.stamp = self._node.get_clock().now().to_msg()
            self._publishers[type(message)].publish(message)


def test_faces_come_below_humans_and_go(node: Node) -> None:
    if importlib.util.find_spec("hri_msgs") is None:
        pytest.skip("hri_msgs is not installed")
    hri = importlib.import_module("hri_msgs.msg")
    heard: dict[str, list[Any]] = {}
    kept = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)

    def listen(kind: str, topic: str, qos: QoSProfile | int = 10) -> None:
        heard[topic] = []
        node.create_subscription(getattr(hri, kind), f"/humans/faces/{topic}", heard[topic].append, qos)

    listen("IdsList", "tracked", kept)
    for name in ("anna", "ben"):
        listen("FacialLandmarks", f"{name}/landmarks")
        listen("FacialActionUnits", f"{name}/facs")
        listen("Expression", f"{name}/expression")
    executor = SingleThreadedExecutor(context=node.context)
    executor.add_node(node)
    anna, ben = Person(node, "anna"), Person(node, "ben")

    def until(condition: Callable[[], bool], *shown: tuple[Person, float]) -> None:
        deadline = time.monotonic() + 60.0
        while not condition():
            assert time.monotonic() < deadline, heard
            for person, weight in shown:
                person.show(weight)
            executor.spin_once(timeout_sec=0.05)

    process = subprocess.Popen(
        [sys.executable, "-c", MAIN, "--ros-args", "-p", "people:=anna /ben"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    until(lambda: all(heard.values()) and heard["tracked"][-1].ids == ["anna", "ben"], (anna, 0.5), (ben, 0.25))
    assert heard["anna/expression"][-1].expression == "happy"
    assert (heard["anna/expression"][-1].valence, heard["ben/expression"][-1].valence) == (0.5, 0.25)
    assert heard["anna/facs"][-1].intensity[26] == pytest.approx(0.5)
    landmark = heard["anna/landmarks"][-1].landmarks[30]
    assert (landmark.x, landmark.y, landmark.c) == pytest.approx((0.5 + 0.01 / 0.3, 0.35, 1.0))
    until(lambda: heard["tracked"][-1].ids == ["anna"], (anna, float("nan")))
    until(lambda: heard["tracked"][-1].ids == [])
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=20)
    assert process.returncode == 0, output
    assert "messages of /anna: weights are not finite" in output


@pytest.mark.parametrize(
    ("code", "parameter", "reason"),
    [
        (HIDDEN, "people:=anna", "hri_msgs, or install ros-$ROS_DISTRO-hri-msgs"),
        ("", "people:='a-b'", "people holds 'a-b', which is no namespace"),
    ],
)
def test_what_is_missing_is_said_in_one_line(code: str, parameter: str, reason: str) -> None:
    command = [sys.executable, "-c", code + MAIN, "--ros-args", "-p", parameter, "-p", "required:=true"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert result.returncode == 1
    assert reason in result.stdout + result.stderr
    assert "Traceback" not in result.stderr
