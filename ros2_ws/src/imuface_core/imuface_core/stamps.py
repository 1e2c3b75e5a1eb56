"""Stamps of ROS messages, whose seconds and nanoseconds are apart, and nanoseconds in one number."""

from __future__ import annotations

from typing import Any

SECOND = 1_000_000_000
"""Nanoseconds."""


def to_ns(stamp: Any) -> int:
    """ROS time in ns of a ``builtin_interfaces/Time``, of rclpy or of rosbags."""
    return int(stamp.sec * SECOND + stamp.nanosec)


def set_ns(stamp: Any, ns: int) -> None:
    """Let a ``builtin_interfaces/Time`` be ``ns``, ROS time."""
    stamp.sec, stamp.nanosec = divmod(ns, SECOND)
