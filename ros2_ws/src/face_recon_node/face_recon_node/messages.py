"""Messages of fixed layout, built by patching numbers into a message that was serialised once.

A ROS message with thousands of ``geometry_msgs/Point`` objects takes tens of milliseconds to build in Python. Here
the message is serialised once and only its stamp and its blocks of numbers are written anew; rclpy's publishers
accept the bytes as they are.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
from geometry_msgs.msg import Point
from imuface_core.arkit import BLENDSHAPES
from imuface_core.stamps import SECOND, set_ns
from imuface_interfaces.msg import AffectState, Blendshapes, FacialLandmarks
from numpy.typing import ArrayLike, NDArray
from rclpy.serialization import serialize_message
from sensor_msgs.msg import PointCloud2, PointField
from std_msgs.msg import Header
from visualization_msgs.msg import Marker, MarkerArray

from face_recon_node.affect import Affect

SKIN = (0.88, 0.67, 0.56)  # red, green, blue

# Values that mark the places to patch; any block of distinct numbers that occurs nowhere else will do.
_STAMP = (0x5AFE57A9, 0x3A11CE55)

_LARGEST_ALIGNMENT = 8  # bytes, of a CDR number

_LANDMARKS = FacialLandmarks.COUNT


class Template:
    """A serialised message in which the stamp and named blocks of numbers can be replaced.

    Args:
        message: the message, with the header stamp (:data:`_STAMP`) and each block holding the values to look for.
        frame_id: the frame in its header.
        blocks: the values that stand in the message for each block, in the type they have there.

    Raises:
        ValueError: a block does not occur exactly once in the serialised message.
    """

    def __init__(self, message: Any, frame_id: str, blocks: Mapping[str, NDArray]) -> None:
        self._buffer = bytearray(serialize_message(message))
        self._stamp = self._find(struct.pack("<iI", *_STAMP))
        self._blocks: dict[str, NDArray] = {}
        offsets: list[int] = []
        for name, values in blocks.items():
            offset = self._find(values.tobytes())
            self._blocks[name] = np.ndarray(values.shape, values.dtype, self._buffer, offset)
            offsets.append(offset)
        # Padding behind the frame's name holds chance bytes; zeroed, equal faces are equal bytes.
        frame = f"{frame_id}\0".encode()
        name_end = self._buffer.find(frame) + len(frame)
        if min(offsets) - name_end < _LARGEST_ALIGNMENT:
            self._buffer[name_end : min(offsets)] = bytes(min(offsets) - name_end)

    def fill(self, stamp_ns: int, **values: ArrayLike) -> bytes:
        """The serialised message with this stamp and these blocks."""
        struct.pack_into("<iI", self._buffer, self._stamp, *divmod(stamp_ns, SECOND))
        for name, value in values.items():
            self._blocks[name][...] = value
        return bytes(self._buffer)

    def _find(self, pattern: bytes) -> int:
        offset = self._buffer.find(pattern)
        if offset < 0 or self._buffer.find(pattern, offset + 1) >= 0:
            raise ValueError("a block does not occur exactly once in the serialised message")
        return offset


def _header(frame_id: str) -> Header:
    header = Header(frame_id=frame_id)
    header.stamp.sec, header.stamp.nanosec = _STAMP
    return header


def _distinct(shape: tuple[int, ...], dtype: Any) -> NDArray:
    """Numbers to look for."""
    return np.linspace(0.125, 0.875, math.prod(shape), dtype=dtype).reshape(shape)


def _points(coordinates: NDArray) -> list[Point]:
    return [Point(x=float(x), y=float(y), z=float(z)) for x, y, z in coordinates]


class LandmarksMessage:
    """``FacialLandmarks`` from (51, 3) metres and (51,) metres."""

    def __init__(self, frame_id: str) -> None:
        points, deviations = _distinct((_LANDMARKS, 3), np.float64), _distinct((_LANDMARKS,), np.float32)
        message = FacialLandmarks(header=_header(frame_id), points=_points(points), standard_deviation=deviations)
        self._template = Template(message, frame_id, {"points": points, "standard_deviation": deviations})

    def build(self, stamp_ns: int, points: NDArray, standard_deviation: ArrayLike) -> bytes:
        return self._template.fill(stamp_ns, points=points, standard_deviation=standard_deviation)


class BlendshapesMessage:
    """``Blendshapes`` from (52,) weights and (52,) standard deviations."""

    def __init__(self, frame_id: str) -> None:
        weights = _distinct((len(BLENDSHAPES),), np.float32)
        deviations = weights + 1
        message = Blendshapes(header=_header(frame_id), weights=weights, standard_deviation=deviations)
        self._template = Template(message, frame_id, {"weights": weights, "standard_deviation": deviations})

    def build(self, stamp_ns: int, weights: NDArray, standard_deviation: ArrayLike) -> bytes:
        return self._template.fill(stamp_ns, weights=weights, standard_deviation=standard_deviation)


class PointsMessage:
    """``PointCloud2`` of the landmarks, with their standard deviation as a fourth field."""

    def __init__(self, frame_id: str) -> None:
        names = ("x", "y", "z", "standard_deviation")
        block = _distinct((_LANDMARKS, len(names)), np.float32)
        message = PointCloud2(
            header=_header(frame_id),
            height=1,
            width=_LANDMARKS,
            fields=[
                PointField(name=name, offset=4 * i, datatype=PointField.FLOAT32, count=1)
                for i, name in enumerate(names)
            ],
            is_bigendian=False,
            point_step=4 * len(names),
            row_step=block.nbytes,
            is_dense=True,
        )
        message.data = block.tobytes()
        self._block = np.empty_like(block)
        self._template = Template(message, frame_id, {"points": block})

    def build(self, stamp_ns: int, points: NDArray, standard_deviation: NDArray) -> bytes:
        self._block[:, :3] = points
        self._block[:, 3] = standard_deviation
        return self._template.fill(stamp_ns, points=self._block)


class MeshMessage:
    """``MarkerArray`` with one TRIANGLE_LIST of fixed namespace, id and length, so that RViz updates it in place."""

    def __init__(self, triangles: NDArray[np.integer], frame_id: str) -> None:
        self._corners = triangles.reshape(-1)
        block = _distinct((len(self._corners), 3), np.float64)
        marker = Marker(header=_header(frame_id), ns="face", id=0, type=Marker.TRIANGLE_LIST, action=Marker.ADD)
        marker.pose.orientation.w = 1.0
        marker.scale.x = marker.scale.y = marker.scale.z = 1.0
        marker.color.r, marker.color.g, marker.color.b = SKIN
        marker.color.a = 1.0
        marker.points = _points(block)
        self._template = Template(MarkerArray(markers=[marker]), frame_id, {"points": block})

    def build(self, stamp_ns: int, vertices: NDArray) -> bytes:
        """From the vertices (V, 3) in metres, face frame."""
        return self._template.fill(stamp_ns, points=np.take(vertices, self._corners, axis=0))


def affect_message(stamp_ns: int, affect: Affect, frame_id: str) -> AffectState:
    """``AffectState`` of an affect."""
    message = AffectState(
        valence=affect.valence,
        arousal=affect.arousal,
        expression=affect.expression,
        confidence=affect.confidence,
        action_units=list(affect.action_units),
        action_unit_intensities=list(affect.action_units.values()),
    )
    message.header.frame_id = frame_id
    set_ns(message.header.stamp, stamp_ns)
    return message
