"""The node over DDS, with receivers on real sockets."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import TransformStamped
from imuface_core.arkit import INDEX
from imuface_core.topics import TF
from imuface_interfaces.msg import Blendshapes
from imuface_node import message_class
from pylivelinkface import FaceBlendShape, PyLiveLinkFace
from pythonosc.osc_bundle import OscBundle
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy

pytestmark = pytest.mark.graph


class Show:
    """A face that is published, what a receiver hears of it, and the node's health."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._executor = SingleThreadedExecutor(context=node.context)
        self._executor.add_node(node)
        best_effort = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
        self._publisher = node.create_publisher(Blendshapes, "face/blendshapes", best_effort)
        self._transforms = node.create_publisher(message_class(TF.type), TF, 10)
        self.head = [0.0, 0.0, 0.0, 1.0]
        self.health: list[DiagnosticStatus] = []
        node.create_subscription(DiagnosticArray, "/diagnostics", lambda array: self.health.extend(array.status), 10)
        self.receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.receiver.bind(("127.0.0.1", 0))
        self.receiver.setblocking(False)
        self.port = self.receiver.getsockname()[1]
        self.heard: list[bytes] = []

    def until(self, condition: Callable[[], bool], weights: np.ndarray | None) -> None:
        """Publish a face, if there is one, until a condition holds."""
        deadline = time.monotonic() + 60.0
        while not condition():
            assert time.monotonic() < deadline, self.health[-1:]
            if weights is not None:
                message = Blendshapes(weights=weights)
                message.header.stamp = self._node.get_clock().now().to_msg()
                message.header.frame_id = "face_anna"
                self._publisher.publish(message)
                mine = TransformStamped(header=message.header, child_frame_id="face_anna")
                turn = mine.transform.rotation
                turn.x, turn.y, turn.z, turn.w = self.head
                other = TransformStamped(header=message.header, child_frame_id="face")
                self._transforms.publish(message_class(TF.type)(transforms=[mine, other]))
            self._executor.spin_once(timeout_sec=0.03)
            self.heard += self._hear()

    def value(self, key: str) -> int:
        """A number of the latest report."""
        return int(next((v.value for v in self.health[-1].values if v.key == key), 0)) if self.health else 0

    def _hear(self) -> Iterator[bytes]:
        while True:
            try:
                yield self.receiver.recv(65_535)
            except OSError:  # nothing there, or closed
                return


@pytest.fixture
def show() -> Iterator[Show]:
    context = rclpy.Context()
    context.init()
    node = rclpy.create_node("face", context=context)
    show = Show(node)
    yield show
    show.receiver.close()
    node.destroy_node()
    context.shutdown()


def start(*parameters: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", "from imuface_avatar.node import main; main()", "--ros-args"]
    for parameter in parameters:
        command += ["-p", parameter]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def end(process: subprocess.Popen[str]) -> str:
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=20)
    assert process.returncode == 0, output
    return output


def jaw_of(protocol: str, datagram: bytes) -> float:
    if protocol == "live_link_face":
        _, packet = PyLiveLinkFace.decode(datagram)
        return float(packet.get_blendshape(FaceBlendShape.JawOpen))
    contents = list(OscBundle(datagram))
    if protocol == "vmc":
        return next(content.params[1] for content in contents if content.params[:1] == ["JawOpen"])
    return next((content.params[0] for content in contents if content.address.endswith("v2/JawOpen")), 0.0)


@pytest.mark.parametrize("protocol", ["vmc", "vrchat", "live_link_face"])
def test_the_face_arrives_and_a_broken_one_does_not(show: Show, protocol: str) -> None:
    process = start(f"protocol:={protocol}", f"port:={show.port}", "gains:=jawOpen=2", "smoothing.min_cutoff:=0.0")
    weights = np.zeros(52, np.float32)
    weights[INDEX["jawOpen"]] = 0.25
    show.until(lambda: show.value("frames") >= 5, weights)
    assert max(jaw_of(protocol, datagram) for datagram in show.heard) == pytest.approx(0.5, abs=1e-6)
    assert show.health[-1].message == f"the face goes to 127.0.0.1:{show.port}"
    broken = weights.copy()
    broken[INDEX["mouthPucker"]] = np.nan
    show.until(lambda: show.value("dropped_not_finite") >= 1, broken)
    output = end(process)
    assert "shown up to 2 times as strong as measured (jawOpen)" in output
    assert "faces whose weights are not finite: mouthPucker" in output
    assert "Traceback" not in output


def test_the_head_turns_as_tf_says(show: Show) -> None:
    def bone() -> list[float]:
        return next((c.params[4:] for c in OscBundle(show.heard[-1]) if c.address == "/VMC/Ext/Bone/Pos"), [])

    process = start(f"port:={show.port}")
    show.head = [0.0, 0.6, 0.0, 0.8]  # a nod
    show.until(lambda: bool(show.heard) and bone() == pytest.approx([0.6, 0.0, 0.0, 0.8]), np.zeros(52, np.float32))
    show.head = [float("nan")] * 4
    show.until(lambda: bone() == pytest.approx([0.0, 0.0, 0.0, 1.0]), np.zeros(52, np.float32))
    end(process)


def test_a_closed_port_is_said_and_a_lost_face_too(show: Show) -> None:
    process = start(f"port:={show.port}")
    weights = np.zeros(52, np.float32)
    show.until(lambda: show.value("frames") >= 2, weights)
    # Nobody publishes any more: the receiver is told so, again and again.
    show.until(lambda: next(iter(OscBundle(show.heard[-1]))).params == [1, 3, 0, 0], None)
    show.receiver.close()
    show.until(lambda: show.value("refused") >= 1, weights)
    assert show.health[-1].level == DiagnosticStatus.WARN
    assert show.health[-1].message.startswith(f"nobody listens at 127.0.0.1:{show.port}: start the avatar's program")
    assert "nobody listens at" in end(process)


@pytest.mark.parametrize(
    ("parameter", "reason"),
    [
        ("host:=255.255.255.255", "is an address of many machines"),
        ("gains:=jawOpn=2", "there is no action 'jawOpn', but jawOpen"),
        ("vrchat.prefix:=a b", "vrchat.prefix is 'a b'"),
        ("protocol:=vmcp", "protocol is 'vmcp', must be one of live_link_face, vmc, vrchat"),
    ],
)
def test_bad_parameters_end_in_one_line(parameter: str, reason: str) -> None:
    protocol = "protocol:=vrchat" if parameter.startswith("vrchat") else "protocol:=vmc"
    process = start(protocol, parameter, "required:=true")
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert reason in output
    assert "Traceback" not in output
