"""Watches a running person from outside: health of the nodes, arrival of the frames."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from imuface_core import topics
from imuface_core.stamps import to_ns
from imuface_interfaces.msg import FacialLandmarks
from imuface_node import GraphClient, qos
from rclpy.subscription import MessageInfo


@dataclass(frozen=True)
class Health:
    """The last thing a part of a node said in ``/diagnostics``."""

    ok: bool
    failed: bool
    message: str
    values: dict[str, str]


class Observer:
    """Listens in a thread of its own; a context manager."""

    def __init__(self, namespace: str) -> None:
        self._prefix = f"/{namespace.strip('/')}/"
        self._client = GraphClient("observer", namespace)
        self._node = self._client.node
        self._node.create_subscription(DiagnosticArray, topics.DIAGNOSTICS, self._on_diagnostics, 100)
        self._node.create_subscription(
            FacialLandmarks, topics.FACE_LANDMARKS, self._on_landmarks, qos(topics.FACE_LANDMARKS)
        )
        self._thread = threading.Thread(target=self._client.spin, name="observer", daemon=True)
        self._health: dict[tuple[str, str], Health] = {}
        # Stamp and time from stamp to publication of each frame, ns.
        self.latencies: list[tuple[int, int]] = []

    def __enter__(self) -> Observer:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._client.shut_down()
        self._thread.join()
        self._client.__exit__(*exception)

    def health(self, node: str) -> dict[str, Health]:
        """Health of each part of a node of this person; empty before its first report."""
        return {part: health for (name, part), health in list(self._health.items()) if name == node}

    def now_ns(self) -> int:
        """ROS time."""
        return int(self._node.get_clock().now().nanoseconds)

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            if status.name.startswith(self._prefix):
                name, _, part = status.name.removeprefix(self._prefix).partition(": ")
                values = {item.key: item.value for item in status.values}
                self._health[name, part] = Health(
                    status.level in (DiagnosticStatus.OK, DiagnosticStatus.WARN),
                    status.level == DiagnosticStatus.ERROR,
                    status.message,
                    values,
                )

    def _on_landmarks(self, message: FacialLandmarks, info: MessageInfo) -> None:
        stamp_ns = to_ns(message.header.stamp)
        self.latencies.append((stamp_ns, info["source_timestamp"] - stamp_ns))
