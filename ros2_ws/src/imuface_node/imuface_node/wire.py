"""The table of topics (:mod:`imuface_core.topics`) in the terms of rclpy."""

from __future__ import annotations

import importlib
from typing import Any

from imuface_core.topics import Topic
from rclpy.qos import QoSProfile, ReliabilityPolicy


def message_class(kind: str) -> Any:
    """The Python class of a message type such as ``sensor_msgs/msg/Imu``. Raises ``ImportError`` when not installed."""
    package, _, name = kind.split("/")
    return getattr(importlib.import_module(f"{package}.msg"), name)


def qos(topic: Topic, depth: int | None = None, *, reliable: bool | None = None) -> QoSProfile:
    """What the table says of ``topic``, with another ``depth`` or reliability where one is given."""
    wanted = topic.reliable if reliable is None else reliable
    reliability = ReliabilityPolicy.RELIABLE if wanted else ReliabilityPolicy.BEST_EFFORT
    return QoSProfile(depth=topic.depth if depth is None else depth, reliability=reliability)
