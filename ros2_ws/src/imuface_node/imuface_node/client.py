"""A node of programs that are no node themselves: they look at running ones, or ask them something."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor

_STEP = 0.05  # s between looks at a condition


class GraphClient:
    """Holds a ROS context of its own, so that a program may have several; a context manager.

    ``options`` go to ``rclpy.create_node``. Messages are taken on the thread that calls :meth:`until`, :meth:`step` or
    :meth:`spin`.
    """

    def __init__(self, name: str, namespace: str, **options: Any) -> None:
        self._context = rclpy.Context()
        rclpy.init(context=self._context, args=[], signal_handler_options=rclpy.SignalHandlerOptions.NO)
        self.node = rclpy.create_node(name, namespace=namespace, context=self._context, **options)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)

    def __enter__(self) -> GraphClient:
        return self

    def __exit__(self, *exception: object) -> None:
        self._executor.shutdown()
        self.node.destroy_node()
        self.shut_down()

    def step(self, seconds: float = _STEP) -> None:
        """Take what comes next, if it comes within so many seconds."""
        self._executor.spin_once(timeout_sec=seconds)

    def until(self, condition: Callable[[], object], patience: float) -> bool:
        """Take messages until ``condition`` holds; whether it did within ``patience`` seconds."""
        deadline = time.monotonic() + patience
        while not condition():
            if time.monotonic() > deadline:
                return False
            self.step()
        return True

    def spin(self) -> None:
        """Take messages until :meth:`shut_down`, on a thread of its own."""
        try:
            self._executor.spin()
        except ExternalShutdownException:
            return

    def shut_down(self) -> None:
        """End :meth:`spin`; harmless when it was ended."""
        self._context.try_shutdown()
