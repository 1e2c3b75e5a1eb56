"""What spins a node: rclpy's single-threaded executor, or its events executor where there is a sound one.

The single-threaded one lists all that a node could be told, in Python, before each message; the events executor is told
by the middleware what has come, and halves what rclpy takes for messages at 30 Hz (docs/avatars.md).
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Any

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.task import Future

_SOUND = 9  # major version of rclpy, that of ROS 2 Kilted: in Jazzy's, signals do not reach the program
_ROUND = 3600.0  # s


def make_executor(by_events: bool) -> Any:
    """An executor for one node: the events executor if that is wanted and there, else the single-threaded one."""
    if by_events and _is_sound():
        try:
            from rclpy.experimental import EventsExecutor
        except ImportError:
            return SingleThreadedExecutor()
        return EventsExecutor()
    return SingleThreadedExecutor()


def _is_sound() -> bool:
    try:
        return int(version("rclpy").partition(".")[0]) >= _SOUND
    except PackageNotFoundError:
        return False


def spin(executor: Any) -> None:
    """Do what comes until ROS shuts down. Raises ``ExternalShutdownException`` then, or returns."""
    if isinstance(executor, SingleThreadedExecutor):
        executor.spin()
        return
    while rclpy.ok():
        # In rounds: without a time limit, the events executor of PyPI's wheels waits forever, whatever comes.
        executor.spin_until_future_complete(Future(), _ROUND)
