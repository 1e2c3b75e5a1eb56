"""Records a session: the exact bytes of a person's topics, as a rosbag2 folder (MCAP) that ``ros2 bag play`` plays."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import imuface_node
import rclpy
from imuface_core import topics
from imuface_core.bag import BagWriter
from imuface_core.stamps import SECOND
from imuface_node import AutostartNode, Param, Status, StatusLevel, arrived, message_class, qos
from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.qos import QoSProfile
from rclpy.subscription import Subscription
from rclpy.timer import Timer
from rosbags.interfaces import Qos, QosDurability, QosHistory, QosLiveliness, QosReliability, QosTime

# Messages that may wait while the disk is busy, per topic.
_DEPTH = 200
# What a kill may cost.
_FLUSH_PERIOD = 0.25  # s


class RecorderNode(AutostartNode):
    """Writes what the chosen topics carry, with the quality of service that their publishers offer."""

    PARAMETERS = (
        Param("path", "", "folder to write; must not exist yet"),
        Param("all_topics", False, "the reconstructed face too"),
        Param("mesh", False, "face/mesh too, which is large"),
        Param("dialogue", False, "what the person said and the replies too; private"),
    )

    def __init__(self) -> None:
        # The last line of the log comes when ROS has shut down already; it can go to the console only.
        super().__init__("recorder", enable_rosout=False)
        self._path = Path()
        self._writer: BagWriter | None = None
        self._channels: dict[str, int] = {}
        self._flusher: Timer | None = None
        self._recorders: list[tuple[Subscription, Callable[[bytes], None]]] = []

    def setup(self) -> None:
        path = self.get_parameter("path").value
        if not path:
            raise ValueError("parameter 'path' is empty; give the folder to record into")
        self._path = Path(path)
        if self._path.exists():
            raise FileExistsError(f"{self._path} exists already; recordings are not overwritten: name another folder")

    def start(self) -> None:
        self._writer = BagWriter(self._path)
        for topic in self._chosen():
            record = partial(self._record, self.resolve_topic_name(topic), topic.type)
            # Subscribed to at once and not only when a publisher is seen, which would cost the first second.
            subscription = self.create_subscription(
                message_class(topic.type), topic, record, qos(topic, _DEPTH), raw=True
            )
            self._recorders.append((subscription, record))
        # By the wall clock: a paused simulation does not keep anything in memory.
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._flusher = self.create_timer(_FLUSH_PERIOD, self._flush, clock=steady)
        self.get_logger().info(f"recording into {self._path}")

    def stop(self) -> None:
        if self._flusher is not None:
            self.destroy_timer(self._flusher)
            self._flusher = None
        for subscription, record in self._recorders:
            # On a busy machine, messages of the last moments may have arrived and not been handled.
            for data in arrived(subscription):
                record(data)
            self.destroy_subscription(subscription)
        self._recorders.clear()
        if self._writer is not None:
            with self._ending_when_full():
                self._writer.close()
            self.get_logger().info(f"recorded {sum(self._writer.counts.values())} messages into {self._path}")
            self._writer = None
        self._channels.clear()

    def status(self) -> list[tuple[str, Status]]:
        assert self._writer is not None
        counts = {topic: str(count) for topic, count in self._writer.counts.items()}
        if not counts:
            return [("", Status(StatusLevel.WARN, "nothing to record yet"))]
        return [("", Status(StatusLevel.OK, f"recording into {self._path}", counts))]

    def _chosen(self) -> set[topics.Topic]:
        """The mesh is large and follows from the blendshapes; the dialogue is private: both only when asked for."""
        further = {
            "all_topics": topics.FACE | {topics.DIAGNOSTICS},
            "mesh": {topics.MESH},
            "dialogue": topics.DIALOGUE,
        }
        return set(topics.SESSION).union(*(some for name, some in further.items() if self.get_parameter(name).value))

    def _record(self, topic: str, kind: str, data: bytes) -> None:
        if self._writer is None:  # the disk is full
            return
        if topic not in self._channels:
            self._channels[topic] = self._writer.topic(topic, kind, self._offers(topic))
        with self._ending_when_full():
            self._writer.write(self._channels[topic], self.get_clock().now().nanoseconds, data)

    def _flush(self) -> None:
        assert self._writer is not None
        with self._ending_when_full():
            self._writer.flush()

    @contextlib.contextmanager
    def _ending_when_full(self) -> Iterator[None]:
        """End the process, with what was written, when the disk takes no more."""
        try:
            yield
        except OSError as error:
            assert self._writer is not None
            self._writer.abort()
            self._writer = None
            self.get_logger().error(
                f"recording into {self._path} ends: {error}; what was written can be read (imuface bag info)"
            )
            raise SystemExit(1) from None

    def _offers(self, topic: str) -> list[Qos]:
        """What the publishers of a topic offer; nothing when it is first heard after an interrupt has shut ROS down."""
        try:
            return [_stored(publisher.qos_profile) for publisher in self.get_publishers_info_by_topic(topic)]
        except rclpy_implementation.RCLError:
            if rclpy.ok():
                raise
            return []


def _stored(qos: QoSProfile) -> Qos:
    """An offered profile in the form of rosbags; both sides number the policies as rmw does."""
    return Qos(
        QosHistory(qos.history.value),
        qos.depth,
        QosReliability(qos.reliability.value),
        QosDurability(qos.durability.value),
        _time(qos.deadline.nanoseconds),
        _time(qos.lifespan.nanoseconds),
        QosLiveliness(qos.liveliness.value),
        _time(qos.liveliness_lease_duration.nanoseconds),
        qos.avoid_ros_namespace_conventions,
    )


def _time(nanoseconds: int) -> QosTime:
    return QosTime(*divmod(nanoseconds, SECOND))


def main(args: list[str] | None = None) -> None:
    imuface_node.main(RecorderNode, args)


if __name__ == "__main__":
    main()
