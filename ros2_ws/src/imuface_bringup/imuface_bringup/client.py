"""A node for commands that ask running nodes something, and say within seconds who is silent."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Annotated, Any

import rclpy
import typer
from rclpy.executors import SingleThreadedExecutor
from rclpy.task import Future

Namespace = Annotated[str, typer.Option(help="Namespace of the person.")]

PATIENCE = 5.0  # s; discovery takes one or two
_STEP = 0.05  # s between looks at a condition


class Client:
    """Holds a ROS context of its own; a context manager."""

    def __init__(self, namespace: str) -> None:
        self.namespace = f"/{namespace.strip('/')}"
        self._context = rclpy.Context()
        rclpy.init(context=self._context, args=[], signal_handler_options=rclpy.SignalHandlerOptions.NO)
        self.node = rclpy.create_node(
            f"imuface_{os.getpid()}",
            namespace=self.namespace,
            context=self._context,
            start_parameter_services=False,
            enable_rosout=False,
        )
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *exception: object) -> None:
        self._executor.shutdown()
        self.node.destroy_node()
        self._context.try_shutdown()

    def full(self, name: str) -> str:
        """The whole name of a topic or node; names without a slash at their beginning are the person's."""
        return name if name.startswith("/") else f"{self.namespace.rstrip('/')}/{name}"

    def until(self, condition: Callable[[], object], patience: float = PATIENCE) -> bool:
        """Take messages until ``condition`` holds; whether it did within ``patience`` seconds."""
        deadline = time.monotonic() + patience
        while not condition():
            if time.monotonic() > deadline:
                return False
            self._executor.spin_once(timeout_sec=_STEP)
        return True

    def answer(self, future: Future, who: str, patience: float = PATIENCE) -> Any:
        """What a request brings. Raises ``TimeoutError`` when ``who`` does not answer."""
        if not self.until(future.done, patience):
            raise TimeoutError(f"{who} does not answer within {patience:g} s; it may be loading: try again")
        return future.result()

    @property
    def own_name(self) -> str:
        """The whole name of this node."""
        return str(self.node.get_fully_qualified_name())

    def nodes(self) -> list[str]:
        """Whole names of the nodes that are seen, without this one, in all namespaces."""
        found = self.node.get_node_names_and_namespaces()
        return sorted({f"{space.rstrip('/')}/{name}" for name, space in found} - {self.own_name})

    def absence(self, who: str) -> TimeoutError:
        """The error that ``who`` cannot be found, with what can."""
        there = ", ".join(self.nodes()) or "none"
        return TimeoutError(
            f"no {who} answers in {self.namespace} within {PATIENCE:g} s; start one (imuface up full), or name the "
            f"person with --namespace; nodes that are running: {there}"
        )
