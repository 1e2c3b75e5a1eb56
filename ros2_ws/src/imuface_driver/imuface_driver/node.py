"""The driver node: earphones from any source in, ``sensor_msgs/Imu`` on the ROS clock out."""

from __future__ import annotations

import logging
import math
import threading
import traceback
from typing import Any

import imuface_node
import numpy as np
from imuface_core import topics
from imuface_core.bag import named_topics
from imuface_core.earphone import EARS, Ear
from imuface_core.stamps import set_ns
from imuface_interfaces.msg import Blendshapes
from imuface_node import MANY, PERSON_ID, AutostartNode, Param, Status, StatusLevel, frames_of_node, offered
from imuface_simulation import ACTIVITIES, PEOPLE
from imuface_simulation.earphones import MAX_RATE, MIN_RATE
from numpy.typing import NDArray
from rclpy.publisher import Publisher
from sensor_msgs.msg import Imu

from imuface_driver import quality
from imuface_driver.bluetooth.choice import Choice
from imuface_driver.devices import DEVICES
from imuface_driver.ear import EarHealth, ImuSample
from imuface_driver.sources import BagSource, BluetoothSource, SerialSource, SimulatedSource, Source, UdpSource

ANY = "any"  # kind of earphones
SILENCE = 1.0  # s without a sample after which an ear counts as silent
LOSSY = 0.1  # share of lost samples since the last report that deserves a warning


class ImufaceDriver(AutostartNode):
    """Publishes what one or more sources deliver.

    Each source runs in a thread of its own, which publishes directly: rclpy's publishers may be used from any thread,
    and waking the executor instead would cost a hop between threads and a rebuilt wait set for every sample.
    """

    PARAMETERS = (
        Param(
            "source", "simulated", "where samples come from", choices=("simulated", "bluetooth", "serial", "udp", "bag")
        ),
        Param(
            "rate",
            30.0,
            "samples per second of the simulated earphones, Hz; real ones have their own",
            within=(MIN_RATE, MAX_RATE),
        ),
        Param(
            "simulated.performance",
            "",
            "captured face to perform (Live Link Face, OpenFace, MediaPipe); empty: a generated one",
        ),
        Param("simulated.participant", 0, "seed of the simulated person", within=(0, MANY)),
        Param("simulated.ears", "anatomical", "kind of the simulated ears", choices=tuple(PEOPLE)),
        Param(
            "simulated.seed",
            0,
            "seed of the simulated session: mounting, noise, clocks, generated performance",
            within=(0, MANY),
        ),
        Param("simulated.activity", "still", "what the simulated person's head does meanwhile", choices=ACTIVITIES),
        Param("simulated.radio_delay", 0.0, "mean delay of the simulated radio, s", within=(0, 1)),
        Param("bluetooth.device", ANY, "kind of the earphones", choices=(ANY, *DEVICES)),
        Param("bluetooth.left", "", "address of the left bud, or its name, such as imuface*; empty: found by its kind"),
        Param("bluetooth.right", "", "address or name of the right bud; that of the left one: one device for both"),
        Param("bluetooth.adapter", "", "Bluetooth adapter, such as hci0; empty: any that is on"),
        Param("serial.left_port", "", "serial port of the left ear"),
        Param("serial.right_port", "", "serial port of the right ear; may be that of the left ear"),
        Param("serial.baud", 115200, "baud rate of the serial ports", within=(50, 12_000_000)),
        Param("udp.host", "127.0.0.1", "address of this machine to receive datagrams at"),
        Param("udp.port", 47800, "UDP port to receive datagrams at; 0: any", within=(0, 65_535)),
        Param("bag.path", "", "recorded session to play"),
        Param("bag.namespace", "", "namespace of the person in the recorded session; empty: the only one"),
        Param("bag.topics", "", "what the session calls the ears: left=/ear_l/imu right=/ear_r/imu"),
        Param("left_frame_id", "", "frame of the left ear's readings; empty: earphone_left_imu_link, with the id"),
        Param("right_frame_id", "", "frame of the right ear's readings; empty: earphone_right_imu_link, with the id"),
        PERSON_ID,
        Param(
            "linear_acceleration_stdev",
            topics.ACCELERATION_STDEV,
            "standard deviation of each axis, m/s², for the messages' covariance; 0: unknown (REP-145)",
            within=(0, 100),
        ),
        Param(
            "angular_velocity_stdev",
            topics.ANGULAR_VELOCITY_STDEV,
            "standard deviation of each axis, rad/s, for the messages' covariance; 0: unknown (REP-145)",
            within=(0, 100),
        ),
    )

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("imuface_driver", **kwargs)
        self._sources: list[Source] = []
        self._threads: list[threading.Thread] = []
        self._stop = threading.Event()
        self._imu: dict[Ear, tuple[Publisher, Imu]] = {}
        self._reference: tuple[Publisher, Blendshapes] | None = None
        self._lost: dict[Ear, tuple[int, int]] = {}
        self._log_handler = _RosLogHandler(self.get_logger())

    def setup(self) -> None:
        logger = logging.getLogger("imuface_driver")
        logger.setLevel(logging.INFO)
        logger.addHandler(self._log_handler)
        frames = frames_of_node(self)
        for ear, topic in topics.IMU.items():
            message = self._imu_message(self._parameter(f"{ear}_frame_id") or frames.imu[ear])
            self._imu[ear] = self.create_publisher(Imu, topic, offered(topic)), message
        self._sources = self._create_sources()
        for source in self._sources:
            source.open()
        if any(isinstance(source, SimulatedSource | BagSource) for source in self._sources):
            topic = topics.REFERENCE_BLENDSHAPES
            reference = Blendshapes()
            reference.header.frame_id = frames.face
            self._reference = self.create_publisher(Blendshapes, topic, offered(topic)), reference

    def start(self) -> None:
        self._stop.clear()
        self._threads = [
            threading.Thread(target=self._run, args=(source,), name=source.name, daemon=True)
            for source in self._sources
        ]
        for thread in self._threads:
            thread.start()
        self.get_logger().info(f"publishing from {', '.join(source.name for source in self._sources)}")

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._threads = []

    def teardown(self) -> None:
        for source in self._sources:
            source.close()
        self._sources = []
        publishers = [publisher for publisher, _ in self._imu.values()]
        if self._reference is not None:
            publishers.append(self._reference[0])
        for publisher in publishers:
            self.destroy_publisher(publisher)
        self._imu, self._reference = {}, None
        logging.getLogger("imuface_driver").removeHandler(self._log_handler)

    def _run(self, source: Source) -> None:
        try:
            source.run(self, self._stop)
        except Exception as error:  # a reader must not die unnoticed
            # An interrupt shuts ROS down at any moment, also while the reader publishes: that is its end, not a fault.
            if not self.context.ok():
                return
            source.fault = f"reading {source.name} failed: {error!r}"
            self.get_logger().error(f"{source.fault}\n{traceback.format_exc()}")

    # What the sources call, in their threads ------------------------------------------------------------------------

    def imu(self, sample: ImuSample) -> None:
        publisher, message = self._imu[sample.ear]
        set_ns(message.header.stamp, sample.stamp_ns)
        acceleration, angular_velocity = message.linear_acceleration, message.angular_velocity
        acceleration.x, acceleration.y, acceleration.z = sample.acceleration
        angular_velocity.x, angular_velocity.y, angular_velocity.z = sample.angular_velocity
        publisher.publish(message)

    def reference(self, stamp_ns: int, weights: NDArray[np.float32]) -> None:
        assert self._reference is not None
        publisher, message = self._reference
        set_ns(message.header.stamp, stamp_ns)
        message.weights = weights
        publisher.publish(message)

    # Health ---------------------------------------------------------------------------------------------------------

    def status(self) -> list[tuple[str, Status]]:
        health = {ear: (source, source.health[ear]) for source in self._sources for ear in source.health}
        return [(f"{ear} ear", self._ear_status(ear, *health[ear])) for ear in EARS if ear in health]

    def _ear_status(self, ear: Ear, source: Source, health: EarHealth) -> Status:
        rate, jitter = health.rate_and_jitter()
        age = math.inf
        if health.last_arrival_ns is not None:
            age = (self._now_ns() - health.last_arrival_ns) * 1e-9
        received, lost = self._lost.get(ear, (0, 0))
        self._lost[ear] = health.received, health.lost
        received, lost = health.received - received, health.lost - lost
        stamps, acceleration, angular_velocity = health.readings()
        values = {
            "source": source.name,
            "rate_hz": f"{rate:.2f}",
            "jitter_ms": f"{jitter * 1e3:.3f}",
            "received": str(health.received),
            "lost": str(health.lost),
            "out_of_order": str(health.out_of_order),
            "clock_resyncs": str(health.resyncs),
            "clock_drift_ppm": "unknown" if health.drift_ppm is None else f"{health.drift_ppm:.1f}",
            "battery_percent": "unknown" if health.battery is None else str(health.battery),
            "last_seen_s": f"{age:.3f}",
            "gravity": f"{quality.usual_norm(acceleration):.2f}",
            **({} if health.rssi is None else {"rssi_dbm": str(health.rssi)}),
            # A damaged frame does not tell its ear: these are of the link, which two ears may share.
            **{f"link_{name}": str(count) for name, count in source.counters().items()},
        }
        if age > SILENCE:
            silence = "nothing received yet" if health.last_arrival_ns is None else f"silent for {age:.1f} s"
            return Status(StatusLevel.WARN, f"{silence}: {source.fault}" if source.fault else silence, values)
        if lost > LOSSY * (received + lost):
            message = f"lost {lost} of {received + lost} samples since the last report: come nearer"
            return Status(StatusLevel.WARN, message, values)
        if fault := quality.fault(stamps, acceleration, angular_velocity):
            return Status(StatusLevel.WARN, fault, values)
        return Status(StatusLevel.OK, f"{rate:.1f} Hz", values)

    # Parameters -----------------------------------------------------------------------------------------------------

    def _create_sources(self) -> list[Source]:
        kind = self._parameter("source")
        if kind == "simulated":
            names = ("performance", "participant", "ears", "seed", "activity", "radio_delay")
            settings = {name: self._parameter(f"simulated.{name}") for name in names}
            return [SimulatedSource(self._now_ns, rate=self._parameter("rate"), **settings)]
        if kind == "bluetooth":
            return [self._bluetooth_source()]
        if kind == "serial":
            return self._serial_sources()
        if kind == "udp":
            return [UdpSource(self._parameter("udp.host"), self._parameter("udp.port"), self._now_ns)]
        if not self._parameter("bag.path"):
            raise ValueError("source is bag, but bag.path is empty: name a recorded session")
        person, named = self._parameter("bag.namespace") or None, named_topics(self._parameter("bag.topics").split())
        return [BagSource(self._parameter("bag.path"), self._now_ns, person, named)]

    def _bluetooth_source(self) -> BluetoothSource:
        device = self._parameter("bluetooth.device")
        kinds = tuple(DEVICES.values()) if device == ANY else (DEVICES[device],)
        named = {ear: name for ear in EARS if (name := self._parameter(f"bluetooth.{ear}").strip())}
        for ear in named:
            if len(kinds) == 1 and ear not in kinds[0].ears:
                raise ValueError(f"bluetooth.{ear} is given, but {kinds[0].title} has no {ear} ear with a sensor")
        return BluetoothSource(self._now_ns, Choice(kinds, named), self._parameter("bluetooth.adapter"))

    def _serial_sources(self) -> list[Source]:
        ports = {ear: self._parameter(f"serial.{ear}_port") for ear in EARS}
        baud = self._parameter("serial.baud")
        if ports["left"] and ports["left"] == ports["right"]:
            return [SerialSource(ports["left"], baud, self._now_ns)]
        sources: list[Source] = [SerialSource(port, baud, self._now_ns, ear) for ear, port in ports.items() if port]
        if not sources:
            raise ValueError("source is serial, but neither serial.left_port nor serial.right_port names a port")
        return sources

    def _imu_message(self, frame_id: str) -> Imu:
        """A message in which only stamp and measurement are still to be set."""
        message = Imu()
        message.header.frame_id = frame_id
        message.orientation_covariance = np.array(topics.ORIENTATION_COVARIANCE)
        message.linear_acceleration_covariance = self._covariance("linear_acceleration_stdev")
        message.angular_velocity_covariance = self._covariance("angular_velocity_stdev")
        return message

    def _covariance(self, name: str) -> NDArray[np.float64]:
        return np.array(topics.covariance(self._parameter(name)))

    def _parameter(self, name: str) -> Any:
        return self.get_parameter(name).value

    def _now_ns(self) -> int:
        return int(self.get_clock().now().nanoseconds)


class _RosLogHandler(logging.Handler):
    """Hands the log of the ROS-free code to the node's logger."""

    def __init__(self, logger: Any) -> None:
        super().__init__()
        self._logger = logger

    def emit(self, record: logging.LogRecord) -> None:
        # rclpy ties a severity to each calling line.
        if record.levelno >= logging.WARNING:
            self._logger.warning(record.getMessage())
        else:
            self._logger.info(record.getMessage())


def main(args: list[str] | None = None) -> None:
    """Run the driver."""
    imuface_node.main(ImufaceDriver, args)
