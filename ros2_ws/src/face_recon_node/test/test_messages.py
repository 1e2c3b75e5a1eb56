"""Patched messages are the messages that rclpy would have sent, and arrive as them."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import rclpy
from face_recon_node.affect import AffectEstimator
from face_recon_node.head import HeadModel
from face_recon_node.messages import (
    BlendshapesMessage,
    LandmarksMessage,
    MeshMessage,
    PointsMessage,
    Template,
    affect_message,
)
from geometry_msgs.msg import Point
from hypothesis import given, settings
from hypothesis import strategies as st
from imuface_interfaces.msg import Blendshapes, FacialLandmarks
from numpy.typing import NDArray
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import PointCloud2, PointField
from std_msgs.msg import Header
from visualization_msgs.msg import Marker, MarkerArray

HEAD = HeadModel.load()
STAMP = 1_700_000_123_456_789_012


def header(stamp_ns: int = STAMP) -> Header:
    result = Header(frame_id="face")
    result.stamp.sec, result.stamp.nanosec = divmod(stamp_ns, 1_000_000_000)
    return result


def points(array: NDArray) -> list[Point]:
    return [Point(x=float(x), y=float(y), z=float(z)) for x, y, z in array]


def weights(seed: int) -> NDArray[np.float32]:
    return np.random.default_rng(seed).uniform(0, 1, 52).astype(np.float32)


def plain_mesh(vertices: NDArray, stamp_ns: int = STAMP) -> MarkerArray:
    marker = Marker(header=header(stamp_ns), ns="face", type=Marker.TRIANGLE_LIST)
    marker.pose.orientation.w = 1.0
    marker.scale.x = marker.scale.y = marker.scale.z = 1.0
    marker.color.r, marker.color.g, marker.color.b, marker.color.a = 0.88, 0.67, 0.56, 1.0
    marker.points = points(vertices[HEAD.triangles.ravel()])
    # Once over the wire, so that colours have single precision.
    return deserialize_message(serialize_message(MarkerArray(markers=[marker])), MarkerArray)


@given(seed=st.integers(0, 2**32 - 1), stamp=st.integers(0, 2**31 * 10**9 - 1))
@settings(max_examples=25)
def test_small_messages_equal_the_plain_ones(seed: int, stamp: int) -> None:
    generator = np.random.default_rng(seed)
    cloud, deviation = generator.normal(0, 0.1, (51, 3)).astype(np.float32), generator.random(51, np.float32)
    built = LandmarksMessage("face").build(stamp, cloud, deviation)
    plain = FacialLandmarks(header=header(stamp), points=points(cloud), standard_deviation=deviation)
    assert deserialize_message(built, FacialLandmarks) == plain

    spread = generator.random(52, np.float32)
    built = BlendshapesMessage("face").build(stamp, weights(seed), spread)
    plain = Blendshapes(header=header(stamp), weights=weights(seed), standard_deviation=spread)
    decoded = deserialize_message(built, Blendshapes)
    assert decoded.header == plain.header
    np.testing.assert_array_equal(decoded.weights, plain.weights)
    np.testing.assert_array_equal(decoded.standard_deviation, plain.standard_deviation)


def test_the_cloud_holds_the_landmarks() -> None:
    cloud, deviation = HEAD.landmark_neutral, np.linspace(0, 0.01, 51, dtype=np.float32)
    message = deserialize_message(PointsMessage("face").build(STAMP, cloud, deviation), PointCloud2)
    assert message.header == header()
    assert (message.height, message.width, message.point_step, message.row_step) == (1, 51, 16, 16 * 51)
    assert [field.name for field in message.fields] == ["x", "y", "z", "standard_deviation"]
    assert all(field.datatype == PointField.FLOAT32 for field in message.fields)
    block = np.frombuffer(message.data, np.float32).reshape(51, 4)
    np.testing.assert_array_equal(block, np.column_stack([cloud, deviation]))


def test_the_mesh_equals_the_plain_one_and_keeps_its_length() -> None:
    mesh = MeshMessage(HEAD.triangles, "face")
    for seed in range(3):
        vertices = HEAD.vertices(weights(seed))
        assert deserialize_message(mesh.build(STAMP, vertices), MarkerArray) == plain_mesh(vertices)


def test_the_mesh_is_cheap() -> None:
    """The plain way takes tens of milliseconds."""
    mesh, face = MeshMessage(HEAD.triangles, "face"), weights(0)
    vertices = HEAD.vertices(face)
    start = time.process_time()
    plain_mesh(vertices)
    plain = time.process_time() - start
    durations = []
    for _ in range(20):
        start = time.process_time()
        mesh.build(STAMP, HEAD.vertices(face))
        durations.append(time.process_time() - start)
    assert np.median(durations) < plain / 5


def test_affect_becomes_a_message() -> None:
    face = np.zeros(52)
    face[[23, 24]] = 0.5  # both corners of the mouth smile
    estimator = AffectEstimator()
    estimator.update(STAMP - 10**9, face, np.zeros(52))
    affect = estimator.update(STAMP, face, np.zeros(52))
    message = deserialize_message(
        serialize_message(affect_message(STAMP, affect, "face")), type(affect_message(STAMP, affect, "face"))
    )
    assert message.header == header()
    assert message.expression == affect.expression == "happy"
    assert (message.valence, message.arousal) == pytest.approx((affect.valence, affect.arousal))
    assert list(message.action_units) == list(affect.action_units)
    assert message.action_unit_intensities[list(message.action_units).index(12)] == pytest.approx(0.5)


def test_a_block_that_is_not_in_the_message_is_refused() -> None:
    with pytest.raises(ValueError, match="exactly once"):
        Template(FacialLandmarks(), "face", {"points": np.ones((51, 3))})


@pytest.fixture
def link() -> Iterator[tuple[Node, Node]]:
    """Two nodes in two participants; the second one is spun."""
    contexts = [rclpy.Context(), rclpy.Context()]
    for context in contexts:
        context.init()
    sender, receiver = (rclpy.create_node(f"link_{i}", context=context) for i, context in enumerate(contexts))
    executor = SingleThreadedExecutor(context=contexts[1])
    executor.add_node(receiver)
    stop = threading.Event()

    def spin() -> None:
        while not stop.is_set():
            executor.spin_once(timeout_sec=0.05)

    thread = threading.Thread(target=spin)
    thread.start()
    yield sender, receiver
    stop.set()
    thread.join()
    for node, context in zip((sender, receiver), contexts, strict=True):
        node.destroy_node()
        context.shutdown()


def test_bytes_arrive_at_a_subscriber_as_messages(link: tuple[Node, Node]) -> None:
    sender, receiver = link
    arrived: list[Any] = []
    receiver.create_subscription(MarkerArray, "mesh", arrived.append, QoSProfile(depth=1))
    receiver.create_subscription(FacialLandmarks, "landmarks", arrived.append, QoSProfile(depth=1))
    publishers = [
        sender.create_publisher(kind, topic, QoSProfile(depth=1))
        for kind, topic in ((MarkerArray, "mesh"), (FacialLandmarks, "landmarks"))
    ]
    deadline = time.monotonic() + 20
    while not all(publisher.get_subscription_count() for publisher in publishers):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    vertices, landmarks = HEAD.vertices(weights(5)), HEAD.landmarks(weights(5))
    sent = [
        MeshMessage(HEAD.triangles, "face").build(STAMP, vertices),
        LandmarksMessage("face").build(STAMP, landmarks, np.full(51, 0.5)),
    ]
    for attempt in itertools.count():
        for publisher, message in zip(publishers, sent, strict=True):
            publisher.publish(message)
        time.sleep(0.2)
        if {type(message) for message in arrived} == {MarkerArray, FacialLandmarks}:
            break
        assert attempt < 50
    plain = FacialLandmarks(header=header(), points=points(landmarks), standard_deviation=np.full(51, 0.5))
    assert next(m for m in arrived if isinstance(m, MarkerArray)) == plain_mesh(vertices)
    assert next(m for m in arrived if isinstance(m, FacialLandmarks)) == plain


@pytest.mark.parametrize("message_type", [LandmarksMessage, BlendshapesMessage])
def test_equal_faces_are_equal_bytes(message_type: type[LandmarksMessage] | type[BlendshapesMessage]) -> None:
    rng = np.random.default_rng(0)
    shape = (51, 3) if message_type is LandmarksMessage else (52,)
    values, deviations = rng.uniform(size=shape), rng.uniform(size=shape[0]).astype(np.float32)
    noise = [FacialLandmarks(header=Header(frame_id="x" * n)) for n in range(1, 40)]
    builds = set()
    for message in noise:
        builds.add(message_type("face_anna").build(STAMP, values, deviations))
        serialize_message(message)  # leaves other bytes behind in the serialiser's memory
    assert len(builds) == 1
