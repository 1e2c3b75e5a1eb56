"""The face in the TF tree, as somebody who comes later hears it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import rclpy
from face_recon_node.head import HeadModel
from face_recon_node.head.ears import earphones
from face_recon_node.node import FaceReconNode
from imuface_core import topics
from imuface_core.earphone import EARS, STANDARD_GRAVITY
from imuface_core.stamps import set_ns
from imuface_node import GraphClient, message_class, qos
from rclpy.parameter import Parameter
from scipy.spatial.transform import Rotation
from sensor_msgs.msg import Imu

pytestmark = pytest.mark.graph
pytest.importorskip("tf2_msgs")

FACE = "face_ann"
PLACES = dict(zip(EARS, earphones(HeadModel.load().neutral), strict=True))
LEANING = {
    "left": Rotation.from_euler("xy", [20, -10], degrees=True),
    "right": Rotation.from_euler("x", 35, degrees=True),
}


@pytest.fixture
def start() -> Iterator[Callable[..., FaceReconNode]]:
    nodes: list[FaceReconNode] = []

    def run(**parameters: Any) -> FaceReconNode:
        overrides = [Parameter(name, value=value) for name, value in ({"publish_mesh": False} | parameters).items()]
        nodes.append(FaceReconNode(namespace="/ann", parameter_overrides=overrides))
        nodes[-1].autostart()
        return nodes[-1]

    with rclpy.init():
        yield run
        for node in nodes:
            node.close()
            node.destroy_node()


class Listener(GraphClient):
    """Whoever looks for transforms, after the node has started."""

    def __init__(self) -> None:
        super().__init__("listener", "/")
        self.static: dict[str, Any] = {}
        self.moving: list[Any] = []
        kind = message_class(topics.TF.type)
        self.node.create_subscription(kind, topics.TF_STATIC, self._on_static, qos(topics.TF_STATIC))
        self.node.create_subscription(kind, topics.TF, lambda m: self.moving.extend(m.transforms), qos(topics.TF))

    def __enter__(self) -> Listener:
        return self

    def _on_static(self, message: Any) -> None:
        self.static = {each.child_frame_id: each for each in message.transforms}


def send(node: FaceReconNode, seconds: float, turn: float = 0.0, start: float = 1.0, **frames: str) -> None:
    """Samples of ears that lean as LEANING says, on a head that turns to the left by ``turn`` rad/s."""
    for count in range(round(30 * seconds)):
        for ear in EARS:
            message = Imu()
            message.header.frame_id = frames.get(ear, f"earphone_{ear}_imu_link_ann")
            set_ns(message.header.stamp, round((start + count / 30) * 1e9))
            # From upright to the earphone's own axes.
            vectors = LEANING[ear].inv().apply([[0, 0, STANDARD_GRAVITY], [0, 0, turn]])
            for field, vector in zip((message.linear_acceleration, message.angular_velocity), vectors, strict=True):
                field.x, field.y, field.z = map(float, vector)
            node._on_imu(ear, message)


def rotation(transform: Any) -> Rotation:
    q = transform.transform.rotation
    return Rotation.from_quat([q.x, q.y, q.z, q.w])


def test_the_earphones_are_on_the_face_for_those_who_come_later(start: Callable[..., FaceReconNode]) -> None:
    node = start(right_heading=170.0)
    with Listener() as listener:
        assert listener.until(lambda: listener.static, 20.0)
        assert set(listener.static) == {f"earphone_{ear}_imu_link_ann" for ear in EARS}
        assert len(node.get_publishers_info_by_topic(topics.TF_STATIC)) == 1
    send(node, 5.0)
    with Listener() as listener:
        assert listener.until(lambda: listener.static, 20.0)
        for ear, heading in zip(EARS, (0.0, 170.0), strict=True):
            transform = listener.static[f"earphone_{ear}_imu_link_ann"]
            assert transform.header.frame_id == FACE
            place = transform.transform.translation
            np.testing.assert_allclose([place.x, place.y, place.z], PLACES[ear], atol=1e-9)
            # What the earphone reads at rest is upwards in the face.
            reading = LEANING[ear].inv().apply([0.0, 0.0, 1.0])
            np.testing.assert_allclose(rotation(transform).apply(reading), [0.0, 0.0, 1.0], atol=1e-3)
            untilted = rotation(transform) * LEANING[ear].inv()
            assert np.degrees(untilted.as_euler("ZYX")[0]) == pytest.approx(heading, abs=8.0)
        assert not listener.moving
        assert not node.count_publishers(topics.TF)


def test_the_frames_of_the_readings_are_taken_up(start: Callable[..., FaceReconNode], capfd: Any) -> None:
    node = start()
    send(node, 0.5, left="bud", right="bud")
    with Listener() as listener:
        assert listener.until(lambda: listener.static, 20.0)
        assert set(listener.static) == {"bud", "earphone_right_imu_link_ann"}
    send(node, 0.5, start=2.0, left="", right="")
    output = capfd.readouterr()
    complaint = "the readings of the right ear are in frame 'bud', which is not its own"
    assert (output.out + output.err).count(complaint) == 1


def test_the_head_turns_in_its_parent(start: Callable[..., FaceReconNode]) -> None:
    node = start(parent_frame="neck")
    with Listener() as listener:
        assert listener.until(lambda: node.count_subscribers(topics.TF), 20.0)
        send(node, 8.0)
        send(node, 1.0, turn=0.8, start=9.0)
        assert listener.until(lambda: listener.moving and listener.moving[-1].header.stamp.sec >= 9, 20.0)
        listener.until(lambda: False, 0.5)
        assert {(each.header.frame_id, each.child_frame_id) for each in listener.moving} == {("neck", FACE)}
        heading, nod, tilt = np.degrees(rotation(listener.moving[-1]).as_euler("ZYX"))
        assert 25.0 < heading < 50.0  # 0.8 rad/s for a second, less what fades
        assert abs(nod) < 3.0
        assert abs(tilt) < 3.0


def test_a_parent_that_is_the_face_is_refused(start: Callable[..., FaceReconNode], capfd: Any) -> None:
    node = start(parent_frame=FACE)
    assert not node.active
    output = capfd.readouterr()
    assert f"parent_frame is '{FACE}', which is the person's own" in output.out + output.err


def test_without_the_message_the_node_says_so_and_goes_on(
    start: Callable[..., FaceReconNode], monkeypatch: pytest.MonkeyPatch, capfd: Any
) -> None:
    monkeypatch.setitem(sys.modules, "tf2_msgs.msg", None)
    monkeypatch.setitem(sys.modules, "tf2_msgs", None)
    node = start(parent_frame="neck")
    assert node.active
    send(node, 5.0)
    assert node._reconstructor.calibration.ready
    assert not node.count_publishers(topics.TF_STATIC)
    output = capfd.readouterr()
    assert (output.out + output.err).count("no /tf and /tf_static: ") == 1
    assert "Traceback" not in output.out + output.err
