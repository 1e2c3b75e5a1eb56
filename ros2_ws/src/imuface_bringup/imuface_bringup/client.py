"""A node for commands that ask running nodes something, and say within seconds who is silent."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from imuface_node import GraphClient
from rclpy.task import Future

PATIENCE = 5.0  # s; discovery takes one or two
_TRIES = 5


class Client(GraphClient):
    """Asks the nodes of a person."""

    def __init__(self, namespace: str) -> None:
        self.namespace = f"/{namespace.strip('/')}"
        super().__init__(f"imuface_{os.getpid()}", self.namespace, start_parameter_services=False, enable_rosout=False)
        self._services: dict[str, Any] = {}

    def __enter__(self) -> Client:
        return self

    def full(self, name: str) -> str:
        """The whole name of a topic or node; names without a slash at their beginning are the person's."""
        return name if name.startswith("/") else f"{self.namespace.rstrip('/')}/{name}"

    def until(self, condition: Callable[[], object], patience: float = PATIENCE) -> bool:
        """As :meth:`GraphClient.until`, by default for as long as discovery may take."""
        return super().until(condition, patience)

    def meet(self, ready: Callable[[], object], ask: Callable[[], Future]) -> bool:
        """Whether a node is there within :data:`PATIENCE` seconds, and answers in as many.

        It is asked several times: on a busy machine this node knows the other one before it is known there, and an
        answer to somebody unknown is dropped.
        """
        if not self.until(ready):
            return False
        asked: list[Future] = []
        for _ in range(_TRIES):
            asked.append(ask())
            if self.until(lambda: any(future.done() for future in asked), PATIENCE / _TRIES):
                return True
        return False

    def answer(self, future: Future, who: str, patience: float = PATIENCE) -> Any:
        """What a request brings. Raises ``TimeoutError`` when ``who`` does not answer."""
        if not self.until(future.done, patience):
            raise TimeoutError(f"{who} does not answer within {patience:g} s; it may be loading: try again")
        return future.result()

    def call(
        self,
        kind: Any,
        service: str,
        request: Any,
        who: str,
        absence: Callable[[], Exception],
        patience: float = PATIENCE,
    ) -> Any:
        """What a service of ``who`` answers. Raises ``absence`` when there is none, else as :meth:`answer`."""
        if service not in self._services:
            client: Any = self.node.create_client(kind, service)
            if not self.until(client.service_is_ready):
                raise absence()
            self._services[service] = client
        return self.answer(self._services[service].call_async(request), who, patience)

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
