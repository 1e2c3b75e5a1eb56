"""Plays a session again: the recorded bytes, and the time of the recording on ``/clock``.

At a finite ``rate`` the messages keep their distances in time, divided by the rate. With rate 0 they come as fast as
possible, which for a face that is reconstructed anew means as fast as its frames come back, see
:class:`imuface_bringup.pacing.FacePace`.
"""

from __future__ import annotations

import struct
import sys
import threading
import time
from typing import ClassVar

import imuface_node
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from imuface_core import topics
from imuface_core.bag import Bag, header_stamp, named_topics, stamp_layout
from imuface_core.stamps import SECOND, set_ns, to_ns
from imuface_interfaces.msg import FacialLandmarks
from imuface_node import AutostartNode, Param, Status, StatusLevel, message_class, qos
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rosgraph_msgs.msg import Clock

from imuface_bringup.pacing import ClockPace, FacePace, Pace

_CLOCK_PERIOD = 10_000_000  # ns of recorded time
_LISTENER_PATIENCE = 30.0  # s
# For discovery to settle among the others, which cannot be seen here: a recorder may still look for the face node.
_SETTLING = 1.0  # s
# The face node tells once a second what it has received.
_ACKNOWLEDGEMENT_PATIENCE = 1.5  # s
# For the last messages to arrive.
_ENDING = 1.0  # s
_DEPTH = 200
_PAUSE_NS = 100_000_000  # of recorded time between the end and the next round of a loop


class PlayerNode(AutostartNode):
    """Publishes a bag's messages into its own namespace, then ends the process unless it loops."""

    failed: ClassVar[bool] = False  # whether the bag could not be played to its end

    PARAMETERS = (
        Param("path", "", "bag to play, a rosbag2 folder"),
        Param("person", "", "namespace in the bag, if it has several"),
        Param("topics", "", "what the bag calls them, such as left=/ear_l/imu right=/ear_r/imu"),
        Param("rate", 1.0, "speed; 0: as fast as possible", within=(0, 1e6)),
        Param("loop", False, "start again at the end"),
        Param("wait_for_face", False, "the face is reconstructed anew: play its inputs only, and keep to its pace"),
    )

    def __init__(self) -> None:
        super().__init__("player", enable_rosout=False)  # its last line comes when ROS has shut down
        self._played = 0
        self._bag: Bag | None = None
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._primed: dict[str, bytes] = {}  # first sample of each ear, sent ahead of the others
        self._acknowledged: set[str] = set()

    def setup(self) -> None:
        path = self.get_parameter("path").value
        if not path:
            raise ValueError("parameter 'path' is empty; give the bag to play")
        self._rate = self.get_parameter("rate").value
        self._loop = self.get_parameter("loop").value
        self._follow_face = self.get_parameter("wait_for_face").value
        person, named = self.get_parameter("person").value or None, self.get_parameter("topics").value.split()
        self._bag = Bag(path, person, named_topics(named))
        for warning in self._bag.warnings:
            self.get_logger().warning(warning)
        if apart := self._bag.seconds_between_ears():
            self.get_logger().warning(
                f"{path}: both ears were never recorded at the same time ({apart:.1f} s lie between them): "
                "bring them on one clock"
            )
        for topic in self._bag.missing_ears:
            self.get_logger().warning(f"{path} has no sample on {topic}: that ear is missing in the replay")
        names = topics.SESSION if self._follow_face else topics.SESSION | topics.FACE | topics.DIALOGUE | {topics.MESH}
        reliable = QoSProfile(depth=_DEPTH, reliability=ReliabilityPolicy.RELIABLE)
        self._clock_publisher = self.create_publisher(Clock, "/clock", reliable)
        # Reliable serves listeners of both kinds.
        self._outputs: dict[str, Publisher] = {
            name: self.create_publisher(message_class(kind), name, reliable)
            for name, kind in self._bag.types.items()
            if name in names
        }
        self._bag.check(self._outputs)
        self._face_pace = FacePace(self._bag.ears, self._stopping)
        if self._follow_face:
            self.create_subscription(FacialLandmarks, topics.FACE_LANDMARKS, self._on_frame, qos(topics.FACE_LANDMARKS))
            self.create_subscription(DiagnosticArray, topics.DIAGNOSTICS, self._on_diagnostics, 10)

    def start(self) -> None:
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="player")
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()
        self._thread = None

    def teardown(self) -> None:
        if self._bag is not None:
            self._bag.close()
            self._bag = None

    def status(self) -> list[tuple[str, Status]]:
        return [("", Status(StatusLevel.OK, "playing", {"messages": str(self._played)}))]

    def _on_frame(self, message: FacialLandmarks) -> None:
        self._face_pace.on_frame(to_ns(message.header.stamp))

    def _run(self) -> None:
        try:
            self._await_listeners()
            if self._follow_face:
                self._prime()
            shift_ns = 0
            while not self._stopping.is_set():
                shift_ns += self._play_once(shift_ns) + _PAUSE_NS
                if not self._loop:
                    break
        except (ValueError, OSError) as error:
            PlayerNode.failed = True
            self.get_logger().error(str(error))
        if not self._stopping.is_set():
            # Let the last messages out, and the last frame in, before the process ends.
            self._stopping.wait(_ENDING)
            self.get_logger().info(f"played {self._played} messages")
            rclpy.try_shutdown()

    def _await_listeners(self) -> None:
        """Wait until the face node hears both ears, else for as long as discovery usually takes."""
        assert self._bag is not None
        inputs = [self._outputs[topic] for topic in self._bag.ears]
        deadline = time.monotonic() + _LISTENER_PATIENCE
        while self._follow_face and not all(publisher.get_subscription_count() for publisher in inputs):
            if time.monotonic() > deadline:
                raise ValueError(f"nobody listens to {inputs[0].topic_name}; is face_recon_node running?")
            if self._stopping.wait(0.05):
                return
        self._stopping.wait(_SETTLING)

    def _prime(self) -> None:
        """Send the first sample of each ear until the face node has it.

        A publisher that sees a best-effort subscription may still be unknown to it for seconds, and what is sent
        meanwhile is lost: the replay would begin elsewhere each time. The face node drops the repetitions.
        """
        assert self._bag is not None
        for topic in self._bag.ears:
            self._primed[topic] = next(self._bag.messages({topic})).data
        deadline = time.monotonic() + _LISTENER_PATIENCE
        while missing := [topic for topic in self._primed if topic not in self._acknowledged]:
            if time.monotonic() > deadline:
                raise ValueError(f"the face node does not report samples of {', '.join(missing)} in /diagnostics")
            for topic in missing:
                self._outputs[topic].publish(self._primed[topic])
            if self._stopping.wait(_ACKNOWLEDGEMENT_PATIENCE):
                return

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            for ear, topic in topics.IMU.items():
                if status.name.startswith(self.get_namespace()) and status.name.endswith(f": {ear} ear"):
                    accepted = {item.key: item.value for item in status.values}.get("accepted", "0")
                    if accepted != "0":
                        self._acknowledged.add(topic)

    def _play_once(self, shift_ns: int) -> int:
        """Play the bag, all times ``shift_ns`` later so that time never runs backwards; returns its duration in ns."""
        assert self._bag is not None
        pace: Pace = ClockPace(self._rate, self._stopping)
        if self._rate == 0.0 and self._follow_face:
            pace = self._face_pace
        start_ns = time_ns = clock_ns = 0
        for message in self._bag.messages(set(self._outputs)):
            time_ns = message.time_ns + shift_ns
            start_ns = start_ns or time_ns
            data, stamp_ns = (message.data, 0) if message.topic == topics.MESH else _shifted(message.data, shift_ns)
            pace.wait(message.topic, time_ns, stamp_ns)
            if self._stopping.is_set():
                break
            if time_ns - clock_ns >= _CLOCK_PERIOD:
                clock_ns = time_ns
                clock = Clock()
                set_ns(clock.clock, clock_ns)
                self._clock_publisher.publish(clock)
            if self._primed.pop(message.topic, None) is None:
                self._outputs[message.topic].publish(data)
            self._played += 1
        return time_ns - start_ns


def _shifted(data: bytes, shift_ns: int) -> tuple[bytes, int]:
    """A CDR message that begins with a ``std_msgs/Header``, with its stamp ``shift_ns`` later, and that stamp."""
    stamp_ns = header_stamp(data) + shift_ns
    if shift_ns == 0:
        return data, stamp_ns
    patched = bytearray(data)
    struct.pack_into(stamp_layout(data), patched, 4, *divmod(stamp_ns, SECOND))
    return bytes(patched), stamp_ns


def main(args: list[str] | None = None) -> None:
    imuface_node.main(PlayerNode, args)
    if PlayerNode.failed:
        sys.exit(1)


if __name__ == "__main__":
    main()
