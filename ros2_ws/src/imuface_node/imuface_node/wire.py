"""The table of topics (:mod:`imuface_core.topics`) in the terms of rclpy."""

from __future__ import annotations

import importlib
from typing import Any

from imuface_core.topics import Topic
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy


def message_class(kind: str) -> Any:
    """The Python class of a message type such as ``sensor_msgs/msg/Imu``. Raises ``ImportError`` when not installed."""
    package, _, name = kind.split("/")
    return getattr(importlib.import_module(f"{package}.msg"), name)


def qos(topic: Topic, depth: int | None = None, *, reliable: bool | None = None) -> QoSProfile:
    """What a listener asks of ``topic``: what the table says, with another ``depth`` or reliability where one is given.

    Best effort takes what publishers of both kinds send, those of other projects too.
    """
    wanted = topic.reliable if reliable is None else reliable
    reliability = ReliabilityPolicy.RELIABLE if wanted else ReliabilityPolicy.BEST_EFFORT
    durability = DurabilityPolicy.TRANSIENT_LOCAL if topic.kept else DurabilityPolicy.VOLATILE
    return QoSProfile(depth=topic.depth if depth is None else depth, reliability=reliability, durability=durability)


def offered(topic: Topic, depth: int | None = None) -> QoSProfile:
    """What a publisher offers on ``topic``: always reliable, which serves listeners of both kinds (REP-2003).

    RViz asks for reliable points unless told otherwise, and would show nothing. Listeners of best effort cost no more.
    """
    return qos(topic, depth, reliable=True)
